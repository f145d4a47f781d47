// A step allocates nothing: every allocation of the process is counted, those of the OpenMP runtime included.
#include <dlcc/compiler.h>
#include <dlcc/runtime.h>

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <string>
#include <vector>

#ifndef __SANITIZE_ADDRESS__
namespace {
std::atomic<int> allocations{0};
}

// glibc's own functions under other names; what they return goes to glibc's free.
extern "C" {
void* __libc_malloc(size_t bytes);
void* __libc_calloc(size_t count, size_t bytes);
void* __libc_realloc(void* old, size_t bytes);
void* __libc_memalign(size_t alignment, size_t bytes);

void* malloc(size_t bytes) { return ++allocations, __libc_malloc(bytes); }
void* calloc(size_t count, size_t bytes) { return ++allocations, __libc_calloc(count, bytes); }
void* realloc(void* old, size_t bytes) { return ++allocations, __libc_realloc(old, bytes); }
void* aligned_alloc(size_t alignment, size_t bytes) { return ++allocations, __libc_memalign(alignment, bytes); }
}

namespace {

// Wide enough for several threads; dropout, clipping and metrics do their own work in a step.
const std::string model = R"({ "dlcc": 1, "name": "wide", "seed": 7,
  "inputs": { "x": { "shape": ["N", 48] } },
  "layers": [ { "type": "Dense", "units": 512, "activation": "relu" }, { "type": "Dropout", "rate": 0.1 },
              { "type": "Dense", "name": "y", "units": 1, "activation": "sigmoid" } ],
  "loss": "binary_crossentropy", "metrics": ["accuracy", "auc"],
  "optimizer": { "type": "adam", "learning_rate": 0.01, "clip_norm": 1.0 },
  "train": { "batch_size": 64 } }
)";

TEST(Allocation, NoneInAStep) {
  dlcc_error error{};
  dlcc_module* module = nullptr;
  ASSERT_EQ(dlcc_compile_text(model.data(), model.size(), "m.json", nullptr, &module, &error), DLCC_OK)
      << error.message;
  dlcc_session_options options{};
  options.struct_size = sizeof options;
  options.num_threads = 2;
  dlcc_session* session = nullptr;
  const int without = allocations;
  ASSERT_EQ(dlcc_session_create(module, &options, &session, &error), DLCC_OK) << error.message;
  EXPECT_GT(allocations, without) << "those of the library are counted";
  ASSERT_EQ(dlcc_init(session, 7, &error), DLCC_OK) << error.message;
  std::vector<float> x(64 * 48, 0.5f), y(64, 1.0f), probability(64);
  const int64_t x_dims[] = {64, 48}, y_dims[] = {64, 1};
  const dlcc_view in[] = {{x.data(), DLCC_F32, 2, x_dims, x.size() * 4, {0, 0}},
                          {y.data(), DLCC_F32, 2, y_dims, y.size() * 4, {0, 0}}};
  double loss = 0;
  dlcc_view loss_view{&loss, DLCC_F64, 0, nullptr, sizeof loss, {0, 0}};
  dlcc_view prediction{probability.data(), DLCC_F32, 2, y_dims, probability.size() * 4, {0, 0}};
  auto steps = [&] {
    for (int64_t rows : {64, 40}) { // a full batch and a short one
      EXPECT_EQ(dlcc_train_step(session, in, 2, &loss_view, 1, rows, &error), DLCC_OK) << error.message;
      EXPECT_EQ(dlcc_eval_step(session, in, 2, &loss_view, 1, rows, &error), DLCC_OK) << error.message;
      EXPECT_EQ(dlcc_predict(session, in, 1, &prediction, 1, rows, &error), DLCC_OK) << error.message;
    }
  };
  steps(); // the OpenMP runtime starts its threads
  const int before = allocations;
  steps();
  const int after = allocations;
  EXPECT_EQ(after - before, 0);
  dlcc_session_destroy(session);
  dlcc_module_close(module);
}

} // namespace
#endif

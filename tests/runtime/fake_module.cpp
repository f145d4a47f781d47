#include "tests/runtime/fake_module.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unistd.h>

namespace dlcc::test {

void (*FakeModule::on_train)(const dlcc_call_v1*) = nullptr;

namespace {

constexpr int64_t x_dims[] = {4, 3}, row_dims[] = {4}, kernel_dims[] = {3}, total_dims[] = {2};
enum { X, LABEL, WEIGHT, LOSS, ACCURACY, PREDICTION, KERNEL, SLOT, TOTAL, GRADIENT, RATE };
constexpr int32_t train_inputs[] = {X, LABEL, WEIGHT}, train_outputs[] = {LOSS, ACCURACY, PREDICTION};
constexpr int32_t predict_inputs[] = {X}, predict_outputs[] = {PREDICTION}, metric_outputs[] = {ACCURACY},
                  rate_outputs[] = {RATE};

template <class T> T* region(const dlcc_call_v1* c, int r) { return static_cast<T*>(c->regions[r]); }

int32_t init(const dlcc_call_v1* c) {
  for (int i = 0; i < 3; ++i) region<float>(c, DLCC_REG_PARAM)[i] = static_cast<float>(c->seed) + static_cast<float>(i);
  return 0;
}

int32_t check(const dlcc_call_v1* c) {
  auto x = static_cast<const char*>(c->inputs[0]);
  auto label = static_cast<const char*>(c->inputs[1]);
  for (int64_t r = 0; r < c->n_valid; ++r) {
    int32_t y;
    std::memcpy(&y, label + 4 * r, 4);
    if (y == FakeModule::ignored) return DLCC_SKIPPED;
    if (y < 0 || y > 9) {
      *c->fault = {DLCC_FAULT_INDEX, LABEL, r, static_cast<double>(y), 10};
      return DLCC_E_ARG;
    }
    for (int64_t i = 0; i < 3; ++i) {
      float v;
      std::memcpy(&v, x + 4 * (3 * r + i), 4);
      if (std::isfinite(v)) continue;
      *c->fault = {DLCC_FAULT_NONFINITE, LOSS, -1, v, 0};
      return DLCC_E_NONFINITE;
    }
  }
  return 0;
}

// The mean gradient of the valid rows, through bytes because inputs may be misaligned.
void mean_of_rows(const dlcc_call_v1* c, double* mean) {
  for (int i = 0; i < 3; ++i) mean[i] = 0;
  for (int64_t r = 0; r < c->n_valid; ++r)
    for (int i = 0; i < 3; ++i) {
      float v, w;
      std::memcpy(&v, static_cast<const char*>(c->inputs[0]) + 4 * (3 * r + i), 4);
      std::memcpy(&w, static_cast<const char*>(c->inputs[2]) + 4 * r, 4);
      mean[i] += v * w / static_cast<double>(c->n_valid);
    }
}

int32_t predict(const dlcc_call_v1* c) {
  auto out = static_cast<char*>(c->outputs[0]);
  for (int64_t r = 0; r < 4; ++r) {
    float sum = 0;
    for (int64_t i = 0; i < 3; ++i) {
      float v;
      std::memcpy(&v, static_cast<const char*>(c->inputs[0]) + 4 * (3 * r + i), 4);
      // Rows behind the valid ones repeat the last of them; anything else shows up as a huge value.
      float last = 0;
      if (c->n_valid > 0)
        std::memcpy(&last, static_cast<const char*>(c->inputs[0]) + 4 * (3 * (c->n_valid - 1) + i), 4);
      if (r >= c->n_valid && v != last) v = 1e30f;
      sum += v * region<float>(c, DLCC_REG_PARAM)[i];
    }
    std::memcpy(out + 4 * r, &sum, 4);
  }
  return 0;
}

void update(const dlcc_call_v1* c, const double* gradient) {
  double rate = std::isnan(c->hyper[0]) ? 0.5 : c->hyper[0];
  for (int i = 0; i < 3; ++i) {
    region<float>(c, DLCC_REG_PARAM)[i] -= static_cast<float>(rate * gradient[i]);
    float& m = region<float>(c, DLCC_REG_OPT)[i];
    m = 0.9f * m + static_cast<float>(gradient[i]);
  }
}

void results(const dlcc_call_v1* c) {
  double loss = static_cast<double>(c->batch), accuracy = static_cast<double>(c->update);
  std::memcpy(c->outputs[0], &loss, 8);
  std::memcpy(c->outputs[1], &accuracy, 8);
  dlcc_call_v1 inner = *c;
  inner.outputs = c->outputs + 2;
  predict(&inner);
}

int32_t train(const dlcc_call_v1* c) {
  if (FakeModule::on_train) FakeModule::on_train(c);
  if (int32_t bad = check(c)) return bad;
  double mean[3];
  mean_of_rows(c, mean);
  update(c, mean);
  region<double>(c, DLCC_REG_BUFFER)[0] += 1;
  region<double>(c, DLCC_REG_BUFFER)[1] += static_cast<double>(c->n_valid);
  auto cache = region<uint32_t>(c, DLCC_REG_CACHE);
  if (cache[0] == 1) ++cache[1]; // repacked
  cache[0] = 0;
  std::memset(c->regions[DLCC_REG_WORK], 0xAB, 128 + 64 * static_cast<size_t>(c->num_threads));
  results(c);
  return 0;
}

int32_t gradient(const dlcc_call_v1* c) {
  if (int32_t bad = check(c)) return bad;
  double mean[3];
  mean_of_rows(c, mean);
  for (int i = 0; i < 3; ++i) region<float>(c, DLCC_REG_GRAD)[i] += static_cast<float>(mean[i]);
  results(c);
  return 0;
}

int32_t apply(const dlcc_call_v1* c) {
  double mean[3];
  for (int i = 0; i < 3; ++i) mean[i] = region<float>(c, DLCC_REG_GRAD)[i] / static_cast<double>(c->n_valid);
  update(c, mean);
  return 0;
}

int32_t eval(const dlcc_call_v1* c) {
  region<double>(c, DLCC_REG_BUFFER)[0] += 1;
  results(c);
  return 0;
}

int32_t metrics_reset(const dlcc_call_v1* c) {
  std::memset(c->regions[DLCC_REG_BUFFER], 0, 16);
  return 0;
}

int32_t metrics_result(const dlcc_call_v1* c) {
  *static_cast<double*>(c->outputs[0]) = region<double>(c, DLCC_REG_BUFFER)[0];
  return 0;
}

// A schedule of 0.5 / (1 + updates).
int32_t learning_rate(const dlcc_call_v1* c) {
  *static_cast<double*>(c->outputs[0]) =
      std::isnan(c->hyper[0]) ? 0.5 / (1 + static_cast<double>(c->update)) : c->hyper[0];
  return 0;
}

dlcc_tensor_desc tensor_of(int kind, int dtype, const char* name, int rank, const int64_t* dims, int region_index,
                           int batch_axis, uint64_t bytes) {
  return {sizeof(dlcc_tensor_desc), kind, dtype, rank, name, dims, region_index, batch_axis, 0, bytes};
}

} // namespace

FakeModule::FakeModule() {
  tensors = {tensor_of(DLCC_T_INPUT, DLCC_F32, "x", 2, x_dims, -1, 0, 48),
             tensor_of(DLCC_T_LABEL, DLCC_I32, "y", 1, row_dims, -1, 0, 16),
             tensor_of(DLCC_T_WEIGHT, DLCC_F32, "weight", 1, row_dims, -1, 0, 16),
             tensor_of(DLCC_T_LOSS, DLCC_F64, "loss", 0, nullptr, -1, -1, 8),
             tensor_of(DLCC_T_METRIC, DLCC_F64, "accuracy", 0, nullptr, -1, -1, 8),
             tensor_of(DLCC_T_OUTPUT, DLCC_F32, "prediction", 1, row_dims, -1, 0, 16),
             tensor_of(DLCC_T_PARAM, DLCC_F32, "param/dense/kernel", 1, kernel_dims, DLCC_REG_PARAM, -1, 12),
             tensor_of(DLCC_T_OPT, DLCC_F32, "opt/dense/kernel/m", 1, kernel_dims, DLCC_REG_OPT, -1, 12),
             tensor_of(DLCC_T_BUFFER, DLCC_F64, "buffer/total", 1, total_dims, DLCC_REG_BUFFER, -1, 16),
             tensor_of(DLCC_T_GRAD, DLCC_F32, "grad/dense/kernel", 1, kernel_dims, DLCC_REG_GRAD, -1, 12),
             tensor_of(DLCC_T_OUTPUT, DLCC_F64, "learning_rate", 0, nullptr, -1, -1, 8)};
  constexpr uint32_t size = sizeof(dlcc_entry_v1);
  entries = {{size, DLCC_FN_INIT, "init", init, nullptr, 0, 0, nullptr},
             {size, DLCC_FN_TRAIN, "train_step", train, train_inputs, 3, 3, train_outputs},
             {size, DLCC_FN_GRAD, "gradients", gradient, train_inputs, 3, 3, train_outputs},
             {size, DLCC_FN_APPLY, "apply", apply, nullptr, 0, 0, nullptr},
             {size, DLCC_FN_EVAL, "eval_step", eval, train_inputs, 3, 3, train_outputs},
             {size, DLCC_FN_PREDICT, "predict", predict, predict_inputs, 1, 1, predict_outputs},
             {size, DLCC_FN_METRICS_RESET, "reset", metrics_reset, nullptr, 0, 0, nullptr},
             {size, DLCC_FN_METRICS_RESULT, "result", metrics_result, nullptr, 0, 1, metric_outputs},
             {size, DLCC_FN_LEARNING_RATE, "rate", learning_rate, nullptr, 0, 1, rate_outputs}};
  regions = {12, 12, 16, 12, 100, 0, 64};
  hyper_names = {"learning_rate", "decay"};
  hyper_defaults = {0.5, 0.25};
  info.magic = DLCC_MODULE_MAGIC;
  info.abi = DLCC_MODULE_ABI;
  info.struct_size = sizeof info;
  info.name = "fake";
  info.compiler = "0.1.0";
  info.triple = "x86_64-unknown-linux-gnu";
  info.cpu_features = "";
  info.model_json = "{}";
  info.model_json_len = 2;
  info.model_hash[0] = 0xAB;
  info.tensors = tensors.data();
  info.entries = entries.data();
  info.n_tensors = static_cast<uint32_t>(tensors.size());
  info.n_entries = static_cast<uint32_t>(entries.size());
  info.n_regions = static_cast<uint32_t>(regions.size());
  info.alignment = 64;
  info.n_hyper = 2;
  info.region_bytes = regions.data();
  info.work_bytes_per_thread = 64;
  info.hyper_names = hyper_names.data();
  info.hyper_defaults = hyper_defaults.data();
}

void FakeModule::accumulate(double steps) {
  hyper_names.push_back("accumulate_steps");
  hyper_defaults.push_back(steps);
  info.hyper_names = hyper_names.data();
  info.hyper_defaults = hyper_defaults.data();
  info.n_hyper = 3;
}

dlcc_tensor_desc& FakeModule::tensor(const std::string& name) {
  for (dlcc_tensor_desc& t : tensors)
    if (name == t.name) return t;
  throw std::runtime_error(name);
}

Batch::Batch(int64_t n) : rows(n), x_dims{n, 3}, row_dims{n} {
  for (int64_t i = 0; i < 3 * n; ++i) x.push_back(static_cast<float>(i + 1));
  weight.assign(static_cast<size_t>(n), 1.0f);
  label.assign(static_cast<size_t>(n), 3);
  prediction.assign(static_cast<size_t>(n), -1.0f);
}

std::vector<dlcc_view> Batch::inputs() {
  const auto n = static_cast<uint64_t>(rows);
  return {{x.data(), DLCC_F32, 2, x_dims, 12 * n, {0, 0}},
          {label.data(), DLCC_I32, 1, row_dims, 4 * n, {0, 0}},
          {weight.data(), DLCC_F32, 1, row_dims, 4 * n, {0, 0}}};
}

std::vector<dlcc_view> Batch::outputs() {
  return {{&loss, DLCC_F64, 0, nullptr, 8, {0, 0}},
          {&metric, DLCC_F64, 0, nullptr, 8, {0, 0}},
          {prediction.data(), DLCC_F32, 1, row_dims, 4 * static_cast<uint64_t>(rows), {0, 0}}};
}

void Handles::open(const dlcc_session_options* options) {
  ASSERT_EQ(dlcc_module_wrap(&fake.info, &module, &error), DLCC_OK) << error.message;
  ASSERT_EQ(dlcc_session_create(module, options, &session, &error), DLCC_OK) << error.message;
}

dlcc_status Handles::train(Batch& batch, int64_t n_valid) {
  auto in = batch.inputs(), out = batch.outputs();
  return dlcc_train_step(session, in.data(), 3, out.data(), 3, n_valid, &error);
}

std::vector<float> Handles::read(const char* name) {
  std::vector<float> values(3);
  dlcc_view v{values.data(), DLCC_F32, 1, kernel_dims, 12, {0, 0}};
  EXPECT_EQ(dlcc_tensor_read(session, name, &v, &error), DLCC_OK) << error.message;
  return values;
}

Handles::~Handles() {
  dlcc_session_destroy(session);
  dlcc_module_close(module);
}

TemporaryFolder::TemporaryFolder() {
  std::string pattern = testing::TempDir() + "dlcc_runtime_XXXXXX";
  if (!mkdtemp(pattern.data())) throw std::runtime_error("mkdtemp");
  path_ = pattern;
}
TemporaryFolder::~TemporaryFolder() { std::filesystem::remove_all(path_); }

std::vector<std::string> TemporaryFolder::names() const {
  std::vector<std::string> out;
  for (const auto& e : std::filesystem::directory_iterator(path_)) out.push_back(e.path().filename());
  std::sort(out.begin(), out.end());
  return out;
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

dlcc_session_options default_options() {
  dlcc_session_options o{};
  o.struct_size = sizeof o;
  o.num_threads = 2;
  return o;
}

} // namespace dlcc::test

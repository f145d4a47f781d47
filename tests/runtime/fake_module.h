// fake_module.h: a module with entries written by hand, whose tables a test may break, and small helpers around
// sessions.
#pragma once
#include <cstring>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "runtime/core/dlcc_runtime.h"

namespace dlcc::test {

// A linear model: prediction = x . kernel; batch 4, 3 features, labels 0 to 9. TRAIN: kernel -= rate * mean of the
// valid rows of x * weight, m = 0.9 m + that mean; the buffer counts batches and rows. A label outside 0..9 or a value
// of x that is not finite is a fault; the label `ignored` says that nothing in the batch counts.
struct FakeModule {
  static constexpr int64_t batch = 4, features = 3;
  static constexpr int32_t ignored = -100;
  FakeModule();
  FakeModule(const FakeModule&) = delete;
  FakeModule& operator=(const FakeModule&) = delete;

  // Adds the hyper-parameter accumulate_steps.
  void accumulate(double steps);
  dlcc_tensor_desc& tensor(const std::string& name);

  std::vector<dlcc_tensor_desc> tensors;
  std::vector<dlcc_entry_v1> entries;
  std::vector<uint64_t> regions;
  std::vector<const char*> hyper_names;
  std::vector<double> hyper_defaults;
  dlcc_module_v1 info{};

  // Called at the start of every TRAIN; may be null.
  static void (*on_train)(const dlcc_call_v1*);
};

// One batch of the caller's memory, and views of it.
struct Batch {
  std::vector<float> x, weight, prediction;
  std::vector<int32_t> label;
  double loss = -1, metric = -1;
  int64_t rows;
  int64_t x_dims[2], row_dims[1];

  explicit Batch(int64_t rows = FakeModule::batch);
  std::vector<dlcc_view> inputs();
  std::vector<dlcc_view> outputs();
};

struct Handles {
  FakeModule fake;
  dlcc_module* module = nullptr;
  dlcc_session* session = nullptr;
  dlcc_error error{};
  void open(const dlcc_session_options* options = nullptr);
  dlcc_status train(Batch& batch, int64_t n_valid = FakeModule::batch);
  std::vector<float> read(const char* name);
  ~Handles();
};

// A folder of its own for each test, removed afterwards.
class TemporaryFolder {
public:
  TemporaryFolder();
  ~TemporaryFolder();
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }
  std::vector<std::string> names() const;

private:
  std::string path_;
};

std::string read_file(const std::string& path);
void write_file(const std::string& path, const std::string& bytes);
dlcc_session_options default_options();

} // namespace dlcc::test

// Status of one failing call, and a piece of its message.
#define EXPECT_FAILURE_WITH(call, expected_status, text)                                                               \
  do {                                                                                                                 \
    dlcc_error err{};                                                                                                  \
    EXPECT_EQ((call), (expected_status)) << err.message;                                                               \
    EXPECT_EQ(err.code, (expected_status));                                                                            \
    EXPECT_NE(std::string(err.message).find(text), std::string::npos) << "message: " << err.message;                   \
    EXPECT_EQ(std::string(err.message).find('\n'), std::string::npos);                                                 \
  } while (false)

// Status and whole message of one failing call.
#define EXPECT_FAILURE(call, expected_status, text)                                                                    \
  do {                                                                                                                 \
    dlcc_error err{};                                                                                                  \
    EXPECT_EQ((call), (expected_status)) << err.message;                                                               \
    EXPECT_EQ(err.code, (expected_status));                                                                            \
    EXPECT_EQ(std::string(err.message), text);                                                                         \
  } while (false)

// session.h: the mutable state of one training run: regions, counters, hyper-parameters, and the steps on them.
#pragma once
#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/core/dlcc_runtime.h"
#include "runtime/core/fitted_transform.h"
#include "runtime/core/module.h"

namespace dlcc::runtime {

class CheckpointFile;

// Everything throws Error. One thread at a time, but for the two counters; the C interface guards that.
class Session {
public:
  Session(std::shared_ptr<const Module> module, const dlcc_session_options& options);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void init(uint64_t seed);
  // Runs TRAIN, GRAD, EVAL or PREDICT.
  void step(int kind, const dlcc_view* in, int n_in, dlcc_view* out, int n_out, int64_t n_valid);
  void apply_gradients();
  void metrics_reset();
  void metrics_result(double* values, int n);

  void set_hyper(const char* name, double value);
  double hyper(const char* name) const;
  /// Of the last update, or of the first if there was none yet.
  double learning_rate();
  void read_tensor(const char* name, const dlcc_view& out);
  void write_tensor(const char* name, const dlcc_view& in);
  void set_attachment(const char* name, const dlcc_view* value);
  const Attachment& attachment(const char* name) const;
  void apply_transform(const char* tensor, const dlcc_view& in, const dlcc_view& out);
  void undo_transform(const char* tensor, const dlcc_view& in, const dlcc_view& out);
  void transform_cells(const char* tensor, const char* const* names, int n_columns, const char* const* cells,
                       int64_t n_rows, const dlcc_view& out);
  const std::string& class_name(const char* label, int64_t number);
  void set_meta(const char* key, const char* value);
  const std::string* meta(const std::string& key) const;

  // Parameters that are trained, slots, buffers, pending gradients.
  void check_finite() const;
  void save(const std::string& path, uint32_t flags);
  void load(const std::string& path, uint32_t flags);

  uint64_t batches() const { return batches_.load(std::memory_order_relaxed); }
  uint64_t updates() const { return updates_.load(std::memory_order_relaxed); }

private:
  // Where an entry's inputs are padded and its unwanted or short outputs go: offsets into staging_.
  struct EntryPlan {
    const dlcc_entry_v1* entry = nullptr;
    int64_t rows = 1; // N: the smallest batch extent among the inputs; others are multiples of it
    std::vector<uint64_t> inputs, outputs;
  };

  // session.cpp
  void check_options(const dlcc_session_options& options);
  uint64_t plan_entries();
  void* allocate(uint64_t bytes, const char* what);
  void release() noexcept;
  // Updates need every hyper-parameter that has no compiled value.
  void require_hypers() const;
  void require_ready() const;
  int32_t state_index(const char* name) const;
  char* state_data(int32_t tensor) const;
  void mark_cache_stale();
  void clear_gradients();
  void end_accumulation();
  void log(int level, const std::string& message);
  static void log_trampoline(void* user, int level, const char* message);
  static int allreduce_trampoline(void* user, void* buffer, uint64_t count, int dtype);
  void warn_of_two_openmp_runtimes();

  // step.cpp
  const EntryPlan& plan(int kind) const;
  void bind_input(const EntryPlan& plan, int i, const dlcc_view& view, int64_t n_valid);
  void bind_output(const EntryPlan& plan, int i, const dlcc_view* view, int64_t n_valid);
  void copy_short_outputs(const EntryPlan& plan, dlcc_view* out, int n_out, int64_t n_valid);
  /// After so many updates. False: nothing in the batch counts.
  bool run(const EntryPlan& plan, int64_t n_valid, uint64_t update);
  bool run(const EntryPlan& plan, int64_t n_valid) { return run(plan, n_valid, updates()); }
  void skip(dlcc_view* out, int n_out, bool trains);
  [[noreturn]] void fail_fault(const EntryPlan& plan, int32_t status, const dlcc_fault& fault) const;

  // session_transform.cpp
  struct Sample {
    int64_t from, to; // values of the file's, of the model's
    int32_t dtype;    // of the model's
  };
  const FittedTransform& transform(const char* tensor);
  Sample sample(const char* tensor, const FittedTransform& t) const;
  void write_sample(const char* tensor, const FittedTransform& t, const std::vector<double>& values, int64_t row,
                    char* out) const;
  void check_samples(const char* tensor, const Sample& s, int64_t rows, const dlcc_view& out) const;

  // session_checkpoint.cpp
  std::map<std::string, std::string> metadata(uint32_t flags) const;
  std::vector<int32_t> saved_tensors(uint32_t flags) const;
  std::string find_non_finite_state() const; ///< empty: none
  std::string state_signature() const;
  std::string program_hash() const;
  struct Differences;
  using Staged = std::vector<std::pair<int32_t, std::vector<char>>>; // tensors and their new bytes
  void check_compatible(const CheckpointFile& file, bool by_name);
  Staged read_tensors(const CheckpointFile& file, uint32_t what, Differences& differences) const;
  void load_counters(const CheckpointFile& file, uint32_t flags);

  std::shared_ptr<const Module> module_;
  dlcc_session_options options_;
  dlcc_host_v1 user_host_{}, host_{};
  bool callback_threw_ = false;
  bool ready_ = false;
  uint64_t seed_ = 0, pending_gradients_ = 0;
  std::atomic<uint64_t> batches_{0}, updates_{0};
  std::vector<double> hyper_;
  std::map<std::string, std::string> meta_;
  Attachments attachments_;
  std::map<std::string, FittedTransform, std::less<>> transforms_; // as far as they were asked for
  std::vector<void*> regions_, allocations_;
  char* staging_ = nullptr;
  std::array<EntryPlan, last_entry_kind + 1> plans_;
  std::vector<const void*> in_;
  std::vector<void*> out_;
};

// True for the metadata keys that the library writes itself.
bool is_reserved_meta_key(std::string_view key);

// "[128, 784]"
std::string dims_text(const int64_t* dims, int rank);

} // namespace dlcc::runtime

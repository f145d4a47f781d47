// runner.h: a session of a module fed with batches by tensor name; throws Failure instead of returning statuses.
#pragma once

#include "runtime/core/dlcc_runtime.h"
#include "runtime/data/open.h"
#include "runtime/data/spec.h"
#include "tools/train/failure.h"
#include "tools/train/requirement.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace dlcc::training {

/// Null if the module has no entry of this kind.
const dlcc_entry_v1* find_entry(const dlcc_module_v1& module, int kind);
/// N, the rows of a compiled batch: the smallest batch extent among the inputs of an entry.
int64_t batch_rows(const dlcc_module_v1& module, const dlcc_entry_v1& entry);
/// What a tensor is called in results: the part of its name after the last '/'.
std::string display_name(const dlcc_tensor_desc& tensor);
/// The specs of the tensors that an entry takes, in its order. Throws Failure (internal) if one is missing.
std::vector<data::TensorSpec> entry_tensors(const dlcc_module_v1& module, int kind,
                                            std::span<const data::TensorSpec> specs);

/// The inputs of one entry: buffers for a batch, and views of wherever its rows lie.
class Feed {
public:
  Feed(const dlcc_module_v1& module, int kind);
  /// Number of valid rows.
  int64_t fill(data::BatchSource& source, uint64_t epoch, int64_t batch);
  const dlcc_view* views() const { return views_.data(); }
  int count() const { return static_cast<int>(views_.size()); }
  void* buffer(size_t i) { return buffers_[i]; }

private:
  std::vector<std::unique_ptr<std::byte[]>> memory_;
  std::vector<void*> buffers_;
  std::vector<const void*> ready_;
  std::vector<dlcc_view> views_;
};

/// A copy of some of a session's tensors.
class StateCopy {
public:
  /// Of the tensors whose kind (DLCC_T_) is among `kinds`.
  void take(dlcc_session* session, const dlcc_module_v1& module, std::initializer_list<int> kinds);
  void put_back(dlcc_session* session) const;
  bool empty() const { return copies_.empty(); }

private:
  struct Copy {
    const dlcc_tensor_desc* tensor;
    std::vector<std::byte> bytes;
  };
  std::vector<Copy> copies_;
};

class Runner {
public:
  using Log = std::function<void(int level, const std::string& message)>;
  Runner(dlcc_module* module, int threads, uint64_t seed, Log log);
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  dlcc_session* session() const { return session_.get(); }
  const dlcc_module_v1& module() const { return *module_; }
  uint64_t step() const { return dlcc_batches(session_.get()); }

  void init(uint64_t seed);
  void load(const std::string& path, uint32_t flags);
  void save(const std::string& path);
  /// Throws NonFinite if the state holds a value that is not finite.
  void check_finite();
  void set_meta(const std::string& key, const std::string& value);
  std::string meta(const std::string& key, const std::string& otherwise) const;
  /// What the session knows of these tensors' transforms. Throws Failure (checkpoint) if it is damaged or of another
  /// model.
  data::FittedTransforms fitted(std::span<const data::TensorSpec> tensors) const;
  void set_fitted(const data::FittedTransforms& fitted);
  bool has_hyper(const std::string& name) const;
  /// Of the last update; none if the module does not say.
  std::optional<double> learning_rate();
  void set_hyper(const std::string& name, double value);

  /// The loss of the batch before its update. Throws NonFinite if the module refused the step.
  double train_step(const Feed& feed, int64_t rows);
  double eval_step(const Feed& feed, int64_t rows);

  /// "loss", then the metrics in the module's order.
  const std::vector<std::string>& result_names() const { return result_names_; }
  /// Loss and metrics of all batches since the reset, which the module itself adds up.
  Values results();
  void reset_results();

private:
  using Step = dlcc_status (*)(dlcc_session*, const dlcc_view*, int, dlcc_view*, int, int64_t, dlcc_error*);
  double step(Step function, const Feed& feed, int64_t rows);
  static void log_trampoline(void* user, int level, const char* message);

  struct Destroy {
    void operator()(dlcc_session* s) const { dlcc_session_destroy(s); }
  };
  const dlcc_module_v1* module_;
  Log log_;
  dlcc_host_v1 host_{};
  std::unique_ptr<dlcc_session, Destroy> session_;
  std::vector<std::string> result_names_;
  int loss_at_ = -1; ///< among the module's results
};

/// A value that is not finite: of a step, which then changed nothing, or of the state.
struct NonFinite : Failure {
  explicit NonFinite(const std::string& text) : Failure(exit_numeric, text, "non-finite") {}
};

/// A checkpoint whose tensors are not those of the model, or that another model made.
struct OtherModel : Failure {
  explicit OtherModel(const std::string& text) : Failure(exit_checkpoint, text, "checkpoint") {}
};

/// Loss and metrics of a whole data set, in evaluation mode. What they add up is reset before and after. `go_on` is
/// asked before each batch; nothing is returned once it says no.
std::optional<Values> evaluate_all(Runner& runner, Feed& feed, data::BatchSource& source,
                                   const std::function<bool(int64_t batch)>& go_on);

} // namespace dlcc::training

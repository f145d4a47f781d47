#include "tools/train/runner.h"

#include "runtime/core/error.h"
#include "runtime/data/error.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace dlcc::training {

const dlcc_entry_v1* find_entry(const dlcc_module_v1& m, int kind) {
  for (uint32_t i = 0; i < m.n_entries; ++i)
    if (m.entries[i].kind == kind) return &m.entries[i];
  return nullptr;
}

static const dlcc_entry_v1& need_entry(const dlcc_module_v1& m, int kind) {
  if (const dlcc_entry_v1* e = find_entry(m, kind)) return *e;
  const char* what = kind == DLCC_FN_TRAIN ? "training" : kind == DLCC_FN_EVAL ? "evaluation" : "prediction";
  throw Failure(exit_checkpoint, std::string("the compiled module has no entry for ") + what, "entry");
}

int64_t batch_rows(const dlcc_module_v1& m, const dlcc_entry_v1& e) {
  int64_t rows = 0;
  for (int i = 0; i < e.n_inputs; ++i) {
    const dlcc_tensor_desc& t = m.tensors[e.inputs[i]];
    if (t.batch_axis < 0) continue;
    const int64_t extent = t.dims[t.batch_axis];
    rows = rows == 0 ? extent : std::min(rows, extent);
  }
  return std::max<int64_t>(rows, 1);
}

std::string display_name(const dlcc_tensor_desc& t) {
  const std::string name = t.name;
  return name.substr(name.rfind('/') + 1); // npos + 1 == 0: the whole name
}

std::vector<data::TensorSpec> entry_tensors(const dlcc_module_v1& m, int kind, std::span<const data::TensorSpec> all) {
  const dlcc_entry_v1& e = need_entry(m, kind);
  std::vector<data::TensorSpec> out;
  for (int i = 0; i < e.n_inputs; ++i) {
    const char* name = m.tensors[e.inputs[i]].name;
    auto at = std::find_if(all.begin(), all.end(), [&](const data::TensorSpec& s) { return s.name == name; });
    if (at == all.end())
      throw Failure(exit_internal, "nothing is known of the module's input '" + data::escape(name) + "'", "internal");
    out.push_back(*at);
  }
  return out;
}

Feed::Feed(const dlcc_module_v1& m, int kind) {
  const dlcc_entry_v1& e = need_entry(m, kind);
  for (int i = 0; i < e.n_inputs; ++i) {
    const dlcc_tensor_desc& t = m.tensors[e.inputs[i]];
    memory_.push_back(std::make_unique<std::byte[]>(std::max<size_t>(t.nbytes, 1)));
    buffers_.push_back(memory_.back().get());
    views_.push_back({buffers_.back(), t.dtype, t.rank, t.dims, t.nbytes, {0, 0}});
  }
  ready_.resize(buffers_.size());
}

int64_t Feed::fill(data::BatchSource& source, uint64_t epoch, int64_t batch) {
  const int64_t rows = source.fill(epoch, batch, buffers_, ready_);
  for (size_t i = 0; i < views_.size(); ++i) views_[i].data = const_cast<void*>(ready_[i]);
  return rows;
}

void StateCopy::take(dlcc_session* session, const dlcc_module_v1& m, std::initializer_list<int> kinds) {
  copies_.clear();
  for (uint32_t i = 0; i < m.n_tensors; ++i) {
    const dlcc_tensor_desc& t = m.tensors[i];
    if (std::find(kinds.begin(), kinds.end(), t.kind) == kinds.end()) continue;
    copies_.push_back({&t, std::vector<std::byte>(std::max<size_t>(t.nbytes, 1))});
    dlcc_view view{copies_.back().bytes.data(), t.dtype, t.rank, t.dims, t.nbytes, {0, 0}};
    check([&](dlcc_error* e) { return dlcc_tensor_read(session, t.name, &view, e); });
  }
}

void StateCopy::put_back(dlcc_session* session) const {
  for (const Copy& c : copies_) {
    const dlcc_tensor_desc& t = *c.tensor;
    dlcc_view view{const_cast<std::byte*>(c.bytes.data()), t.dtype, t.rank, t.dims, t.nbytes, {0, 0}};
    check([&](dlcc_error* e) { return dlcc_tensor_write(session, t.name, &view, e); });
  }
}

Runner::Runner(dlcc_module* module, int threads, uint64_t seed, Log log)
    : module_(dlcc_module_info(module)), log_(std::move(log)) {
  if (!module_) throw Failure(exit_internal, "no module", "internal");
  host_.struct_size = sizeof host_;
  host_.user = this;
  host_.log = log_trampoline;
  dlcc_session_options options{};
  options.struct_size = sizeof options;
  options.num_threads = threads;
  options.seed = seed;
  options.host = &host_;
  check([&](dlcc_error* e) {
    dlcc_session* raw = nullptr;
    const dlcc_status status = dlcc_session_create(module, &options, &raw, e);
    session_.reset(raw);
    return status;
  });
  result_names_.push_back("loss");
  if (const dlcc_entry_v1* e = find_entry(*module_, DLCC_FN_METRICS_RESULT))
    for (int i = 0; i < e->n_outputs; ++i) {
      const dlcc_tensor_desc& t = module_->tensors[e->outputs[i]];
      if (t.kind == DLCC_T_LOSS)
        loss_at_ = i;
      else
        result_names_.push_back(display_name(t));
    }
}

void Runner::log_trampoline(void* user, int level, const char* message) {
  auto runner = static_cast<Runner*>(user);
  if (runner->log_) runner->log_(level, message);
}

void Runner::init(uint64_t seed) {
  check([&](dlcc_error* e) { return dlcc_init(session(), seed, e); }, "init");
}

void Runner::load(const std::string& path, uint32_t flags) {
  check([&](dlcc_error* e) {
    const dlcc_status status = dlcc_checkpoint_load(session(), path.c_str(), flags, e);
    if (status == DLCC_E_MISMATCH) throw OtherModel(e->message);
    return status;
  });
}

void Runner::save(const std::string& path) {
  check([&](dlcc_error* e) { return dlcc_checkpoint_save(session(), path.c_str(), DLCC_SAVE_ALL, e); });
}

void Runner::check_finite() {
  dlcc_error e{};
  if (dlcc_check_finite(session(), &e) != DLCC_OK) throw NonFinite(e.message);
}

void Runner::set_meta(const std::string& key, const std::string& value) {
  check([&](dlcc_error* e) { return dlcc_checkpoint_meta_set(session(), key.c_str(), value.c_str(), e); });
}

std::string Runner::meta(const std::string& key, const std::string& otherwise) const {
  char value[512];
  dlcc_error e{};
  const dlcc_status status = dlcc_checkpoint_meta_get(session(), key.c_str(), value, sizeof value, &e);
  return status == DLCC_OK ? value : otherwise;
}

data::FittedTransforms Runner::fitted(std::span<const data::TensorSpec> tensors) const {
  const auto find = [this](const std::string& name) -> std::optional<dlcc_view> {
    dlcc_view view{};
    const dlcc_status status = dlcc_attachment_get(session(), name.c_str(), &view, nullptr);
    return status == DLCC_OK ? std::optional(view) : std::nullopt;
  };
  data::FittedTransforms out;
  for (const data::TensorSpec& t : tensors) try {
      auto fitted = runtime::from_attachments(find, t.name);
      if (!fitted) continue;
      runtime::check_values_of_sample(*fitted, t.name, data::checked_product(t.shape).value_or(0));
      out.emplace(t.name, std::move(*fitted));
    } catch (const runtime::Error& e) {
      throw Failure(exit_checkpoint, e.message(), "transform");
    }
  return out;
}

void Runner::set_fitted(const data::FittedTransforms& fitted) {
  for (const auto& [tensor, transform] : fitted)
    for (const auto& [name, attachment] : runtime::to_attachments(transform, tensor)) {
      const dlcc_view view = attachment.view();
      check([&](dlcc_error* e) { return dlcc_attachment_set(session(), name.c_str(), &view, e); });
    }
}

bool Runner::has_hyper(const std::string& name) const {
  for (uint32_t i = 0; i < module_->n_hyper; ++i)
    if (name == module_->hyper_names[i]) return true;
  return false;
}

std::optional<double> Runner::learning_rate() {
  if (!find_entry(*module_, DLCC_FN_LEARNING_RATE)) return {};
  double rate = std::nan("");
  check([&](dlcc_error* e) { return dlcc_learning_rate(session(), &rate, e); });
  return rate;
}

void Runner::set_hyper(const std::string& name, double value) {
  check([&](dlcc_error* e) { return dlcc_set_hyper(session(), name.c_str(), value, e); }, "hyper");
}

double Runner::step(Step function, const Feed& feed, int64_t rows) {
  double loss = std::nan("");
  dlcc_view out{&loss, DLCC_F64, 0, nullptr, sizeof loss, {0, 0}};
  dlcc_error e{};
  const dlcc_status status = function(session(), feed.views(), feed.count(), &out, 1, rows, &e);
  if (status == DLCC_OK) return loss;
  if (status == DLCC_E_NONFINITE) throw NonFinite(e.message);
  throw Failure(status == DLCC_E_ARG ? int{exit_data} : exit_code(status), e.message,
                status == DLCC_E_ARG ? "index" : "step");
}

double Runner::train_step(const Feed& feed, int64_t rows) { return step(dlcc_train_step, feed, rows); }
double Runner::eval_step(const Feed& feed, int64_t rows) { return step(dlcc_eval_step, feed, rows); }

Values Runner::results() {
  if (loss_at_ < 0) throw Failure(exit_checkpoint, "the compiled module adds up no loss", "entry");
  std::vector<double> numbers(result_names_.size());
  check([&](dlcc_error* e) {
    return dlcc_metrics_result(session(), numbers.data(), static_cast<int>(numbers.size()), e);
  });
  std::rotate(numbers.begin(), numbers.begin() + loss_at_, numbers.begin() + loss_at_ + 1);
  Values values;
  for (size_t i = 0; i < numbers.size(); ++i) values.emplace_back(result_names_[i], numbers[i]);
  return values;
}

void Runner::reset_results() {
  check([&](dlcc_error* e) { return dlcc_metrics_reset(session(), e); });
}

std::optional<Values> evaluate_all(Runner& runner, Feed& feed, data::BatchSource& source,
                                   const std::function<bool(int64_t)>& go_on) {
  runner.reset_results();
  for (int64_t b = 0; b < source.batches_per_epoch(); ++b) {
    if (!go_on(b)) return std::nullopt;
    runner.eval_step(feed, feed.fill(source, 0, b));
  }
  Values values = runner.results();
  runner.reset_results();
  return values;
}

} // namespace dlcc::training

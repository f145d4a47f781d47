// Running the entries of a module: checking and binding the caller's views, padding short batches, reading faults.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "runtime/core/error.h"
#include "runtime/core/session.h"

namespace dlcc::runtime {

static const char* kind_name(int kind) {
  static constexpr const char* names[] = {"?",    "init",    "train",         "gradient",       "apply",
                                          "eval", "predict", "metrics_reset", "metrics_result", "learning_rate"};
  return names[kind];
}

const Session::EntryPlan& Session::plan(int kind) const {
  const EntryPlan& p = plans_[static_cast<size_t>(kind)];
  if (!p.entry) fail(DLCC_E_UNSUPPORTED, "the module has no %s entry", kind_name(kind));
  return p;
}

// Checks a view of an input or output. Returns true if it holds just the rows of a short batch.
static bool check_view(const char* what, const dlcc_tensor_desc& t, const dlcc_view& v, int64_t rows, int64_t n_valid) {
  if (!v.data && t.nbytes > 0 && v.nbytes > 0) fail(DLCC_E_ARG, "%s '%s': data is null", what, t.name);
  if (v.dtype != t.dtype)
    fail(DLCC_E_DTYPE, "%s '%s': dtype is %s, expected %s", what, t.name, dtype_name(v.dtype), dtype_name(t.dtype));
  if (v.rank != t.rank) fail(DLCC_E_SHAPE, "%s '%s': rank is %d, expected %d", what, t.name, v.rank, t.rank);
  if (v.rank > 0 && !v.dims) fail(DLCC_E_ARG, "%s '%s': dims is null", what, t.name);
  uint64_t bytes = dtype_bytes(t.dtype);
  bool is_short = false;
  for (int d = 0; d < t.rank; ++d) {
    // rows > 0 here: a batch axis of extent 0 has no shorter form.
    const bool batch = d == t.batch_axis && rows > 0;
    const int64_t valid = batch ? t.dims[d] / rows * n_valid : t.dims[d];
    if (v.dims[d] != t.dims[d] && v.dims[d] != valid)
      fail(DLCC_E_SHAPE, "%s '%s': shape is %s, expected %s%s", what, t.name, dims_text(v.dims, v.rank).c_str(),
           dims_text(t.dims, t.rank).c_str(), batch && n_valid < rows ? " or the valid rows of it" : "");
    is_short |= v.dims[d] != t.dims[d];
    bytes *= static_cast<uint64_t>(v.dims[d]);
  }
  if (v.nbytes != bytes)
    fail(DLCC_E_SHAPE, "%s '%s': %llu bytes, expected %llu for shape %s", what, t.name, 0ULL + v.nbytes, 0ULL + bytes,
         dims_text(v.dims, v.rank).c_str());
  return is_short;
}

// A tensor seen along its batch axis: `outer` slabs of `extent` rows of `row_bytes`.
struct BatchLayout {
  uint64_t outer = 1, extent = 1, row_bytes;
  explicit BatchLayout(const dlcc_tensor_desc& t) : row_bytes(dtype_bytes(t.dtype)) {
    for (int d = 0; d < t.rank; ++d) {
      auto n = static_cast<uint64_t>(t.dims[d]);
      (d < t.batch_axis ? outer : d == t.batch_axis ? extent : row_bytes) *= n;
    }
  }
};

// Passes full batches straight; copies the valid rows of others into session memory, and fills the rest with copies of
// the last sample. No gradient reaches them, but zeros might make their own derivatives infinite, and 0 * inf is NaN.
void Session::bind_input(const EntryPlan& plan, int i, const dlcc_view& view, int64_t n_valid) {
  const dlcc_tensor_desc& t = module_->tensor(plan.entry->inputs[i]);
  const bool is_short = check_view("input", t, view, plan.rows, n_valid);
  auto slot = static_cast<size_t>(i);
  in_[slot] = view.data ? view.data : staging_;
  if (t.batch_axis < 0 || n_valid == plan.rows) return;
  const BatchLayout to(t);
  const uint64_t sample = to.extent / static_cast<uint64_t>(plan.rows) * to.row_bytes; // bytes of one in a slab
  const uint64_t all = to.extent * to.row_bytes, valid = sample * static_cast<uint64_t>(n_valid);
  const uint64_t have = is_short ? valid : all;
  char* padded = staging_ + plan.inputs[slot];
  for (uint64_t o = 0; o < to.outer; ++o) {
    char* slab = padded + o * all;
    if (valid == 0) std::memset(slab, 0, all);
    if (valid > 0) std::memcpy(slab, static_cast<const char*>(view.data) + o * have, valid);
    for (uint64_t at = valid; valid > 0 && at < all; at += sample)
      std::memcpy(slab + at, slab + valid - sample, sample);
  }
  in_[slot] = padded;
}

// A missing or short view is written in session memory first.
void Session::bind_output(const EntryPlan& plan, int i, const dlcc_view* view, int64_t n_valid) {
  auto slot = static_cast<size_t>(i);
  out_[slot] = staging_ + plan.outputs[slot];
  if (!view) return;
  const dlcc_tensor_desc& t = module_->tensor(plan.entry->outputs[i]);
  const bool is_short = check_view("output", t, *view, plan.rows, n_valid);
  if (!is_short && view->data) out_[slot] = view->data;
}

static bool overlap(const dlcc_view& a, const dlcc_view& b) {
  auto start = [](const dlcc_view& v) { return reinterpret_cast<uintptr_t>(v.data); };
  if (a.nbytes == 0 || b.nbytes == 0) return false;
  return start(a) < start(b) + b.nbytes && start(b) < start(a) + a.nbytes;
}

static void check_overlap(const dlcc_view* in, int n_in, const dlcc_view* out, int n_out) {
  for (int o = 0; o < n_out; ++o) {
    for (int i = 0; i < n_in; ++i)
      if (overlap(out[o], in[i])) fail(DLCC_E_ARG, "output %d overlaps input %d", o, i);
    for (int k = 0; k < o; ++k)
      if (overlap(out[o], out[k])) fail(DLCC_E_ARG, "output %d overlaps output %d", o, k);
  }
}

void Session::copy_short_outputs(const EntryPlan& plan, dlcc_view* out, int n_out, int64_t n_valid) {
  for (int i = 0; i < n_out; ++i) {
    auto slot = static_cast<size_t>(i);
    if (out_[slot] == out[i].data || out[i].nbytes == 0) continue;
    const BatchLayout from(module_->tensor(plan.entry->outputs[i]));
    const uint64_t valid = from.extent / static_cast<uint64_t>(plan.rows) * static_cast<uint64_t>(n_valid);
    const uint64_t bytes = valid * from.row_bytes;
    for (uint64_t o = 0; o < from.outer; ++o)
      std::memcpy(static_cast<char*>(out[i].data) + o * bytes,
                  static_cast<char*>(out_[slot]) + o * from.extent * from.row_bytes, bytes);
  }
}

void Session::fail_fault(const EntryPlan& plan, int32_t status, const dlcc_fault& f) const {
  const bool named = f.node >= 0 && static_cast<uint32_t>(f.node) < module_->info().n_tensors;
  const dlcc_tensor_desc* t = named ? &module_->tensor(f.node) : nullptr;
  std::string where = t ? " of '" + escape(t->name) + "'" : "";
  if (f.sample >= 0) where = " at sample " + std::to_string(f.sample) + where;
  if (f.code == DLCC_FAULT_INDEX && status == DLCC_E_ARG) {
    char range[64] = "a smaller index";
    if (f.limit > 0) std::snprintf(range, sizeof range, "0 to %.15g", f.limit - 1);
    fail(status, "%s %.15g%s is out of range, expected %s", t && t->kind == DLCC_T_LABEL ? "label" : "index", f.value,
         where.c_str(), range);
  }
  if (status == DLCC_E_NONFINITE) {
    const std::string earlier = find_non_finite_state();
    fail(status, "non-finite value %g%s in the %s step; %s", std::isnan(f.value) ? std::fabs(f.value) : f.value,
         where.c_str(), kind_name(plan.entry->kind),
         earlier.empty() ? "the parameters are unchanged" : (earlier + ", since an earlier step").c_str());
  }
  if (status == DLCC_E_COMM) fail(status, "the host's allreduce failed in the %s step", kind_name(plan.entry->kind));
  if (status <= DLCC_E_ARG && status >= DLCC_E_TRUST)
    fail(status, "the %s entry failed with %s%s", kind_name(plan.entry->kind), dlcc_status_name(status), where.c_str());
  fail(DLCC_E_INTERNAL, "the %s entry returned %d, which is no status", kind_name(plan.entry->kind), status);
}

bool Session::run(const EntryPlan& plan, int64_t n_valid, uint64_t update) {
  dlcc_fault fault{};
  fault.node = -1;
  fault.sample = -1;
  dlcc_call_v1 call{};
  call.struct_size = sizeof call;
  call.num_threads = options_.num_threads;
  call.regions = regions_.data();
  call.inputs = in_.data();
  call.outputs = out_.data();
  call.n_valid = n_valid;
  call.seed = seed_;
  call.batch = batches();
  call.update = update;
  call.hyper = hyper_.data();
  call.fault = &fault;
  call.host = &host_;
  callback_threw_ = false;
  const int32_t status = plan.entry->fn(&call);
  if (status == DLCC_OK || status == DLCC_SKIPPED) return status == DLCC_OK;
  if (!callback_threw_) fail_fault(plan, status, fault);
  fail(DLCC_E_INTERNAL, "exception in a callback of the host");
}

void Session::init(uint64_t seed) {
  const EntryPlan& p = plan(DLCC_FN_INIT);
  ready_ = false;
  for (uint32_t r : {DLCC_REG_PARAM, DLCC_REG_OPT, DLCC_REG_BUFFER})
    if (uint64_t bytes = module_->region_bytes(r); bytes > 0) std::memset(regions_[r], 0, bytes);
  clear_gradients();
  mark_cache_stale();
  seed_ = seed;
  batches_ = 0;
  updates_ = 0;
  run(p, 0);
  ready_ = true;
  if (callback_threw_) fail(DLCC_E_INTERNAL, "exception in a callback of the host");
}

// A batch in which no label counts: its loss is 0, and it is no update.
void Session::skip(dlcc_view* out, int n_out, bool trains) {
  for (int i = 0; i < n_out; ++i)
    if (out[i].nbytes > 0) std::memset(out[i].data, 0, out[i].nbytes);
  if (!trains) return;
  ++batches_;
  log(1, "no label of batch " + std::to_string(batches()) + " counts (all are ignored); nothing was updated");
}

void Session::step(int kind, const dlcc_view* in, int n_in, dlcc_view* out, int n_out, int64_t n_valid) {
  const EntryPlan& p = plan(kind);
  require_ready();
  if (kind == DLCC_FN_TRAIN) require_hypers();
  if (n_in != p.entry->n_inputs) fail(DLCC_E_ARG, "n_in is %d, expected %d", n_in, p.entry->n_inputs);
  if (n_out < 0 || n_out > p.entry->n_outputs)
    fail(DLCC_E_ARG, "n_out is %d, expected 0 to %d", n_out, p.entry->n_outputs);
  if (!in && n_in > 0) fail(DLCC_E_ARG, "in is null");
  if (!out && n_out > 0) fail(DLCC_E_ARG, "out is null");
  if (n_valid < 0 || n_valid > p.rows)
    fail(DLCC_E_ARG, "n_valid is %lld, expected 0 to %lld", 0LL + n_valid, 0LL + p.rows);
  if (kind == DLCC_FN_TRAIN && pending_gradients_ > 0)
    fail(DLCC_E_STATE, "gradients of %llu batches are pending: call dlcc_apply_gradients first",
         0ULL + pending_gradients_);
  if (kind == DLCC_FN_GRAD && pending_gradients_ == 0 && batches() % module_->accumulate_steps() != 0)
    fail(DLCC_E_STATE, "%llu of %llu batches are accumulated: call dlcc_train_step until they make an update",
         0ULL + batches() % module_->accumulate_steps(), 0ULL + module_->accumulate_steps());
  for (int o = 0; o < p.entry->n_outputs; ++o) bind_output(p, o, o < n_out ? &out[o] : nullptr, n_valid);
  check_overlap(in, n_in, out, n_out);
  for (int i = 0; i < n_in; ++i) bind_input(p, i, in[i], n_valid);
  const bool trains = kind == DLCC_FN_TRAIN || kind == DLCC_FN_GRAD;
  if (!run(p, n_valid)) {
    skip(out, n_out, trains);
    if (kind == DLCC_FN_GRAD && pending_gradients_ == 0) end_accumulation();
    return;
  }
  copy_short_outputs(p, out, n_out, n_valid);
  if (kind == DLCC_FN_GRAD) ++pending_gradients_;
  if (trains) ++batches_;
  if (kind == DLCC_FN_TRAIN && batches() % module_->accumulate_steps() == 0) ++updates_;
  if (callback_threw_) fail(DLCC_E_INTERNAL, "exception in a callback of the host; the step is done");
}

void Session::apply_gradients() {
  const EntryPlan& p = plan(DLCC_FN_APPLY);
  require_ready();
  require_hypers();
  if (pending_gradients_ == 0) fail(DLCC_E_STATE, "no gradients are pending: call dlcc_compute_gradients first");
  run(p, static_cast<int64_t>(pending_gradients_));
  clear_gradients();
  end_accumulation();
  ++updates_;
  if (callback_threw_) fail(DLCC_E_INTERNAL, "exception in a callback of the host; the update is done");
}

void Session::metrics_reset() {
  const EntryPlan& p = plan(DLCC_FN_METRICS_RESET);
  require_ready();
  run(p, 0);
}

void Session::metrics_result(double* values, int n) {
  const EntryPlan& p = plan(DLCC_FN_METRICS_RESULT);
  require_ready();
  if (n < 0 || n > p.entry->n_outputs) fail(DLCC_E_ARG, "n is %d, expected 0 to %d", n, p.entry->n_outputs);
  if (!values && n > 0) fail(DLCC_E_ARG, "values is null");
  for (int o = 0; o < p.entry->n_outputs; ++o) bind_output(p, o, nullptr, 0);
  run(p, 0);
  for (int o = 0; o < n; ++o) std::memcpy(&values[o], out_[static_cast<size_t>(o)], sizeof(double));
}

double Session::learning_rate() {
  const EntryPlan& p = plan(DLCC_FN_LEARNING_RATE);
  require_ready();
  require_hypers();
  bind_output(p, 0, nullptr, 0);
  run(p, 0, std::max<uint64_t>(updates(), 1) - 1);
  double rate = 0;
  std::memcpy(&rate, out_[0], sizeof rate);
  return rate;
}

} // namespace dlcc::runtime

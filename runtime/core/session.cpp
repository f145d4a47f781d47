#include "runtime/core/session.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <limits>
#include <sched.h>
#include <unwind.h>

#include "runtime/core/error.h"
#include "runtime/core/values.h"

namespace dlcc::runtime {

static constexpr int max_threads = 1024, max_default_threads = 16;

static uint64_t round_up(uint64_t bytes, uint64_t to) {
  uint64_t sum = 0;
  if (__builtin_add_overflow(bytes, to - 1, &sum)) fail(DLCC_E_NOMEM, "sizes of the module overflow");
  return sum / to * to;
}

// The CPUs this process may run on, so that a container or taskset limit is respected.
static int default_threads() {
  cpu_set_t set;
  int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
  return std::clamp(n, 1, max_default_threads);
}

std::string dims_text(const int64_t* dims, int rank) {
  std::string text = "[";
  for (int d = 0; d < rank; ++d) text += (d ? ", " : "") + std::to_string(dims[d]);
  return text + "]";
}

// An exception that a host throws through a callback is unwound by the host's libgcc, but stopped by the copy inside
// this library, whose register table must be set up by then. A walk of the stack does that; otherwise it would abort.
static void prepare_unwinder() {
  _Unwind_Backtrace([](_Unwind_Context*, void*) { return _URC_END_OF_STACK; }, nullptr);
}

void Session::check_options(const dlcc_session_options& o) {
  if (o.struct_size != sizeof o)
    fail(DLCC_E_ABI, "options: struct_size is %u, this library expects %zu", o.struct_size, sizeof o);
  if (o.num_threads < 0 || o.num_threads > max_threads)
    fail(DLCC_E_ARG, "options: num_threads is %d, expected 0 to %d", o.num_threads, max_threads);
  if (!o.alloc != !o.dealloc) fail(DLCC_E_ARG, "options: alloc and dealloc go together");
  if (o.flags != 0) fail(DLCC_E_ARG, "options: flags is %u, expected 0", o.flags);
  if (o.host && o.host->struct_size != sizeof *o.host)
    fail(DLCC_E_ABI, "host: struct_size is %u, this library expects %zu", o.host->struct_size, sizeof *o.host);
}

Session::Session(std::shared_ptr<const Module> module, const dlcc_session_options& options)
    : module_(std::move(module)), options_(options), seed_(options.seed) {
  check_options(options);
  if (options.host || options.alloc) prepare_unwinder();
  if (options_.num_threads == 0) options_.num_threads = default_threads();
  if (options.host) user_host_ = *options.host;
  host_ = {sizeof host_, 0, this, user_host_.log ? log_trampoline : nullptr,
           user_host_.allreduce ? allreduce_trampoline : nullptr};
  const dlcc_module_v1& m = module_->info();
  hyper_.assign(m.n_hyper, std::numeric_limits<double>::quiet_NaN());
  regions_.assign(m.n_regions, nullptr);
  try {
    for (uint32_t r = 0; r < m.n_regions; ++r) {
      uint64_t bytes = m.region_bytes[r];
      if (r == DLCC_REG_CONST) {
        regions_[r] = const_cast<void*>(m.const_data); // read only by contract
        continue;
      }
      if (r == DLCC_REG_WORK) {
        uint64_t own = 0;
        if (__builtin_mul_overflow(m.work_bytes_per_thread, static_cast<uint64_t>(options_.num_threads), &own) ||
            __builtin_add_overflow(round_up(bytes, 64), own, &bytes))
          fail(DLCC_E_NOMEM, "sizes of the module overflow");
      }
      regions_[r] = allocate(bytes, "a region");
    }
    staging_ = static_cast<char*>(allocate(plan_entries(), "staging"));
    warn_of_two_openmp_runtimes();
  } catch (...) {
    release();
    throw;
  }
}

Session::~Session() { release(); }

void Session::release() noexcept {
  for (void* p : allocations_) {
    if (!options_.dealloc) {
      std::free(p);
      continue;
    }
    try {
      options_.dealloc(options_.alloc_user, p);
    } catch (...) { // a destructor has nobody to tell
    }
  }
  allocations_.clear();
}

void* Session::allocate(uint64_t bytes, const char* what) {
  if (bytes == 0) return nullptr;
  const uint64_t align = std::max<uint64_t>(64, module_->info().alignment);
  const uint64_t size = round_up(bytes, align);
  const std::string shown = size_text(static_cast<int64_t>(std::min<uint64_t>(size, INT64_MAX)));
  if (size > static_cast<uint64_t>(PTRDIFF_MAX)) fail(DLCC_E_NOMEM, "%s of %s", what, shown.c_str());
  allocations_.reserve(allocations_.size() + 1);
  void* p = options_.alloc ? options_.alloc(options_.alloc_user, size, align) : std::aligned_alloc(align, size);
  if (!p) fail(DLCC_E_NOMEM, "not enough memory for %s of %s", what, shown.c_str());
  allocations_.push_back(p);
  if (reinterpret_cast<uintptr_t>(p) % align != 0)
    fail(DLCC_E_ARG, "options: alloc returned memory that is not aligned to %llu bytes", 0ULL + align);
  std::memset(p, 0, size);
  return p;
}

// Entries never run at the same time, so they share one block. Returns its size.
uint64_t Session::plan_entries() {
  uint64_t largest = 0;
  size_t inputs = 0, outputs = 0;
  for (int kind = DLCC_FN_INIT; kind <= last_entry_kind; ++kind) {
    const dlcc_entry_v1* e = module_->entry(kind);
    if (!e) continue;
    EntryPlan& p = plans_[static_cast<size_t>(kind)];
    p.entry = e;
    uint64_t used = 0;
    auto place = [&](const dlcc_tensor_desc& t) {
      uint64_t at = used;
      if (__builtin_add_overflow(used, round_up(t.nbytes, 64), &used))
        fail(DLCC_E_NOMEM, "sizes of the module overflow");
      return at;
    };
    int64_t rows = INT64_MAX;
    for (int i = 0; i < e->n_inputs; ++i) {
      const dlcc_tensor_desc& t = module_->tensor(e->inputs[i]);
      if (t.batch_axis >= 0) rows = std::min(rows, t.dims[t.batch_axis]);
      p.inputs.push_back(t.batch_axis >= 0 ? place(t) : 0);
    }
    p.rows = rows == INT64_MAX ? 1 : rows;
    for (int i = 0; i < e->n_inputs; ++i) {
      const dlcc_tensor_desc& t = module_->tensor(e->inputs[i]);
      const int64_t extent = t.batch_axis >= 0 ? t.dims[t.batch_axis] : 0;
      if (p.rows == 0 ? extent != 0 : extent % p.rows != 0)
        fail(DLCC_E_CORRUPT, "corrupt module: batch extent of '%s' is no multiple of %lld", escape(t.name).c_str(),
             0LL + p.rows);
    }
    for (int i = 0; i < e->n_outputs; ++i) p.outputs.push_back(place(module_->tensor(e->outputs[i])));
    largest = std::max(largest, used);
    inputs = std::max(inputs, p.inputs.size());
    outputs = std::max(outputs, p.outputs.size());
  }
  in_.assign(inputs, nullptr);
  out_.assign(outputs, nullptr);
  return std::max<uint64_t>(largest, 64); // outputs are never null
}

void Session::require_ready() const {
  if (!ready_) fail(DLCC_E_STATE, "the session has no state yet: call dlcc_init or dlcc_checkpoint_load first");
}

void Session::log(int level, const std::string& message) {
  if (host_.log) host_.log(host_.user, level, message.c_str());
  if (callback_threw_) fail(DLCC_E_INTERNAL, "exception in a callback of the host");
}

// Compiled code has no unwind tables, so exceptions of the host stop here and are reported when the call is over.
void Session::log_trampoline(void* user, int level, const char* message) {
  auto self = static_cast<Session*>(user);
  try {
    self->user_host_.log(self->user_host_.user, level, message);
  } catch (...) {
    self->callback_threw_ = true;
  }
}

int Session::allreduce_trampoline(void* user, void* buffer, uint64_t count, int dtype) {
  auto self = static_cast<Session*>(user);
  try {
    return self->user_host_.allreduce(self->user_host_.user, buffer, count, dtype);
  } catch (...) {
    self->callback_threw_ = true;
    return DLCC_E_INTERNAL;
  }
}

// Two teams of threads compete for the same cores; results are right all the same.
void Session::warn_of_two_openmp_runtimes() {
  auto loaded = [](const char* name) {
    void* handle = dlopen(name, RTLD_LAZY | RTLD_NOLOAD);
    if (handle) dlclose(handle);
    return handle != nullptr;
  };
  if (!host_.log || !loaded("libgomp.so.1") || !(loaded("libomp.so.5") || loaded("libiomp5.so"))) return;
  log(1, "two OpenMP runtimes (libgomp and libomp) are in this process; their threads may oversubscribe the CPUs");
}

void Session::mark_cache_stale() {
  const uint32_t stale = 1;
  if (module_->region_bytes(DLCC_REG_CACHE) > 0) std::memcpy(regions_[DLCC_REG_CACHE], &stale, sizeof stale);
}

void Session::clear_gradients() {
  if (uint64_t bytes = module_->region_bytes(DLCC_REG_GRAD); bytes > 0) std::memset(regions_[DLCC_REG_GRAD], 0, bytes);
  pending_gradients_ = 0;
}

// The compiled step counts its accumulations by the number of the batch: the next one starts at a multiple.
void Session::end_accumulation() {
  const uint64_t each = module_->accumulate_steps(), open = batches() % each;
  if (open > 0) batches_ += each - open;
}

void Session::set_hyper(const char* name, double value) {
  int32_t i = module_->find_hyper(name);
  if (i < 0) fail(DLCC_E_NOTFOUND, "the module has no hyper-parameter '%s'", escape(name).c_str());
  if (std::strcmp(name, "accumulate_steps") == 0)
    fail(DLCC_E_ARG, "'accumulate_steps' is compiled in, it cannot be set");
  if (!std::isfinite(value)) fail(DLCC_E_ARG, "'%s': %g is not a finite number", name, value);
  if (value < 0 && std::strcmp(name, "learning_rate") == 0)
    fail(DLCC_E_ARG, "'learning_rate': %g is negative, expected 0 or more", value);
  if (value < 1 && std::strcmp(name, "steps_per_epoch") == 0)
    fail(DLCC_E_ARG, "'steps_per_epoch': %g batches, expected 1 or more", value);
  hyper_[static_cast<size_t>(i)] = value;
}

void Session::require_hypers() const {
  const dlcc_module_v1& m = module_->info();
  for (uint32_t i = 0; i < m.n_hyper; ++i)
    if (std::isnan(hyper_[i]) && std::isnan(m.hyper_defaults[i]))
      fail(DLCC_E_STATE, "hyper-parameter '%s' has no value yet, expected dlcc_set_hyper before the first update",
           escape(m.hyper_names[i]).c_str());
}

double Session::hyper(const char* name) const {
  int32_t i = module_->find_hyper(name);
  if (i < 0) fail(DLCC_E_NOTFOUND, "the module has no hyper-parameter '%s'", escape(name).c_str());
  double set = hyper_[static_cast<size_t>(i)];
  return std::isnan(set) ? module_->info().hyper_defaults[i] : set;
}

int32_t Session::state_index(const char* name) const {
  int32_t i = module_->find_tensor(name);
  if (i < 0) fail(DLCC_E_NOTFOUND, "the module has no tensor '%s'", escape(name).c_str());
  if (module_->tensor(i).region < 0)
    fail(DLCC_E_ARG, "'%s' is an input or output, not a parameter, slot, buffer or gradient", escape(name).c_str());
  return i;
}

char* Session::state_data(int32_t tensor) const {
  const dlcc_tensor_desc& t = module_->tensor(tensor);
  char* base = static_cast<char*>(regions_[static_cast<size_t>(t.region)]);
  return base ? base + t.offset : nullptr;
}

static void check_state_view(const dlcc_tensor_desc& t, const dlcc_view& v) {
  if (!v.data && t.nbytes > 0) fail(DLCC_E_ARG, "'%s': data is null", t.name);
  if (v.dtype != t.dtype)
    fail(DLCC_E_DTYPE, "'%s': dtype is %s, expected %s", t.name, dtype_name(v.dtype), dtype_name(t.dtype));
  if (v.rank > 0 && !v.dims) fail(DLCC_E_ARG, "'%s': dims is null", t.name);
  if (v.rank != t.rank || !std::equal(t.dims, t.dims + t.rank, v.dims))
    fail(DLCC_E_SHAPE, "'%s': shape is %s, expected %s", t.name,
         v.rank >= 0 && v.rank <= 8 ? dims_text(v.dims, v.rank).c_str() : "of a wrong rank",
         dims_text(t.dims, t.rank).c_str());
  if (v.nbytes != t.nbytes)
    fail(DLCC_E_SHAPE, "'%s': %llu bytes, expected %llu", t.name, 0ULL + v.nbytes, 0ULL + t.nbytes);
}

void Session::read_tensor(const char* name, const dlcc_view& out) {
  int32_t i = state_index(name);
  require_ready();
  const dlcc_tensor_desc& t = module_->tensor(i);
  check_state_view(t, out);
  if (t.nbytes > 0) std::memcpy(out.data, state_data(i), t.nbytes);
}

void Session::write_tensor(const char* name, const dlcc_view& in) {
  int32_t i = state_index(name);
  require_ready();
  const dlcc_tensor_desc& t = module_->tensor(i);
  check_state_view(t, in);
  if (t.nbytes > 0) std::memcpy(state_data(i), in.data, t.nbytes);
  mark_cache_stale();
}

void Session::set_attachment(const char* name, const dlcc_view* value) {
  std::string_view key = name;
  if (!is_attachment(key) || key.size() > max_attachment_name || !is_utf8(key))
    fail(DLCC_E_ARG, "attachment '%s': expected a name of at most %zu bytes of UTF-8 that begins with 'data/'",
         escape(key, 60).c_str(), max_attachment_name);
  transforms_.clear();
  if (!value) return void(attachments_.erase(std::string(key)));
  value_count(*value, "attachment '" + escape(key) + "'");
  const auto data = static_cast<const char*>(value->data);
  attachments_[std::string(key)] = {
      value->dtype, {value->dims, value->dims + value->rank}, {data, data + value->nbytes}};
}

const Attachment& Session::attachment(const char* name) const {
  auto at = attachments_.find(name);
  if (at == attachments_.end()) fail(DLCC_E_NOTFOUND, "the session has no attachment '%s'", escape(name).c_str());
  return at->second;
}

bool is_reserved_meta_key(std::string_view key) {
  static constexpr std::string_view reserved[] = {"dlcc.format",       "dlcc.version",    "dlcc.compiler",
                                                  "dlcc.model",        "dlcc.model_hash", "dlcc.state_signature",
                                                  "dlcc.program_hash", "dlcc.flags",      "dlcc.batches",
                                                  "dlcc.updates",      "dlcc.seed",       "dlcc.pending_gradients"};
  return key.starts_with("dlcc.hyper.") ||
         std::find(std::begin(reserved), std::end(reserved), key) != std::end(reserved);
}

void Session::set_meta(const char* key, const char* value) {
  std::string_view k = key, v = value;
  if (k.empty() || k.size() > 1024 || !is_utf8(k)) fail(DLCC_E_ARG, "key: expected 1 to 1024 bytes of UTF-8");
  if (v.size() > (1u << 20) || !is_utf8(v))
    fail(DLCC_E_ARG, "value of '%s': expected at most 1 MiB of UTF-8", escape(k).c_str());
  if (is_reserved_meta_key(k)) fail(DLCC_E_ARG, "key '%s' is written by the library itself", escape(k).c_str());
  if (meta_.size() >= 4096 && !meta_.contains(key)) fail(DLCC_E_ARG, "more than 4096 metadata keys");
  meta_[key] = value;
}

const std::string* Session::meta(const std::string& key) const {
  auto at = meta_.find(key);
  return at == meta_.end() ? nullptr : &at->second;
}

} // namespace dlcc::runtime

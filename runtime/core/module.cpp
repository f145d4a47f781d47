#include "runtime/core/module.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <dlfcn.h>

#include "runtime/core/cpu_features.h"
#include "runtime/core/error.h"

namespace dlcc::runtime {

static constexpr uint32_t max_tensors = 16u << 20, max_entries = 1024, max_regions = 64, max_hyper = 4096;
static constexpr size_t max_name = 1024;

uint64_t dtype_bytes(int32_t dtype) {
  static constexpr uint8_t bytes[] = {0, 4, 8, 2, 2, 1, 1, 4, 8, 1};
  return dtype >= DLCC_F32 && dtype <= DLCC_BOOL ? bytes[dtype] : 0;
}

const char* dtype_name(int32_t dtype) {
  static constexpr const char* names[] = {"?", "f32", "f64", "bf16", "f16", "i8", "u8", "i32", "i64", "bool"};
  return dtype >= DLCC_F32 && dtype <= DLCC_BOOL ? names[dtype] : "?";
}

void Module::Unload::operator()(void* library) const noexcept { dlclose(library); }

Module::Module(const dlcc_module_v1* info, void* library, std::string_view origin) : library_(library), info_(info) {
  const std::string name = escape(origin);
  check_header(name.c_str());
  tensors_.reserve(info_->n_tensors);
  for (uint32_t i = 0; i < info_->n_tensors; ++i) check_tensor(static_cast<int32_t>(i), name.c_str());
  for (uint32_t i = 0; i < info_->n_entries; ++i) check_entry(info_->entries[i], name.c_str());
  check_hyper(name.c_str());
  if (std::string missing = missing_cpu_features(info_->cpu_features); !missing.empty())
    fail(DLCC_E_CPU, "'%s': %s", name.c_str(), missing.c_str());
}

void Module::check_header(const char* origin) const {
  const dlcc_module_v1& m = *info_;
  if (m.magic != DLCC_MODULE_MAGIC)
    fail(DLCC_E_CORRUPT, "'%s': corrupt module: magic %08x, expected %08x", origin, m.magic, DLCC_MODULE_MAGIC);
  if (m.abi != DLCC_MODULE_ABI)
    fail(DLCC_E_ABI, "'%s': module ABI %u, this library supports %u", origin, m.abi, DLCC_MODULE_ABI);
  if (m.struct_size != sizeof m)
    fail(DLCC_E_ABI, "'%s': dlcc_module_v1 has %u bytes, this library expects %zu", origin, m.struct_size, sizeof m);
  auto require = [&](bool good, const char* what) {
    if (!good) fail(DLCC_E_CORRUPT, "'%s': corrupt module: %s", origin, what);
  };
  require(m.name && m.compiler && m.triple && m.cpu_features, "a string of the header is missing");
  require(m.model_json || m.model_json_len == 0, "model_json is missing");
  require(m.n_tensors <= max_tensors && (m.tensors || m.n_tensors == 0), "the tensor table");
  require(m.n_entries <= max_entries && (m.entries || m.n_entries == 0), "the entry table");
  require(m.n_regions <= max_regions && (m.region_bytes || m.n_regions == 0), "the region table");
  require(m.n_hyper <= max_hyper && ((m.hyper_names && m.hyper_defaults) || m.n_hyper == 0), "the hyper table");
  require(std::has_single_bit(m.alignment) && m.alignment <= 65536, "alignment is not a power of two up to 65536");
  require(m.work_bytes_per_thread % 64 == 0, "work_bytes_per_thread is not a multiple of 64");
  require(m.const_data || region_bytes(DLCC_REG_CONST) == 0, "const_data is missing");
  uint64_t cache = region_bytes(DLCC_REG_CACHE);
  require(cache == 0 || cache >= sizeof(uint32_t), "the cache region has no room for its stale word");
}

// The region that a kind of tensor lives in, -1 for what the caller passes.
static int32_t home_region(int32_t kind) {
  switch (kind) {
  case DLCC_T_PARAM:
    return DLCC_REG_PARAM;
  case DLCC_T_OPT:
    return DLCC_REG_OPT;
  case DLCC_T_BUFFER:
  case DLCC_T_ACCUMULATOR:
    return DLCC_REG_BUFFER;
  case DLCC_T_GRAD:
    return DLCC_REG_GRAD;
  default:
    return -1;
  }
}

void Module::check_tensor(int32_t i, const char* origin) {
  const dlcc_tensor_desc& t = tensor(i);
  if (t.struct_size != sizeof t)
    fail(DLCC_E_ABI, "'%s': dlcc_tensor_desc has %u bytes, this library expects %zu", origin, t.struct_size, sizeof t);
  size_t length = t.name ? strnlen(t.name, max_name + 1) : 0;
  if (length == 0 || length > max_name) fail(DLCC_E_CORRUPT, "'%s': corrupt module: name of tensor %d", origin, i);
  auto require = [&](bool good, const char* what) {
    if (!good) fail(DLCC_E_CORRUPT, "'%s': corrupt module: %s of tensor '%s'", origin, what, escape(t.name).c_str());
  };
  require(is_utf8(t.name), "name (not UTF-8)");
  const std::string_view tensor_name(t.name, length);
  require(tensors_.emplace(tensor_name, i).second, "second definition");
  constexpr std::string_view role = "param/";
  if (tensor_name.starts_with(role)) parameters_.emplace(tensor_name.substr(role.size()), i);
  require(t.kind >= DLCC_T_INPUT && t.kind <= DLCC_T_ACCUMULATOR, "kind");
  const uint64_t size = dtype_bytes(t.dtype);
  require(size != 0, "dtype");
  require(t.rank >= 0 && t.rank <= 8 && (t.dims || t.rank == 0), "rank");
  require(t.batch_axis >= -1 && t.batch_axis < t.rank, "batch_axis");
  uint64_t bytes = size;
  for (int32_t d = 0; d < t.rank; ++d) {
    require(t.dims[d] >= 0, "a negative dimension");
    require(!__builtin_mul_overflow(bytes, static_cast<uint64_t>(t.dims[d]), &bytes), "dimensions (overflow)");
  }
  require(bytes == t.nbytes && bytes <= INT64_MAX, "nbytes");
  require(t.region == home_region(t.kind), "region");
  if (t.region < 0) return;
  uint64_t end = 0;
  require(!__builtin_add_overflow(t.offset, t.nbytes, &end) && end <= region_bytes(static_cast<uint32_t>(t.region)),
          "offset");
  require(t.offset % size == 0, "alignment of the offset");
}

void Module::check_entry(const dlcc_entry_v1& e, const char* origin) {
  if (e.struct_size != sizeof e)
    fail(DLCC_E_ABI, "'%s': dlcc_entry_v1 has %u bytes, this library expects %zu", origin, e.struct_size, sizeof e);
  auto require = [&](bool good, const char* what) {
    if (!good) fail(DLCC_E_CORRUPT, "'%s': corrupt module: %s of entry %d", origin, what, e.kind);
  };
  require(e.kind >= DLCC_FN_INIT && e.kind <= last_entry_kind, "kind");
  require(entries_[static_cast<size_t>(e.kind)] == nullptr, "second definition");
  require(e.fn && e.name, "function or name");
  require(e.n_inputs >= 0 && e.n_inputs <= 4096 && (e.inputs || e.n_inputs == 0), "input list");
  require(e.n_outputs >= 0 && e.n_outputs <= 4096 && (e.outputs || e.n_outputs == 0), "output list");
  auto kind = [&](int32_t i) { return i >= 0 && static_cast<uint32_t>(i) < info_->n_tensors ? tensor(i).kind : 0; };
  for (int32_t i = 0; i < e.n_inputs; ++i) {
    int32_t k = kind(e.inputs[i]);
    require(k == DLCC_T_INPUT || k == DLCC_T_LABEL || k == DLCC_T_WEIGHT, "an input index");
  }
  for (int32_t i = 0; i < e.n_outputs; ++i) {
    int32_t k = kind(e.outputs[i]);
    require(k == DLCC_T_OUTPUT || k == DLCC_T_LOSS || k == DLCC_T_METRIC, "an output index");
  }
  require(e.kind != DLCC_FN_LEARNING_RATE || e.n_outputs == 1, "number of outputs");
  if (e.kind == DLCC_FN_METRICS_RESULT || e.kind == DLCC_FN_LEARNING_RATE)
    for (int32_t i = 0; i < e.n_outputs; ++i)
      require(tensor(e.outputs[i]).dtype == DLCC_F64 && tensor(e.outputs[i]).nbytes == 8,
              "a result that is no f64 scalar");
  entries_[static_cast<size_t>(e.kind)] = &e;
}

void Module::check_hyper(const char* origin) {
  for (uint32_t i = 0; i < info_->n_hyper; ++i) {
    const char* name = info_->hyper_names[i];
    if (!name || strnlen(name, max_name + 1) > max_name || !is_utf8(name))
      fail(DLCC_E_CORRUPT, "'%s': corrupt module: name of hyper-parameter %u", origin, i);
  }
  int32_t k = find_hyper("accumulate_steps");
  if (k < 0) return;
  double steps = info_->hyper_defaults[k];
  if (!(steps >= 1 && steps <= 1e9 && steps == std::floor(steps)))
    fail(DLCC_E_CORRUPT, "'%s': corrupt module: accumulate_steps is %g", origin, steps);
  accumulate_steps_ = static_cast<uint64_t>(steps);
}

int32_t Module::find_tensor(std::string_view name) const noexcept {
  if (auto at = tensors_.find(name); at != tensors_.end()) return at->second;
  // Parameters also go by the name they have in the model.
  auto at = parameters_.find(name);
  return at == parameters_.end() ? -1 : at->second;
}

int32_t Module::find_hyper(std::string_view name) const {
  for (uint32_t i = 0; i < info_->n_hyper; ++i)
    if (name == info_->hyper_names[i]) return static_cast<int32_t>(i);
  return -1;
}

} // namespace dlcc::runtime

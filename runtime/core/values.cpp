#include "runtime/core/values.h"

#include <cstring>

#include "runtime/core/error.h"
#include "runtime/core/module.h"

namespace dlcc::runtime {

namespace {
template <class T> double load(const void* values, int64_t i) {
  T v;
  std::memcpy(&v, static_cast<const char*>(values) + i * static_cast<int64_t>(sizeof v), sizeof v);
  return static_cast<double>(v);
}
} // namespace

double value_at(const void* values, int32_t dtype, int64_t i) {
  switch (dtype) {
  case DLCC_F32:
    return load<float>(values, i);
  case DLCC_F64:
    return load<double>(values, i);
  case DLCC_I8:
    return load<int8_t>(values, i);
  case DLCC_U8:
  case DLCC_BOOL:
    return load<uint8_t>(values, i);
  case DLCC_I32:
    return load<int32_t>(values, i);
  case DLCC_I64:
    return load<int64_t>(values, i);
  default:
    fail(DLCC_E_DTYPE, "values of type %s cannot be read as numbers", dtype_name(dtype));
  }
}

uint64_t value_count(const dlcc_view& view, const std::string& what) {
  if (view.rank < 0 || view.rank > 8 || (view.rank > 0 && !view.dims))
    fail(DLCC_E_ARG, "%s: expected 0 to 8 dimensions", what.c_str());
  const uint64_t size = dtype_bytes(view.dtype);
  if (size == 0) fail(DLCC_E_DTYPE, "%s: %d is no dtype", what.c_str(), view.dtype);
  uint64_t bytes = size;
  for (int d = 0; d < view.rank; ++d)
    if (view.dims[d] < 0 || __builtin_mul_overflow(bytes, static_cast<uint64_t>(view.dims[d]), &bytes))
      fail(DLCC_E_SHAPE, "%s: a dimension is %lld", what.c_str(), 0LL + view.dims[d]);
  if (view.nbytes != bytes)
    fail(DLCC_E_SHAPE, "%s: %llu bytes, expected %llu", what.c_str(), 0ULL + view.nbytes, 0ULL + bytes);
  if (bytes > 0 && !view.data) fail(DLCC_E_ARG, "%s: data is null", what.c_str());
  return bytes / size;
}

} // namespace dlcc::runtime

#include "runtime/core/finite.h"

#include "runtime/abi.h"

#include <algorithm>
#include <cstring>

namespace dlcc::runtime {

namespace {

// All bits of the exponent are set in infinities and NaNs only.
template <class Bits> bool is_bad(const char* p, int64_t i, Bits exponent) {
  Bits bits;
  std::memcpy(&bits, p + i * static_cast<int64_t>(sizeof bits), sizeof bits);
  return (bits & exponent) == exponent;
}

// In blocks without a way out, which become vector code.
template <class Bits> int64_t find(const void* data, int64_t n, Bits exponent) {
  constexpr int64_t block = 1024;
  auto p = static_cast<const char*>(data);
  for (int64_t begin = 0; begin < n; begin += block) {
    const int64_t end = std::min(begin + block, n);
    Bits any = 0;
    for (int64_t i = begin; i < end; ++i) any = static_cast<Bits>(any | Bits{is_bad(p, i, exponent)});
    for (int64_t i = begin; any && i < end; ++i)
      if (is_bad(p, i, exponent)) return i;
  }
  return -1;
}

} // namespace

int64_t find_non_finite(const void* data, int32_t dtype, int64_t n) {
  switch (dtype) {
  case DLCC_F64:
    return find<uint64_t>(data, n, 0x7FF0000000000000);
  case DLCC_F32:
    return find<uint32_t>(data, n, 0x7F800000);
  case DLCC_BF16:
    return find<uint16_t>(data, n, 0x7F80);
  case DLCC_F16:
    return find<uint16_t>(data, n, 0x7C00);
  default:
    return -1;
  }
}

} // namespace dlcc::runtime

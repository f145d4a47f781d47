#include "runtime/data/readers.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace dlcc::data {

namespace {

void swap_bytes(Bytes& values, int width) {
  std::byte* p = values.data();
  for (int64_t i = 0; i + width <= values.size(); i += width) std::reverse(p + i, p + i + width);
}

// IEEE 754 binary16 to binary32, exact.
float half_to_float(uint16_t h) {
  int exponent = h >> 10 & 31, fraction = h & 1023;
  float magnitude = exponent == 0    ? std::ldexp(static_cast<float>(fraction), -24)
                    : exponent == 31 ? (fraction ? std::numeric_limits<float>::quiet_NaN() : INFINITY)
                                     : std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
  return h & 0x8000 ? -magnitude : magnitude;
}

// bfloat16 is the upper half of binary32.
float bfloat_to_float(uint16_t h) { return std::bit_cast<float>(static_cast<uint32_t>(h) << 16); }

template <class From, class To, class Convert> Bytes widen(const Bytes& raw, Convert convert) {
  int64_t n = raw.size() / static_cast<int64_t>(sizeof(From));
  Bytes out(n * static_cast<int64_t>(sizeof(To)));
  for (int64_t i = 0; i < n; ++i) {
    From v;
    std::memcpy(&v, raw.data() + i * static_cast<int64_t>(sizeof v), sizeof v);
    out.as<To>()[i] = convert(v);
  }
  return out;
}

void require_below_2_63(const Bytes& raw, const std::string& file) {
  for (int64_t i = 0; i < raw.size() / 8; ++i)
    if (raw.as<int64_t>()[i] < 0)
      throw DataError(file, "element " + std::to_string(i) + " of type u64 does not fit i64", "range");
}

// Fortran order has the first axis fastest; walks the result in order and keeps the source index beside it.
Bytes to_row_major(const Bytes& from, const std::vector<int64_t>& shape, int64_t width) {
  Bytes to(from.size());
  std::vector<int64_t> stride(shape.size()), index(shape.size(), 0);
  int64_t step = width;
  for (size_t i = 0; i < shape.size(); step *= shape[i++]) stride[i] = step;
  int64_t source = 0;
  for (int64_t at = 0; at < to.size(); at += width) {
    std::copy_n(from.data() + source, width, to.data() + at);
    for (size_t axis = shape.size(); axis-- > 0;) {
      source += stride[axis];
      if (++index[axis] < shape[axis]) break;
      source -= stride[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return to;
}

} // namespace

RawArray decode(Bytes raw, StoredType stored, std::vector<int64_t> shape, const std::string& file) {
  if (stored.big_endian && stored.bytes > 1) swap_bytes(raw, stored.bytes);
  RawArray a;
  a.shape = std::move(shape);
  a.values = std::move(raw);
  auto same = [](auto v) { return v; };
  switch (stored.kind << 8 | stored.bytes) {
  case 'f' << 8 | 2:
    a.type = ElementType::f32;
    a.values = widen<uint16_t, float>(a.values, half_to_float);
    break;
  case 'B' << 8 | 2:
    a.type = ElementType::f32;
    a.values = widen<uint16_t, float>(a.values, bfloat_to_float);
    break;
  case 'f' << 8 | 4:
    a.type = ElementType::f32;
    break;
  case 'f' << 8 | 8:
    a.type = ElementType::f64;
    break;
  case 'i' << 8 | 1:
    a.type = ElementType::i8;
    break;
  case 'u' << 8 | 1:
    a.type = ElementType::u8;
    break;
  case 'i' << 8 | 2:
    a.type = ElementType::i32;
    a.values = widen<int16_t, int32_t>(a.values, same);
    break;
  case 'u' << 8 | 2:
    a.type = ElementType::i32;
    a.values = widen<uint16_t, int32_t>(a.values, same);
    break;
  case 'i' << 8 | 4:
    a.type = ElementType::i32;
    break;
  case 'u' << 8 | 4:
    a.type = ElementType::i64;
    a.values = widen<uint32_t, int64_t>(a.values, same);
    break;
  case 'u' << 8 | 8:
    require_below_2_63(a.values, file);
    [[fallthrough]];
  case 'i' << 8 | 8:
    a.type = ElementType::i64;
    break;
  case 'b' << 8 | 1:
    a.type = ElementType::boolean;
    for (int64_t i = 0; i < a.values.size(); ++i) a.values.as<uint8_t>()[i] = a.values.as<uint8_t>()[i] != 0;
    break;
  default:
    throw DataError(file,
                    "element type " + std::string(1, stored.kind) + std::to_string(stored.bytes) + " is not supported",
                    "dtype");
  }
  return a;
}

int64_t payload_bytes(const PendingArray& a) {
  auto elements = checked_product(a.shape);
  auto bytes = elements ? checked_multiply(*elements, a.type.bytes) : elements;
  if (!bytes) throw DataError(a.stream->name(), "the size of shape " + shape_text(a.shape) + " overflows", "size");
  return *bytes;
}

RawArray read_values(PendingArray pending) {
  const int64_t bytes = payload_bytes(pending), offset = pending.stream->position();
  const std::string file = pending.stream->name();
  const bool transposed = pending.fortran_order && pending.shape.size() > 1 && bytes > 0;
  Bytes payload = read_payload(*pending.stream, bytes);
  if (transposed) payload = to_row_major(payload, pending.shape, pending.type.bytes);
  const int64_t samples = pending.shape[0];
  RawArray a = decode(std::move(payload), pending.type, std::move(pending.shape), file);
  a.offset = offset;
  a.file = file;
  a.stride = transposed || samples == 0 ? 0 : bytes / samples;
  return a;
}

} // namespace dlcc::data

#include "ir/base/shape.h"

namespace dlcc {

std::optional<int64_t> checked_multiply(int64_t a, int64_t b) {
  int64_t product;
  if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
  return product;
}

std::optional<int64_t> checked_elements(const Shape& shape) {
  int64_t n = 1;
  for (int64_t d : shape) {
    // A zero anywhere makes the tensor empty, but the other dimensions must still be sane.
    auto product = checked_multiply(n == 0 ? 1 : n, d);
    if (!product) return std::nullopt;
    n = n == 0 ? 0 : *product;
  }
  return n;
}

// So that a tensor of any element type, and a few of them together, can be counted in bytes.
static constexpr int64_t most_elements = int64_t{1} << 58;

std::optional<int64_t> checked_bytes(const Type& type) {
  auto n = checked_elements(type.shape);
  if (!n || *n > most_elements) return std::nullopt;
  return checked_multiply(*n, static_cast<int64_t>(byte_size(type.dtype)));
}

int64_t element_count(const Shape& shape) {
  int64_t n = 1;
  for (int64_t d : shape) n *= d;
  return n;
}

int64_t byte_count(const Type& type) { return element_count(type.shape) * static_cast<int64_t>(byte_size(type.dtype)); }

Shape strides_of(const Shape& shape) {
  Shape strides(shape.size());
  int64_t stride = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= shape[i];
  }
  return strides;
}

std::optional<Shape> broadcast_shapes(const Shape& a, const Shape& b) {
  const Shape& longer = a.size() >= b.size() ? a : b;
  const Shape& shorter = a.size() >= b.size() ? b : a;
  Shape result = longer;
  size_t offset = longer.size() - shorter.size();
  for (size_t i = 0; i < shorter.size(); ++i) {
    int64_t& d = result[offset + i];
    if (d == shorter[i] || shorter[i] == 1) continue;
    if (d != 1) return std::nullopt;
    d = shorter[i];
  }
  return result;
}

bool can_broadcast(const Shape& from, const Shape& to) {
  auto common = broadcast_shapes(from, to);
  return common && *common == to;
}

std::optional<int64_t> normalize_axis(int64_t axis, size_t rank) {
  auto r = static_cast<int64_t>(rank);
  if (axis < -r || axis >= r) return std::nullopt;
  return axis < 0 ? axis + r : axis;
}

std::string to_string(const Shape& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i ? "," : "") + std::to_string(shape[i]);
  return text + "]";
}

std::string to_string(const Type& type) { return std::string(name_of(type.dtype)) + to_string(type.shape); }

} // namespace dlcc

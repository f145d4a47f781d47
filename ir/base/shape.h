// Static shapes (row-major), overflow-checked sizes, and NumPy broadcasting.
#pragma once

#include "ir/base/dtype.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace dlcc {

/// Most dimensions a tensor may have.
inline constexpr size_t max_rank = 8;

using Shape = std::vector<int64_t>;

/// Element type and static shape of a value: f32[32,20].
struct Type {
  DType dtype = DType::f32;
  Shape shape;

  size_t rank() const { return shape.size(); }
  friend bool operator==(const Type&, const Type&) = default;
};

/// a * b, or nothing when it does not fit 63 bits.
std::optional<int64_t> checked_multiply(int64_t a, int64_t b);
/// Product of the dimensions, or nothing on overflow. 1 for rank 0.
std::optional<int64_t> checked_elements(const Shape& shape);
/// Bytes of a tensor, or nothing on overflow.
std::optional<int64_t> checked_bytes(const Type& type);
/// Product of the dimensions; the shape must have been checked.
int64_t element_count(const Shape& shape);
int64_t byte_count(const Type& type);

/// Elements between neighbours along each axis, row-major.
Shape strides_of(const Shape& shape);

/// The common shape of two operands by NumPy's rule, or nothing.
std::optional<Shape> broadcast_shapes(const Shape& a, const Shape& b);
/// True if a tensor of shape `from` may be broadcast to `to`.
bool can_broadcast(const Shape& from, const Shape& to);

/// -1 counts from the end; nothing when out of range.
std::optional<int64_t> normalize_axis(int64_t axis, size_t rank);

/// "[32,20]"
std::string to_string(const Shape& shape);
/// "f32[32,20]"
std::string to_string(const Type& type);

} // namespace dlcc

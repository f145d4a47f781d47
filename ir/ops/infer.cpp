#include "ir/ops/infer.h"

#include <algorithm>
#include <numeric>

namespace dlcc::ops {

namespace {
std::string name(DType t) { return std::string(name_of(t)); }
} // namespace

Require& Require::that(bool holds, int constraint, const std::function<std::string()>& text) {
  if (!context_.failed() && !holds) context_.fail(constraint, text());
  return *this;
}

Require& Require::floats(size_t k, int constraint) {
  DType t = context_.operand(k).dtype;
  return that(is_float(t), constraint, [&] { return "f32 or f64 expected, found " + name(t) + "; add a cast"; });
}

Require& Require::integers(size_t k, int constraint) {
  DType t = context_.operand(k).dtype;
  return that(is_integer(t), constraint, [&] { return "integers expected, found " + name(t) + "; add a cast"; });
}

Require& Require::numbers(size_t k, int constraint) {
  DType t = context_.operand(k).dtype;
  return that(t != DType::boolean, constraint, [&] { return "numbers expected, found bool; add a cast"; });
}

Require& Require::signed_numbers(size_t k, int constraint) {
  DType t = context_.operand(k).dtype;
  return that(t != DType::boolean && t != DType::u8, constraint,
              [&] { return "signed numbers expected, found " + name(t) + "; add a cast"; });
}

Require& Require::dtype(size_t k, DType expected, int constraint) {
  DType t = context_.operand(k).dtype;
  return that(t == expected, constraint,
              [&] { return name(expected) + " expected, found " + name(t) + "; add a cast"; });
}

Require& Require::same_dtype(size_t k, size_t l, int constraint) {
  DType a = context_.operand(k).dtype, b = context_.operand(l).dtype;
  return that(a == b, constraint, [&] { return name(a) + " and " + name(b) + " differ; add a cast"; });
}

Require& Require::same_dtype(int constraint) {
  for (size_t k = 1; k < context_.count(); ++k) same_dtype(0, k, constraint);
  return *this;
}

Require& Require::broadcast(int constraint) {
  common_ = context_.operand(0).shape;
  for (size_t k = 1; k < context_.count() && *this; ++k) {
    const Shape& shape = context_.operand(k).shape;
    auto common = broadcast_shapes(common_, shape);
    that(common.has_value(), constraint,
         [&] { return to_string(common_) + " and " + to_string(shape) + " cannot be broadcast together"; });
    if (common) common_ = *common;
  }
  return *this;
}

Require& Require::same_shape(size_t k, size_t l, int constraint) {
  const Shape &a = context_.operand(k).shape, &b = context_.operand(l).shape;
  return that(a == b, constraint, [&] { return "shapes " + to_string(a) + " and " + to_string(b) + " differ"; });
}

Require& Require::scalar(size_t k, int constraint) {
  const Shape& shape = context_.operand(k).shape;
  return that(shape.empty(), constraint, [&] { return "a scalar [] expected, found " + to_string(shape); });
}

Require& Require::rank(size_t k, size_t rank, int constraint) {
  const Shape& shape = context_.operand(k).shape;
  return that(shape.size() == rank, constraint,
              [&] { return std::to_string(rank) + " axes expected, found " + to_string(shape); });
}

Require& Require::rank_at_least(size_t k, size_t rank, int constraint) {
  const Shape& shape = context_.operand(k).shape;
  return that(shape.size() >= rank, constraint, [&] {
    return "at least " + std::to_string(rank) + (rank == 1 ? " axis" : " axes") + " expected, found " +
           to_string(shape);
  });
}

Require& Require::axis(int64_t axis, size_t rank, int constraint) {
  return that(normalize_axis(axis, rank).has_value(), constraint, [&] {
    return "axis " + std::to_string(axis) + " does not exist in a tensor of " + std::to_string(rank) +
           (rank == 1 ? " axis" : " axes");
  });
}

Require& Require::dimensions(const Shape& shape, int constraint) {
  for (int64_t d : shape)
    that(d >= 0, constraint,
         [&] { return "dimension " + std::to_string(d) + " of " + to_string(shape) + " is negative"; });
  return *this;
}

std::vector<Type> Require::result(Type type) {
  if (!*this) return {};
  return {std::move(type)};
}

std::vector<int64_t> axes_of(const Attributes& attributes, size_t rank) {
  std::vector<int64_t> axes(rank);
  std::iota(axes.begin(), axes.end(), int64_t{0});
  if (!attributes.has("axes")) return axes;
  axes = attributes.integers("axes");
  for (int64_t& axis : axes) axis = normalize_axis(axis, rank).value();
  std::sort(axes.begin(), axes.end());
  return axes;
}

void require_axes(Require& require, const Attributes& attributes, size_t rank, int constraint) {
  if (!attributes.has("axes")) return;
  const auto& given = attributes.integers("axes");
  for (int64_t axis : given) require.axis(axis, rank, constraint);
  if (!require) return;
  std::vector<int64_t> axes = axes_of(attributes, rank);
  auto twice = std::adjacent_find(axes.begin(), axes.end());
  require.that(twice == axes.end(), constraint, [&] { return "axis " + std::to_string(*twice) + " is given twice"; });
}

} // namespace dlcc::ops

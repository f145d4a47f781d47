// Shape rules as fluent requirements: uniform texts, the first violated one is reported, later ones are skipped.
//
//   Require r(context);
//   r.floats(0, 1).same_dtype(1).broadcast(2);
//   return r.result({context.operand(0).dtype, r.common_shape()});
#pragma once

#include "ir/graph/op.h"

#include <functional>

namespace dlcc::ops {

class Require {
public:
  explicit Require(graph::InferContext& context) : context_(context) {}

  // Element types. `constraint` is the number in the operator's doc.
  Require& floats(size_t k, int constraint);
  Require& integers(size_t k, int constraint);
  Require& numbers(size_t k, int constraint); ///< anything but bool
  Require& signed_numbers(size_t k, int constraint);
  Require& dtype(size_t k, DType expected, int constraint);
  Require& same_dtype(int constraint); ///< of all operands
  Require& same_dtype(size_t k, size_t l, int constraint);

  // Shapes.
  Require& broadcast(int constraint); ///< all operands, by NumPy's rule
  Require& same_shape(size_t k, size_t l, int constraint);
  Require& scalar(size_t k, int constraint);
  Require& rank(size_t k, size_t rank, int constraint);
  Require& rank_at_least(size_t k, size_t rank, int constraint);
  /// An attribute that counts axes of a tensor of that rank, from the end if negative.
  Require& axis(int64_t axis, size_t rank, int constraint);
  /// A shape attribute: no negative dimension.
  Require& dimensions(const Shape& shape, int constraint);

  Require& that(bool holds, int constraint, const std::function<std::string()>& text);

  explicit operator bool() const { return !context_.failed(); }
  /// The shape all operands broadcast to, once broadcast() has been required.
  const Shape& common_shape() const { return common_; }
  /// The result, or an empty list if a requirement was violated. The builder checks rank and size of every result.
  std::vector<Type> result(Type type);

private:
  graph::InferContext& context_;
  Shape common_;
};

/// The axes of an `axes` attribute in ascending order, counted from the start; all of them when it is absent.
/// The attribute must have been checked.
std::vector<int64_t> axes_of(const Attributes& attributes, size_t rank);
/// Requires distinct axes within the rank.
void require_axes(Require& require, const Attributes& attributes, size_t rank, int constraint);

} // namespace dlcc::ops

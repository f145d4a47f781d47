// Notation for bodies and gradients: add(b, x, y) with ids, or `dy * (1.0 - square(y))` with terms, which are ids that
// know their builder. Numbers become constants of the element type beside them; shapes broadcast as NumPy's.
#pragma once

#include "ir/graph/builder.h"
#include "ir/ops/ops.h"

namespace dlcc::ops {

struct Term {
  graph::Builder* b = nullptr;
  graph::ValueId id;

  operator graph::ValueId() const { return id; } // NOLINT: notation
  // Copies, which may be kept while nodes are added.
  Type type() const { return b->type(id); }
  DType dtype() const { return b->type(id).dtype; }
  Shape shape() const { return b->type(id).shape; }
  Term number(double value) const { return {b, b->constant_like(value, id)}; }
};

inline graph::ValueId apply(graph::Builder& b, const graph::OpDef& op, std::vector<graph::ValueId> operands,
                            Attributes attributes = {}) {
  return b.add_all(op, std::move(operands), std::move(attributes))[0];
}

#define OP(name)
#define UNARY_OP(name)                                                                                                 \
  inline graph::ValueId name(graph::Builder& b, graph::ValueId x) { return apply(b, name##_op, {x}); }                 \
  inline Term name(Term x) { return {x.b, name(*x.b, x.id)}; }
#define BINARY_OP(name)                                                                                                \
  inline graph::ValueId name(graph::Builder& b, graph::ValueId x, graph::ValueId y) {                                  \
    return apply(b, name##_op, {x, y});                                                                                \
  }                                                                                                                    \
  inline Term name(Term x, Term y) { return {x.b, name(*x.b, x.id, y.id)}; }                                           \
  inline Term name(Term x, double y) { return name(x, x.number(y)); }                                                  \
  inline Term name(double x, Term y) { return name(y.number(x), y); }
#include "ir/ops/ops.def"
#undef OP
#undef UNARY_OP
#undef BINARY_OP

inline Term operator-(Term x) { return negative(x); }
#define DLCC_TERM_OPERATOR(symbol, name)                                                                               \
  inline Term operator symbol(Term x, Term y) { return name(x, y); }                                                   \
  inline Term operator symbol(Term x, double y) { return name(x, y); }                                                 \
  inline Term operator symbol(double x, Term y) { return name(x, y); }
DLCC_TERM_OPERATOR(+, add)
DLCC_TERM_OPERATOR(-, subtract)
DLCC_TERM_OPERATOR(*, multiply)
DLCC_TERM_OPERATOR(/, divide)
DLCC_TERM_OPERATOR(<, less)
DLCC_TERM_OPERATOR(<=, less_equal)
DLCC_TERM_OPERATOR(>, greater)
DLCC_TERM_OPERATOR(>=, greater_equal)
DLCC_TERM_OPERATOR(==, equal)
DLCC_TERM_OPERATOR(!=, not_equal)
DLCC_TERM_OPERATOR(&, logical_and)
DLCC_TERM_OPERATOR(|, logical_or)
#undef DLCC_TERM_OPERATOR

// ---- elementwise ----------------------------------------------------------------------------------------------------

inline Term where(Term condition, Term yes, Term no) {
  return {condition.b, apply(*condition.b, where_op, {condition, yes, no})};
}
inline Term where(Term condition, Term yes, double no) { return where(condition, yes, yes.number(no)); }
inline Term where(Term condition, double yes, Term no) { return where(condition, no.number(yes), no); }
inline Term cast(Term x, DType to) {
  return x.dtype() == to ? x : Term{x.b, apply(*x.b, cast_op, {x}, {{"dtype", to}})};
}
inline Term clip(Term x, double low, double high) {
  return {x.b, apply(*x.b, clip_op, {x}, {{"low", low}, {"high", high}})};
}

// ---- reductions: no axes means all of them --------------------------------------------------------------------------

inline Attributes reduction_attributes(const std::vector<int64_t>& axes, bool keepdims) {
  Attributes attributes{{"axes", axes}};
  if (keepdims) attributes.set("keepdims", true);
  return attributes;
}
#define DLCC_REDUCTION(name)                                                                                           \
  inline Term name(Term x) { return {x.b, apply(*x.b, name##_op, {x})}; }                                              \
  inline Term name(Term x, const std::vector<int64_t>& axes, bool keepdims = false) {                                  \
    return {x.b, apply(*x.b, name##_op, {x}, reduction_attributes(axes, keepdims))};                                   \
  }
DLCC_REDUCTION(sum)
DLCC_REDUCTION(mean)
DLCC_REDUCTION(product)
DLCC_REDUCTION(max)
DLCC_REDUCTION(min)
#undef DLCC_REDUCTION

// ---- contraction and movement; what would change nothing adds no node -----------------------------------------------

inline Term matmul(Term x, Term y, bool transpose_a = false, bool transpose_b = false) {
  Attributes attributes;
  if (transpose_a) attributes.set("transpose_a", true);
  if (transpose_b) attributes.set("transpose_b", true);
  return {x.b, apply(*x.b, matmul_op, {x, y}, std::move(attributes))};
}
inline Term reshape(Term x, const Shape& shape) {
  return x.shape() == shape ? x : Term{x.b, apply(*x.b, reshape_op, {x}, {{"shape", shape}})};
}
inline Term transpose(Term x, const std::vector<int64_t>& permutation) {
  return {x.b, apply(*x.b, transpose_op, {x}, {{"permutation", permutation}})};
}
inline Term broadcast_to(Term x, const Shape& shape) {
  return x.shape() == shape ? x : Term{x.b, apply(*x.b, broadcast_to_op, {x}, {{"shape", shape}})};
}
inline Term slice(Term x, const Shape& begin, const Shape& end, const Shape& stride) {
  return {x.b, apply(*x.b, slice_op, {x}, {{"begin", begin}, {"end", end}, {"stride", stride}})};
}

} // namespace dlcc::ops

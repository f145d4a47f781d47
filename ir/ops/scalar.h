// Notation for element hooks: scalar expressions of a kernel, written as mathematics: `0.5 * x * (1.0 + erf(x))`.
// Numbers take the element type of the expression beside them.
#pragma once

#include "ir/loops/element.h"

namespace dlcc::ops {

struct Scalar {
  loops::Builder* b = nullptr;
  loops::ExprId e;

  operator loops::ExprId() const { return e; } // NOLINT: notation
  DType dtype() const { return b->dtype(e); }
  Scalar number(double value) const { return {b, b->constant(value, dtype())}; }
  Scalar to(DType t) const { return {b, b->cast(e, t)}; }
};

#define SCALAR_OP_1(name)                                                                                              \
  inline Scalar name(Scalar x) { return {x.b, x.b->op(loops::ScalarOp::name, {x.e})}; }
#define SCALAR_OP_2(name)                                                                                              \
  inline Scalar name(Scalar x, Scalar y) { return {x.b, x.b->op(loops::ScalarOp::name, {x.e, y.e})}; }                 \
  inline Scalar name(Scalar x, double y) { return name(x, x.number(y)); }                                              \
  inline Scalar name(double x, Scalar y) { return name(y.number(x), y); }
#define SCALAR_OP_3(name)
#define SCALAR_OP_4(name)
#define SCALAR_OP_given(name, count)
#define SCALAR_OP_same(name, count) SCALAR_OP_##count(name)
#define SCALAR_OP_boolean(name, count) SCALAR_OP_##count(name)
#define SCALAR_OP(name, count, result, domain, cost) SCALAR_OP_##result(name, count)
#include "ir/loops/scalar_ops.def"
#undef SCALAR_OP
#undef SCALAR_OP_boolean
#undef SCALAR_OP_same
#undef SCALAR_OP_given
#undef SCALAR_OP_4
#undef SCALAR_OP_3
#undef SCALAR_OP_2
#undef SCALAR_OP_1

inline Scalar select(Scalar condition, Scalar yes, Scalar no) {
  return {condition.b, condition.b->select(condition, yes, no)};
}
inline Scalar select(Scalar condition, Scalar yes, double no) { return select(condition, yes, yes.number(no)); }
inline Scalar select(Scalar condition, double yes, Scalar no) { return select(condition, no.number(yes), no); }

inline Scalar operator-(Scalar x) { return negative(x); }
#define DLCC_SCALAR_OPERATOR(symbol, name)                                                                             \
  inline Scalar operator symbol(Scalar x, Scalar y) { return name(x, y); }                                             \
  inline Scalar operator symbol(Scalar x, double y) { return name(x, y); }                                             \
  inline Scalar operator symbol(double x, Scalar y) { return name(x, y); }
DLCC_SCALAR_OPERATOR(+, add)
DLCC_SCALAR_OPERATOR(-, subtract)
DLCC_SCALAR_OPERATOR(*, multiply)
DLCC_SCALAR_OPERATOR(/, divide)
DLCC_SCALAR_OPERATOR(<, less)
DLCC_SCALAR_OPERATOR(<=, less_equal)
DLCC_SCALAR_OPERATOR(==, equal)
#undef DLCC_SCALAR_OPERATOR
inline Scalar operator>(Scalar x, Scalar y) { return y < x; }
inline Scalar operator>(Scalar x, double y) { return y < x; }
inline Scalar operator>=(Scalar x, Scalar y) { return y <= x; }
inline Scalar operator>=(Scalar x, double y) { return y <= x; }
inline Scalar operator!(Scalar x) { return logical_not(x); }
inline Scalar operator&(Scalar x, Scalar y) { return logical_and(x, y); }
inline Scalar operator|(Scalar x, Scalar y) { return logical_or(x, y); }

/// The element of operand k that broadcasting pairs with the wanted one.
inline Scalar element_of(loops::ElementContext& c, size_t k) { return {&c.build(), c.operand(k)}; }
inline Scalar element_of(loops::ElementContext& c, size_t k, std::vector<loops::Index> at, bool padded = false) {
  return {&c.build(), c.operand(k, std::move(at), padded)};
}
/// An index as an i64.
inline Scalar value_of(loops::Builder& b, const loops::Index& i) { return {&b, b.index(i)}; }
/// An integer expression as an index.
inline loops::Index index_of(Scalar x) {
  loops::Index i;
  i.indirect = x.to(DType::i64);
  return i;
}

} // namespace dlcc::ops

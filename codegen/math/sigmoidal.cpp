// tanh, sigmoid and softplus: quotients and logarithms of e^x with the rounding errors carried along.
#include "codegen/math/exponential.h"
#include "codegen/math/functions.h"
#include "codegen/math/logarithm.h"

namespace dlcc::codegen {
namespace math {
namespace {

/// (n.head + n.tail) / (d.head + d.tail), nearly correctly rounded: one step of correction after the division.
Real quotient(Sum n, Sum d) {
  Real inverse = 1.0 / d.head;
  Real q = n.head * inverse;
  Real remainder = fma(-q, d.head, n.head) + fma(-q, d.tail, n.tail);
  return fma(remainder, inverse, q);
}

/// e^-|x| = 2^k (1 + r + t), with k limited to what a subnormal result can hold.
ExpParts exp_of_minus_abs(Real x) {
  Lanes& l = *x.lanes;
  return exp_parts(at_least(-abs(x), l.pick(-105, -746)));
}

} // namespace
} // namespace math

using namespace math;

llvm::Value* emit_tanh(llvm::IRBuilderBase& b, llvm::Value* x_value) {
  Lanes l(b, x_value->getType());
  Real x = l.real(x_value);
  // tanh |x| = E / (E + 2), E = e^(2|x|) - 1; it rounds to 1 from the bound on.
  Real a = at_most(abs(x), l.pick(10, 20));
  ExpParts p = exp_parts(a + a);
  Real s = power_of_two(p.k.word), sr = s * p.r, st = s * p.t;
  // s (1 + r + t) + c, largest first; |s + c| > |s r| or s + c = 0.
  auto plus = [&](double c) {
    Sum sc = fast_two_sum(s, l.real(c)), sum = fast_two_sum(sc.head, sr);
    return fast_two_sum(sum.head, st + (sum.tail + sc.tail));
  };
  Sum n = plus(-1.0), d = plus(1.0);
  return copysign(quotient(n, d), x).value;
}

llvm::Value* emit_sigmoid(llvm::IRBuilderBase& b, llvm::Value* x_value) {
  Lanes l(b, x_value->getType());
  Real x = l.real(x_value);
  // With E = e^-|x|: 1 / (1 + E) for x >= 0, E / (1 + E) below. 1 + E = 1 where E is too small for its own exponent.
  ExpParts p = exp_of_minus_abs(x);
  Sum y = one_plus(p);
  const double k_min = l.pick(-100, -1000);
  Real s = select(p.k.real < k_min, 0.0, power_of_two(p.k.word));
  Sum d = fast_two_sum(l.real(1.0), s * y.head);
  d.tail = fma(s, y.tail, d.tail);
  Mask negative = x < 0.0;
  Sum n = {select(negative, y.head, 1.0), select(negative, y.tail, 0.0)};
  Real q = quotient(n, d);
  return select(negative, scale(q, p.k.word), q).value;
}

llvm::Value* emit_softplus(llvm::IRBuilderBase& b, llvm::Value* x_value) {
  Lanes l(b, x_value->getType());
  Real x = l.real(x_value);
  // max(x, 0) + log1p(e^-|x|)
  ExpParts p = exp_of_minus_abs(x);
  Sum y = one_plus(p);
  Sum log = log1p_parts(scale(y.head, p.k.word), scale(y.tail, p.k.word));
  return (select(x > 0.0, x, l.real(0.0)) + (log.head + log.tail)).value;
}

} // namespace dlcc::codegen

#include "codegen/math/exponential.h"
#include "codegen/math/coefficients.h"
#include "codegen/math/functions.h"

namespace dlcc::codegen {
namespace math {

namespace {

/// t = low + r^2 Q(r), with e^r = 1 + r + r^2 Q(r).
Real exp_tail(Real r, Real low) {
  Lanes& l = *r.lanes;
  return fma(r * r, polynomial(r, l.pick(exp_f32, exp_f64)), low);
}

/// x - k ln2 as a sum of two (Cody and Waite): the first step is exact since k ln2_hi is.
Sum subtract_multiple_of_ln2(Real x, Real k) {
  Lanes& l = *x.lanes;
  Real high = fma(-k, l.pick(ln2_hi_f32, ln2_hi_f64), x);
  const double low = l.pick(ln2_lo_f32, ln2_lo_f64);
  Real r = fma(-k, low, high);
  return {r, fma(-k, low, high - r)};
}

} // namespace

ExpParts exp_parts(Real x) {
  Lanes& l = *x.lanes;
  Integer k = nearest_integer(x, l.pick(log2e_f32, log2e_f64));
  Sum r = subtract_multiple_of_ln2(x, k.real);
  return {k, r.head, exp_tail(r.head, r.tail)};
}

ExpParts exp_parts(Sum x) {
  Lanes& l = *x.head.lanes;
  Integer k = nearest_integer(x.head, l.pick(log2e_f32, log2e_f64));
  Sum r = subtract_multiple_of_ln2(x.head, k.real);
  Real low = r.tail + x.tail;
  Real head = r.head + low;
  return {k, head, exp_tail(head, low - (head - r.head))};
}

Sum one_plus(const ExpParts& p) {
  Sum y = fast_two_sum(p.r.lanes->real(1.0), p.r);
  return fast_two_sum(y.head, y.tail + p.t);
}

Real scale(Real y, Word k) {
  // Two factors, since 2^k alone may lie outside the normal numbers: the first product is exact.
  Word half = k.arithmetic_shift(1);
  return y * power_of_two(half) * power_of_two(k - half);
}

namespace {

/// e^x beyond these arguments is infinite or 0, and k still fits.
Real clamp_argument(Real x) {
  Lanes& l = *x.lanes;
  return at_least(at_most(x, l.pick(89, 710)), l.pick(-105, -746));
}

Real combine(const ExpParts& p) { return scale(one_plus(p).head, p.k.word); }

} // namespace

Real exp_of_sum(Sum x) {
  Real head = clamp_argument(x.head);
  // Outside the range (or with NaN) the tail is meaningless, maybe NaN.
  return combine(exp_parts(Sum{head, select(head == x.head, x.tail, 0.0)}));
}

} // namespace math

using namespace math;

llvm::Value* emit_exp(llvm::IRBuilderBase& b, llvm::Value* x) {
  Lanes l(b, x->getType());
  return combine(exp_parts(clamp_argument(l.real(x)))).value;
}

llvm::Value* emit_exp2(llvm::IRBuilderBase& b, llvm::Value* x_value) {
  Lanes l(b, x_value->getType());
  Real x = at_least(at_most(l.real(x_value), l.pick(129, 1025)), l.pick(-151, -1076));
  Integer k = nearest_integer(x, 1.0);
  // r = (x - k) ln2 as a sum of two; x - k is exact.
  Real fraction = x - k.real;
  Sum r = two_product(fraction, l.real(l.pick(ln2_head_f32, ln2_head_f64)));
  Real low = fma(fraction, l.pick(ln2_tail_f32, ln2_tail_f64), r.tail);
  return combine({k, r.head, exp_tail(r.head, low)}).value;
}

llvm::Value* emit_expm1(llvm::IRBuilderBase& b, llvm::Value* x_value) {
  Lanes l(b, x_value->getType());
  Real x = l.real(x_value);
  ExpParts p = exp_parts(at_least(at_most(x, l.pick(89, 710)), l.pick(-30, -50)));
  // Halved, so that 2^k stays finite for the largest k; doubling at the end is exact or overflows rightly.
  Real s = power_of_two(p.k.word - 1);
  Sum without_one = fast_two_sum(s, l.real(-0.5)), value = fast_two_sum(without_one.head, s * p.r);
  Real half = value.head + (fma(s, p.t, value.tail) + without_one.tail);
  // For tiny x the result is x, where halving would lose bits or the sign of 0.
  return select(abs(x) < l.pick(0x1p-30, 0x1p-60), x, half + half).value;
}

} // namespace dlcc::codegen

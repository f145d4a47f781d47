#include "codegen/math/logarithm.h"
#include "codegen/math/coefficients.h"
#include "codegen/math/functions.h"

namespace dlcc::codegen {
namespace math {

Mantissa split_exponent(Real x, bool normal_only, double low) {
  Lanes& l = *x.lanes;
  Word correction = l.word(uint64_t{0});
  if (!normal_only) {
    Mask subnormal = x < l.pick(0x1p-126, 0x1p-1022);
    x = select(subnormal, x * l.pick(0x1p24, 0x1p54), x);
    correction = select(subnormal, l.word(uint64_t{l.f64 ? 54u : 24u}), correction);
  }
  Word e = (x.bits() - l.bits_of(low)).arithmetic_shift(l.fraction_bits());
  Real m = (x.bits() - (e << l.fraction_bits())).as_real();
  if (!normal_only) e = e - correction;
  return {m, {to_real(e), e}};
}

namespace {

/// log(1+f) - f.
Real log1p_rest(Real f) {
  Lanes& l = *f.lanes;
  Real square = f * f;
  if (!l.f64) return square * fma(polynomial(f, log_f32), f, -0.5);
  // log(1+f) = 2 atanh(s) with s = f/(2+f), and 2s = f - f^2/2 + s f^2/2.
  Real s = f / (2.0 + f), z = s * s, half_square = square * 0.5;
  return fma(s, fma(z, polynomial(z, log_f64), half_square), -half_square);
}

} // namespace

Sum log_of_parts(Real e, Real f, Real low) {
  Lanes& l = *f.lanes;
  // e ln2_hi is exact, and larger than f unless it is 0.
  Sum sum = fast_two_sum(e * l.pick(ln2_hi_f32, ln2_hi_f64), f);
  return {sum.head, sum.tail + (fma(e, l.pick(ln2_lo_f32, ln2_lo_f64), log1p_rest(f)) + low)};
}

Sum log1p_parts(Real x, Real x_low) {
  Lanes& l = *x.lanes;
  Mantissa u = split_exponent(1.0 + x, true);
  // f = 2^-e (1 + x) - 1 without the rounding of 1 + x: exact, unless e is so large that it does not matter.
  Mask large = x > 0x1p100;
  Real s = power_of_two(select(large, l.word(uint64_t{0}), l.word(uint64_t{0}) - u.e.word));
  Real f = select(large, u.m - 1.0, fma(x, s, s - 1.0));
  return log_of_parts(u.e.real, f, x_low * s);
}

Real log_of(Real x) {
  Lanes& l = *x.lanes;
  Mantissa p = split_exponent(x, false);
  Sum sum = log_of_parts(p.e.real, p.m - 1.0, l.real(0.0));
  Real special = select(x == 0.0, -infinity, select(x == infinity, x, not_a_number));
  return select((x > 0.0) & (x < infinity), sum.head + sum.tail, special);
}

} // namespace math

using namespace math;

llvm::Value* emit_log(llvm::IRBuilderBase& b, llvm::Value* x) {
  Lanes l(b, x->getType());
  return log_of(l.real(x)).value;
}

llvm::Value* emit_log1p(llvm::IRBuilderBase& b, llvm::Value* x_value) {
  Lanes l(b, x_value->getType());
  Real x = l.real(x_value);
  Sum sum = log1p_parts(x, l.real(0.0));
  // 0 keeps its sign and infinity stays; the rest is log1p(-1) and what has no logarithm.
  Real special = select((x == 0.0) | (x == infinity), x, select(x == -1.0, -infinity, l.real(not_a_number)));
  Mask ordinary = (x > -1.0) & (x < infinity) & !(x == 0.0);
  return select(ordinary, sum.head + sum.tail, special).value;
}

} // namespace dlcc::codegen

// pow: e^(y log x) with the logarithm to about 64 bits; for float everything in double.
#include "codegen/math/coefficients.h"
#include "codegen/math/exponential.h"
#include "codegen/math/functions.h"
#include "codegen/math/logarithm.h"

namespace dlcc::codegen {
namespace math {
namespace {

/// |x|^y for |x| finite and not 0, in double for floats given as doubles: 2^(y log2 x) with a relative error of 2^-34.
Real positive_power_f32(Real x, Real y) {
  Mantissa p = split_exponent(x, true);
  Real s = (p.m - 1.0) / (p.m + 1.0);
  Real log2 = fma(s, polynomial(s * s, pow_log2_f32), p.e.real);
  log2 = select(x == infinity, infinity, select(x == 0.0, -infinity, log2));
  // Rounding to float turns what lies beyond these bounds into 0 or infinity.
  Real product = at_least(at_most(y * log2, 200), -200);
  Integer k = nearest_integer(product, 1.0);
  return polynomial(product - k.real, pow_exp2_f32) * power_of_two(k.word);
}

/// log x for x > 0 and finite as a sum of two, to a relative error of about 2^-64.
Sum precise_log(Real x) {
  Lanes& l = *x.lanes;
  // m in [sqrt(1/2), sqrt(2)) keeps s smallest.
  Mantissa p = split_exponent(x, false, 0x1.6a09e667f3bcdp-1);
  // s = f / (2 + f) as a sum of two, f = m - 1.
  Real f = p.m - 1.0;
  Sum d = fast_two_sum(l.real(2.0), f);
  Real inverse = 1.0 / d.head, s = f * inverse;
  Real s_low = fma(-s, d.tail, fma(-s, d.head, f)) * inverse;
  // 2 atanh(s) = 2s (1 + g), g = z/3 + z^2 R(z), z = s^2.
  Sum z = two_product(s, s);
  z.tail = fma(s + s, s_low, z.tail);
  Sum g = two_product(z.head, l.real(third_head_f64));
  Real g_low = fma(z.head, third_tail_f64, fma(z.tail, third_head_f64, g.tail));
  Real z_squared = fma(z.head + z.head, z.tail, z.head * z.head);
  g = fast_two_sum(g.head, fma(z_squared, polynomial(z.head, pow_log_f64), g_low));
  Real twice = s + s, twice_low = s_low + s_low;
  Sum rest = two_product(twice, g.head);
  Real rest_low = fma(twice, g.tail, fma(twice_low, g.head, rest.tail));
  // e ln2 + 2s + rest, largest first.
  Sum head = fast_two_sum(p.e.real * ln2_hi_f64, twice);
  Sum next = fast_two_sum(head.head, rest.head);
  Real low = fma(p.e.real, ln2_lo_f64, twice_low + rest_low) + (head.tail + next.tail);
  return fast_two_sum(next.head, low);
}

/// |x|^y, x >= 0.
Real positive_power_f64(Real x, Real y) {
  Sum log = precise_log(x);
  log.head = select(x == infinity, infinity, select(x == 0.0, -infinity, log.head));
  Sum product = two_product(y, log.head);
  product.tail = fma(y, log.tail, product.tail);
  return exp_of_sum(product);
}

/// C99 F.9.4.4, given |x|^y where neither is NaN and it has a value.
Real apply_special_cases(Real x, Real y, Real power) {
  Lanes& l = *x.lanes;
  const uint64_t sign_bit = uint64_t{1} << (l.width() - 1);
  Real half = y * 0.5;
  Mask integral = round_even(y) == y;
  Mask odd = integral & !(round_even(half) == half);
  // An odd power keeps the sign of x, also of -0 and -inf.
  Word sign = select(odd, x.bits() & sign_bit, l.word(uint64_t{0}));
  power = (power.bits() ^ sign).as_real();
  // A finite negative number has only integral powers.
  Mask invalid = ((x < 0.0) & (x > -infinity) & !integral) | x.is_nan() | y.is_nan();
  power = select(invalid, not_a_number, power);
  // (-1)^(+-inf) = 1; 1^y = x^0 = 1 even for NaN.
  Mask one = ((x == -1.0) & (abs(y) == infinity)) | (x == 1.0) | (y == 0.0);
  return select(one, 1.0, power);
}

} // namespace
} // namespace math

using namespace math;

llvm::Value* emit_pow(llvm::IRBuilderBase& b, llvm::Value* x_value, llvm::Value* y_value) {
  Lanes l(b, x_value->getType());
  Real x = l.real(x_value), y = l.real(y_value);
  if (l.f64) return apply_special_cases(x, y, positive_power_f64(abs(x), y)).value;
  Lanes wide(b, l.real_type->getWithNewType(b.getDoubleTy()));
  auto widen = [&](Real a) { return wide.real(b.CreateFPExt(a.value, wide.real_type)); };
  Real power = l.real(b.CreateFPTrunc(positive_power_f32(widen(abs(x)), widen(y)).value, l.real_type));
  return apply_special_cases(x, y, power).value;
}

} // namespace dlcc::codegen

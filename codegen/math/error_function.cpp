#include "codegen/math/coefficients.h"
#include "codegen/math/exponential.h"
#include "codegen/math/functions.h"

namespace dlcc::codegen {

using namespace math;

llvm::Value* emit_erf(llvm::IRBuilderBase& b, llvm::Value* x_value) {
  Lanes l(b, x_value->getType());
  Real x = l.real(x_value);
  // Beyond the bound erf rounds to 1, and so does the formula at the bound.
  Real a = at_most(abs(x), l.pick(4, 6)), square = a * a;
  Real small = fma(a, polynomial(square, l.pick(erf_small_f32, erf_small_f64)), a);
  Real complement = l.real(0.0);
  if (l.f64) {
    ExpParts parts = exp_parts(-square);
    Real e = one_plus(parts).head * power_of_two(parts.k.word);
    complement = e * polynomial(1.0 / fma(a, 2.0, l.real(1.0)) - 0.2, erf_tail_f64);
  } else {
    Real root = polynomial(a - 2.5625, erf_tail_f32), root_squared = root * root;
    complement = root_squared * root_squared;
  }
  return copysign(select(a < l.pick(1.125, 1), small, 1.0 - complement), x).value;
}

} // namespace dlcc::codegen

/// The parts of log that log, log1p, softplus and the inverse normal share.
#pragma once

#include "codegen/math/lanes.h"

namespace dlcc::codegen::math {

/// x = 2^e m with m in [low, 2 low); e also as the integer it is.
struct Mantissa {
  Real m;
  Integer e;
};
/// For x > 0 and finite; `normal_only` says that x is never subnormal.
Mantissa split_exponent(Real x, bool normal_only, double low = 0.75);

/// e ln2 + log(1 + f) + low for f in [-1/4, 1/2], low tiny, to less than 1 ULP of the sum.
Sum log_of_parts(Real e, Real f, Real low);

/// log(1 + x) for finite x > -1, as a sum of two; x_low, a rounding error of x, counts to first order.
Sum log1p_parts(Real x, Real x_low);

/// log x with all special cases.
Real log_of(Real x);

} // namespace dlcc::codegen::math

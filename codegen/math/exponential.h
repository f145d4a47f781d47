/// The parts of e^x that exp, expm1, tanh, sigmoid, softplus, erf and pow share.
#pragma once

#include "codegen/math/lanes.h"

namespace dlcc::codegen::math {

/// e^x = 2^k (1 + r + t), |r| <= ln2/2 and t small against 1 + r; r + t + rounding errors stay below 0.1 ULP of 1 + r.
struct ExpParts {
  Integer k;
  Real r, t;
};

/// For |x| <= 1100 (double) or 150 (float), so that k is an ordinary integer. `low` is added to x where it is given.
ExpParts exp_parts(Real x);
ExpParts exp_parts(Sum x);

/// 1 + r + t as a sum of two; the head is the rounded value.
Sum one_plus(const ExpParts& p);

/// y * 2^k for y near 1, rounded once however small the result is; overflows to infinity where it has to.
Real scale(Real y, Word k);

/// e^(head + tail) for any arguments, to less than 1 ULP.
Real exp_of_sum(Sum x);

} // namespace dlcc::codegen::math

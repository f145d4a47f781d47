// Formulas written as lambdas of one or two numbers, and the functions that several truths share.
#pragma once

#include "tests/accuracy/truths.h"

#include <type_traits>

namespace dlcc::testing {

/// f(x) or f(x, y) as a Formula of one element.
template <class F> Formula by(F f) {
  return [f](const Exact* x, size_t) -> Exact {
    if constexpr (std::is_invocable_v<F, Exact>)
      return f(x[0]);
    else
      return f(x[0], x[1]);
  };
}
/// The same for the derivative of the other operand: f(y, x).
template <class F> Formula minus(F f) {
  return [f](const Exact* x, size_t) -> Exact { return -f(x[0], x[1]); };
}

inline Exact sigmoid(const Exact& x) { return Exact(1) / (Exact(1) + exp(-x)); }
inline Exact softplus(const Exact& x) { return max(x, 0) + log1p(exp(-abs(x))); }
/// 1 / cosh^2 x, from e^-2|x|.
inline Exact sech_squared(const Exact& x) {
  Exact e = exp(-2 * abs(x));
  return 4 * e / square(1 + e);
}
inline Exact normal_distribution(const Exact& x) { return erfc(-x / sqrt(Exact(2))) / 2; }
inline Exact normal_density(const Exact& x) { return exp(-square(x) / 2) / sqrt(2 * Exact::pi()); }

/// A number as elements of the type hold it.
inline double in_type(double x, DType t) { return t == DType::f32 ? static_cast<double>(static_cast<float>(x)) : x; }

} // namespace dlcc::testing

/// The elementary functions by MPFR, and the distance of a result from them in units in the last place.
#pragma once

#include "codegen/math/functions.h"

#include <mpfr.h>

namespace dlcc::codegen::test {

/// Evaluates one function at higher precision than T (float or double).
template <class T> class Reference {
public:
  explicit Reference(MathFunction f);
  ~Reference();
  Reference(const Reference&) = delete;

  /// |got - f(x, y)| in ULP of the exact value. Infinite where NaN, infinity or the sign of a zero is wrong: infinity
  /// is right exactly where the exact value rounds to it.
  double error(T x, T y, T got);
  /// f(x, y) rounded to nearest.
  T rounded(T x, T y);

private:
  void evaluate(T x, T y);

  MathFunction function;
  mpfr_t argument, second, exact, difference;
};

} // namespace dlcc::codegen::test

/// The arguments at which the elementary functions are tested, the same on every run.
#pragma once

#include "codegen/math/functions.h"

#include <vector>

namespace dlcc::codegen::test {

template <class T> struct Samples {
  std::vector<T> x, y; ///< of equal length; y counts for functions of two arguments only
};

/// `count` arguments (a multiple of 64): random bit patterns (every exponent, both signs, NaN, infinities), uniform
/// values where the function is interesting, and runs of neighbouring numbers around its traps.
template <class T> Samples<T> make_samples(MathFunction f, size_t count);

/// Zeros, infinities, NaN, the ends of the subnormal and normal numbers, and small integers and halves, of both signs.
template <class T> std::vector<T> special_values();

} // namespace dlcc::codegen::test

#include "tests/codegen_math/reference.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

namespace dlcc::codegen::test {

template <class T> constexpr bool is_float = std::is_same_v<T, float>;

template <class T> Reference<T>::Reference(MathFunction f) : function(f) {
  constexpr mpfr_prec_t precision = is_float<T> ? 64 : 117;
  mpfr_inits2(precision, exact, difference, nullptr);
  mpfr_inits2(std::numeric_limits<T>::digits, argument, second, nullptr);
}

template <class T> Reference<T>::~Reference() { mpfr_clears(argument, second, exact, difference, nullptr); }

template <class T> void Reference<T>::evaluate(T x, T y) {
  constexpr mpfr_rnd_t nearest = MPFR_RNDN;
  mpfr_set_d(argument, static_cast<double>(x), nearest);
  switch (function) {
  case MathFunction::exp:
    mpfr_exp(exact, argument, nearest);
    break;
  case MathFunction::exp2:
    mpfr_exp2(exact, argument, nearest);
    break;
  case MathFunction::expm1:
    mpfr_expm1(exact, argument, nearest);
    break;
  case MathFunction::log:
    mpfr_log(exact, argument, nearest);
    break;
  case MathFunction::log1p:
    mpfr_log1p(exact, argument, nearest);
    break;
  case MathFunction::tanh:
    mpfr_tanh(exact, argument, nearest);
    break;
  case MathFunction::erf:
    mpfr_erf(exact, argument, nearest);
    break;
  case MathFunction::sin:
    mpfr_sin(exact, argument, nearest);
    break;
  case MathFunction::cos:
    mpfr_cos(exact, argument, nearest);
    break;
  case MathFunction::sigmoid: // 1 / (1 + e^-x)
    mpfr_neg(argument, argument, nearest);
    mpfr_exp(exact, argument, nearest);
    mpfr_add_ui(exact, exact, 1, nearest);
    mpfr_ui_div(exact, 1, exact, nearest);
    break;
  case MathFunction::softplus: // log(1 + e^x)
    mpfr_exp(exact, argument, nearest);
    mpfr_log1p(exact, exact, nearest);
    // e^x may leave even MPFR's range, where softplus x = x.
    if (x > T(1e6)) mpfr_set(exact, argument, nearest);
    break;
  case MathFunction::pow:
    mpfr_set_d(second, static_cast<double>(y), nearest);
    mpfr_pow(exact, argument, second, nearest);
    break;
  }
}

template <class T> T Reference<T>::rounded(T x, T y) {
  evaluate(x, y);
  if constexpr (is_float<T>)
    return mpfr_get_flt(exact, MPFR_RNDN);
  else
    return mpfr_get_d(exact, MPFR_RNDN);
}

template <class T> double Reference<T>::error(T x, T y, T got) {
  using Limits = std::numeric_limits<T>;
  constexpr double wrong = std::numeric_limits<double>::infinity();
  const T nearest = rounded(x, y);
  if (std::isnan(nearest) || std::isnan(got)) return std::isnan(nearest) && std::isnan(got) ? 0 : wrong;
  if (std::isinf(nearest) || std::isinf(got)) return nearest == got ? 0 : wrong;
  if (got == 0 && std::signbit(got) != static_cast<bool>(mpfr_signbit(exact))) return wrong;
  if (mpfr_zero_p(exact)) return got == 0 ? 0 : wrong;
  // exact = 0.1... 2^e, so its ULP is 2^(e - digits), not below the spacing of the subnormal numbers.
  const long ulp_exponent = std::max<long>(mpfr_get_exp(exact), Limits::min_exponent) - Limits::digits;
  mpfr_sub_d(difference, exact, static_cast<double>(got), MPFR_RNDN);
  mpfr_mul_2si(difference, difference, -ulp_exponent, MPFR_RNDN);
  return std::abs(mpfr_get_d(difference, MPFR_RNDN));
}

template class Reference<float>;
template class Reference<double>;

} // namespace dlcc::codegen::test

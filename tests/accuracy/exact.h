// A number of 128 bits with the exponents of MPFR, in which the formulas of the truths are written down as they are.
#pragma once

#include <mpfr.h>

namespace dlcc::testing {

class Exact {
public:
  static constexpr mpfr_prec_t precision = 128;

  Exact(double x = 0) : Exact(x, nullptr) { mpfr_set_d(value_, x, MPFR_RNDN); } // NOLINT: numbers mix
  Exact(const Exact& o) : Exact(0, nullptr) { mpfr_set(value_, o.value_, MPFR_RNDN); }
  Exact& operator=(const Exact& o) {
    mpfr_set(value_, o.value_, MPFR_RNDN);
    return *this;
  }
  /// sign * 2^exponent.
  static Exact power_of_two(double sign, mpfr_exp_t exponent) {
    Exact r(sign);
    mpfr_mul_2si(r.value_, r.value_, exponent, MPFR_RNDN);
    return r;
  }

  bool is_nan() const { return mpfr_nan_p(value_); }
  bool is_zero() const { return mpfr_zero_p(value_); }
  /// e with 2^(e-1) <= |x| < 2^e, for a number that is not zero.
  mpfr_exp_t exponent() const { return mpfr_get_exp(value_); }
  double to_double() const { return mpfr_get_d(value_, MPFR_RNDN); }
  double to_float() const { return static_cast<double>(mpfr_get_flt(value_, MPFR_RNDN)); }

  friend bool operator<(const Exact& a, const Exact& b) { return mpfr_less_p(a.value_, b.value_); }
  friend bool operator>(const Exact& a, const Exact& b) { return b < a; }
  friend bool operator<=(const Exact& a, const Exact& b) { return mpfr_lessequal_p(a.value_, b.value_); }
  friend bool operator>=(const Exact& a, const Exact& b) { return b <= a; }
  friend bool operator==(const Exact& a, const Exact& b) { return mpfr_equal_p(a.value_, b.value_); }

#define DLCC_EXACT_2(name, mpfr_name)                                                                                  \
  friend Exact name(const Exact& a, const Exact& b) {                                                                  \
    Exact r;                                                                                                           \
    mpfr_name(r.value_, a.value_, b.value_, MPFR_RNDN);                                                                \
    return r;                                                                                                          \
  }
#define DLCC_EXACT_1(name, mpfr_name)                                                                                  \
  friend Exact name(const Exact& a) {                                                                                  \
    Exact r;                                                                                                           \
    mpfr_name(r.value_, a.value_, MPFR_RNDN);                                                                          \
    return r;                                                                                                          \
  }
  DLCC_EXACT_2(operator+, mpfr_add)
  DLCC_EXACT_2(operator-, mpfr_sub)
  DLCC_EXACT_2(operator*, mpfr_mul)
  DLCC_EXACT_2(operator/, mpfr_div)
  DLCC_EXACT_2(pow, mpfr_pow)
  DLCC_EXACT_1(operator-, mpfr_neg)
  DLCC_EXACT_1(abs, mpfr_abs)
  DLCC_EXACT_1(sqrt, mpfr_sqrt)
  DLCC_EXACT_1(exp, mpfr_exp)
  DLCC_EXACT_1(expm1, mpfr_expm1)
  DLCC_EXACT_1(log, mpfr_log)
  DLCC_EXACT_1(log1p, mpfr_log1p)
  DLCC_EXACT_1(sin, mpfr_sin)
  DLCC_EXACT_1(cos, mpfr_cos)
  DLCC_EXACT_1(sinh, mpfr_sinh)
  DLCC_EXACT_1(tanh, mpfr_tanh)
  DLCC_EXACT_1(erf, mpfr_erf)
  DLCC_EXACT_1(erfc, mpfr_erfc)
#undef DLCC_EXACT_1
#undef DLCC_EXACT_2
  friend Exact floor(const Exact& a) {
    Exact r;
    mpfr_floor(r.value_, a.value_);
    return r;
  }
  static Exact pi() {
    Exact r;
    mpfr_const_pi(r.value_, MPFR_RNDN);
    return r;
  }

private:
  // The digits lie in the object: no allocation a number.
  Exact(double, std::nullptr_t) {
    mpfr_custom_init(digits_, precision);
    mpfr_custom_init_set(value_, MPFR_ZERO_KIND, 0, precision, digits_);
  }
  mp_limb_t digits_[precision / 64];
  mpfr_t value_;
};

/// NaN is passed on; of two equal ones the first is taken.
inline Exact max(const Exact& a, const Exact& b) { return b.is_nan() || b > a ? b : a; }
inline Exact min(const Exact& a, const Exact& b) { return b.is_nan() || b < a ? b : a; }
inline Exact square(const Exact& a) { return a * a; }

} // namespace dlcc::testing

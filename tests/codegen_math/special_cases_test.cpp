// Zeros, infinities, NaN, ends of the number range, symmetry, and the special cases of C99 for pow.
#include "tests/codegen_math/reference.h"
#include "tests/codegen_math/run.h"

#include <bit>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>

namespace dlcc::codegen::test {
namespace {

const MathFunctionInfo& info_of(MathFunction f) { return math_functions[static_cast<size_t>(f)]; }

/// Pads to whole vectors by repeating the last element.
template <class T> void pad(Samples<T>& s) {
  s.y.resize(s.x.size());
  while (s.x.size() % 64 != 0) s.x.push_back(s.x.back()), s.y.push_back(s.y.back());
}

template <class T> Samples<T> all_pairs(int arity) {
  Samples<T> s;
  for (T x : special_values<T>())
    for (T y : arity == 2 ? special_values<T>() : std::vector<T>{0}) s.x.push_back(x), s.y.push_back(y);
  pad(s);
  return s;
}

class SpecialCases : public testing::TestWithParam<MathFunctionInfo> {};

template <class T> void check_specials(const MathFunctionInfo& info, double bound) {
  const Samples<T> s = all_pairs<T>(info.arity);
  const std::vector<T> got = evaluate(info, s, 64 / sizeof(T), Cpu::avx2);
  Reference<T> reference(info.function);
  for (size_t i = 0; i < got.size(); ++i)
    EXPECT_LE(reference.error(s.x[i], s.y[i], got[i]), bound)
        << info.name << "(" << s.x[i] << ", " << s.y[i] << ") = " << got[i] << ", expected "
        << reference.rounded(s.x[i], s.y[i]);
}

TEST_P(SpecialCases, f32) { check_specials<float>(GetParam(), GetParam().ulp_f32); }
TEST_P(SpecialCases, f64) { check_specials<double>(GetParam(), GetParam().ulp_f64); }

INSTANTIATE_TEST_SUITE_P(Math, SpecialCases, testing::ValuesIn(math_functions),
                         [](const auto& row) { return std::string(row.param.name); });

template <class T> std::vector<T> at(MathFunction f, std::vector<T> x, std::vector<T> y = {}) {
  Samples<T> s{x, y};
  pad(s);
  std::vector<T> out = evaluate(info_of(f), s, 64 / sizeof(T), Cpu::avx2);
  out.resize(x.size());
  return out;
}

TEST(MathOverflow, exp_is_finite_up_to_its_last_argument) {
  const float last = 88.72283f, first = std::nextafter(last, 100.0f); // ln(FLT_MAX) = 88.7228390...
  const auto y = at<float>(MathFunction::exp, {last, first, 88.7228394f});
  EXPECT_TRUE(std::isfinite(y[0]));
  EXPECT_EQ(y[0] > 3.4e38f, true);
  EXPECT_TRUE(std::isinf(y[1]));
  EXPECT_TRUE(std::isinf(y[2]));
}

TEST(MathOverflow, exp_underflows_gradually_to_zero) {
  const auto y = at<float>(MathFunction::exp, {-103.0f, -103.97f, -103.98f, -1000.0f});
  EXPECT_EQ(y[0], 0x1p-149f); // e^-103 = 1.3 * 2^-149
  EXPECT_EQ(y[1], 0x1p-149f);
  EXPECT_EQ(y[2], 0.0f);
  EXPECT_EQ(y[3], 0.0f);
}

TEST(MathOverflow, exp2_is_exact_for_integers) {
  std::vector<double> x, expected;
  for (int k = -1074; k < 1024; ++k) x.push_back(k), expected.push_back(std::ldexp(1.0, k));
  EXPECT_EQ(at<double>(MathFunction::exp2, x), expected);
}

template <class T> void check_odd(MathFunction f) {
  Samples<T> s = make_samples<T>(f, 1 << 14), mirrored = s;
  for (T& x : mirrored.x) x = -x;
  const auto y = evaluate(info_of(f), s, 64 / sizeof(T), Cpu::avx2);
  const auto z = evaluate(info_of(f), mirrored, 64 / sizeof(T), Cpu::avx2);
  for (size_t i = 0; i < y.size(); ++i) {
    if (std::isnan(y[i])) continue;
    ASSERT_EQ(y[i], -z[i]) << "at " << s.x[i];
    ASSERT_EQ(std::signbit(y[i]), !std::signbit(z[i])) << "at " << s.x[i];
    ASSERT_LE(std::abs(y[i]), T(1)) << "at " << s.x[i];
  }
}

TEST(MathSymmetry, tanh_erf_and_sin_are_odd_and_at_most_1) {
  for (MathFunction f : {MathFunction::tanh, MathFunction::erf, MathFunction::sin})
    check_odd<float>(f), check_odd<double>(f);
}

TEST(MathPow, special_cases_of_c99) {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  struct Case {
    double x, y, result;
  };
  const Case cases[] = {{nan, 0, 1},        {nan, -0.0, 1},   {1, nan, 1},      {1, inf, 1},       {-1, inf, 1},
                        {-1, -inf, 1},      {0, -3, inf},     {-0.0, -3, -inf}, {-0.0, -2, inf},   {0, -inf, inf},
                        {-0.0, 3, -0.0},    {-0.0, 2, 0},     {0.5, -inf, inf}, {2, -inf, 0},      {0.5, inf, 0},
                        {2, inf, inf},      {-inf, -3, -0.0}, {-inf, -2, 0},    {-inf, 3, -inf},   {-inf, 2, inf},
                        {-inf, 0.5, inf},   {inf, -1, 0},     {inf, 1, inf},    {-8, 3, -512},     {-8, 2, 64},
                        {-8, 1.0 / 3, nan}, {nan, 1, nan},    {2, nan, nan},    {-2, 0x1p60, inf}, {-0.5, -3, -8}};
  std::vector<double> x, y;
  std::vector<float> xf, yf;
  for (const Case& c : cases) {
    x.push_back(c.x), y.push_back(c.y);
    xf.push_back(static_cast<float>(c.x)), yf.push_back(static_cast<float>(c.y));
  }
  const auto wide = at<double>(MathFunction::pow, x, y);
  const auto narrow = at<float>(MathFunction::pow, xf, yf);
  for (size_t i = 0; i < x.size(); ++i)
    for (double got : {wide[i], double(narrow[i])}) {
      SCOPED_TRACE(testing::Message() << "pow(" << x[i] << ", " << y[i] << ")");
      if (std::isnan(cases[i].result)) {
        EXPECT_TRUE(std::isnan(got)) << got;
        continue;
      }
      EXPECT_EQ(got, cases[i].result);
      EXPECT_EQ(std::signbit(got), std::signbit(cases[i].result));
    }
}

} // namespace
} // namespace dlcc::codegen::test

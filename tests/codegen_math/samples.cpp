#include "tests/codegen_math/samples.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <type_traits>

namespace dlcc::codegen::test {
namespace {

template <class T> using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;

/// Where the values of a function vary, and the points where its formulas change or end.
struct Profile {
  double low, high;
  std::vector<double> traps;
};

template <class T> Profile profile(MathFunction f) {
  constexpr bool single = sizeof(T) == 4;
  const double overflow = single ? 88.72283905206835 : 709.782712893384, half_ln2 = 0.34657359027997264;
  const double smallest = single ? -87.33654475055310 : -708.3964185322641; // e^x leaves the normal numbers
  const double zero = single ? -103.97207708399180 : -745.1332191019412;    // and rounds to 0
  const double quarter = 0.7853981633974483;
  switch (f) {
  case MathFunction::exp:
    return {zero - 1, overflow + 1, {overflow, 88.7228394, smallest, zero, half_ln2, -half_ln2, 0}};
  case MathFunction::exp2: {
    const double top = single ? 128 : 1024, bottom = single ? -150 : -1075;
    return {bottom - 1, top + 1, {top, bottom, bottom + 24, 0.5, -0.5, 1.5, 1, 0}};
  }
  case MathFunction::expm1:
    return {-40, overflow + 1, {overflow, -17.33, -37.43, half_ln2, -half_ln2, 3 * half_ln2, 0}};
  case MathFunction::log:
    return {0, 4, {1, 0.75, 1.5, 0, 3, 0.375, double(std::numeric_limits<T>::min())}};
  case MathFunction::log1p:
    return {-1, 4, {-1, -0.25, 0.5, 2, -0.625, 0, 0x1p24, 0x1p53, 0x1p100}};
  case MathFunction::tanh:
    return {-22, 22, {9.0109, 19.06, half_ln2 / 2, 10, 20, 0}};
  case MathFunction::sigmoid:
    return {zero - 1, 40, {zero, smallest, half_ln2, -half_ln2, 0, -69.3, -693, 17.3, 37}};
  case MathFunction::softplus:
    return {zero - 1, 40, {zero, smallest, half_ln2, -half_ln2, 0, 17.3, 37}};
  case MathFunction::erf:
    return {-6.5, 6.5, {1, 1.125, 3.9, 4, 5.92, 6, 0}};
  case MathFunction::sin:
  case MathFunction::cos:
    return {-200,
            200,
            {quarter, 2 * quarter, 3 * quarter, 4 * quarter, 8 * quarter, 710 * quarter, 0,
             0x1.39a41p23 /* close to a multiple of pi/2 */, 6381956970095103 * 0x1p797}};
  case MathFunction::pow:
    return {0, 2, {1, 0, 2, 0.75}};
  }
  return {};
}

/// y = t / log2 x puts x^y at 2^t: evenly over all results, a little beyond overflow and underflow.
template <class T> void make_powers(Samples<T>& s, std::mt19937_64& random) {
  const double top = std::numeric_limits<T>::max_exponent * 1.02, bottom = -top - std::numeric_limits<T>::digits;
  std::uniform_real_distribution<double> results(bottom, top);
  for (size_t i = 0; i < s.x.size(); ++i) {
    const uint64_t r = random();
    if (r % 8 == 0)
      s.y[i] = std::bit_cast<T>(static_cast<Bits<T>>(r >> 8));
    else if (r % 8 == 1)
      s.y[i] = static_cast<T>(static_cast<int>(r >> 8 & 63) - 32);
    else
      s.y[i] = static_cast<T>(results(random) / std::log2(std::abs(static_cast<double>(s.x[i]))));
  }
}

} // namespace

template <class T> Samples<T> make_samples(MathFunction f, size_t count) {
  std::mt19937_64 random(20240611 + static_cast<unsigned>(f));
  const Profile p = profile<T>(f);
  Samples<T> s;
  s.x.reserve(count);
  for (size_t i = 0; i < count / 2; ++i)
    s.x.push_back(std::bit_cast<T>(static_cast<Bits<T>>(random() >> (64 - 8 * sizeof(T)))));
  std::uniform_real_distribution<double> uniform(p.low, p.high);
  for (size_t i = 0; i < count / 4; ++i) s.x.push_back(static_cast<T>(uniform(random)));
  const int run = static_cast<int>(count / 8 / p.traps.size() / 2) - 1;
  for (double trap : p.traps)
    for (double sign : {1.0, -1.0}) {
      // Adjacent bit patterns are adjacent numbers.
      const auto centre = std::bit_cast<Bits<T>>(static_cast<T>(sign * trap));
      for (int k = -run / 2; k < run / 2; ++k) s.x.push_back(std::bit_cast<T>(static_cast<Bits<T>>(centre + k)));
    }
  std::normal_distribution<double> normal;
  while (s.x.size() < count) s.x.push_back(static_cast<T>(normal(random)));
  s.y.assign(count, T(0));
  if (f == MathFunction::pow) make_powers(s, random);
  return s;
}

template <class T> std::vector<T> special_values() {
  using L = std::numeric_limits<T>;
  std::vector<T> values;
  for (T v : {T(0),
              L::denorm_min(),
              std::nextafter(L::min(), T(0)),
              L::min(),
              L::epsilon(),
              T(0.5),
              std::nextafter(T(1), T(0)),
              T(1),
              std::nextafter(T(1), T(2)),
              T(1.5),
              T(2),
              T(2.5),
              T(3),
              T(4),
              T(7),
              T(100),
              T(101),
              T(1) / L::epsilon(),
              T(1) / L::epsilon() + 1,
              T(2) / L::epsilon(),
              L::max(),
              L::infinity(),
              L::quiet_NaN()}) {
    values.push_back(v);
    values.push_back(-v);
  }
  return values;
}

template Samples<float> make_samples<float>(MathFunction, size_t);
template Samples<double> make_samples<double>(MathFunction, size_t);
template std::vector<float> special_values<float>();
template std::vector<double> special_values<double>();

} // namespace dlcc::codegen::test

// Philox 4x32-10 against the known answers of Random123, and the inverse normal distribution against MPFR.
#include "codegen/math/functions.h"
#include "tests/codegen_math/jit_kernel.h"
#include "tests/codegen_math/run.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <gtest/gtest.h>
#include <limits>
#include <mpfr.h>
#include <random>

namespace dlcc::codegen::test {
namespace {

using Words = std::array<uint32_t, 4>;

/// One block of Philox per counter; the key comes as arrays too.
std::vector<Words> philox(const std::vector<Words>& counters, const std::vector<std::array<uint32_t, 2>>& keys,
                          unsigned lanes, Cpu cpu) {
  Kernel kernel({Element::i32, lanes, cpu, 6, 4}, [](llvm::IRBuilderBase& b, const std::vector<llvm::Value*>& a) {
    const auto r = emit_philox4x32_10(b, {a[0], a[1], a[2], a[3]}, {a[4], a[5]});
    return std::vector(r.begin(), r.end());
  });
  const size_t n = counters.size();
  std::array<std::vector<uint32_t>, 6> in;
  std::array<std::vector<uint32_t>, 4> out;
  for (size_t w = 0; w < 6; ++w)
    for (size_t i = 0; i < n; ++i) in[w].push_back(w < 4 ? counters[i][w] : keys[i][w - 4]);
  for (auto& o : out) o.resize(n);
  kernel({in[0].data(), in[1].data(), in[2].data(), in[3].data(), in[4].data(), in[5].data()},
         {out[0].data(), out[1].data(), out[2].data(), out[3].data()}, n);
  std::vector<Words> result(n);
  for (size_t i = 0; i < n; ++i)
    for (size_t w = 0; w < 4; ++w) result[i][w] = out[w][i];
  return result;
}

TEST(Philox, known_answers_of_random123) {
  const uint32_t ones = 0xffffffff;
  // kat_vectors: philox 4x32 10.
  const std::vector<Words> counters = {
      {0, 0, 0, 0}, {ones, ones, ones, ones}, {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}};
  const std::vector<std::array<uint32_t, 2>> keys = {{0, 0}, {ones, ones}, {0xa4093822, 0x299f31d0}};
  const std::vector<Words> expected = {{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
                                       {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
                                       {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}};
  EXPECT_EQ(philox(counters, keys, 1, Cpu::avx2), expected);
}

TEST(Philox, lanes_are_independent_and_equal_to_scalar_code) {
  std::vector<Words> counters;
  for (uint32_t i = 0; i < 64; ++i) counters.push_back({i * 16 + 3, 7, i * 0x9E3779B9, 0});
  const std::vector<std::array<uint32_t, 2>> keys(64, {0x12345678, 0x9abcdef0});
  const auto scalar = philox(counters, keys, 1, Cpu::avx2);
  EXPECT_EQ(scalar, philox(counters, keys, 16, Cpu::avx2));
  if (can_run(Cpu::avx512)) {
    EXPECT_EQ(scalar, philox(counters, keys, 16, Cpu::avx512));
  }
}

TEST(Philox, a_scalar_key_serves_all_lanes) {
  std::vector<uint32_t> counter(16), out(16);
  for (uint32_t i = 0; i < 16; ++i) counter[i] = i;
  Kernel kernel({Element::i32, 16, Cpu::avx2, 1, 1}, [](llvm::IRBuilderBase& b, const std::vector<llvm::Value*>& a) {
    llvm::Value* zero = llvm::Constant::getNullValue(a[0]->getType());
    return std::vector{emit_philox4x32_10(b, {a[0], zero, zero, zero}, {b.getInt32(5), b.getInt32(6)})[0]};
  });
  kernel({counter.data()}, {out.data()}, 16);
  std::vector<Words> counters;
  for (uint32_t i = 0; i < 16; ++i) counters.push_back({i, 0, 0, 0});
  const auto expected = philox(counters, std::vector<std::array<uint32_t, 2>>(16, {5, 6}), 1, Cpu::avx2);
  for (size_t i = 0; i < 16; ++i) EXPECT_EQ(out[i], expected[i][0]);
}

template <class T> std::vector<T> normals(const std::vector<T>& u, unsigned lanes, Cpu cpu) {
  Kernel kernel({element_of<T>, lanes, cpu, 1, 1}, [](llvm::IRBuilderBase& b, const std::vector<llvm::Value*>& a) {
    return std::vector{emit_normal_from_uniform(b, a[0])};
  });
  std::vector<T> z(u.size());
  kernel({u.data()}, {z.data()}, u.size());
  return z;
}

/// The error of z in ULP by one Newton step: (Phi(z) - u) / phi(z), Phi and phi by MPFR.
template <class T> double error_in_ulp(T u, T z) {
  mpfr_t p, t;
  mpfr_inits2(160, p, t, nullptr);
  mpfr_set_d(p, double(z), MPFR_RNDN);
  mpfr_sqrt_ui(t, 2, MPFR_RNDN);
  mpfr_div(p, p, t, MPFR_RNDN);
  mpfr_neg(p, p, MPFR_RNDN);
  mpfr_erfc(p, p, MPFR_RNDN);
  mpfr_div_ui(p, p, 2, MPFR_RNDN);
  mpfr_sub_d(p, p, double(u), MPFR_RNDN);
  const double density = std::exp(-0.5 * double(z) * double(z)) / std::sqrt(2 * M_PI);
  const double error = mpfr_get_d(p, MPFR_RNDN) / density;
  mpfr_clears(p, t, nullptr);
  return std::abs(error) / double(std::nextafter(std::abs(z), T(1e30)) - std::abs(z));
}

template <class T> void check_normals(double bound) {
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> uniform, exponent(-std::numeric_limits<T>::digits * 1.0, -1.0);
  std::vector<T> u;
  while (u.size() < (1 << 16)) {
    u.push_back(static_cast<T>(uniform(random)));
    const T tail = static_cast<T>(std::exp2(exponent(random)));
    u.push_back(tail), u.push_back(1 - tail), u.push_back(T(0.5) + tail / 16);
    for (double edge : {0.075, 0.925, 0.5}) u.push_back(static_cast<T>(edge * (1 + (uniform(random) - 0.5) * 1e-5)));
    u.push_back(static_cast<T>(uniform(random) * 1e-6));
  }
  for (T& x : u) x = x > 0 && x < 1 ? x : T(0.25);
  const auto z = normals(u, 64 / sizeof(T), Cpu::avx2);
  double worst = 0;
  T at = 0;
  for (size_t i = 0; i < u.size(); ++i)
    if (double e = error_in_ulp(u[i], z[i]); e > worst) worst = e, at = u[i];
  std::printf("normal f%zu: %.4f ULP at %a\n", 8 * sizeof(T), worst, double(at));
  EXPECT_LE(worst, bound) << "at " << at;
  const auto scalar = normals(u, 1, Cpu::avx2);
  EXPECT_EQ(z, scalar);
  if (can_run(Cpu::avx512)) {
    EXPECT_EQ(z, normals(u, 64 / sizeof(T), Cpu::avx512));
  }
}

TEST(NormalFromUniform, f32_inverts_the_distribution) { check_normals<float>(6); }
TEST(NormalFromUniform, f64_inverts_the_distribution) { check_normals<double>(6); }

TEST(NormalFromUniform, ends_and_symmetry) {
  const auto z = normals<double>({0, 1, 0.5, 0.25, 0.75, -1, 2, std::nan("")}, 8, Cpu::avx2);
  EXPECT_EQ(z[0], -std::numeric_limits<double>::infinity());
  EXPECT_EQ(z[1], std::numeric_limits<double>::infinity());
  EXPECT_EQ(z[2], 0);
  EXPECT_EQ(z[3], -z[4]);
  for (size_t i = 5; i < 8; ++i) EXPECT_TRUE(std::isnan(z[i]));
}

} // namespace
} // namespace dlcc::codegen::test

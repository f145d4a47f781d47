// Every float through every function of one argument against glibc in double, whose own error (below 1 ULP of double)
// is 2^-29 ULP of float. Prints the largest error and fails beyond the bounds of math_functions.def, at a wrong
// infinity or NaN, and where tanh or sigmoid decrease. Arguments: names of functions; none = all.
#include "tests/codegen_math/run.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string_view>

namespace dlcc::codegen::test {
namespace {

double in_double(MathFunction f, double x) {
  switch (f) {
  case MathFunction::exp:
    return std::exp(x);
  case MathFunction::exp2:
    return std::exp2(x);
  case MathFunction::expm1:
    return std::expm1(x);
  case MathFunction::log:
    return std::log(x);
  case MathFunction::log1p:
    return std::log1p(x);
  case MathFunction::tanh:
    return std::tanh(x);
  case MathFunction::sigmoid:
    return 1 / (1 + std::exp(-x));
  case MathFunction::softplus:
    return x > 700 ? x : std::log1p(std::exp(x));
  case MathFunction::erf:
    return std::erf(x);
  case MathFunction::sin:
    return std::sin(x);
  case MathFunction::cos:
    return std::cos(x);
  case MathFunction::pow:
    break;
  }
  std::abort();
}

double error(double exact, float got) {
  constexpr double wrong = std::numeric_limits<double>::infinity();
  if (std::isnan(exact) || std::isnan(got)) return std::isnan(exact) && std::isnan(got) ? 0 : wrong;
  const float nearest = static_cast<float>(exact);
  if (std::isinf(nearest) || std::isinf(got)) return nearest == got ? 0 : wrong;
  if (got == 0 && std::signbit(got) != std::signbit(exact)) return wrong;
  const int exponent = exact == 0 ? -126 : std::max(std::ilogb(exact), -126);
  return std::abs(got - exact) * std::bit_cast<double>(uint64_t(1023 + 23 - exponent) << 52);
}

/// Walks the floats of one sign by growing magnitude.
bool check(const MathFunctionInfo& info, const Kernel& kernel, uint32_t sign, double& worst, float& at) {
  constexpr size_t block = size_t{1} << 16;
  const bool monotone = info.function == MathFunction::tanh || info.function == MathFunction::sigmoid;
  std::vector<float> x(block), y(block);
  bool ok = true;
  float last = sign ? std::numeric_limits<float>::infinity() : -std::numeric_limits<float>::infinity();
  for (uint32_t base = 0; base < 0x80000000; base += block) {
    for (size_t i = 0; i < block; ++i) x[i] = std::bit_cast<float>(sign | (base + static_cast<uint32_t>(i)));
    kernel({x.data()}, {y.data()}, block);
    for (size_t i = 0; i < block; ++i) {
      if (double e = error(in_double(info.function, x[i]), y[i]); e > worst) worst = e, at = x[i];
      if (!monotone || std::isnan(y[i])) continue;
      if (sign ? y[i] > last : y[i] < last) {
        if (ok) std::printf("%s decreases at %a\n", info.name.data(), double(x[i]));
        ok = false;
      }
      last = y[i];
    }
  }
  return ok;
}

bool check_all_floats(const MathFunctionInfo& info) {
  const Kernel kernel = make_kernel<float>(info, 16, can_run(Cpu::avx512) ? Cpu::avx512 : Cpu::avx2);
  double worst = 0;
  float at = 0;
  bool ok = check(info, kernel, 0, worst, at);
  ok &= check(info, kernel, 0x80000000, worst, at);
  std::printf("%s f32, all arguments: %.6f ULP at %a (bound %g)\n", info.name.data(), worst, double(at), info.ulp_f32);
  std::fflush(stdout);
  return ok && worst <= info.ulp_f32;
}

} // namespace
} // namespace dlcc::codegen::test

int main(int argc, char** argv) {
  using namespace dlcc::codegen;
  bool ok = true;
  for (const MathFunctionInfo& info : math_functions) {
    const bool wanted = argc == 1 || std::find(argv + 1, argv + argc, info.name) != argv + argc;
    if (wanted && info.arity == 1) ok &= test::check_all_floats(info);
  }
  return ok ? 0 : 1;
}

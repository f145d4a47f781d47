// Every elementary function against MPFR at 2^20 arguments; the bounds are those of math_functions.def.
#include "tests/codegen_math/reference.h"
#include "tests/codegen_math/run.h"
#include "tests/codegen_math/samples.h"

#include <cstdio>
#include <gtest/gtest.h>

namespace dlcc::codegen::test {
namespace {

class Accuracy : public testing::TestWithParam<MathFunctionInfo> {};

template <class T> void check(const MathFunctionInfo& info, double bound) {
  const Samples<T> s = make_samples<T>(info.function, size_t{1} << 20);
  const std::vector<T> got = evaluate(info, s, 64 / sizeof(T), Cpu::avx2);
  Reference<T> reference(info.function);
  double worst = 0;
  size_t at = 0;
  for (size_t i = 0; i < got.size(); ++i)
    if (double e = reference.error(s.x[i], s.y[i], got[i]); e > worst) worst = e, at = i;
  std::printf("%s f%zu: %.4f ULP at (%a, %a)\n", info.name.data(), 8 * sizeof(T), worst, double(s.x[at]),
              double(s.y[at]));
  EXPECT_LE(worst, bound) << "at (" << s.x[at] << ", " << s.y[at] << "): got " << got[at] << ", nearest "
                          << reference.rounded(s.x[at], s.y[at]);
}

TEST_P(Accuracy, f32) { check<float>(GetParam(), GetParam().ulp_f32); }
TEST_P(Accuracy, f64) { check<double>(GetParam(), GetParam().ulp_f64); }

INSTANTIATE_TEST_SUITE_P(Math, Accuracy, testing::ValuesIn(math_functions),
                         [](const auto& row) { return std::string(row.param.name); });

} // namespace
} // namespace dlcc::codegen::test

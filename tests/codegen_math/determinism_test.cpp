// The same bits for every vector width and instruction set, whatever flags the builder carries; no calls, no branches.
#include "tests/codegen_math/run.h"

#include <cstring>
#include <gtest/gtest.h>
#include <regex>
#include <set>

namespace dlcc::codegen::test {
namespace {

class Determinism : public testing::TestWithParam<MathFunctionInfo> {};

template <class T>
void expect_same_bits(const std::vector<T>& a, const std::vector<T>& b, const Samples<T>& s, const char* what) {
  for (size_t i = 0; i < a.size(); ++i)
    ASSERT_EQ(std::memcmp(&a[i], &b[i], sizeof(T)), 0)
        << what << ": " << a[i] << " and " << b[i] << " at (" << s.x[i] << ", " << s.y[i] << ")";
}

template <class T> void check_bits(const MathFunctionInfo& info) {
  const Samples<T> s = make_samples<T>(info.function, 1 << 16);
  const std::vector<T> scalar = evaluate(info, s, 1, Cpu::avx2);
  expect_same_bits(scalar, evaluate(info, s, 4, Cpu::avx2), s, "4 lanes");
  expect_same_bits(scalar, evaluate(info, s, 8, Cpu::avx2), s, "8 lanes");
  expect_same_bits(scalar, evaluate(info, s, 16, Cpu::avx2), s, "16 lanes");
  expect_same_bits(scalar, evaluate(info, s, 8, Cpu::avx2, true), s, "builder with fast-math flags");
  if (!can_run(Cpu::avx512)) GTEST_SKIP() << "this CPU has no AVX-512";
  expect_same_bits(scalar, evaluate(info, s, 1, Cpu::avx512), s, "scalar with AVX-512");
  expect_same_bits(scalar, evaluate(info, s, 8, Cpu::avx512), s, "8 lanes with AVX-512");
  expect_same_bits(scalar, evaluate(info, s, 16, Cpu::avx512), s, "16 lanes with AVX-512");
}

TEST_P(Determinism, same_bits_f32) { check_bits<float>(GetParam()); }
TEST_P(Determinism, same_bits_f64) { check_bits<double>(GetParam()); }

template <class T> void check_ir(const MathFunctionInfo& info) {
  const std::string ir = make_kernel<T>(info, 8, Cpu::avx2).ir();
  const std::set<std::string> exact = {"fma", "fabs", "copysign", "sqrt", "roundeven"};
  const std::regex call(R"(call [^@]*@([^\(]*)\()"), intrinsic(R"(llvm\.([a-z]+)\..*)");
  for (auto i = std::sregex_iterator(ir.begin(), ir.end(), call); i != std::sregex_iterator(); ++i) {
    std::smatch name;
    const std::string callee = (*i)[1];
    ASSERT_TRUE(std::regex_match(callee, name, intrinsic)) << callee;
    EXPECT_TRUE(exact.count(name[1])) << callee;
  }
  // entry, loop and exit of the harness are all the blocks there are.
  const std::regex branch(R"(\n  (br|switch|invoke|ret) )");
  EXPECT_EQ(std::distance(std::sregex_iterator(ir.begin(), ir.end(), branch), std::sregex_iterator()), 3);
  EXPECT_EQ(ir, make_kernel<T>(info, 8, Cpu::avx2, true).ir()) << "fast-math flags of the builder leak";
  EXPECT_FALSE(std::regex_search(ir, std::regex(R"( (fast|nnan|ninf|nsz|arcp|contract|afn|reassoc) )")));
}

TEST_P(Determinism, only_exact_operations_f32) { check_ir<float>(GetParam()); }
TEST_P(Determinism, only_exact_operations_f64) { check_ir<double>(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Math, Determinism, testing::ValuesIn(math_functions),
                         [](const auto& row) { return std::string(row.param.name); });

} // namespace
} // namespace dlcc::codegen::test

// A product and a sum are rounded one after the other unless the IR says fma: by the operands where that makes a
// difference, and by the flags of what is emitted.
#include "tests/codegen/harness.h"

#include "codegen/link/object.h"
#include "codegen/module/emit.h"
#include "ir/loops/evaluate.h"
#include "ir/loops/parse.h"
#include "tests/loops/programs.h"

#include <cmath>
#include <gtest/gtest.h>
#include <regex>

namespace dlcc::codegen {
namespace {

constexpr int elements = 37;

struct Form {
  const char *text, *name;
  double (*apart)(double a, double b, double c, DType type);
  double (*fused)(double a, double b, double c);
};
double product(double a, double b, DType type) { return loops::round_to(type, a * b); }

// The compiler of this test does not contract either (-ffp-contract=off).
const Form forms[] = {
    {"a[i] * b[i] + c[i]", "sum",
     [](double a, double b, double c, DType t) { return loops::round_to(t, product(a, b, t) + c); },
     [](double a, double b, double c) { return std::fma(a, b, c); }},
    {"c[i] + b[i] * a[i]", "turned",
     [](double a, double b, double c, DType t) { return loops::round_to(t, c + product(b, a, t)); },
     [](double a, double b, double c) { return std::fma(a, b, c); }},
    {"a[i] * b[i] - c[i]", "difference",
     [](double a, double b, double c, DType t) { return loops::round_to(t, product(a, b, t) - c); },
     [](double a, double b, double c) { return std::fma(a, b, -c); }},
    {"c[i] - a[i] * b[i]", "subtracted",
     [](double a, double b, double c, DType t) { return loops::round_to(t, c - product(a, b, t)); },
     [](double a, double b, double c) { return std::fma(-a, b, c); }},
    {"-(a[i] * b[i]) - c[i]", "negative",
     [](double a, double b, double c, DType t) { return loops::round_to(t, -product(a, b, t) - c); },
     [](double a, double b, double c) { return std::fma(-a, b, -c); }},
};

class Rounding : public testing::TestWithParam<const char*> {};

TEST_P(Rounding, OfAProductComesBeforeThatOfTheSum) {
  for (DType type : {DType::f32, DType::f64})
    for (const char* target : {"native", "x86-64-v3"})
      for (const Form& form : forms) {
        SCOPED_TRACE(std::string(form.name) + " " + std::string(name_of(type)) + " " + target);
        const std::string array = std::string(name_of(type)) + "[" + std::to_string(elements) + "]";
        CompiledProgram p(program_of("a: " + array + ", b: " + array + ", c: " + array + ", out y: " + array,
                                     "tasks 1 {\n for i in 37" + std::string(GetParam()) +
                                         " {\n store y[i] = " + form.text + "\n }\n}"),
                          target);
        Tensors t;
        for (const char* name : {"a", "b", "c"})
          t[name] = random_tensor({type, {elements}}, static_cast<uint32_t>(name[0]));
        ASSERT_EQ(p.run("predict", t), 0);
        int telling = 0; // operands with which the two ways differ
        for (size_t i = 0; i < elements; ++i) {
          const double a = t["a"].data[i], b = t["b"].data[i], c = t["c"].data[i];
          const double apart = form.apart(a, b, c, type);
          telling += apart != loops::round_to(type, form.fused(a, b, c));
          EXPECT_EQ(t["y"].data[i], apart) << i;
        }
        EXPECT_GT(telling, 3);
      }
}

INSTANTIATE_TEST_SUITE_P(Loops, Rounding, testing::Values("", " vector", " unroll"),
                         [](const auto& i) { return i.param[0] ? std::string(i.param + 1) : "serial"; });

// What follows a contraction is no part of its sums.
TEST(Rounding, BehindAContractionToo) {
  CompiledProgram p(program_of("a: f32[8,5], b: f32[5,16], c: f32[8,16], out y: f32[8,16]",
                               "tasks 1 {\ncontract s over m in 8; n in 16; k in 5 = a[m, k] * b[k, n] {\nstore y[m, "
                               "n] = s * c[m, n] + 0.3\n}\n}"));
  Tensors t;
  t["a"] = random_tensor({DType::f32, {8, 5}}, 1), t["b"] = random_tensor({DType::f32, {5, 16}}, 2);
  t["c"] = random_tensor({DType::f32, {8, 16}}, 3);
  ASSERT_EQ(p.run("predict", t), 0);
  for (size_t m = 0; m < 8; ++m)
    for (size_t n = 0; n < 16; ++n) {
      float s = 0;
      for (size_t k = 0; k < 5; ++k)
        s = std::fma(static_cast<float>(t["a"].data[5 * m + k]), static_cast<float>(t["b"].data[16 * k + n]), s);
      const float scaled = s * static_cast<float>(t["c"].data[16 * m + n]);
      EXPECT_EQ(t["y"].data[16 * m + n], static_cast<double>(scaled + 0.3F));
    }
}

TEST(Rounding, NoInstructionMayBeRearranged) {
  ArtefactInfo info;
  info.name = "test", info.model_json = "{}", info.compiler = "dlcc test";
  const std::regex flags(
      R"((fadd|fsub|fmul|fdiv|fneg|frem|fcmp|call) (fast|contract|reassoc|nnan|ninf|nsz|arcp|afn)\b)");
  for (const CodeUnit& unit : emit_program(loops::parse_program(loops::dense_program), make_target("native"), info)) {
    const std::string text = llvm_text(unit);
    std::smatch found;
    EXPECT_FALSE(std::regex_search(text, found, flags)) << found.str();
    EXPECT_EQ(text.find("unsafe-fp-math"), std::string::npos);
  }
}

} // namespace
} // namespace dlcc::codegen

#include "ir/loops/builder.h"
#include "ir/loops/parse.h"
#include "ir/loops/print.h"
#include "tests/loops/programs.h"

#include <gtest/gtest.h>

#include <random>

namespace dlcc::loops {
namespace {

void expect_fixed_point(const std::string& text) {
  std::string printed;
  ASSERT_NO_THROW(printed = print(parse_program(text))) << text;
  EXPECT_EQ(printed, text);
}

std::string kernel(const std::string& parameters, const std::string& body) {
  return "program @p stage loops batch 0\n\nkernel @k(" + parameters + ") tasks 1 {\n" + body + "}\n";
}

TEST(LoopText, AWholeProgramReadsBack) { expect_fixed_point(dense_program); }

TEST(LoopText, StatementsReadBack) {
  expect_fixed_point(
      kernel("x: f32[8,4], in2: i32[8], out y: f32[8], inout \"2 z\": f64[], scratch row: f32[4]", R"(  let a2 = x[0, 0]
  for m in 8 unroll {
    let a = x[m, 0]
    for k in 4 vector {
      store row[k] = x?[m - 1, k] + a
    }
    product p over k1 in 4, j in 2 order blocks vector = row[k1]
    min q over k2 in 4 = row[k2]
    store y[m] = p * q
    check(!(in2[m] < 3)) sample index(m) value in2[m] fault(-1, "label \"x\"")
    check(in2[m] == 5) fault(-12, "loss")
  }
  contract c over ; n in 8; k3 in 4 = x[n, k3] * (a2 + 1.0) {
    store y[n] = c
  }
  store "2 z"[] = 1.0
)"));
}

TEST(LoopText, ExpressionsReadBackWithTheFewestParentheses) {
  expect_fixed_point(kernel("x: f32[8], ids: i64[8], table: f32[9,2], seed: i64[], out y: f32[8], out b: bool[]",
                            R"(  for m in 8 {
    store y[m] = x[m] - (x[m] - x[m]) * 2.0 / x[m]
    store y[m] = x[m] - x[m] - -(x[m] + -2.0)
    store y[m] = x[m] - (x[m] - 1.0) / (x[m] / 3.0)
    store y[m] = select(0.0 < x[m] && !(x[m] <= 1.0) || x[m] == inf, exp(x[m]), -(1.0) + 2.0)
    store y[m] = f32(2.5:f64) + f32(f64(x[m])) + f32(index(4*m - 3))
    store y[m] = table[ids[m], 1] + table[(ids[m] + 1) + 2*m, 0] + table[(3 % ids[m]), 1]
    store y[m] = random_uniform(f32, seed[], 3, 77, index(m)) + max(nan, min(x[m], 1e-30))
    store b[] = 1.0:f32 < 2.0 && true
    let c: f64 = 1.0 + 2.0 * 3.0
    let i: i64 = -7
    store y[m] = f32(c) + f32(i)
  }
)"));
}

TEST(LoopText, SharedExpressionsKeepTheTextLinear) {
  Kernel k;
  k.name = "k";
  Builder b(k);
  TensorId y = b.tensor({"y", {DType::f32, {}}, Access::inout});
  ExprId e = b.load(y, {});
  for (int i = 0; i < 200; ++i) e = b.add(b.op(ScalarOp::exp, {e}), b.multiply(e, e));
  for (int i = 0; i < 1000; ++i) e = b.op(ScalarOp::sin, {e});
  k.body = {b.stmt(Store{y, {}, e})};
  Program p;
  p.name = "p";
  p.kernels.push(k);
  std::string text = print(p);
  EXPECT_LT(text.size(), 40000u);
  expect_fixed_point(text);
}

TEST(LoopText, EqualNamesAreToldApart) {
  Program p = parse_program(dense_program);
  Buffer other = p.buffers[BufferId(0)];
  other.region = Region::arena;
  p.buffers.push(other);
  std::string text = print(p);
  EXPECT_NE(text.find("%x.1 : f32[4,3]"), std::string::npos);
  expect_fixed_point(text);
}

struct BadText {
  const char* body;
  uint32_t line;
  const char* what;
};
class LoopTextErrors : public testing::TestWithParam<BadText> {};
TEST_P(LoopTextErrors, SayWhereAndWhat) {
  std::string text = kernel("x: f32[8], out y: f32[8], i: i64[]", GetParam().body);
  try {
    parse_program(text);
    FAIL() << "accepted " << text;
  } catch (const TextError& e) {
    EXPECT_EQ(e.where.line, GetParam().line) << e.what();
    EXPECT_NE(std::string(e.what()).find(GetParam().what), std::string::npos) << e.what();
  }
}
INSTANTIATE_TEST_SUITE_P(
    All, LoopTextErrors,
    testing::Values(BadText{"  store y[0] = z\n", 4, "unknown name 'z'"},
                    BadText{"  store z[0] = 1.0\n", 4, "unknown tensor 'z'"},
                    BadText{"  store y[0, 1] = 1.0\n", 4, "expected 1 indices"},
                    BadText{"  store y[0] = i[]\n", 5, "expected an expression of type f32"},
                    BadText{"  store y[0] = x[0] + i[]\n", 5, "expected an expression of type f32"},
                    BadText{"  let s = 1.0\n", 5, "nothing says the type"},
                    BadText{"  let s = x[0]\n  let s = x[0]\n", 5, "defined twice"},
                    BadText{"  store y[x[0]] = 1.0\n", 4, "expected an integer expression as index"},
                    BadText{"  store y[99999999999999999] = 1.0\n", 4, "expected an integer in"},
                    BadText{"  store y[0] = exp(x[0], x[0])\n", 5, "takes 1 operands, found 2"},
                    BadText{"  store y[0] = what(x[0])\n", 4, "unknown function 'what'"},
                    BadText{"  sum s over k in 8 order odd = x[k]\n", 4, "the order of a reduction"},
                    BadText{"  frobnicate\n", 4, "expected a statement"}));

TEST(LoopText, ErrorsOfPrograms) {
  auto fails = [](const std::string& text, const char* what) {
    try {
      parse_program(text);
      ADD_FAILURE() << "accepted " << text;
    } catch (const TextError& e) {
      EXPECT_NE(std::string(e.what()).find(what), std::string::npos) << e.what();
    }
  };
  fails(replaced(dense_program, "= view %y at", "= view %y.flat at"), "in a circle");
  fails(replaced(dense_program, "= view %y at", "= view %nothing at"), "unknown buffer 'nothing'");
  fails(replaced(dense_program, "buffer %largest", "buffer %y"), "declared twice");
  fails(replaced(dense_program, "f32[4,3] role", "f32[4000000000,4000000000] role"), "too large");
  fails(replaced(dense_program, "call @mean", "call @median"), "unknown kernel 'median'");
  fails(replaced(dense_program, "stage planned", "stage final"), "expected the stage");
  fails(replaced(dense_program, "role input", "role player"), "unknown role");
  fails(replaced(dense_program, "region param", "region heap"), "unknown region");
  fails(replaced(dense_program, "f64[] role loss", "f64[] role loss data [1.0,2.0]"), "expected 1 numbers, found 2");
}

TEST(LoopText, HostileNestingIsRefused) {
  for (const char* open : {"(", "exp(", "x[i[", "-("}) {
    std::string deep = "  store y[0] = ";
    for (int i = 0; i < 100000; ++i) deep += open;
    EXPECT_THROW(parse_program(kernel("x: f32[8], out y: f32[8], i: i64[1]", deep)), TextError) << open;
  }
  std::string loops, steps;
  for (int i = 0; i < 100000; ++i) loops += "for v" + std::to_string(i) + " in 2 {\n", steps += "serial { ";
  EXPECT_THROW(parse_program(kernel("x: f32[8]", loops)), TextError);
  EXPECT_THROW(parse_program(dense_program + "entry @e(inputs: ; outputs: ) { " + steps), TextError);
  std::string chain = "  store y[0] = 1.0";
  for (int i = 0; i < 100000; ++i) chain += " + 1.0";
  std::string text = print(parse_program(kernel("out y: f32[8]", chain + "\n")));
  expect_fixed_point(text);
}

// Every cut and many random damages of a good text either parse or throw TextError.
TEST(LoopText, DamagedTextNeverCrashes) {
  auto survive = [](const std::string& text) {
    try {
      print(parse_program(text));
    } catch (const TextError&) {
    }
  };
  for (size_t n = 0; n < dense_program.size(); ++n) survive(dense_program.substr(0, n));
  std::mt19937 random(1);
  const std::string bytes = "%@[](){}=:;,?-+*/<&|!\"\\ \n0129xkmn_.#";
  for (int i = 0; i < 3000; ++i) {
    std::string text = dense_program;
    for (int j = 0; j < 3; ++j) text[random() % text.size()] = bytes[random() % bytes.size()];
    survive(text);
  }
}

} // namespace
} // namespace dlcc::loops

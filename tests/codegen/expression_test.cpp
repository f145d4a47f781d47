// Scalar expressions in scalar and vector loops against the interpreter of the loop IR.
#include "tests/codegen/harness.h"

#include "ir/loops/evaluate.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

namespace dlcc::codegen {
namespace {

using namespace loops;

// Runs the program both ways on random data and compares outputs and state within `relative`.
void expect_as_interpreted(const Program& p, double relative, int64_t below = 10) {
  for (const char* target : {"native", "x86-64-v3"}) {
    Memory memory = make_memory(p);
    Tensors tensors;
    uint32_t seed = 1;
    for (BufferId b : p.buffers.ids()) {
      const Buffer& buffer = p.buffers[b];
      if (buffer.region != Region::input && buffer.region != Region::param) continue;
      memory.buffers[b] = tensors[buffer.name] = random_tensor(buffer.type, seed++, below);
    }
    CompiledProgram compiled(p, target);
    EXPECT_EQ(compiled.run("predict", tensors), 0);
    run_entry(p, p.entries[0], memory);
    for (BufferId b : p.buffers.ids()) {
      const Buffer& buffer = p.buffers[b];
      if (buffer.region != Region::output && buffer.region != Region::param) continue;
      const Tensor &got = tensors[buffer.name], &want = memory.buffers[b];
      for (size_t i = 0; i < want.size(); ++i) {
        double expected = round_to(buffer.type.dtype, want.data[i]);
        if (std::isnan(expected)) {
          EXPECT_TRUE(std::isnan(got.data[i])) << target << " " << buffer.name << "[" << i << "]";
          continue;
        }
        EXPECT_NEAR(got.data[i], expected, relative * std::max(1.0, std::fabs(expected)))
            << target << " " << buffer.name << "[" << i << "]";
      }
    }
  }
}

TEST(Loops, VectorAndScalarLoopsWithTails) {
  for (const char* mark : {"", " vector", " unroll"})
    for (int n : {1, 7, 16, 33}) {
      std::string s = std::to_string(n);
      SCOPED_TRACE(mark + s);
      expect_as_interpreted(
          program_of("x: f32[" + s + "], y: f32[" + s + "], out z: f32[" + s + "]",
                     "tasks 1 {\n for i in " + s + mark + " {\n store z[i] = x[i] * y[i] + 2.0\n }\n}"),
          1e-6);
    }
}

std::string loop(const std::string& body, const char* mark) {
  return std::string("tasks 1 {\n for i in 37") + mark + " {\n" + body + "\n }\n}";
}

class Expressions : public testing::TestWithParam<const char*> {
protected:
  void check(const std::string& parameters, const std::string& body, double relative = 1e-6, int64_t below = 10) {
    SCOPED_TRACE(body);
    expect_as_interpreted(program_of(parameters, loop(body, GetParam())), relative, below);
  }
};

TEST_P(Expressions, Arithmetic) {
  const std::string xyz = "x: f32[37], y: f32[37], out z: f32[37]";
  for (const char* value : {"x[i] - y[i]", "x[i] / y[i]", "x[i] % y[i]", "max(x[i], 0.0)", "max(x[i], y[i])",
                            "min(x[i], y[i])", "-(x[i])", "abs(x[i])", "sign(x[i])", "floor(x[i] * 5.0)",
                            "sqrt(abs(x[i]))", "select(x[i] < y[i] && !(y[i] <= 0.5), x[i], y[i])",
                            "select(x[i] == y[i] || x[i] < 0.0, 1.0, x[i])", "max(nan, x[i])", "max(x[i], nan)"})
    check(xyz, std::string("store z[i] = ") + value);
  check(xyz, "store z[i] = f32(f64(x[i]) * f64(y[i])) + f32(index(2*i + 1))");
}

TEST_P(Expressions, Functions) {
  for (const char* f : {"exp", "expm1", "log1p", "sin", "cos", "tanh", "sigmoid", "softplus", "erf"})
    check("x: f32[37], out z: f32[37]", std::string("store z[i] = ") + f + "(x[i] * 0.9)");
  check("x: f64[37], out z: f64[37]", "store z[i] = log(abs(x[i]) + 0.1) + power(abs(x[i]), 1.7)", 1e-13);
  check("x: f32[37], out z: f32[37]", "store z[i] = normal_quantile(abs(x[i]))", 1e-5);
}

TEST_P(Expressions, IntegersAndCasts) {
  const std::string ab = "a: i32[37], b: i32[37], out z: i32[37]";
  for (const char* value :
       {"(a[i] - 5) / (b[i] - 5)", "(a[i] - 5) % (b[i] - 5)", "a[i] * b[i] * 1000000000", "abs(a[i] - 5)",
        "sign(a[i] - 5)", "max(a[i], b[i])", "i32(f32(a[i]) * 0.7 - 3.0)", "i32(a[i] < b[i])"})
    check(ab, std::string("store z[i] = ") + value);
  check("u: u8[37], out z: f32[37]", "store z[i] = f32(u[i]) / 255.0", 1e-6, 256);
  check("u: u8[37], v: u8[37], out z: bool[37]", "store z[i] = u[i] < v[i]", 0, 256);
  check("p: bool[37], out z: f64[37], out n: i64[37]", "store z[i] = f64(p[i])\nstore n[i] = i64(p[i])", 0);
}

TEST_P(Expressions, PlacesOfElements) {
  check("x: f32[37,5], out z: f32[37]", "store z[i] = x[i, 3]");
  check("x: f32[5,37], out z: f32[37,2]", "store z[i, 1] = x[2, i]\nstore z[i, 0] = x[0, 0]");
  check("x: f32[37], out z: f32[37]", "store z[i] = x?[i - 3] + x?[2*i] + x?[i + 20]");
  for (const char* outside : {"x?[i]", "x?[0]", "x?[i - 3] + x?[-1*i]"}) // an empty tensor has no byte to read
    check("x: f32[0], out z: f32[37]", std::string("store z[i] = 1.0 + ") + outside);
  check("x: f32[37,0], k: i64[37], out z: f32[37]", "store z[i] = x?[i, k[i]] + x?[i, 0]");
  check("x: f32[3,37], out z: f32[37]", "store z[i] = x?[3, i] + x?[1, i] + x[1, -1*i + 36]");
  check("t: f32[9,4], k: i64[37], out z: f32[37]", "store z[i] = t[k[i], 2] + t?[(k[i] * 2) + 1, 1]", 1e-6, 9);
  for (const char* integer : {"i8", "u8", "i32", "i64"})
    check("t: f32[300,4], k: " + std::string(integer) + "[37], out z: f32[37], out n: i64[37]",
          "store z[i] = t[k[i] + 1, 2] + t?[(k[i] + k[i] - 1), 1]\nstore n[i] = index(k[i] + 3)", 1e-6, 120);
  check("k: i64[37], x: f32[37], inout t: f32[40]", "store t[i + 2] = x[i]\nstore t[0] = x[i]", 0, 9);
}

TEST_P(Expressions, NestedLoopsAndScratch) {
  check("x: f32[37,10], out z: f32[37,10], scratch row: f32[10]", R"(
    max top over j in 10 = x[i, j]
    for j1 in 10 unroll { store row[j1] = exp(x[i, j1] - top) }
    sum total over j2 in 10 = row[j2]
    for j3 in 10 { store z[i, j3] = row[j3] / total })");
  check("x: f32[37,50], out z: f32[37,50], scratch row: f32[50]", R"(
    for j1 in 50 vector { store row[j1] = x[i, j1] * 2.0 }
    sum total over j2 in 50 order lanes vector = row[j2]
    for j3 in 50 vector { store z[i, j3] = row[j3] + total })",
        1e-5);
}

TEST_P(Expressions, RandomNumbers) {
  check("seed: i64[], batch: i64[], out z: f32[37], out w: f64[37]",
        "store z[i] = random_uniform(f32, 7, 5, 77, index(3*i + 50))\n"
        "store w[i] = random_uniform(f64, 4294967303, 5, 77, index(i))",
        0);
}

INSTANTIATE_TEST_SUITE_P(EveryForm, Expressions, testing::Values("", " vector", " unroll"),
                         [](const auto& form) { return form.param[0] ? std::string(form.param + 1) : "serial"; });

// Tasks cover a loop without gap or overlap, however they are shared out.
TEST(Tasks, AnySplitHasTheSameBits) {
  for (const char* mark : {" tasks", " vector"})
    for (int tasks : {1, 2, 3, 8, 64}) {
      CompiledProgram p(program_of(
          "x: f32[203], inout z: f32[203]",
          "tasks " + std::to_string(tasks) + " {\nfor i in 203" + mark + " {\nstore z[i] = z[i] + x[i]\n}\n}", true));
      for (int threads : {1, 2, 5}) {
        Tensors t;
        t["x"] = random_tensor({DType::f32, {203}}, 1), t["z"] = random_tensor({DType::f32, {203}}, 2);
        Tensor before = t["z"];
        CallOptions options;
        options.threads = threads;
        ASSERT_EQ(p.run("predict", t, options), 0);
        for (size_t i = 0; i < 203; ++i)
          ASSERT_EQ(t["z"].data[i], static_cast<float>(before.data[i]) + static_cast<float>(t["x"].data[i]))
              << mark << " tasks " << tasks << " threads " << threads << " at " << i;
      }
    }
}

} // namespace
} // namespace dlcc::codegen

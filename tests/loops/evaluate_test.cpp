#include "ir/loops/evaluate.h"

#include "ir/base/philox.h"
#include "ir/loops/parse.h"
#include "ir/loops/verify.h"
#include "tests/loops/programs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace dlcc::loops {
namespace {

std::vector<double>& data(const Program& p, Memory& memory, std::string_view name) {
  for (BufferId b : p.buffers.ids())
    if (p.buffers[b].name == name) return memory.buffers[p.storage(b)].data;
  throw std::runtime_error("no buffer " + std::string(name));
}

// Numbers in [-1, 1) that are exact in f32.
void fill(std::vector<double>& values, uint32_t seed) {
  for (double& v : values) {
    seed = seed * 1664525u + 1013904223u;
    v = (static_cast<double>(seed >> 16) - 32768) / 32768;
  }
}

// Runs kernel @k once over buffers of region param.
struct OneKernel {
  OneKernel(const std::string& parameters, const std::string& body, const std::string& buffers,
            const std::string& arguments)
      : program(parse_program(one_kernel(parameters, body, "region param {\n" + buffers + "}\n", arguments))),
        memory(make_memory(program)) {
    for (const Violation& v : verify(program)) ADD_FAILURE() << v.text;
  }
  int32_t run() { return run_entry(program, program.entries[0], memory); }
  std::vector<double>& operator[](std::string_view name) { return data(program, memory, name); }
  Program program;
  Memory memory;
};

struct Dense {
  Dense() {
    fill(data(p, memory, "x"), 1);
    fill(data(p, memory, "hidden/kernel"), 2);
    fill(data(p, memory, "hidden/bias"), 3);
    const auto &x = data(p, memory, "x"), &w = data(p, memory, "hidden/kernel"), &b = data(p, memory, "hidden/bias");
    for (size_t m = 0; m < 4; ++m) {
      double largest = -INFINITY;
      for (size_t n = 0; n < 5; ++n) {
        double c = 0;
        for (size_t k = 0; k < 3; ++k) c += x[m * 3 + k] * w[k * 5 + n];
        largest = std::max(largest, std::max(c + b[n], 0.0));
      }
      expected += largest / 4;
    }
  }
  Program p = parse_program(dense_program);
  Memory memory = make_memory(p);
  double expected = 0;
};

TEST(Evaluate, ADenseLayerAndItsLoss) {
  Dense d;
  EXPECT_EQ(run_entry(d.p, d.p.entries[0], d.memory), 0);
  EXPECT_NEAR(data(d.p, d.memory, "loss")[0], d.expected, 1e-15);
}

TEST(Evaluate, ThePlannedArenaGivesTheSameInF32) {
  Dense d;
  EXPECT_EQ(run_entry(d.p, d.p.entries[0], d.memory, MemoryMode::arena), 0);
  EXPECT_NEAR(data(d.p, d.memory, "loss")[0], d.expected, 1e-6);
  EXPECT_NE(data(d.p, d.memory, "loss")[0], d.expected) << "stores round to f32";
}

TEST(Evaluate, AWrongPlanShows) {
  Dense d;
  for (Buffer& b : d.p.buffers)
    if (b.name == "largest") b.offset = 60; // over the last row of y, which is still read
  EXPECT_EQ(run_entry(d.p, d.p.entries[0], d.memory, MemoryMode::arena), 0);
  EXPECT_GT(std::fabs(data(d.p, d.memory, "loss")[0] - d.expected), 1e-3);
}

TEST(Evaluate, WhatNobodyWroteIsNaN) {
  Dense d;
  d.p.entries[0].steps[0].children[0].children.clear();
  for (MemoryMode mode : {MemoryMode::separate, MemoryMode::arena}) {
    run_entry(d.p, d.p.entries[0], d.memory, mode);
    EXPECT_TRUE(std::isnan(data(d.p, d.memory, "loss")[0]));
  }
}

TEST(Evaluate, SoftmaxOfRowsThroughScratch) {
  OneKernel k("x: f32[4,7], out y: f32[4,7], scratch row: f32[7]", R"(for m in 4 {
    max top over n in 7 = x[m, n]
    for n1 in 7 {
      store row[n1] = exp(x[m, n1] - top)
    }
    sum total over n2 in 7 order lanes = row[n2]
    for n3 in 7 {
      store y[m, n3] = row[n3] / total
    }
  }
)",
              "buffer %x : f32[4,7]\nbuffer %y : f32[4,7]\n", "%x, %y");
  fill(k["x"], 5);
  k.run();
  for (size_t m = 0; m < 4; ++m) {
    double total = 0;
    for (size_t n = 0; n < 7; ++n) total += std::exp(k["x"][m * 7 + n]);
    for (size_t n = 0; n < 7; ++n) EXPECT_NEAR(k["y"][m * 7 + n], std::exp(k["x"][m * 7 + n]) / total, 1e-15);
  }
}

TEST(Evaluate, ScratchIsForgottenBetweenIterations) {
  OneKernel k("out y: f32[3], scratch s: f32[3]", R"(for m in 3 {
    store s[(index(m))] = 5.0
    store y[m] = s[0]
  }
)",
              "buffer %y : f32[3]\n", "%y");
  k.run();
  EXPECT_EQ(k["y"][0], 5);
  EXPECT_TRUE(std::isnan(k["y"][1])) << "this iteration has stored to s[1] only";
}

TEST(Evaluate, PaddedConvolution) {
  OneKernel k("x: f64[2,6,3], w: f64[3,3,4], out y: f64[2,3,4]",
              R"(contract c over b in 2, i in 3; o in 4; r in 3, q in 3 = x?[b, 2*i + r - 1, q] * w[r, q, o] {
    store y[b, i, o] = c
  }
)",
              "buffer %x : f64[2,6,3]\nbuffer %w : f64[3,3,4]\nbuffer %y : f64[2,3,4]\n", "%x, %w, %y");
  fill(k["x"], 7);
  fill(k["w"], 8);
  k.run();
  for (int b = 0; b < 2; ++b)
    for (int i = 0; i < 3; ++i)
      for (int o = 0; o < 4; ++o) {
        double c = 0;
        for (int r = 0; r < 3; ++r)
          for (int q = 0; q < 3; ++q) {
            int at = 2 * i + r - 1;
            if (at >= 0 && at < 6)
              c += k["x"][static_cast<size_t>((b * 6 + at) * 3 + q)] * k["w"][static_cast<size_t>((r * 3 + q) * 4 + o)];
          }
        EXPECT_NEAR(k["y"][static_cast<size_t>((b * 3 + i) * 4 + o)], c, 1e-15);
      }
}

const char* const gather = R"(program @g stage loops batch 3
region input {
  buffer %ids : i64[3]
}
region output {
  buffer %y : f32[3,2]
}
region param {
  buffer %table : f32[5,2]
}
region fault {
  buffer %fault : i32[]
}
kernel @check(ids: i64[3], inout fault: i32[]) tasks 1 {
  for m in 3 {
    check(ids[m] < 0 || 5 <= ids[m]) sample index(m) value ids[m] fault(-1, "ids")
  }
}
kernel @gather(table: f32[5,2], ids: i64[3], out y: f32[3,2]) tasks 1 {
  for m in 3 {
    for n in 2 {
      store y[m, n] = table[ids[m], n]
    }
  }
}
entry @predict(inputs: %ids; outputs: %y) {
  call @check(%ids, %fault)
  exit
  call @gather(%table, %ids, %y)
}
)";

TEST(Evaluate, GatherAndItsFault) {
  Program p = parse_program(gather);
  ASSERT_TRUE(verify(p).empty()) << verify(p)[0].text;
  Memory memory = make_memory(p);
  fill(data(p, memory, "table"), 4);
  data(p, memory, "ids") = {4, 0, 2};
  EXPECT_EQ(run_entry(p, p.entries[0], memory), 0);
  for (size_t m = 0; m < 3; ++m)
    for (size_t n = 0; n < 2; ++n)
      EXPECT_EQ(data(p, memory, "y")[m * 2 + n],
                data(p, memory, "table")[static_cast<size_t>(data(p, memory, "ids")[m]) * 2 + n]);

  std::vector<double> before = data(p, memory, "y");
  data(p, memory, "ids") = {4, -3, 9};
  EXPECT_EQ(run_entry(p, p.entries[0], memory), -1);
  EXPECT_EQ(memory.fault.what, "ids");
  EXPECT_EQ(memory.fault.sample, 1);
  EXPECT_EQ(memory.fault.value, -3);
  EXPECT_EQ(data(p, memory, "fault")[0], -1);
  EXPECT_EQ(data(p, memory, "y"), before) << "the entry was left";
}

TEST(Evaluate, CallsThatDoNotFitAreInternalErrors) {
  Program p = parse_program(gather);
  Memory memory = make_memory(p);
  p.entries[0].steps[0].call.arguments.pop_back();
  EXPECT_THROW(run_entry(p, p.entries[0], memory), InternalError);
  p = parse_program(replaced(gather, "store y[m, n]", "store y[m + 1, n]"));
  EXPECT_THROW(run_entry(p, p.entries[0], memory), InternalError);
}

double scalar(ScalarOp op, DType type, double a, double b = 0) {
  double x[] = {a, b};
  return evaluate_scalar(op, type, type, x);
}

TEST(EvaluateScalar, IntegersWrapAndRoundDown) {
  EXPECT_EQ(scalar(ScalarOp::add, DType::i8, 100, 100), -56);
  EXPECT_EQ(scalar(ScalarOp::multiply, DType::i32, 65536, 65536), 0);
  EXPECT_EQ(scalar(ScalarOp::subtract, DType::u8, 1, 2), 255);
  EXPECT_EQ(scalar(ScalarOp::divide, DType::i64, -7, 2), -4);
  EXPECT_EQ(scalar(ScalarOp::remainder, DType::i64, -7, 2), 1);
  EXPECT_EQ(scalar(ScalarOp::divide, DType::i64, 7, 0), 0);
  EXPECT_EQ(scalar(ScalarOp::divide, DType::i64, -0x1p63, -1), -0x1p63);
  double x = 300.7;
  EXPECT_EQ(evaluate_scalar(ScalarOp::cast, DType::u8, DType::f64, &x), 255);
  EXPECT_EQ(evaluate_scalar(ScalarOp::cast, DType::i32, DType::f64, &x), 300);
}

TEST(EvaluateScalar, NaNPassesThroughMinimumMaximumAndSign) {
  for (ScalarOp op : {ScalarOp::minimum, ScalarOp::maximum}) {
    EXPECT_TRUE(std::isnan(scalar(op, DType::f64, NAN, 1)));
    EXPECT_TRUE(std::isnan(scalar(op, DType::f64, 1, NAN)));
  }
  EXPECT_TRUE(std::isnan(scalar(ScalarOp::sign, DType::f64, NAN)));
  EXPECT_TRUE(std::isnan(scalar(ScalarOp::softplus, DType::f64, NAN)));
  EXPECT_EQ(scalar(ScalarOp::sign, DType::f64, -3), -1);
}

// Values of Wichura, "Algorithm AS 241" (1988), and the defining equation.
TEST(EvaluateScalar, NormalQuantile) {
  auto quantile = [](double p) { return scalar(ScalarOp::normal_quantile, DType::f64, p); };
  EXPECT_NEAR(quantile(0.25), -0.6744897501960817, 1e-15);
  EXPECT_NEAR(quantile(0.001), -3.090232306167814, 1e-14);
  EXPECT_NEAR(quantile(1e-20), -9.262340089798408, 1e-13);
  EXPECT_EQ(quantile(0), -INFINITY);
  EXPECT_TRUE(std::isnan(quantile(1.5)));
  for (double p = 0.0001; p < 1; p += 0.0137) EXPECT_NEAR(0.5 * std::erfc(-quantile(p) / std::sqrt(2.0)), p, 1e-15);
}

TEST(Evaluate, RandomNumbersAreThoseOfPhilox) {
  OneKernel k("seed: i64[], out y: f32[70]",
              "for m in 70 {\nstore y[m] = random_uniform(f32, seed[], 3, 4000000000, index(m))\n}\n",
              "buffer %seed : i64[]\nbuffer %y : f32[70]\n", "%seed, %y");
  k["seed"] = {77};
  k.run();
  for (size_t m = 0; m < 70; ++m) EXPECT_EQ(k["y"][m], philox_uniform(77, 3, 4000000000u, m));
}

TEST(Evaluate, ConstantsAreRoundedToTheirType) {
  OneKernel k("out y: f32[], out z: f64[]", "store y[] = 0.1\nstore z[] = 0.1\n",
              "buffer %y : f32[]\nbuffer %z : f64[]\n", "%y, %z");
  k.run();
  EXPECT_EQ(k["y"][0], static_cast<double>(0.1f));
  EXPECT_EQ(k["z"][0], 0.1);
}

} // namespace
} // namespace dlcc::loops

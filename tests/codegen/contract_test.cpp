// Contractions against a model of the documented order of sums, bit for bit.
#include "tests/codegen/harness.h"

#include "ir/loops/evaluate.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

namespace dlcc::codegen {
namespace {

struct Case {
  int64_t m, n, k;
  bool a_turned, b_turned; ///< stored as [k, m], as [n, k]
  bool y_turned = false;   ///< stored as [n, m]
};

std::string text(int64_t i) { return std::to_string(i); }

std::string array(const char* type, int64_t rows, int64_t columns, bool turned) {
  if (turned) std::swap(rows, columns);
  return std::string(type) + "[" + text(rows) + "," + text(columns) + "]";
}
std::string at(const char* row, const char* column, bool turned) {
  if (turned) std::swap(row, column);
  return std::string("[") + row + ", " + column + "]";
}

std::string contract(const Case& c, const std::string& factors, const std::string& epilogue,
                     const std::string& tile = "") {
  return "contract c over m in " + text(c.m) + "; n in " + text(c.n) + "; k in " + text(c.k) + tile + " = " + factors +
         " {\n" + epilogue + "\n}\n";
}
std::string factors(const Case& c) { return "a" + at("m", "k", c.a_turned) + " * b" + at("k", "n", c.b_turned); }

std::string parameters(const Case& c, const char* type) {
  return "a: " + array(type, c.m, c.k, c.a_turned) + ", b: " + array(type, c.k, c.n, c.b_turned) +
         ", out y: " + array(type, c.m, c.n, c.y_turned);
}

// Chains of 256 along k, acc = fma(a, b, acc) from +0; the chains' sums are added up in order.
template <class T> T sum_of(const Case& c, const Tensor& a, const Tensor& b, int64_t m, int64_t n) {
  T total = 0;
  for (int64_t begin = 0; begin < c.k; begin += 256) {
    T chain = 0;
    for (int64_t k = begin; k < std::min(c.k, begin + 256); ++k) {
      size_t i = static_cast<size_t>(c.a_turned ? k * c.m + m : m * c.k + k);
      size_t j = static_cast<size_t>(c.b_turned ? n * c.k + k : k * c.n + n);
      chain = std::fma(static_cast<T>(a.data[i]), static_cast<T>(b.data[j]), chain);
    }
    total = begin == 0 ? chain : total + chain;
  }
  return total;
}

template <class T> void check_sums(const Case& c, const Tensor& a, const Tensor& b, const Tensor& y) {
  for (int64_t m = 0; m < c.m; ++m)
    for (int64_t n = 0; n < c.n; ++n) {
      size_t i = static_cast<size_t>(c.y_turned ? n * c.m + m : m * c.n + n);
      ASSERT_EQ(y.data[i], static_cast<double>(sum_of<T>(c, a, b, m, n))) << "at " << m << ", " << n;
    }
}

void run_case(const Case& c, DType type, const char* target, const std::string& tile = "", int64_t tasks = 1,
              int threads = 1) {
  SCOPED_TRACE("m " + text(c.m) + " n " + text(c.n) + " k " + text(c.k) + (c.a_turned ? " a^T" : "") +
               (c.b_turned ? " b^T" : "") + (c.y_turned ? " y^T" : "") + " " + target + tile);
  const char* name = type == DType::f32 ? "f32" : "f64";
  std::string body = contract(c, factors(c), "store y" + at("m", "n", c.y_turned) + " = c", tile);
  CompiledProgram p(program_of(parameters(c, name), "tasks " + text(tasks) + " {\n" + body + "}", threads > 1), target);
  Tensors t;
  t["a"] = random_tensor({type, c.a_turned ? Shape{c.k, c.m} : Shape{c.m, c.k}}, 1);
  t["b"] = random_tensor({type, c.b_turned ? Shape{c.n, c.k} : Shape{c.k, c.n}}, 2);
  CallOptions options;
  options.threads = threads;
  ASSERT_EQ(p.run("predict", t, options), 0);
  if (type == DType::f32)
    check_sums<float>(c, t["a"], t["b"], t["y"]);
  else
    check_sums<double>(c, t["a"], t["b"], t["y"]);
}

constexpr int64_t sizes[] = {1, 2, 3, 13, 16, 17, 31, 33, 64, 100};

class ContractLayouts : public testing::TestWithParam<int> {
protected:
  Case with(int64_t m, int64_t n, int64_t k) const {
    return {m, n, k, (GetParam() & 1) != 0, (GetParam() & 2) != 0, (GetParam() & 4) != 0};
  }
};

TEST_P(ContractLayouts, OddSizes) {
  // Every pair of sizes meets along every two axes.
  for (size_t i = 0; i < std::size(sizes); ++i)
    for (size_t j = 0; j < std::size(sizes); ++j)
      run_case(with(sizes[i], sizes[j], sizes[(i + j) % std::size(sizes)]), DType::f32,
               (i + j) % 2 ? "native" : "x86-64-v3");
}

TEST_P(ContractLayouts, LongSumsAndDoubles) {
  for (const char* target : {"native", "x86-64-v3"}) {
    run_case(with(5, 37, 256), DType::f32, target);
    run_case(with(17, 20, 257), DType::f32, target);
    run_case(with(15, 33, 1000), DType::f32, target);
    run_case(with(13, 21, 31), DType::f64, target);
    run_case(with(9, 17, 530), DType::f64, target);
  }
}

TEST_P(ContractLayouts, AnyTaskSplitHasTheSameBits) {
  const Case c = with(37, 70, 45);
  run_case(c, DType::f32, "native", " tile(rows = 7, columns = 32, task_rows = 14, task_columns = 32)", 9);
  run_case(c, DType::f32, "native", " tile(rows = 7, columns = 32, task_rows = 14, task_columns = 32)", 9, 2);
  run_case(c, DType::f32, "native", " tile(rows = 6, columns = 16, task_rows = 6, task_columns = 16)", 35, 3);
  run_case(c, DType::f32, "x86-64-v3", " tile(rows = 4, columns = 16, task_rows = 40, task_columns = 80, pack_b)", 1);
}

// Runs the program compiled for both kinds of vectors and interpreted; everything written must agree.
void expect_as_interpreted(const loops::Program& p, double tolerance) {
  std::map<std::string, std::vector<uint64_t>> first;
  for (const char* target : {"native", "x86-64-v3"}) {
    loops::Memory memory = loops::make_memory(p);
    Tensors tensors;
    uint32_t seed = 1;
    for (loops::BufferId b : p.buffers.ids()) {
      const loops::Buffer& buffer = p.buffers[b];
      if (buffer.region == loops::Region::output) continue;
      memory.buffers[b] = tensors[buffer.name] = random_tensor(buffer.type, seed++);
    }
    CompiledProgram compiled(p, target);
    ASSERT_EQ(compiled.run("predict", tensors), 0);
    loops::run_entry(p, p.entries[0], memory);
    for (loops::BufferId b : p.buffers.ids()) {
      const loops::Buffer& buffer = p.buffers[b];
      if (buffer.region == loops::Region::input) continue;
      const Tensor &got = tensors[buffer.name], &want = memory.buffers[b];
      for (size_t i = 0; i < want.size(); ++i)
        ASSERT_NEAR(got.data[i], want.data[i], tolerance * (1 + std::fabs(want.data[i])))
            << target << " " << buffer.name << "[" << i << "]";
      auto [at, fresh] = first.emplace(buffer.name, bits_of(got));
      EXPECT_TRUE(fresh || at->second == bits_of(got)) << "other bits on another CPU";
    }
  }
}

TEST(Contract, EpiloguesAndPrologues) {
  // A fused update that stores three tensors, a gradient masked by an activation, a bias along either axis.
  expect_as_interpreted(
      program_of("x: f32[50,37], d: f32[50,21], inout w: f32[37,21], inout m: f32[37,21], out g: f32[37,21]",
                 R"(tasks 1 {
    contract c over p in 37; q in 21; k in 50 = x[k, p] * d[k, q] {
      let mm = m[p, q] * 0.9 + c * 0.1
      store m[p, q] = mm
      store w[p, q] = w[p, q] - 0.01 * mm / (sqrt(abs(mm)) + 0.001)
      store g[p, q] = c
    }
  })"),
      1e-5);
  for (const std::string h : {"h[m, k]", "h2[k, m]"})
    for (const std::string w : {"w[k, n]", "w2[n, k]"}) {
      SCOPED_TRACE(h + w);
      expect_as_interpreted(
          program_of(
              "h: f32[19,40], h2: f32[40,19], w: f32[40,35], w2: f32[35,40], s: f32[19], b: f32[35], out y: f32[19,35]",
              "tasks 1 {\ncontract c over m in 19; n in 35; k in 40 = select(0.0 < " + h + ", " + h +
                  " * 2.0, 0.0) * (" + w + " + tanh(" + w + ")) {\nstore y[m, n] = max(c * s[m] + b[n], 0.0)\n}\n}"),
          1e-5);
    }
}

TEST(Contract, BatchesOfMatrices) {
  expect_as_interpreted(program_of("x: f32[3,18,20], y: f32[3,33,20], out z: f32[3,18,33]", R"(tasks 1 {
    for i in 3 tasks {
      contract c over m in 18; n in 33; k in 20 = x[i, m, k] * y[i, n, k] {
        store z[i, m, n] = c
      }
    }
  })"),
                        1e-5);
}

TEST(Contract, TuplesOfVariables) {
  // Joint axes: [batch, time] x features.
  expect_as_interpreted(program_of("x: f32[3,7,20], w: f32[20,33], out z: f32[3,7,33]", R"(tasks 1 {
    contract c over i in 3, t in 7; n in 33; k in 20 = x[i, t, k] * w[k, n] {
      store z[i, t, n] = c
    }
  })"),
                        1e-5);
  // A convolution with padding: rows are positions, k is the window and the channels.
  expect_as_interpreted(program_of("x: f32[2,6,5,3], w: f32[3,3,3,18], out z: f32[2,6,5,18]", R"(tasks 1 {
    contract c over i in 2, r in 6, s in 5; n in 18; u in 3, v in 3, k in 3 = x?[i, r + u - 1, s + v - 1, k] * w[u, v, k, n] {
      store z[i, r, s, n] = c
    }
  })"),
                        1e-5);
  // Its weight gradient: k is the batch and the position.
  expect_as_interpreted(program_of("x: f32[2,6,5,3], d: f32[2,6,5,18], out g: f32[3,3,3,18]", R"(tasks 1 {
    contract c over u in 3, v in 3, k in 3; n in 18; i in 2, r in 6, s in 5 = x?[i, r + u - 1, s + v - 1, k] * d[i, r, s, n] {
      store g[u, v, k, n] = c
    }
  })"),
                        1e-5);
}

INSTANTIATE_TEST_SUITE_P(All, ContractLayouts, testing::Range(0, 8));

} // namespace
} // namespace dlcc::codegen

// Contractions against a model of the documented order of sums, bit for bit.
#include "tests/codegen/harness.h"

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

INSTANTIATE_TEST_SUITE_P(All, ContractLayouts, testing::Range(0, 8));

} // namespace
} // namespace dlcc::codegen

// First values of states: bounds, moments, fans, orthogonality, and what they depend on.
#include "tests/passes/execution.h"

#include "ir/ops/ops.h"
#include "passes/training/initializers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace dlcc::testing {
namespace {

using Numbers = std::vector<double>;

/// The states' first values, as the entry `init` makes them.
Tensors initialised(const std::string& states, int seed = 1, const std::string& dtype = "f64") {
  graph::Module m = std::get<graph::Module>(
      run_to("simplified", parse_graph("module @m stage source dtype " + dtype + " batch 0 {\n" + states + "}\n")));
  graph::Environment e;
  for (const graph::State& s : m.states) e.states[s.name] = Tensor(s.type);
  e.inputs["seed"] = Tensor({DType::i64, {}}, {static_cast<double>(seed)});
  graph::evaluate(m, entry_of(m, "init"), ops::all_ops(), e);
  return e.states;
}
Numbers values(const std::string& type, const std::string& rule, int seed = 1) {
  return initialised("  state %w : parameter " + type + " = " + rule + "\n", seed).at("w").data;
}

struct Moments {
  double mean, variance, low, high;
};
Moments moments(const Numbers& x) {
  Moments m{0, 0, *std::min_element(x.begin(), x.end()), *std::max_element(x.begin(), x.end())};
  for (double v : x) m.mean += v / static_cast<double>(x.size());
  for (double v : x) m.variance += (v - m.mean) * (v - m.mean) / static_cast<double>(x.size());
  return m;
}

// 20 000 numbers: the standard error of the mean is 0.7 % of the deviation, that of the variance about 1 %.
void expect_moments(const Numbers& x, double mean, double variance) {
  Moments m = moments(x);
  EXPECT_NEAR(m.mean, mean, 0.04 * std::sqrt(variance));
  EXPECT_NEAR(m.variance / variance, 1, 0.06);
}
void expect_uniform(const std::string& type, const std::string& rule, double low, double high) {
  SCOPED_TRACE(rule);
  Numbers x = values(type, rule);
  Moments m = moments(x);
  EXPECT_GE(m.low, low);
  EXPECT_LE(m.high, high);
  EXPECT_LT(m.low, low + 0.01 * (high - low));
  EXPECT_GT(m.high, high - 0.01 * (high - low));
  expect_moments(x, (low + high) / 2, (high - low) * (high - low) / 12);
}
void expect_truncated(const std::string& type, const std::string& rule, double variance) {
  SCOPED_TRACE(rule);
  Numbers x = values(type, rule);
  expect_moments(x, 0, variance);
  // The variance is that of the cut distribution, whose deviation is .8796 of the normal's.
  double bound = 2 * std::sqrt(variance) / 0.87962566103423978;
  Moments m = moments(x);
  EXPECT_GE(m.low, -bound * (1 + 1e-9));
  EXPECT_LE(m.high, bound * (1 + 1e-9));
  EXPECT_GT(m.high, 0.97 * bound);
}

TEST(Initializer, Constants) {
  EXPECT_EQ(values("f64[3]", "zeros"), (Numbers{0, 0, 0}));
  EXPECT_EQ(values("f64[3]", "ones"), (Numbers{1, 1, 1}));
  EXPECT_EQ(values("f64[2]", "constant {value = -2.5}"), (Numbers{-2.5, -2.5}));
  EXPECT_EQ(values("f64[2,3]", "identity"), (Numbers{1, 0, 0, 0, 1, 0}));
  EXPECT_EQ(values("f64[3,2]", "identity {gain = 2.0}"), (Numbers{2, 0, 0, 2, 0, 0}));
}

TEST(Initializer, UniformBounds) {
  const std::string type = "f64[100,200]";
  expect_uniform(type, "random_uniform", -0.05, 0.05);
  expect_uniform(type, "random_uniform {maxval = 3.0, minval = 1.0}", 1, 3);
  expect_uniform(type, "glorot_uniform", -std::sqrt(6.0 / 300), std::sqrt(6.0 / 300));
  expect_uniform(type, "he_uniform", -std::sqrt(6.0 / 100), std::sqrt(6.0 / 100));
  expect_uniform(type, "lecun_uniform", -std::sqrt(3.0 / 100), std::sqrt(3.0 / 100));
  expect_uniform(type, "variance_scaling {distribution = \"uniform\", mode = \"fan_out\", scale = 4.0}",
                 -std::sqrt(12.0 / 200), std::sqrt(12.0 / 200));
}

TEST(Initializer, NormalMoments) {
  const std::string type = "f64[100,200]";
  expect_moments(values(type, "random_normal"), 0, 0.05 * 0.05);
  expect_moments(values(type, "random_normal {mean = 3.0, stddev = 2.0}"), 3, 4);
  expect_moments(
      values(type, "variance_scaling {distribution = \"untruncated_normal\", mode = \"fan_avg\", scale = 3.0}"), 0,
      3.0 / 150);
  EXPECT_GT(moments(values(type, "random_normal {stddev = 1.0}")).high, 3) << "not cut";
}

TEST(Initializer, TruncatedNormalsStayWithinTwoDeviations) {
  const std::string type = "f64[100,200]";
  Moments m = moments(values(type, "truncated_normal {stddev = 1.0}"));
  EXPECT_GE(m.low, -2);
  EXPECT_LE(m.high, 2);
  EXPECT_GT(m.high, 1.95);
  expect_truncated(type, "glorot_normal", 1.0 / 150);
  expect_truncated(type, "he_normal", 2.0 / 100);
  expect_truncated(type, "lecun_normal", 1.0 / 100);
  expect_truncated(type, "variance_scaling {mode = \"fan_out\"}", 1.0 / 200);
}

TEST(Initializer, FansOfOtherRanks) {
  expect_uniform("f64[20000]", "lecun_uniform", -std::sqrt(3.0 / 20000), std::sqrt(3.0 / 20000));
  // A convolution's kernel: window 3 x 3, 40 channels in, 60 out.
  expect_uniform("f64[3,3,40,60]", "glorot_uniform", -std::sqrt(6.0 / 900), std::sqrt(6.0 / 900));
  expect_uniform("f64[3,3,40,60]", "he_uniform", -std::sqrt(6.0 / 360), std::sqrt(6.0 / 360));
  EXPECT_EQ(values("f64[]", "glorot_uniform").size(), 1u);
}

void expect_orthogonal(int64_t rows, int64_t columns, double gain) {
  SCOPED_TRACE(std::to_string(rows) + " x " + std::to_string(columns));
  std::string type = "f64[" + std::to_string(rows) + "," + std::to_string(columns) + "]";
  Numbers q = values(type, "orthogonal {gain = " + std::to_string(gain) + "}");
  bool tall = rows >= columns; // then the columns are orthonormal, else the rows
  int64_t n = tall ? columns : rows, length = tall ? rows : columns;
  auto at = [&](int64_t vector, int64_t i) {
    return q[static_cast<size_t>(tall ? i * columns + vector : vector * columns + i)];
  };
  for (int64_t a = 0; a < n; ++a)
    for (int64_t b = 0; b <= a; ++b) {
      double product = 0;
      for (int64_t i = 0; i < length; ++i) product += at(a, i) * at(b, i);
      ASSERT_NEAR(product, a == b ? gain * gain : 0, 1e-12) << a << " " << b;
    }
}
TEST(Initializer, OrthogonalMatrices) {
  expect_orthogonal(1, 1, 1);
  expect_orthogonal(17, 17, 1);
  expect_orthogonal(40, 10, 1);
  expect_orthogonal(10, 40, 2);
  expect_orthogonal(64, 64, 1);
}

TEST(Initializer, SameValuesInBothPrecisions) {
  for (const char* rule : {"glorot_uniform", "he_normal", "random_normal", "orthogonal"}) {
    SCOPED_TRACE(rule);
    Numbers narrow =
        initialised(std::string("  state %w : parameter f32[8,12] = ") + rule + "\n", 1, "f32").at("w").data;
    Numbers wide = values("f64[8,12]", rule);
    for (size_t i = 0; i < wide.size(); ++i) ASSERT_NEAR(narrow[i], wide[i], 1e-7 * std::max(1.0, std::fabs(wide[i])));
  }
}

TEST(Initializer, DoesNotDependOnOtherLayers) {
  const std::string w = "  state %w : parameter f64[8,12] = glorot_uniform\n";
  const std::string other = "  state %other/kernel : parameter f64[8,12] = glorot_uniform\n";
  Tensors alone = initialised(w), after = initialised(other + w), before = initialised(w + other);
  EXPECT_EQ(alone.at("w").data, after.at("w").data);
  EXPECT_EQ(alone.at("w").data, before.at("w").data);
  EXPECT_NE(after.at("w").data, after.at("other/kernel").data);
}

// The stream is an argument: a deep model compiles one kernel for all its layers of one shape.
TEST(Initializer, StatesOfOneShapeAndRuleShareAKernel) {
  std::string states;
  for (int i = 0; i < 20; ++i) states += "  state %w" + std::to_string(i) + " : parameter f32[8,12] = he_normal\n";
  auto p = std::get<loops::Program>(
      run_to("planned", parse_graph("module @m stage source dtype f32 batch 0 {\n" + states + "}\n")));
  EXPECT_EQ(p.kernels.size(), 1u);
}

TEST(Initializer, DependsOnTheSeed) {
  EXPECT_NE(values("f64[8]", "random_normal", 1), values("f64[8]", "random_normal", 2));
}

TEST(Initializer, KnowsItsNames) {
  EXPECT_TRUE(passes::is_known_initializer("he_normal"));
  EXPECT_FALSE(passes::is_known_initializer("he-normal"));
}

} // namespace
} // namespace dlcc::testing

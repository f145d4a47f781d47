// Generated data: shapes, ranges, repeatability, and what each generator promises.
#include "runtime/data/synthetic.h"
#include "tests/data/files.h"

#include <cmath>
#include <map>

namespace dlcc::data {
namespace {

struct Generated {
  Dataset d;
  double x(int64_t i, int64_t j) const {
    return value_at(d.columns[0].values.data(), d.columns[0].type, i * d.columns[0].elements() + j);
  }
  double y(int64_t i, int64_t j = 0) const {
    return value_at(d.columns[1].values.data(), d.columns[1].type, i * d.columns[1].elements() + j);
  }
};

Generated make(SyntheticSpec spec, std::vector<int64_t> shape, TensorSpec label = {"y", ElementType::f64, {}, true}) {
  SourceSpec source;
  source.format = Format::synthetic;
  source.synthetic = std::move(spec);
  source.place = {30, 5};
  std::vector<TensorSpec> tensors{{"x", ElementType::f64, std::move(shape)}, std::move(label)};
  return {generate(source, tensors, "model.json")};
}
SyntheticSpec spec_of(const std::string& generator, int64_t samples, uint64_t seed = 7) {
  SyntheticSpec s;
  s.generator = generator, s.samples = samples, s.seed = seed;
  return s;
}
const TensorSpec class_label{"y", ElementType::i32, {}, true, 2};

// Least squares by Gauss elimination on the normal equations; the last coefficient is the constant.
std::vector<double> least_squares(const Generated& g, int64_t features) {
  auto n = static_cast<size_t>(features + 1);
  std::vector<std::vector<double>> a(n, std::vector<double>(n + 1, 0));
  for (int64_t i = 0; i < g.d.samples; ++i)
    for (size_t r = 0; r < n; ++r) {
      double xr = r + 1 < n ? g.x(i, static_cast<int64_t>(r)) : 1;
      for (size_t c = 0; c < n; ++c) a[r][c] += xr * (c + 1 < n ? g.x(i, static_cast<int64_t>(c)) : 1);
      a[r][n] += xr * g.y(i);
    }
  for (size_t p = 0; p < n; ++p)
    for (size_t r = 0; r < n; ++r)
      for (size_t c = n + 1; r != p && c-- > p;) a[r][c] -= a[p][c] * (a[r][p] / a[p][p]);
  std::vector<double> w;
  for (size_t r = 0; r < n; ++r) w.push_back(a[r][n] / a[r][r]);
  return w;
}

TEST(Synthetic, RegressionHoldsThePlantedCoefficients) {
  SyntheticSpec s = spec_of("make_regression", 500);
  s.coefficients = {1, -2, 0.5, 0};
  s.bias = 3;
  std::vector<double> w = least_squares(make(s, {4}), 4);
  for (size_t j = 0; j < 5; ++j) EXPECT_NEAR(w[j], (std::vector<double>{1, -2, 0.5, 0, 3}[j]), 1e-9);
  s.coefficients.clear();
  s.informative = 2;
  std::vector<double> planted = planted_coefficients(s, 4), fitted = least_squares(make(s, {4}), 4);
  for (size_t j = 0; j < 4; ++j) EXPECT_NEAR(fitted[j], planted[j], 1e-9);
  EXPECT_NE(planted[1], 0);
  EXPECT_EQ(planted[2], 0);
  s.noise = 0.1;
  EXPECT_NEAR(least_squares(make(s, {4}), 4)[0], planted[0], 0.05);
}

TEST(Synthetic, RegressionFeaturesAreStandardNormal) {
  Generated g = make(spec_of("make_regression", 20000), {3});
  double sum = 0, square = 0, fourth = 0;
  for (int64_t i = 0; i < 60000; ++i) {
    double v = g.x(0, i);
    sum += v, square += v * v, fourth += v * v * v * v;
  }
  EXPECT_NEAR(sum / 60000, 0, 0.02); // five standard errors
  EXPECT_NEAR(square / 60000, 1, 0.03);
  EXPECT_NEAR(fourth / 60000, 3, 0.2);
}

// 1-nearest-neighbour on held-out samples, in percent.
double neighbour_accuracy(const Generated& g, int64_t features, int64_t known) {
  int right = 0;
  for (int64_t i = known; i < g.d.samples; ++i) {
    double best = INFINITY, label = -1;
    for (int64_t k = 0; k < known; ++k) {
      double distance = 0;
      for (int64_t j = 0; j < features; ++j) distance += std::pow(g.x(i, j) - g.x(k, j), 2);
      if (distance < best) best = distance, label = g.y(k);
    }
    right += label == g.y(i);
  }
  return 100.0 * right / static_cast<double>(g.d.samples - known);
}

TEST(Synthetic, ClassificationCanBeLearntButIsNotTrivial) {
  SyntheticSpec s = spec_of("make_classification", 1000);
  s.features = 20, s.informative = 10, s.classes = 2;
  Generated g = make(s, {20}, class_label);
  std::map<double, int> counts;
  for (int64_t i = 0; i < 1000; ++i) ++counts[g.y(i)];
  EXPECT_EQ(counts.size(), 2u);
  EXPECT_NEAR(counts[0], 500, 30);
  double accuracy = neighbour_accuracy(g, 20, 800);
  EXPECT_GT(accuracy, 70);
  EXPECT_LT(accuracy, 99);
  s.class_sep = 20;
  EXPECT_GT(neighbour_accuracy(make(s, {20}, class_label), 20, 800), 96); // flip_y leaves half a percent each
}

TEST(Synthetic, ClassificationFlipsLabels) {
  SyntheticSpec s = spec_of("make_classification", 2000), flipped = s;
  s.flip_y = 0, flipped.flip_y = 1;
  Generated a = make(s, {5}, class_label), b = make(flipped, {5}, class_label);
  int differ = 0;
  for (int64_t i = 0; i < 2000; ++i) {
    differ += a.y(i) != b.y(i);
    EXPECT_EQ(a.x(i, 3), b.x(i, 3));
  }
  EXPECT_NEAR(differ, 1000, 120);
}

TEST(Synthetic, Blobs) {
  SyntheticSpec s = spec_of("make_blobs", 600);
  s.classes = 3, s.noise = 0.01;
  Generated g = make(s, {2}, {"y", ElementType::i32, {}, true, 3});
  EXPECT_EQ(neighbour_accuracy(g, 2, 300), 100);
  for (int64_t i = 0; i < 600; ++i) EXPECT_LT(std::fabs(g.x(i, 0)), 10.1);
}

TEST(Synthetic, MoonsLieOnTheirCircles) {
  Generated g = make(spec_of("make_moons", 200), {2}, class_label);
  for (int64_t i = 0; i < 200; ++i) {
    bool lower = g.y(i) == 1;
    double x = g.x(i, 0) - (lower ? 1 : 0), y = g.x(i, 1) - (lower ? 0.5 : 0);
    EXPECT_NEAR(std::hypot(x, y), 1, 1e-12);
    EXPECT_TRUE(lower ? y <= 0 : y >= 0);
  }
}

TEST(Synthetic, AddingProblem) {
  Generated g = make(spec_of("adding_problem", 50), {9, 2});
  for (int64_t i = 0; i < 50; ++i) {
    double sum = 0, marks[2] = {0, 0};
    for (int64_t t = 0; t < 9; ++t) {
      sum += g.x(i, 2 * t) * g.x(i, 2 * t + 1);
      marks[t >= 4] += g.x(i, 2 * t + 1);
      EXPECT_TRUE(g.x(i, 2 * t) >= 0 && g.x(i, 2 * t) < 1);
    }
    EXPECT_EQ(marks[0], 1);
    EXPECT_EQ(marks[1], 1);
    EXPECT_EQ(g.y(i), sum);
  }
}

TEST(Synthetic, SineGoesOn) {
  Generated g = make(spec_of("sine", 20), {12, 1});
  for (int64_t i = 0; i < 20; ++i) // sin(a + 0.1) = 2 cos(0.1) sin(a) - sin(a - 0.1)
    EXPECT_NEAR(g.y(i), 2 * std::cos(0.1) * g.x(i, 11) - g.x(i, 10), 1e-12);
}

TEST(Synthetic, UniformInItsRange) {
  SyntheticSpec s = spec_of("random_uniform", 1000);
  s.low = -2, s.high = 4;
  Generated g = make(s, {3}, class_label);
  double sum = 0;
  for (int64_t i = 0; i < 3000; ++i) {
    double v = g.x(0, i);
    EXPECT_TRUE(v >= -2 && v < 4);
    sum += v;
  }
  EXPECT_NEAR(sum / 3000, 1, 0.16); // five standard errors
}

TEST(Synthetic, SameSeedSameData) {
  for (const std::string& name : generator_names()) {
    std::vector<int64_t> shape = name == "adding_problem" ? std::vector<int64_t>{5, 2} : std::vector<int64_t>{2};
    auto bytes = [&](uint64_t seed) {
      Generated g =
          make(spec_of(name, 64, seed), shape,
               name == "make_regression" || name == "adding_problem" ? TensorSpec{"y", ElementType::f32, {}, true}
                                                                     : class_label);
      return std::vector<std::byte>(g.d.columns[0].values.data(),
                                    g.d.columns[0].values.data() + g.d.columns[0].values.size());
    };
    EXPECT_EQ(bytes(1), bytes(1)) << name;
    EXPECT_NE(bytes(1), bytes(2)) << name;
    EXPECT_NE(bytes(1), bytes(1 + (uint64_t{1} << 32))) << name;
  }
}

TEST(Synthetic, BadSpecs) {
  auto message = [](SyntheticSpec s, std::vector<int64_t> shape, std::vector<std::string> parts) {
    parts.insert(parts.begin(), "model.json:30:5: error: ");
    expect_message(error_of([&] { make(std::move(s), std::move(shape), class_label); }), Code::data, parts);
  };
  message(spec_of("make_clasification", 10), {3}, {"unknown generator 'make_clasification'", "make_classification"});
  message(spec_of("make_moons", 0), {2}, {"no samples"});
  message(spec_of("make_moons", 10), {3}, {"3 features, 2 expected"});
  message(spec_of("adding_problem", 10), {3}, {"[3]", "[steps, 2]"});
  message(spec_of("make_blobs", int64_t{1} << 40), {3}, {"exceed 2^31"});
  SyntheticSpec s = spec_of("make_regression", 10);
  s.coefficients = {1};
  message(s, {3}, {"1 coefficients for 3 features"});
  s = spec_of("make_classification", 10);
  s.features = 4;
  message(s, {3}, {"features = 4", "3 values"});
  s.features = 0, s.informative = 5;
  message(s, {3}, {"informative = 5, expected 0 to 3"});
  s.informative = 1;
  message(s, {3}, {"4 clusters do not fit the corners of 1"});
  s.informative = 2, s.clusters_per_class = int64_t{1} << 62;
  message(s, {3}, {"10,000 clusters"});
}

} // namespace
} // namespace dlcc::data

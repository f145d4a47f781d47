#include "tests/accuracy/points.h"

#include "tests/accuracy/formula.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

namespace dlcc::testing {

namespace {
constexpr double points_a_decade = 20; // of each sign, so 40 in two decades

using Values = std::vector<double>;

class Generator {
public:
  explicit Generator(DType t) : type_(t) {}

  bool single() const { return type_ == DType::f32; }
  double rounded(double x) const { return in_type(x, type_); }
  double uniform(double low, double high) { return std::uniform_real_distribution<double>(low, high)(random_); }

  /// From the smallest subnormal to the largest finite number, evenly by their logarithm.
  Values magnitudes(double a_decade) {
    Values all = single() ? ends<float>() : ends<double>();
    double low = std::log10(all[0]), high = std::log10(all[2]);
    for (double at = low; at < high; at += 1 / a_decade)
      all.push_back(rounded(std::min(std::pow(10.0, at + uniform(0, 1) / a_decade), all[2])));
    return all;
  }
  /// Zero, and every magnitude with both signs.
  Values signed_magnitudes(double a_decade) {
    Values all{0};
    for (double x : magnitudes(a_decade)) all.push_back(x), all.push_back(-x);
    return all;
  }
  double neighbour(double x, double toward) const {
    if (single()) return static_cast<double>(std::nextafter(static_cast<float>(x), static_cast<float>(toward)));
    return std::nextafter(x, toward);
  }
  size_t below(size_t n) { return random_() % n; }

private:
  template <class T> static Values ends() {
    using Limits = std::numeric_limits<T>;
    return {static_cast<double>(Limits::denorm_min()), static_cast<double>(Limits::min()),
            static_cast<double>(Limits::max())};
  }
  DType type_;
  std::mt19937 random_{1};
};

Values line(Generator& g, bool with_infinities) {
  Values x = g.signed_magnitudes(points_a_decade);
  double exponents = g.single() ? 110 : 750; // where e^x is neither 0 nor infinite
  for (double reach : {2.0, 10.0, exponents})
    for (int i = 0; i < 1000; ++i) x.push_back(g.rounded(g.uniform(-reach, reach)));
  for (double kink : {1.0, -1.0, 3.0, -3.0, 6.0, 0.5})
    for (double at : {kink, g.neighbour(kink, -10), g.neighbour(kink, 10)}) x.push_back(at);
  if (with_infinities) x.push_back(INFINITY), x.push_back(-INFINITY);
  return x;
}

struct Pairs {
  Values x, y;
  void add(double a, double b) { x.push_back(a), y.push_back(b); }
  void add_grid(const Values& as, const Values& bs) {
    for (double a : as)
      for (double b : bs) add(a, b);
  }
};

Pairs pairs(Generator& g) {
  Values x = g.signed_magnitudes(g.single() ? 0.8 : 0.12);
  for (double special : {1.0, -1.0, 2.0, 0.5, 3.0, double(INFINITY), -double(INFINITY)}) x.push_back(special);
  Pairs p;
  p.add_grid(x, x);
  for (int i = 0; i < 4000; ++i) p.add(g.rounded(g.uniform(-4, 4)), g.rounded(g.uniform(-4, 4)));
  return p;
}

Pairs residuals(Generator& g) {
  Pairs p;
  p.add_grid(g.signed_magnitudes(points_a_decade), {0});
  Values coarse = g.signed_magnitudes(g.single() ? 0.5 : 0.08);
  p.add_grid(coarse, coarse);
  for (double y : {1.0, g.rounded(-0.3), 1e4})
    for (double r : g.signed_magnitudes(g.single() ? 4 : 0.6))
      if (double x = g.rounded(y + r); std::isfinite(x)) p.add(x, y);
  return p;
}

Pairs counts(Generator& g) {
  Values x{0};
  double most = g.single() ? 1e35 : 1e300; // so that y ln p is finite
  for (double m : g.magnitudes(g.single() ? 2 : 0.25))
    if (m < most) x.push_back(m);
  Pairs p;
  p.add_grid(x, x);
  for (int i = 0; i < 2000; ++i) p.add(g.rounded(g.uniform(0, 3)), g.rounded(g.uniform(0, 3)));
  return p;
}

/// Elements of widely different magnitudes in one row; in every second row, of those where softmax has digits.
Values rows(Generator& g, size_t count) {
  Values all = g.signed_magnitudes(points_a_decade), x;
  for (size_t i = 0; i < count; ++i) {
    double reach = i % 4 == 1 ? 5 : g.single() ? 110 : 750;
    for (size_t k = 0; k < classes; ++k)
      x.push_back(i % 2 ? g.rounded(g.uniform(-reach, reach)) : all[g.below(all.size())]);
  }
  return x;
}

/// Positive rows; their sums and quotients are normal numbers.
Values positive_rows(Generator& g, size_t count) {
  Values x;
  double decades = g.single() ? 14 : 120;
  for (size_t i = 0; i < count; ++i) {
    double scale = g.uniform(-decades, decades), spread = i % 2 ? 1 : 16;
    for (size_t k = 0; k < classes; ++k) x.push_back(g.rounded(std::pow(10, scale + g.uniform(-spread, spread))));
  }
  return x;
}

/// One-hot, smoothed, and others.
Values label_rows(Generator& g, size_t count) {
  Values y;
  for (size_t i = 0; i < count; ++i) {
    size_t label = g.below(classes);
    for (size_t k = 0; k < classes; ++k)
      y.push_back(g.rounded(i % 3 == 0 ? k == label : i % 3 == 1 ? (k == label ? 0.925 : 0.025) : g.uniform(0, 1)));
  }
  return y;
}

Values indices(Generator& g, size_t count) {
  Values y;
  for (size_t i = 0; i < count; ++i) y.push_back(static_cast<double>(g.below(classes)));
  return y;
}
} // namespace

std::vector<Tensor> points_of(const Truth& truth, DType dtype) {
  Generator g(dtype);
  auto one = [&](Values x) { return std::vector{Tensor({dtype, {static_cast<int64_t>(x.size())}}, x)}; };
  auto two = [&](const Pairs& p) {
    Type type{dtype, {static_cast<int64_t>(p.x.size())}};
    return std::vector{Tensor(type, p.x), Tensor(type, p.y)};
  };
  constexpr size_t samples = 2000;
  const Type of_rows{dtype, {samples, classes}}, of_indices{DType::i32, {samples}};
  switch (truth.points) {
  case Points::line:
    return one(line(g, true));
  case Points::pairs:
    return two(pairs(g));
  case Points::residuals:
    return two(residuals(g));
  case Points::signs: {
    Pairs p;
    p.add_grid(g.signed_magnitudes(points_a_decade), {-1, 0, 1});
    return two(p);
  }
  case Points::labels: {
    Pairs p;
    p.add_grid(line(g, false), {0, 1});
    p.add_grid(g.signed_magnitudes(2), {0.25, g.rounded(0.999)});
    for (int i = 0; i < 2000; ++i) p.add(g.rounded(g.uniform(-8, 8)), g.rounded(g.uniform(0, 1)));
    return two(p);
  }
  case Points::counts:
    return two(counts(g));
  case Points::rows:
    return {Tensor(of_rows, rows(g, samples))};
  case Points::labelled:
    return {Tensor(of_rows, rows(g, samples)), Tensor(of_rows, label_rows(g, samples))};
  case Points::indexed:
    return {Tensor(of_rows, rows(g, samples)), Tensor(of_indices, indices(g, samples))};
  case Points::shares:
    return {Tensor(of_rows, positive_rows(g, samples)), Tensor(of_rows, label_rows(g, samples))};
  case Points::indexed_shares:
    return {Tensor(of_rows, positive_rows(g, samples)), Tensor(of_indices, indices(g, samples))};
  }
  return {};
}

} // namespace dlcc::testing

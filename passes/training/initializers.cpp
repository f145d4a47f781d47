#include "passes/training/initializers.h"

#include "ir/ops/build.h"

#include <algorithm>
#include <cmath>

namespace dlcc::passes {

using namespace graph;
using ops::Term;

namespace {
struct Init {
  Builder& b;
  const State& state;
  const Attributes& a;
  ValueId seed;

  // Random numbers are drawn and shaped in double and rounded last, so f32 and f64 models start alike.
  Term draw(std::string_view op) const {
    Attributes attributes{{"shape", state.type.shape}, {"dtype", DType::f64}, {"stream", state.name}};
    return {&b, b.add(op, {seed, b.constant(0, DType::i64)}, attributes)};
  }
  Term filled(double value) const { return ops::broadcast_to({&b, b.constant(value, DType::f64)}, state.type.shape); }
};

// Keras' compute_fans: (in, out) are the last two axes, times the product of those before (a convolution's window).
std::pair<double, double> fans(const Shape& shape) {
  if (shape.empty()) return {1, 1};
  if (shape.size() == 1) return {shape[0], shape[0]};
  double window = 1;
  for (size_t i = 0; i + 2 < shape.size(); ++i) window *= static_cast<double>(shape[i]);
  return {window * static_cast<double>(shape[shape.size() - 2]), window * static_cast<double>(shape.back())};
}

Term uniform(const Init& c, double low, double high) { return low + (high - low) * c.draw("random_uniform"); }

Term normal(const Init& c, double mean, double deviation) {
  return mean + deviation * ops::normal_quantile(c.draw("random_uniform"));
}

// Within two deviations of the mean, by the inverse distribution function: u in (Phi(-2), Phi(2)).
Term truncated_normal(const Init& c, double mean, double deviation) {
  const double low = 0.5 * std::erfc(std::sqrt(2.0)), high = 1 - low;
  return mean + deviation * ops::normal_quantile(low + (high - low) * c.draw("random_uniform"));
}

// Glorot & Bengio 2010, He et al. 2015, LeCun et al. 1998 as special cases: variance = scale / n.
Term scaled(const Init& c, double scale, std::string_view mode, std::string_view distribution) {
  auto [in, out] = fans(c.state.type.shape);
  double n = mode == "fan_in" ? in : mode == "fan_out" ? out : (in + out) / 2;
  double variance = scale / std::max(n, 1.0);
  if (distribution == "uniform") return uniform(c, -std::sqrt(3 * variance), std::sqrt(3 * variance));
  if (distribution == "untruncated_normal") return normal(c, 0, std::sqrt(variance));
  // The deviation of a normal cut at two deviations is .8796 of it.
  return truncated_normal(c, 0, std::sqrt(variance) / 0.87962566103423978);
}

// The orthogonal factor of the polar decomposition of a Gaussian matrix, which is uniformly distributed over the
// orthogonal matrices, by Newton and Schulz' iteration X <- 1.5 X - 0.5 X X^T X: matrix products only, and all
// iterations share their kernels. Singular values start in (0, 1] and grow by 1.5 until they near 1 quadratically;
// 60 iterations bring those above 1e-9 there.
Term orthogonal(const Init& c) {
  const Shape& shape = c.state.type.shape;
  if (element_count(shape) == 0) return c.filled(0);
  int64_t columns = shape.empty() ? 1 : shape.back();
  int64_t rows = element_count(shape) / columns;
  Term x = ops::reshape(normal(c, 0, 1), {rows, columns});
  x = x / ops::sqrt(ops::sum(ops::square(x)));
  for (int i = 0; i < 60; ++i) {
    Term gram = rows <= columns ? ops::matmul(x, x, false, true) : ops::matmul(x, x, true, false);
    Term cubed = rows <= columns ? ops::matmul(gram, x) : ops::matmul(x, gram);
    x = 1.5 * x - 0.5 * cubed;
  }
  return c.a.number("gain", 1) * ops::reshape(x, shape);
}

Term identity(const Init& c) {
  const Shape& shape = c.state.type.shape;
  auto index = [&](int64_t axis) {
    return Term{&c.b, c.b.add("iota", {}, {{"shape", shape}, {"axis", axis}, {"dtype", DType::i64}})};
  };
  return c.a.number("gain", 1) * ops::cast(index(0) == index(1), DType::f64);
}

struct InitializerRow {
  std::string_view name;
  Term (*value)(const Init&);
};
constexpr InitializerRow initializers[] = {
    {"zeros", [](const Init& c) { return c.filled(0); }},
    {"ones", [](const Init& c) { return c.filled(1); }},
    {"constant", [](const Init& c) { return c.filled(c.a.number("value", 0)); }},
    {"random_normal", [](const Init& c) { return normal(c, c.a.number("mean", 0), c.a.number("stddev", 0.05)); }},
    {"random_uniform",
     [](const Init& c) { return uniform(c, c.a.number("minval", -0.05), c.a.number("maxval", 0.05)); }},
    {"truncated_normal",
     [](const Init& c) { return truncated_normal(c, c.a.number("mean", 0), c.a.number("stddev", 0.05)); }},
    {"glorot_uniform", [](const Init& c) { return scaled(c, 1, "fan_avg", "uniform"); }},
    {"glorot_normal", [](const Init& c) { return scaled(c, 1, "fan_avg", "truncated_normal"); }},
    {"he_uniform", [](const Init& c) { return scaled(c, 2, "fan_in", "uniform"); }},
    {"he_normal", [](const Init& c) { return scaled(c, 2, "fan_in", "truncated_normal"); }},
    {"lecun_uniform", [](const Init& c) { return scaled(c, 1, "fan_in", "uniform"); }},
    {"lecun_normal", [](const Init& c) { return scaled(c, 1, "fan_in", "truncated_normal"); }},
    {"variance_scaling",
     [](const Init& c) {
       return scaled(c, c.a.number("scale", 1), c.a.string("mode", "fan_in"),
                     c.a.string("distribution", "truncated_normal"));
     }},
    {"orthogonal", orthogonal},
    {"identity", identity},
};
} // namespace

bool is_known_initializer(std::string_view name) {
  for (const InitializerRow& row : initializers)
    if (row.name == name) return true;
  return false;
}

ValueId initial_value(Builder& builder, const State& state, ValueId seed) {
  Init init{builder, state, state.initializer_attributes, seed};
  for (const InitializerRow& row : initializers)
    if (row.name == state.initializer) return ops::cast(row.value(init), state.type.dtype);
  DLCC_CHECK(false, "unknown initializer '" + state.initializer + "'");
}

} // namespace dlcc::passes

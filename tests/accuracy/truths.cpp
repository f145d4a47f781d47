#include "tests/accuracy/formula.h"

#include <cmath>
#include <numbers>

namespace dlcc::testing {

namespace {
using E = const Exact&;

Exact smallest_normal(DType t) { return Exact::power_of_two(1, t == DType::f32 ? -126 : -1022); }
Exact step(bool yes) { return yes ? 1 : 0; }

// y x^(y-1); as x^y / x, since x^y is NaN where it has to be, and y - 1 would be rounded.
Exact power_slope(E x, E y) { return x == 0 || abs(x) == Exact(INFINITY) ? y * pow(x, y - 1) : y * pow(x, y) / x; }

// Bisection in double, then Newton's step: the start has 16 digits, fewer where doubles are subnormal.
Exact normal_quantile(E p) {
  if (p == 0.5) return 0;
  if (!(p > 0 && p < 1)) return p == 0 ? Exact(-INFINITY) : p == 1 ? Exact(INFINITY) : Exact(NAN);
  bool upper = p > 0.5;
  Exact target = upper ? 1 - p : p;
  double low = -40, high = 0, wanted = target.to_double();
  for (int i = 0; i < 60; ++i) {
    double middle = 0.5 * (low + high);
    (0.5 * std::erfc(-middle / std::numbers::sqrt2) < wanted ? low : high) = middle;
  }
  Exact z = low;
  for (int i = 0; i < (wanted < 1e-300 ? 5 : 2); ++i) z = z - (normal_distribution(z) - target) / normal_density(z);
  return upper ? -z : z;
}

// x sigmoid(u(x)): the tanh form of gelu, since (1 + tanh(u / 2)) / 2 = sigmoid(u).
Exact gelu_exponent(E x) { return 2 * sqrt(2 / Exact::pi()) * (x + Exact(0.044715) * x * x * x); }
Exact gelu_exponent_slope(E x) { return 2 * sqrt(2 / Exact::pi()) * (1 + 3 * Exact(0.044715) * x * x); }

constexpr double selu_scale = 1.0507009873554805, selu_alpha = 1.6732632423543772;

std::vector<Truth> arithmetic(DType t) {
  const Exact normal = smallest_normal(t);
  using namespace ops;
  constexpr Points line = Points::line, pairs = Points::pairs;
  Formula one = by([](E) { return Exact(1); });
  return {
      {&add_op, pairs, by([](E x, E y) { return x + y; }), {one, one}},
      {&subtract_op, pairs, by([](E x, E y) { return x - y; }), {one, by([](E) { return Exact(-1); })}},
      {&multiply_op, pairs, by([](E x, E y) { return x * y; }), {by([](E, E y) { return y; }), by([](E x, E) {
                                                                   return x;
                                                                 })}},
      {.op = &divide_op,
       .points = pairs,
       .value = by([](E x, E y) { return x / y; }),
       .gradients = {by([](E, E y) { return 1 / y; }), by([](E x, E y) { return -(x / (y * y)); })},
       .gradient_scales = {nullptr, by([=](E, E y) { return normal / y; })}},
      {.op = &power_op,
       .points = pairs,
       .value = by([](E x, E y) { return pow(x, y); }),
       .gradients = {by([](E x, E y) { return y == 0 ? Exact(0) : power_slope(x, y); }),
                     by([](E x, E y) { return x > 0 ? pow(x, y) * log(x) : Exact(0); })},
       .gradient_scales = {by([=](E x, E y) {
                             bool rounded = x < 0 && abs(y) >= Exact::power_of_two(1, t == DType::f32 ? 24 : 53);
                             return rounded || abs(y) <= normal ? Exact(INFINITY) : Exact(0);
                           }),
                           by([=](E x, E) { return x > 0 ? normal * log(x) : Exact(0); })}},
      {&maximum_op,
       pairs,
       by([](E x, E y) { return max(x, y); }),
       {by([](E x, E y) { return x == y ? Exact(0.5) : step(x > y); }),
        by([](E x, E y) { return x == y ? Exact(0.5) : step(y > x); })}},
      {&minimum_op,
       pairs,
       by([](E x, E y) { return min(x, y); }),
       {by([](E x, E y) { return x == y ? Exact(0.5) : step(x < y); }),
        by([](E x, E y) { return x == y ? Exact(0.5) : step(y < x); })}},
      {&negative_op, line, by([](E x) { return -x; }), {by([](E) { return Exact(-1); })}},
      {&abs_op, line, by([](E x) { return abs(x); }), {by([](E x) { return step(x > 0) - step(x < 0); })}},
      {&sign_op, line, by([](E x) { return step(x > 0) - step(x < 0); })},
      {&square_op, line, by([](E x) { return x * x; }), {by([](E x) { return 2 * x; })}},
      {&sqrt_op, line, by([](E x) { return sqrt(x); }), {by([](E x) { return 1 / (2 * sqrt(x)); })}},
      {&rsqrt_op, line, by([](E x) { return 1 / sqrt(x); }), {by([](E x) { return -1 / (2 * x * sqrt(x)); })}},
      {&floor_op, line, by([](E x) { return floor(x); })},
      {.op = &clip_op,
       .points = line,
       .value = by([](E x) { return min(max(x, -1), 0.5); }),
       .gradients = {by([](E x) { return step(x >= -1 && x <= 0.5); })},
       .attributes = {{"low", -1.0}, {"high", 0.5}}},
      {&greater_op, pairs, by([](E x, E y) { return step(x > y); })},
      {&greater_equal_op, pairs, by([](E x, E y) { return step(x >= y); })},
      {&less_op, pairs, by([](E x, E y) { return step(x < y); })},
      {&less_equal_op, pairs, by([](E x, E y) { return step(x <= y); })},
      {&equal_op, pairs, by([](E x, E y) { return step(x == y); })},
      {&not_equal_op, pairs, by([](E x, E y) { return step(!(x == y)); })},
      {.op = &is_finite_op,
       .points = line,
       .value = by([](E x) { return step(abs(x) < Exact(INFINITY)); }),
       .limits = false},
      {.op = &cast_op,
       .points = line,
       .value = by([](E x) { return x; }),
       .gradients = {one},
       .attributes = {{"dtype", DType::f32}}},
  };
}

std::vector<Truth> transcendental(DType) {
  using namespace ops;
  constexpr Points line = Points::line;
  return {
      {&exp_op, line, by([](E x) { return exp(x); }), {by([](E x) { return exp(x); })}},
      {&expm1_op, line, by([](E x) { return expm1(x); }), {by([](E x) { return exp(x); })}},
      {&log_op, line, by([](E x) { return log(x); }), {by([](E x) { return 1 / x; })}},
      {&log1p_op, line, by([](E x) { return log1p(x); }), {by([](E x) { return 1 / (1 + x); })}},
      {.op = &sin_op,
       .points = line,
       .value = by([](E x) { return sin(x); }),
       .gradients = {by([](E x) { return cos(x); })},
       .limits = false},
      {.op = &cos_op,
       .points = line,
       .value = by([](E x) { return cos(x); }),
       .gradients = {by([](E x) { return -sin(x); })},
       .limits = false},
      {&tanh_op, line, by([](E x) { return tanh(x); }), {by(sech_squared)}},
      {&erf_op, line, by([](E x) { return erf(x); }), {by([](E x) { return 2 / sqrt(Exact::pi()) * exp(-x * x); })}},
      {.op = &normal_quantile_op,
       .points = line,
       .value = by(normal_quantile),
       .gradients = {by([](E p) { return 1 / normal_density(normal_quantile(p)); })},
       .gradient_scales = {by([](E p) {
         Exact y = normal_quantile(p);
         return (1 + y * y) / normal_density(y);
       })}},
  };
}

std::vector<Truth> activations(DType t) {
  const Exact normal = smallest_normal(t);
  using namespace ops;
  constexpr Points line = Points::line;
  std::vector<Truth> truths = {
      {&linear_op, line, by([](E x) { return x; }), {by([](E) { return Exact(1); })}},
      {&relu_op, line, by([](E x) { return max(x, 0); }), {by([](E x) { return step(x > 0); })}},
      {&relu6_op, line, by([](E x) { return min(max(x, 0), 6); }), {by([](E x) { return step(x > 0 && x < 6); })}},
      {&selu_op, line, by([](E x) { return selu_scale * (x > 0 ? x : selu_alpha * expm1(x)); }), {by([](E x) {
         return selu_scale * (x > 0 ? Exact(1) : selu_alpha * exp(x));
       })}},
      {.op = &gelu_op,
       .points = line,
       .value = by([](E x) { return x * normal_distribution(x); }),
       .gradients = {by([](E x) { return normal_distribution(x) + x * normal_density(x); })},
       .value_scale = by([](E x) { return x; }),
       .gradient_scales = {by([](E) { return Exact(1); })}},
      {.op = &gelu_op,
       .points = line,
       .value = by([](E x) { return x * sigmoid(gelu_exponent(x)); }),
       .gradients = {by([](E x) {
         Exact s = sigmoid(gelu_exponent(x)), t = sigmoid(-gelu_exponent(x));
         return s + x * s * t * gelu_exponent_slope(x);
       })},
       .value_scale = by([=](E x) {
         Exact u = gelu_exponent(x);
         return abs(x) * ((1 + abs(u)) * sigmoid(u) + normal);
       }),
       .gradient_scales = {by([=](E x) {
         Exact u = gelu_exponent(x);
         return (1 + abs(u)) * (1 + abs(x) * gelu_exponent_slope(x)) * (sigmoid(u) + normal);
       })},
       .attributes = {{"approximate", true}}},
      {.op = &silu_op,
       .points = line,
       .value = by([](E x) { return x * sigmoid(x); }),
       .gradients = {by([](E x) { return sigmoid(x) * (1 + x * sigmoid(-x)); })},
       .value_scale = by([=](E x) { return x * normal; }),
       .gradient_scales = {by([=](E x) { return max(sigmoid(x), abs(x) * normal); })}},
      {&sigmoid_op, line, by(sigmoid), {by([](E x) { return sigmoid(x) * sigmoid(-x); })}},
      {&hard_sigmoid_op, line, by([](E x) { return min(max(x + 3, 0), 6) / 6; }), {by([](E x) {
         return x > -3 && x < 3 ? 1 / Exact(6) : Exact(0);
       })}},
      {&softplus_op, line, by(softplus), {by(sigmoid)}},
      {&softsign_op, line, by([](E x) { return x / (1 + abs(x)); }), {by([](E x) { return 1 / square(1 + abs(x)); })}},
  };
  for (double slope : {1e-3, 0.2})
    truths.push_back({.op = &leaky_relu_op,
                      .points = line,
                      .value = by([=](E x) { return x > 0 ? x : slope * x; }),
                      .gradients = {by([=](E x) { return Exact(x > 0 ? 1 : slope); })},
                      .attributes = {{"negative_slope", slope}}});
  for (double alpha : {1e-4, 1.0, 1e8})
    truths.push_back({.op = &elu_op,
                      .points = line,
                      .value = by([=](E x) { return x > 0 ? x : alpha * expm1(x); }),
                      .gradients = {by([=](E x) { return x > 0 ? Exact(1) : alpha * exp(x); })},
                      .gradient_scales = {by([=](E) { return alpha * normal; })},
                      .attributes = {{"alpha", alpha}}});
  return truths;
}

} // namespace

std::vector<Truth> elementwise_truths(DType t) {
  std::vector<Truth> all;
  for (auto part : {arithmetic, transcendental, activations})
    for (Truth& truth : part(t)) all.push_back(std::move(truth));
  return all;
}

namespace {
Exact hinge_sign(E y) { return y == 0 ? Exact(-1) : y; }
Exact hinge(E p, E y) { return max(1 - hinge_sign(y) * p, 0); }
} // namespace

std::vector<Truth> loss_truths(DType t) {
  using namespace ops;
  const double epsilon = in_type(1e-7, t), low = epsilon, high = in_type(1 - 1e-7, t);
  auto clipped = [=](E p) { return min(max(p, low), high); };
  auto inside = [=](E p) { return p >= low && p <= high; };
  // A loss of p - y: the derivative by the label is that by the prediction with the other sign.
  // The difference overflows as subtraction does.
  auto error_of = [=](E p, E y) {
    Exact e = p - y, top = Exact::power_of_two(1, t == DType::f32 ? 128 : 1024);
    return abs(e) < top ? e : e * Exact(INFINITY);
  };
  auto residual = [=](const graph::OpDef& op, auto value, auto slope, Attributes attributes = {}) {
    return Truth{.op = &op,
                 .points = Points::residuals,
                 .value = by([=](E p, E y) { return value(error_of(p, y)); }),
                 .gradients = {by([=](E p, E y) { return slope(error_of(p, y)); }),
                               by([=](E p, E y) { return -slope(error_of(p, y)); })},
                 .attributes = std::move(attributes),
                 .limits = false};
  };
  std::vector<Truth> truths = {
      residual(
          mean_squared_error_op, [](E e) { return e * e; }, [](E e) { return 2 * e; }),
      residual(
          mean_absolute_error_op, [](E e) { return abs(e); }, [](E e) { return step(e > 0) - step(e < 0); }),
      // cosh e = 1 + 2 sinh^2(e / 2)
      residual(
          log_cosh_op, [](E e) { return abs(e) > 100 ? abs(e) - log(Exact(2)) : log1p(2 * square(sinh(e / 2))); },
          [](E e) { return tanh(e); }),
      {.op = &poisson_op,
       .points = Points::counts,
       .value = by([=](E p, E y) { return p - y * log(p + epsilon); }),
       .gradients = {by([=](E p, E y) { return ((p - y) + epsilon) / (p + epsilon); }),
                     by([=](E p, E) { return -log(p + epsilon); })},
       .value_scale = by([=](E p, E y) { return max(p, y * max(1, abs(log(p + epsilon)))); }),
       .gradient_scales = {by([=](E p, E) { return epsilon / (p + epsilon); }),
                           by([=](E p, E) { return max(1, abs(log(p + epsilon))); })}},
      {.op = &hinge_op,
       .points = Points::signs,
       .value = by(hinge),
       .gradients = {by([](E p, E y) { return hinge(p, y) > 0 ? -hinge_sign(y) : Exact(0); }),
                     by([](E p, E y) { return hinge(p, y) > 0 && !(y == 0) ? -p : Exact(0); })}},
      {.op = &squared_hinge_op,
       .points = Points::signs,
       .value = by([](E p, E y) { return square(hinge(p, y)); }),
       .gradients = {by([](E p, E y) { return -2 * hinge(p, y) * hinge_sign(y); }),
                     by([](E p, E y) { return y == 0 ? Exact(0) : -2 * hinge(p, y) * p; })}},
      {.op = &binary_crossentropy_op,
       .points = Points::labels,
       .value = by([=](E p, E y) { return -(y * log(clipped(p)) + (1 - y) * log1p(-clipped(p))); }),
       .gradients = {by([=](E p, E y) { return inside(p) ? (p - y) / (p * (1 - p)) : Exact(0); }),
                     by([=](E p, E) { return log1p(-clipped(p)) - log(clipped(p)); })},
       .gradient_scales = {nullptr, by([=](E p, E) { return max(1, abs(log(clipped(p)))); })}},
      {.op = &bce_with_logits_op,
       .points = Points::labels,
       .value = by([](E x, E y) { return abs(x) * (x > 0 ? 1 - y : y) + log1p(exp(-abs(x))); }),
       .gradients = {by([](E x, E y) { return sigmoid(x) * (1 - y) - sigmoid(-x) * y; }),
                     by([](E x, E) { return -x; })},
       .gradient_scales = {by([](E x, E y) { return max(sigmoid(x) * (1 - y), sigmoid(-x) * y); })}},
  };
  for (double delta : {1e-4, 1e-2, 1.0, 1e4, 1e8})
    truths.push_back(residual(
        huber_op, [=](E e) { return abs(e) <= delta ? e * e / 2 : delta * (abs(e) - Exact(delta) / 2); },
        [=](E e) { return min(max(e, -delta), delta); }, {{"delta", delta}}));
  return truths;
}

} // namespace dlcc::testing

// The elementwise table, part 4: activations, named and parametrised as Keras 3.
#include "ir/ops/elementwise.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace dlcc::ops {

namespace {
using A = const Attributes&;

// Klambauer et al., "Self-normalizing neural networks" (2017), section 2.
constexpr double selu_alpha = 1.6732632423543772, selu_scale = 1.0507009873554805;
// Hendrycks, Gimpel, "Gaussian error linear units" (2016), section 2.
constexpr double gelu_cubic = 0.044715;
const double gelu_scale = std::sqrt(2 / std::numbers::pi);
const double sqrt_half = std::sqrt(0.5);

double slope(A a) { return a.number("negative_slope", 0.2); }
double alpha(A a) { return a.number("alpha", 1.0); }

constexpr AttributeDef leaky_attributes[] = {
    {"negative_slope", AttributeKind::number, "the slope for negative x; 0.2 if absent"}};
constexpr AttributeDef elu_attributes[] = {{"alpha", AttributeKind::number, "1 if absent"}};
constexpr AttributeDef gelu_attributes[] = {
    {"approximate", AttributeKind::boolean, "use the tanh form; false if absent"}};

/// x where a factor beside it is not yet 0, and a number where x is infinite: 0 * inf would be NaN.
Term near_zero(Term x) { return clip(x, -1e4, 1e4); }
Scalar above_minus_infinity(Scalar x) { return maximum(x, -largest_finite(x.dtype())); }

std::vector<Sample> kink_at_zero() { return unary_samples({-2, 2}, {0}); }

Scalar gelu_element(Scalar x, A a) {
  if (!a.boolean("approximate")) return 0.5 * above_minus_infinity(x) * (1.0 + erf(sqrt_half * x));
  return above_minus_infinity(x) * sigmoid(2 * gelu_scale * (x * (1.0 + gelu_cubic * x * x)));
}

double gelu_value(double x, A a) {
  if (!a.boolean("approximate")) return x * 0.5 * std::erfc(-x / std::numbers::sqrt2);
  return 0.5 * x * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * std::pow(x, 3))));
}

Term gelu_derivative(Term x, Term, Term dy, A a) {
  if (!a.boolean("approximate")) { // distribution(x) + x density(x)
    Term distribution = 0.5 * (1.0 + erf(sqrt_half * x));
    Term density = (0.5 * std::numbers::inv_sqrtpi * std::numbers::sqrt2) * exp_of_square(x, -0.5);
    return dy * (distribution + near_zero(x) * density);
  }
  // y = x sigmoid(u) with u' = 2 scale (1 + 3 cubic x^2)
  Term c = near_zero(x), c2 = c * c, u = 2 * gelu_scale * (c * (1.0 + gelu_cubic * c2));
  return dy * (sigmoid(u) + c * sigmoid_slope(u) * (2 * gelu_scale * (1.0 + 3 * gelu_cubic * c2)));
}

std::vector<Sample> gelu_samples() {
  auto samples = unary_samples({-3, 3});
  for (Sample& s : unary_samples({-3, 3}, {}, {{"approximate", true}})) samples.push_back(std::move(s));
  return samples;
}
} // namespace

constexpr OpDef linear_op = complete({
    .name = "linear",
    .kind = OpKind::view,
    .doc = "x itself.",
    .same_order = true,
    .infer = [](InferContext& c) { return Require(c).result(c.operand(0)); },
    .gradient = gradient_by<[](Term, Term, Term dy) { return dy; }>,
    .element = element_by<[](Scalar x) { return x; }>,
    .reference = reference_by<[](double x) { return x; }>,
    .samples = unary_in,
});

constexpr OpDef relu_op = complete({
    .name = "relu",
    .doc = "max(x, 0); NaN for NaN. The derivative at 0 is 0." DLCC_DOC_FLOAT,
    .infer = infer_float,
    .gradient = gradient_by<[](Term, Term y, Term dy) { return where(y > 0.0, dy, 0.0); }>,
    .element = element_by<[](Scalar x) { return maximum(x, 0.0); }>,
    .reference = reference_by<[](double x) { return x < 0 ? 0 : x; }>,
    .samples = kink_at_zero,
});

constexpr OpDef relu6_op = complete({
    .name = "relu6",
    .doc = "min(max(x, 0), 6). The derivative at 0 and 6 is 0." DLCC_DOC_FLOAT,
    .infer = infer_float,
    .gradient = gradient_by<[](Term, Term y, Term dy) { return where((y > 0.0) & (y < 6.0), dy, 0.0); }>,
    .element = element_by<[](Scalar x) { return minimum(maximum(x, 0.0), 6.0); }>,
    .reference = reference_by<[](double x) { return std::min(std::max(x, 0.0), 6.0); }>,
    .samples = [] { return unary_samples({-3, 9}, {0, 6}); },
});

constexpr OpDef leaky_relu_op = complete({
    .name = "leaky_relu",
    .doc = "x where x > 0, negative_slope * x elsewhere." DLCC_DOC_FLOAT,
    .attributes = leaky_attributes,
    .infer = infer_float,
    .gradient = gradient_by<[](Term x, Term, Term dy, A a) { return where(x > 0.0, dy, slope(a) * dy); }>,
    .element = element_by<[](Scalar x, A a) { return select(x > 0.0, x, slope(a) * x); }>,
    .reference = reference_by<[](double x, A a) { return (x > 0) ? x : a.number("negative_slope", 0.2) * x; }>,
    .samples =
        [] {
          auto samples = kink_at_zero();
          samples.push_back({{{DType::f32, {4}}}, {{"negative_slope", 0.01}}, {}, {0}});
          return samples;
        },
});

constexpr OpDef elu_op = complete({
    .name = "elu",
    .doc = "x where x > 0, alpha * (e^x - 1) elsewhere." DLCC_DOC_FLOAT,
    .attributes = elu_attributes,
    .infer = infer_float,
    .gradient = gradient_by<[](Term x, Term, Term dy, A a) {
      return where(x > 0.0, dy, dy * (alpha(a) * exp(minimum(x, 0.0))));
    }>,
    .element = element_by<[](Scalar x, A a) { return select(x > 0.0, x, alpha(a) * expm1(minimum(x, 0.0))); }>,
    .reference = reference_by<[](double x, A a) { return (x > 0) ? x : a.number("alpha", 1.0) * std::expm1(x); }>,
    .gradient_error = {.of = "the result or alpha times the smallest normal number",
                       .because = "e^x is subnormal far below 0"},
    .samples =
        [] {
          auto samples = kink_at_zero();
          samples.push_back({{{DType::f32, {4}}}, {{"alpha", 0.5}}, {}, {0}});
          return samples;
        },
});

constexpr OpDef selu_op = complete({
    .name = "selu",
    .doc = "scale * (x where x > 0, alpha * (e^x - 1) elsewhere), scale 1.05070, alpha 1.67326." DLCC_DOC_FLOAT,
    .infer = infer_float,
    .gradient = gradient_by<[](Term x, Term, Term dy) {
      return dy * where(x > 0.0, selu_scale, selu_scale * selu_alpha * exp(minimum(x, 0.0)));
    }>,
    .element = element_by<[](Scalar x) {
      return select(x > 0.0, selu_scale * x, selu_scale * selu_alpha * expm1(minimum(x, 0.0)));
    }>,
    .reference =
        reference_by<[](double x) { return 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * std::expm1(x)); }>,
    .samples = kink_at_zero,
});

constexpr OpDef gelu_op = complete({
    .name = "gelu",
    .doc = "x times the normal distribution function, x/2 (1 + erf(x / sqrt 2)); approximate: x/2 (1 + tanh(sqrt(2/pi) "
           "(x + 0.044715 x^3)))." DLCC_DOC_FLOAT,
    .attributes = gelu_attributes,
    .infer = infer_float,
    .gradient = gradient_by<gelu_derivative>,
    .element = element_by<gelu_element>,
    .reference = reference_by<gelu_value>,
    .value_error = {.of = "x; in the tanh form, of the result times 1 + 2 |u|, u being the argument of tanh",
                    .because = "1 + erf(x / sqrt 2) is a difference below 0; u is rounded before e^(2 u) is taken"},
    .gradient_error = {.of = "1; in the tanh form, of its terms times 1 + 2 |u|", .because = "as the value"},
    .samples = gelu_samples,
});

constexpr OpDef silu_op = complete({
    .name = "silu",
    .doc = "x * sigmoid(x)." DLCC_DOC_FLOAT,
    .infer = infer_float,
    // s(x) (1 + x s(-x)), s = sigmoid
    .gradient = gradient_by<[](Term x, Term, Term dy) {
      Sigmoids s = sigmoids(x);
      return dy * (s.of_x * (1.0 + near_zero(x) * s.of_minus_x));
    }>,
    .element = element_by<[](Scalar x) { return above_minus_infinity(x) * sigmoid(x); }>,
    .reference = reference_by<[](double x) { return x / (1 + std::exp(-x)); }>,
    .value_error = {.of = "the result or x times the smallest normal number",
                    .because = "sigmoid(x) is subnormal far below 0"},
    .gradient_error = {.of = "sigmoid(x) or x times the smallest normal number",
                       .because = "it passes through 0 at -1.278, and sigmoid(x) is subnormal far below"},
    .samples = unary_in,
});

constexpr OpDef sigmoid_op = complete({
    .name = "sigmoid",
    .doc = "1 / (1 + e^-x)." DLCC_DOC_FLOAT,
    .infer = infer_float,
    .gradient = gradient_by<[](Term x, Term, Term dy) { return dy * sigmoid_slope(x); }>,
    .element = element_by<[](Scalar x) { return sigmoid(x); }>,
    .reference = reference_by<[](double x) { return 1 / (1 + std::exp(-x)); }>,
    .samples = unary_in,
});

constexpr OpDef hard_sigmoid_op = complete({
    .name = "hard_sigmoid",
    .doc = "min(max(x + 3, 0), 6) / 6. The derivative at -3 and 3 is 0." DLCC_DOC_FLOAT,
    .infer = infer_float,
    .gradient = gradient_by<[](Term x, Term, Term dy) { return where((x > -3.0) & (x < 3.0), dy / 6.0, 0.0); }>,
    .element = element_by<[](Scalar x) { return minimum(maximum(x + 3.0, 0.0), 6.0) / 6.0; }>,
    .reference = reference_by<[](double x) { return std::min(std::max(x / 6 + 0.5, 0.0), 1.0); }>,
    .samples = [] { return unary_samples({-5, 5}, {-3, 3}); },
});

constexpr OpDef softplus_op = complete({
    .name = "softplus",
    .doc = "ln(1 + e^x)." DLCC_DOC_FLOAT,
    .infer = infer_float,
    .gradient = gradient_by<[](Term x, Term, Term dy) { return dy * sigmoid(x); }>,
    .element = element_by<[](Scalar x) { return softplus(x); }>,
    .reference =
        reference_by<[](double x) { return (x > 0) ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }>,
    .samples = unary_in,
});

constexpr OpDef softsign_op = complete({
    .name = "softsign",
    .doc = "x / (1 + |x|)." DLCC_DOC_FLOAT,
    .infer = infer_float,
    .gradient = gradient_by<[](Term x, Term, Term dy) {
      Term denominator = 1.0 + abs(x);
      return dy / denominator / denominator; // its square may overflow
    }>,
    .element = element_by<[](Scalar x) {
      double largest = largest_finite(x.dtype());
      x = maximum(minimum(x, largest), -largest);
      return x / (1.0 + abs(x));
    }>,
    .reference = reference_by<[](double x) { return x / (1 + std::fabs(x)); }>,
    .samples = unary_in,
});

} // namespace dlcc::ops

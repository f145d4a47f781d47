// The elementwise table, part 2: exponentials, logarithms, trigonometry and error functions.
#include "ir/ops/elementwise.h"

#include <cmath>
#include <numbers>

namespace dlcc::ops {

namespace {
// The inverse of the normal distribution function, by bisection: slow, and right to the last digits.
double quantile(double p) {
  if (!(p > 0 && p < 1)) return p == 0 ? -INFINITY : p == 1 ? INFINITY : NAN;
  // By symmetry in the lower half, where erfc keeps its relative precision.
  bool upper = p > 0.5;
  double target = upper ? 1 - p : p, low = -40, high = 0;
  for (int i = 0; i < 200; ++i) {
    double middle = 0.5 * (low + high);
    (0.5 * std::erfc(-middle / std::numbers::sqrt2) < target ? low : high) = middle;
  }
  return upper ? -low : low;
}
} // namespace

constexpr OpDef exp_op = complete({
    .name = "exp",
    .doc = "e^x." DLCC_DOC_FLOAT,
    .infer = infer_float,
    .gradient = gradient_by<[](Term, Term y, Term dy) { return dy * y; }>,
    .element = element_by<[](Scalar x) { return exp(x); }>,
    .reference = reference_by<[](double x) { return std::exp(x); }>,
    .samples = unary_in,
});

constexpr OpDef expm1_op = complete({
    .name = "expm1",
    .doc = "e^x - 1, exact also for small x." DLCC_DOC_FLOAT,
    .infer = infer_float,
    .gradient = gradient_by<[](Term x, Term, Term dy) { return dy * exp(x); }>,
    .element = element_by<[](Scalar x) { return expm1(x); }>,
    .reference = reference_by<[](double x) { return std::expm1(x); }>,
    .samples = unary_in,
});

constexpr OpDef log_op = complete({
    .name = "log",
    .doc = "The natural logarithm; -inf for 0, NaN for negative x." DLCC_DOC_FLOAT,
    .infer = infer_float,
    .gradient = gradient_by<[](Term x, Term, Term dy) { return dy / x; }>,
    .element = element_by<[](Scalar x) { return log(x); }>,
    .reference = reference_by<[](double x) { return std::log(x); }>,
    .samples = [] { return unary_samples({0.25, 4}); },
});

constexpr OpDef log1p_op = complete({
    .name = "log1p",
    .doc = "ln(1 + x), exact also for small x." DLCC_DOC_FLOAT,
    .infer = infer_float,
    .gradient = gradient_by<[](Term x, Term, Term dy) { return dy / (1.0 + x); }>,
    .element = element_by<[](Scalar x) { return log1p(x); }>,
    .reference = reference_by<[](double x) { return std::log1p(x); }>,
    .samples = [] { return unary_samples({-0.5, 2}); },
});

constexpr OpDef sin_op = complete({
    .name = "sin",
    .doc = "The sine of x in radians." DLCC_DOC_FLOAT,
    .infer = infer_float,
    .gradient = gradient_by<[](Term x, Term, Term dy) { return dy * cos(x); }>,
    .element = element_by<[](Scalar x) { return sin(x); }>,
    .reference = reference_by<[](double x) { return std::sin(x); }>,
    .samples = unary_in,
});

constexpr OpDef cos_op = complete({
    .name = "cos",
    .doc = "The cosine of x in radians." DLCC_DOC_FLOAT,
    .infer = infer_float,
    .gradient = gradient_by<[](Term x, Term, Term dy) { return -(dy * sin(x)); }>,
    .element = element_by<[](Scalar x) { return cos(x); }>,
    .reference = reference_by<[](double x) { return std::cos(x); }>,
    .samples = unary_in,
});

constexpr OpDef tanh_op = complete({
    .name = "tanh",
    .doc = "The hyperbolic tangent." DLCC_DOC_FLOAT,
    .infer = infer_float,
    // tanh x = 2 sigmoid(2 x) - 1
    .gradient = gradient_by<[](Term x, Term, Term dy) { return dy * (4.0 * sigmoid_slope(2.0 * x)); }>,
    .element = element_by<[](Scalar x) { return tanh(x); }>,
    .reference = reference_by<[](double x) { return std::tanh(x); }>,
    .samples = unary_in,
});

constexpr OpDef erf_op = complete({
    .name = "erf",
    .doc = "The error function, 2/sqrt(pi) times the integral of e^(-t^2) from 0 to x." DLCC_DOC_FLOAT,
    .infer = infer_float,
    .gradient =
        gradient_by<[](Term x, Term, Term dy) { return dy * (2 * std::numbers::inv_sqrtpi * exp_of_square(x, -1)); }>,
    .element = element_by<[](Scalar x) { return erf(x); }>,
    .reference = reference_by<[](double x) { return std::erf(x); }>,
    .samples = unary_in,
});

constexpr OpDef normal_quantile_op = complete({
    .name = "normal_quantile",
    .doc = "The number that a standard normal variable falls below with probability x; NaN outside [0, 1]." //
    DLCC_DOC_FLOAT,
    .infer = infer_float,
    // 1 / density(y)
    .gradient = gradient_by<[](Term, Term y, Term dy) {
      return dy * (std::sqrt(2 * std::numbers::pi) * exp_of_square(y, 0.5));
    }>,
    .element = element_by<[](Scalar x) { return normal_quantile(x); }>,
    .reference = reference_by<quantile>,
    .value_error = {.ulp = 5, .because = "Wichura's approximation AS 241 with rounded coefficients"},
    .gradient_error = {.ulp = 6,
                       .of = "the result times 1 + y^2",
                       .because = "it is computed from y, which is rounded"},
    .samples = [] { return unary_samples({0.01, 0.99}); },
});

} // namespace dlcc::ops

// The elementwise table, part 1: arithmetic.
#include "ir/ops/elementwise.h"

#include <cmath>

namespace dlcc::ops {

namespace {
using A = const Attributes&;

// NaN is passed on, unlike with std::max; of two equal ones (zeros of both signs) the first is taken.
double larger(double x, double y) { return std::isnan(y) || y > x ? y : x; }
double smaller(double x, double y) { return std::isnan(y) || y < x ? y : x; }
double sign_of(double x) { return std::isnan(x) ? x : static_cast<double>((x > 0) - (x < 0)); }

std::vector<Type> infer_clip(InferContext& c) {
  double low = c.attributes().number("low"), high = c.attributes().number("high");
  return Require(c).floats(0, 1).that(low <= high, 2, [] { return "low is above high, or NaN"; }).result(c.operand(0));
}
constexpr AttributeDef clip_attributes[] = {{"low", AttributeKind::number, "the smallest result", true},
                                            {"high", AttributeKind::number, "the largest result", true}};

std::vector<Sample> positive_and_any() { return binary_samples(DType::f32, {0.5, 2}, {-2, 2}); }
std::vector<Sample> any_and_positive() { return binary_samples(DType::f32, {-2, 2}, {0.5, 2}); }
} // namespace

constexpr OpDef add_op = complete({
    .name = "add",
    .doc = "x + y." DLCC_DOC_NUMBERS,
    .min_operands = 2,
    .max_operands = 2,
    .infer = infer_numbers,
    .gradient =
        gradients_by<[](Term, Term, Term, Term dz) { return dz; }, [](Term, Term, Term, Term dz) { return dz; }>,
    .element = element_by<[](Scalar x, Scalar y) { return x + y; }>,
    .reference = reference_by<[](double x, double y) { return x + y; }>,
    .samples = binary_of<DType::f32>,
});

constexpr OpDef subtract_op = complete({
    .name = "subtract",
    .doc = "x - y." DLCC_DOC_NUMBERS,
    .min_operands = 2,
    .max_operands = 2,
    .infer = infer_numbers,
    .gradient =
        gradients_by<[](Term, Term, Term, Term dz) { return dz; }, [](Term, Term, Term, Term dz) { return -dz; }>,
    .element = element_by<[](Scalar x, Scalar y) { return x - y; }>,
    .reference = reference_by<[](double x, double y) { return x - y; }>,
    .samples = binary_of<DType::f64>,
});

constexpr OpDef multiply_op = complete({
    .name = "multiply",
    .doc = "x * y." DLCC_DOC_NUMBERS,
    .min_operands = 2,
    .max_operands = 2,
    .infer = infer_numbers,
    .gradient = gradients_by<[](Term, Term y, Term, Term dz) { return dz * y; },
                             [](Term x, Term, Term, Term dz) { return dz * x; }>,
    .element = element_by<[](Scalar x, Scalar y) { return x * y; }>,
    .reference = reference_by<[](double x, double y) { return x * y; }>,
    .samples = binary_of<DType::f32>,
});

constexpr OpDef divide_op = complete({
    .name = "divide",
    .doc = "x / y." DLCC_DOC_FLOATS,
    .min_operands = 2,
    .max_operands = 2,
    .infer = infer_floats,
    .gradient = gradients_by<[](Term, Term y, Term, Term dz) { return dz / y; },
                             [](Term, Term y, Term z, Term dz) { return -(dz * z / y); }>,
    .element = element_by<[](Scalar x, Scalar y) { return x / y; }>,
    .reference = reference_by<[](double x, double y) { return x / y; }>,
    .samples = any_and_positive,
});

constexpr OpDef power_op = complete({
    .name = "power",
    .doc = "x^y; NaN for a negative x unless y is whole. The gradient of y is taken as zero where x <= 0, that of x "
           "where y = 0." DLCC_DOC_FLOATS,
    .min_operands = 2,
    .max_operands = 2,
    .infer = infer_floats,
    .gradient = gradients_by<
        // d x^y / dx = y x^(y-1)
        [](Term x, Term y, Term, Term dz) { return where(y == 0.0, 0.0, dz * y * power(x, y - 1.0)); },
        // d x^y / dy = x^y ln x
        [](Term x, Term, Term z, Term dz) {
          Term positive = (x > 0.0);
          return where(positive, dz * z * log(where(positive, x, 1.0)), 0.0);
        }>,
    .element = element_by<[](Scalar x, Scalar y) { return power(x, y); }>,
    .reference = reference_by<[](double x, double y) { return std::pow(x, y); }>,
    .samples = positive_and_any,
});

constexpr OpDef maximum_op = complete({
    .name = "maximum",
    .doc = "The larger of x and y; NaN if one is. Where they are equal, each takes half of the gradient, so that "
           "exchanging them changes nothing." DLCC_DOC_NUMBERS,
    .min_operands = 2,
    .max_operands = 2,
    .infer = infer_numbers,
    .gradient =
        gradients_by<[](Term x, Term y, Term, Term dz) { return where(x > y, dz, where(x == y, 0.5 * dz, 0.0)); },
                     [](Term x, Term y, Term, Term dz) { return where(y > x, dz, where(x == y, 0.5 * dz, 0.0)); }>,
    .element = element_by<[](Scalar x, Scalar y) { return maximum(x, y); }>,
    .reference = reference_by<larger>,
    .samples = binary_of<DType::f32>,
});

constexpr OpDef minimum_op = complete({
    .name = "minimum",
    .doc = "The smaller of x and y; NaN if one is. Where they are equal, each takes half of the gradient." //
    DLCC_DOC_NUMBERS,
    .min_operands = 2,
    .max_operands = 2,
    .infer = infer_numbers,
    .gradient =
        gradients_by<[](Term x, Term y, Term, Term dz) { return where(x < y, dz, where(x == y, 0.5 * dz, 0.0)); },
                     [](Term x, Term y, Term, Term dz) { return where(y < x, dz, where(x == y, 0.5 * dz, 0.0)); }>,
    .element = element_by<[](Scalar x, Scalar y) { return minimum(x, y); }>,
    .reference = reference_by<smaller>,
    .samples = binary_of<DType::f32>,
});

constexpr OpDef negative_op = complete({
    .name = "negative",
    .doc = "-x." DLCC_DOC_SIGNED,
    .infer = infer_signed,
    .gradient = gradient_by<[](Term, Term, Term dy) { return -dy; }>,
    .element = element_by<[](Scalar x) { return -x; }>,
    .reference = reference_by<[](double x) { return -x; }>,
    .samples = unary_in,
});

constexpr OpDef abs_op = complete({
    .name = "abs",
    .doc = "|x|. The derivative at 0 is 0." DLCC_DOC_SIGNED,
    .infer = infer_signed,
    .gradient = gradient_by<[](Term x, Term, Term dy) { return dy * sign(x); }>,
    .element = element_by<[](Scalar x) { return abs(x); }>,
    .reference = reference_by<[](double x) { return std::fabs(x); }>,
    .samples = [] { return unary_samples({-2, 2}, {0}); },
});

constexpr OpDef sign_op = complete({
    .name = "sign",
    .doc = "-1, 0 or 1 as x is negative, zero or positive; NaN for NaN." DLCC_DOC_SIGNED,
    .infer = infer_signed,
    .no_gradient = piecewise_constant,
    .element = element_by<[](Scalar x) { return sign(x); }>,
    .reference = reference_by<sign_of>,
    .samples = [] { return unary_samples({-2, 2}, {0}); },
});

constexpr OpDef square_op = complete({
    .name = "square",
    .doc = "x * x." DLCC_DOC_SIGNED,
    .infer = infer_signed,
    .gradient = gradient_by<[](Term x, Term, Term dy) { return dy * (2.0 * x); }>,
    .element = element_by<[](Scalar x) { return x * x; }>,
    .reference = reference_by<[](double x) { return x * x; }>,
    .samples = unary_in,
});

constexpr OpDef sqrt_op = complete({
    .name = "sqrt",
    .doc = "The square root; NaN for negative x." DLCC_DOC_FLOAT,
    .infer = infer_float,
    .gradient = gradient_by<[](Term, Term y, Term dy) { return 0.5 * dy / y; }>,
    .element = element_by<[](Scalar x) { return sqrt(x); }>,
    .reference = reference_by<[](double x) { return std::sqrt(x); }>,
    .samples = [] { return unary_samples({0.25, 4}); },
});

constexpr OpDef rsqrt_op = complete({
    .name = "rsqrt",
    .doc = "1 / sqrt(x)." DLCC_DOC_FLOAT,
    .infer = infer_float,
    .gradient = gradient_by<[](Term, Term y, Term dy) { return -0.5 * dy * y * y * y; }>,
    .element = element_by<[](Scalar x) { return 1.0 / sqrt(x); }>,
    .reference = reference_by<[](double x) { return 1 / std::sqrt(x); }>,
    .samples = [] { return unary_samples({0.25, 4}); },
});

constexpr OpDef floor_op = complete({
    .name = "floor",
    .doc = "The largest whole number that is not above x." DLCC_DOC_FLOAT,
    .infer = infer_float,
    .no_gradient = piecewise_constant,
    .element = element_by<[](Scalar x) { return floor(x); }>,
    .reference = reference_by<[](double x) { return std::floor(x); }>,
    .samples = unary_in,
});

constexpr OpDef clip_op = complete({
    .name = "clip",
    .doc = "min(max(x, low), high). The gradient passes where low <= x <= high. (C1) The operand is f32 or f64. (C2) "
           "low <= high.",
    .attributes = clip_attributes,
    .infer = infer_clip,
    .gradient = gradient_by<[](Term x, Term, Term dy, A a) {
      return where((x >= a.number("low")) & (x <= a.number("high")), dy, 0.0);
    }>,
    .element = element_by<[](Scalar x, A a) { return minimum(maximum(x, a.number("low")), a.number("high")); }>,
    .reference = reference_by<[](double x, A a) { return smaller(larger(x, a.number("low")), a.number("high")); }>,
    .samples = [] { return unary_samples({-2, 2}, {-1, 0.5}, {{"low", -1.0}, {"high", 0.5}}); },
});

} // namespace dlcc::ops

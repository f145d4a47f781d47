// The elementwise table, part 1: arithmetic.
#include "ir/ops/elementwise.h"

#include <cmath>

namespace dlcc::ops {

namespace {
using A = const Attributes&;

// NaN is passed on, unlike with std::max; of two equal ones (zeros of both signs) the first is taken.
double larger(double x, double y) { return std::isnan(y) || y > x ? y : x; }
double smaller(double x, double y) { return std::isnan(y) || y < x ? y : x; }

template <auto combine> void extremum_element(ElementContext& c) {
  Scalar z = element_of(c, 0);
  for (size_t k = 1; k < c.operand_count(); ++k) z = combine(z, element_of(c, k));
  c.set(z);
}
template <auto combine> void extremum_reference(ReferenceContext& c) {
  size_t at = 0;
  for_each_index(c.result().type.shape, [&](const Shape& index) {
    double z = broadcast_at(c.operand(0), index);
    for (size_t k = 1; k < c.count(); ++k) z = combine(z, broadcast_at(c.operand(k), index));
    c.result().data[at++] = z;
  });
}
// Every operand that equals the extremum gets an equal share.
void extremum_gradient(GradientContext& g) {
  graph::Builder& b = g.build();
  Term z{&b, g.result()}, dz{&b, g.cotangent()}, ties;
  std::vector<Term> is_extremum;
  for (ValueId x : g.node().operands) {
    is_extremum.push_back(Term{&b, x} == z);
    Term one = cast(is_extremum.back(), z.dtype());
    ties = ties.b ? ties + one : one;
  }
  Term share = dz / ties;
  for (size_t k = 0; k < is_extremum.size(); ++k)
    if (g.wanted(k)) g.contribute(k, where(is_extremum[k], share, 0.0));
}
std::vector<Sample> extremum_samples() {
  auto samples = binary_samples(DType::f32);
  for (const Shape& shape : {Shape{3, 5}, Shape{5}})
    samples.push_back({.operands = {{DType::f32, {3, 5}}, {DType::f32, {3, 1}}, {DType::f32, shape}}});
  return samples;
}

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
    .exactly_rounded = true,
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
    .exactly_rounded = true,
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
    .exactly_rounded = true,
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
    .exactly_rounded = true,
    .infer = infer_floats,
    .gradient = gradients_by<[](Term, Term y, Term, Term dz) { return dz / y; },
                             [](Term, Term y, Term z, Term dz) { return -(dz * z / y); }>,
    .element = element_by<[](Scalar x, Scalar y) { return x / y; }>,
    .reference = reference_by<[](double x, double y) { return x / y; }>,
    .gradient_error = {.of = "the result or, where x / y is subnormal, the smallest normal number / y",
                       .because = "x / y has lost digits there"},
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
        [](Term x, Term y, Term z, Term dz) {
          // x^y / x is the better one, as y - 1 is rounded; not where x^y has lost its digits.
          Term yz = y * z, size = abs(yz);
          Term lost = (size < smallest_normal(z.dtype())) | (size > largest_finite(z.dtype()));
          return where(y == 0.0, 0.0, dz * where(lost, y * power(x, y - 1.0), yz / x));
        },
        // d x^y / dy = x^y ln x
        [](Term x, Term, Term z, Term dz) {
          Term positive = (x > 0.0);
          return where(positive, dz * z * log(where(positive, x, 1.0)), 0.0);
        }>,
    .element = element_by<[](Scalar x, Scalar y) { return power(x, y); }>,
    .reference = reference_by<[](double x, double y) { return std::pow(x, y); }>,
    .gradient_error = {.of = "the result or, for y where x^y is subnormal, ln x times the smallest normal number",
                       .because = "x^y has lost digits there; nothing is promised for x where y is subnormal, or where "
                                  "x < 0 and y - 1 is no number of the type"},
    .samples = positive_and_any,
});

constexpr OpDef maximum_op = complete({
    .name = "maximum",
    .doc = "The largest of its operands, element by element; NaN if one is. Operands that are equally large share the "
           "gradient equally." DLCC_DOC_NUMBERS,
    .min_operands = 2,
    .max_operands = -1,
    .exactly_rounded = true,
    .infer = infer_numbers,
    .gradient = extremum_gradient,
    .element = extremum_element<[](Scalar x, Scalar y) { return maximum(x, y); }>,
    .reference = extremum_reference<larger>,
    .samples = extremum_samples,
});

constexpr OpDef minimum_op = complete({
    .name = "minimum",
    .doc = "The smallest of its operands, element by element; NaN if one is. Operands that are equally small share the "
           "gradient equally." DLCC_DOC_NUMBERS,
    .min_operands = 2,
    .max_operands = -1,
    .exactly_rounded = true,
    .infer = infer_numbers,
    .gradient = extremum_gradient,
    .element = extremum_element<[](Scalar x, Scalar y) { return minimum(x, y); }>,
    .reference = extremum_reference<smaller>,
    .samples = extremum_samples,
});

constexpr OpDef negative_op = complete({
    .name = "negative",
    .doc = "-x." DLCC_DOC_SIGNED,
    .exactly_rounded = true,
    .infer = infer_signed,
    .gradient = gradient_by<[](Term, Term, Term dy) { return -dy; }>,
    .element = element_by<[](Scalar x) { return -x; }>,
    .reference = reference_by<[](double x) { return -x; }>,
    .samples = unary_in,
});

constexpr OpDef abs_op = complete({
    .name = "abs",
    .doc = "|x|. The derivative at 0 is 0." DLCC_DOC_SIGNED,
    .exactly_rounded = true,
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
    .exactly_rounded = true,
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
    .gradient = gradient_by<[](Term x, Term y, Term dy) { return -0.5 * dy * y / x; }>,
    .element = element_by<[](Scalar x) { return 1.0 / sqrt(x); }>,
    .reference = reference_by<[](double x) { return 1 / std::sqrt(x); }>,
    .samples = [] { return unary_samples({0.25, 4}); },
});

constexpr OpDef floor_op = complete({
    .name = "floor",
    .doc = "The largest whole number that is not above x." DLCC_DOC_FLOAT,
    .exactly_rounded = true,
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

// The elementwise table, part 3: comparisons, logic, selection and conversion.
#include "ir/ops/elementwise.h"

#include <cmath>

namespace dlcc::ops {

namespace {
// Integers, so that equal pairs occur.
std::vector<Sample> compare_samples() {
  auto samples = binary_samples(DType::i32);
  samples.push_back({.operands = {{DType::f32, {3, 5}}, {DType::f32, {5}}}});
  return samples;
}

std::vector<Sample> bool_samples() {
  std::vector<Sample> samples;
  for (const Shape& shape : {Shape{4, 5}, Shape{}, Shape{0}})
    samples.push_back({.operands = {{DType::boolean, shape}}});
  return samples;
}

std::vector<Type> infer_where(InferContext& c) {
  Require r(c);
  r.dtype(0, DType::boolean, 1).same_dtype(1, 2, 2).broadcast(3);
  return r.result({c.operand(1).dtype, r.common_shape()});
}

void where_gradient(GradientContext& g) {
  graph::Builder& b = g.build();
  Term condition{&b, g.operand(0)}, dy{&b, g.cotangent()};
  if (g.wanted(1)) g.contribute(1, where(condition, dy, 0.0));
  if (g.wanted(2)) g.contribute(2, where(condition, 0.0, dy));
}

std::vector<Sample> where_samples() {
  auto sample = [](Shape c, Shape x, Shape y) {
    return Sample{.operands = {{DType::boolean, c}, {DType::f32, x}, {DType::f32, y}}};
  };
  return {sample({3, 5}, {3, 5}, {3, 5}), sample({3, 1}, {5}, {}), sample({}, {2}, {2}), sample({0, 2}, {2}, {1})};
}

constexpr AttributeDef cast_attributes[] = {{"dtype", AttributeKind::dtype, "the type of the result", true}};

double convert(double x, const Attributes& a) {
  DType to = a.dtype("dtype");
  if (to == DType::boolean) return x != 0;
  return is_integer(to) ? std::trunc(x) : x;
}

std::vector<Sample> cast_samples() {
  auto sample = [](DType from, Shape shape, DType to) {
    return Sample{.operands = {{from, shape}}, .attributes = {{"dtype", to}}};
  };
  return {sample(DType::f32, {3, 5}, DType::f64),  sample(DType::f64, {7}, DType::f32),
          sample(DType::f32, {9}, DType::i32),     sample(DType::i64, {}, DType::f32),
          sample(DType::boolean, {6}, DType::f32), sample(DType::i32, {4, 4}, DType::boolean),
          sample(DType::u8, {0}, DType::f32)};
}
} // namespace

#define DLCC_DOC_COMPARE                                                                                               \
  " False if one of them is NaN. (C1) The operands are numbers of one type. (C2) Their shapes can be broadcast "       \
  "together."

#define DLCC_COMPARISON(op, symbol, text)                                                                              \
  constexpr OpDef op##_op = complete({                                                                                 \
      .name = #op,                                                                                                     \
      .doc = text,                                                                                                     \
      .min_operands = 2,                                                                                               \
      .max_operands = 2,                                                                                               \
      .exactly_rounded = true,                                                                                         \
      .infer = infer_compare,                                                                                          \
      .no_gradient = piecewise_constant,                                                                               \
      .element = element_by<[](Scalar x, Scalar y) { return (x symbol y); }>,                                          \
      .reference = reference_by<[](double x, double y) { return (x symbol y); }>,                                      \
      .samples = compare_samples,                                                                                      \
  });
DLCC_COMPARISON(greater, >, "True where x > y." DLCC_DOC_COMPARE)
DLCC_COMPARISON(greater_equal, >=, "True where x >= y." DLCC_DOC_COMPARE)
DLCC_COMPARISON(less, <, "True where x < y." DLCC_DOC_COMPARE)
DLCC_COMPARISON(less_equal, <=, "True where x <= y." DLCC_DOC_COMPARE)
DLCC_COMPARISON(equal, ==, "True where x = y." DLCC_DOC_COMPARE)
#undef DLCC_COMPARISON

constexpr OpDef not_equal_op = complete({
    .name = "not_equal",
    .doc = "True where x and y differ, or one of them is NaN. (C1) The operands are numbers of one type. (C2) Their "
           "shapes can be broadcast together.",
    .min_operands = 2,
    .max_operands = 2,
    .exactly_rounded = true,
    .infer = infer_compare,
    .no_gradient = piecewise_constant,
    .element = element_by<[](Scalar x, Scalar y) { return !(x == y); }>,
    .reference = reference_by<[](double x, double y) { return x != y; }>,
    .samples = compare_samples,
});

constexpr OpDef logical_and_op = complete({
    .name = "logical_and",
    .doc = "True where both are." DLCC_DOC_BOOLS,
    .min_operands = 2,
    .max_operands = 2,
    .exactly_rounded = true,
    .infer = infer_bools,
    .no_gradient = piecewise_constant,
    .element = element_by<[](Scalar x, Scalar y) { return x & y; }>,
    .reference = reference_by<[](double x, double y) { return x != 0 && y != 0; }>,
    .samples = binary_of<DType::boolean>,
});

constexpr OpDef logical_or_op = complete({
    .name = "logical_or",
    .doc = "True where one or both are." DLCC_DOC_BOOLS,
    .min_operands = 2,
    .max_operands = 2,
    .exactly_rounded = true,
    .infer = infer_bools,
    .no_gradient = piecewise_constant,
    .element = element_by<[](Scalar x, Scalar y) { return x | y; }>,
    .reference = reference_by<[](double x, double y) { return x != 0 || y != 0; }>,
    .samples = binary_of<DType::boolean>,
});

constexpr OpDef logical_not_op = complete({
    .name = "logical_not",
    .doc = "True where x is false. (C1) The operand is bool.",
    .infer = infer_bools,
    .no_gradient = piecewise_constant,
    .element = element_by<[](Scalar x) { return !x; }>,
    .reference = reference_by<[](double x) { return x == 0; }>,
    .samples = bool_samples,
});

constexpr OpDef is_finite_op = complete({
    .name = "is_finite",
    .doc = "True where x is neither NaN nor infinite." DLCC_DOC_FLOAT,
    .infer = [](InferContext& c) { return Require(c).floats(0, 1).result({DType::boolean, c.operand(0).shape}); },
    .no_gradient = piecewise_constant,
    .element = element_by<[](Scalar x) { return abs(x) < static_cast<double>(INFINITY); }>,
    .reference = reference_by<[](double x) { return std::isfinite(x); }>,
    .samples = unary_in,
});

constexpr OpDef where_op = complete({
    .name = "where",
    .doc = "x where the condition is true, y elsewhere: where(condition, x, y). (C1) The condition is bool. (C2) x and "
           "y have one type. (C3) The shapes can be broadcast together.",
    .min_operands = 3,
    .max_operands = 3,
    .exactly_rounded = true,
    .infer = infer_where,
    .gradient = where_gradient,
    .element = element_by<[](Scalar c, Scalar x, Scalar y) { return select(c, x, y); }>,
    .reference = reference_by<[](double c, double x, double y) { return c != 0 ? x : y; }>,
    .samples = where_samples,
});

constexpr OpDef cast_op = complete({
    .name = "cast",
    .doc = "x in another element type: floats are rounded to nearest, and towards zero when they become integers; bool "
           "counts as 0 and 1, and what is not 0 becomes true. A float outside an integer's range has no defined "
           "result.",
    .attributes = cast_attributes,
    .exactly_rounded = true,
    .infer = [](InferContext& c) { return Require(c).result({c.attributes().dtype("dtype"), c.operand(0).shape}); },
    .gradient = gradient_by<[](Term x, Term, Term dy) { return cast(dy, x.dtype()); }>,
    .element =
        [](ElementContext& c) {
          Scalar x = element_of(c, 0);
          DType to = c.result_type().dtype;
          c.set(to == DType::boolean && x.dtype() != to ? !(x == 0.0) : x.to(to));
        },
    .reference = reference_by<convert>,
    .samples = cast_samples,
});

} // namespace dlcc::ops

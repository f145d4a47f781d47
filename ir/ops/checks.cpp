// Effects: operators that pass their operand on and report a fault when its elements are not what they must be.
#include "ir/ops/record.h"

#include <cmath>

namespace dlcc::ops {

namespace {
using A = const Attributes&;

// The codes of the C ABI (runtime/abi.h): DLCC_E_ARG, DLCC_E_NONFINITE and DLCC_SKIPPED.
constexpr int32_t index_fault = -1, nonfinite_fault = -12, nothing_counts = 1;

constexpr AttributeDef index_attributes[] = {
    {"limit", AttributeKind::integer, "valid are 0 <= index < limit", true},
    {"what", AttributeKind::string, "name of the input, for the message", true}};
constexpr AttributeDef finite_attributes[] = {
    {"what", AttributeKind::string, "name of the value, for the message", true}};
constexpr AttributeDef counts_attributes[] = {
    {"what", AttributeKind::string, "name of the labels, for the message", true}};

void pass_on(ReferenceContext& c) { c.result().data = c.operand(0).data; }

// The row of the batch, 0 for a scalar.
Scalar row_of(ElementContext& c) { return value_of(c.build(), c.at().empty() ? loops::Index(0) : c.at()[0]); }

void check_index_element(ElementContext& c) {
  A a = c.attributes();
  Scalar index = element_of(c, 0), wide = index.to(DType::i64), row = row_of(c);
  Scalar outside = (wide < 0.0) | (wide >= static_cast<double>(a.integer("limit")));
  c.check((row < element_of(c, 1, {})) & outside, row, wide, {index_fault, std::string(a.string("what"))});
  c.set(index);
}

void check_finite_element(ElementContext& c) {
  Scalar x = element_of(c, 0);
  // Rows of a gradient are no samples, and a loss is of all of them.
  c.check(!(abs(x) < static_cast<double>(INFINITY)), {}, x.to(DType::f64),
          {nonfinite_fault, std::string(c.attributes().string("what"))});
  c.set(x);
}

void check_counts_element(ElementContext& c) {
  Scalar count = element_of(c, 0);
  c.check(count == 0.0, {}, count.to(DType::f64), {nothing_counts, std::string(c.attributes().string("what"))});
  c.set(count);
}
} // namespace

constexpr OpDef check_index_op = complete({
    .name = "check_index",
    .kind = OpKind::effect,
    .doc = "The indices, check_index(indices, n_valid); the step fails when one of the first n_valid rows has an index "
           "outside [0, limit). (C1) The indices are integers. (C2) n_valid is an i64 scalar.",
    .attributes = index_attributes,
    .min_operands = 2,
    .max_operands = 2,
    .infer =
        [](InferContext& c) {
          return Require(c).integers(0, 1).dtype(1, DType::i64, 2).scalar(1, 2).result(c.operand(0));
        },
    .no_gradient = integer_operand,
    .element = check_index_element,
    .reference = pass_on,
    .samples = []() -> std::vector<Sample> {
      Attributes a{{"limit", int64_t{8}}, {"what", std::string("tokens")}};
      Type n_valid{DType::i64, {}};
      return {{.operands = {{DType::i32, {5, 3}}, n_valid}, .attributes = a},
              {.operands = {{DType::i64, {4}}, n_valid}, .attributes = a},
              {.operands = {{DType::i32, {}}, n_valid}, .attributes = a}};
    },
});

constexpr OpDef check_finite_op = complete({
    .name = "check_finite",
    .kind = OpKind::effect,
    .doc = "The operand; the step fails when an element is NaN or infinite. (C1) The operand is f32 or f64.",
    .attributes = finite_attributes,
    .infer = [](InferContext& c) { return Require(c).floats(0, 1).result(c.operand(0)); },
    .gradient = [](GradientContext& g) { g.contribute(0, g.cotangent()); },
    .element = check_finite_element,
    .reference = pass_on,
    .samples = []() -> std::vector<Sample> {
      Attributes a{{"what", std::string("loss")}};
      return {{.operands = {{DType::f64, {}}}, .attributes = a}, {.operands = {{DType::f32, {3, 5}}}, .attributes = a}};
    },
});

constexpr OpDef check_counts_op = complete({
    .name = "check_counts",
    .kind = OpKind::effect,
    .doc =
        "The count of what the loss is taken of; the step ends, and changes nothing, when it is 0. (C1) The count is a "
        "scalar. (C2) It is f32 or f64.",
    .attributes = counts_attributes,
    .infer = [](InferContext& c) { return Require(c).scalar(0, 1).floats(0, 2).result(c.operand(0)); },
    .gradient = [](GradientContext& g) { g.contribute(0, g.cotangent()); },
    .element = check_counts_element,
    .reference = pass_on,
    .samples = []() -> std::vector<Sample> {
      Attributes a{{"what", std::string("label")}};
      return {{.operands = {{DType::f64, {}}}, .attributes = a, .ranges = {{1, 8}}},
              {.operands = {{DType::f32, {}}}, .attributes = a, .ranges = {{1, 8}}}};
    },
});

} // namespace dlcc::ops

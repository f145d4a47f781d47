// A small table of operators for the tests of ir/graph, which must not depend on ir/ops.
#pragma once

#include "ir/graph/builder.h"

#include <algorithm>

namespace dlcc::graph::toy {

inline std::vector<Sample> no_samples() { return {}; }

inline std::vector<Type> infer_same(InferContext& c) {
  for (size_t k = 1; k < c.count(); ++k)
    if (!(c.operand(k) == c.operand(0))) return c.fail(1, "operands must have one type");
  return {c.operand(0)};
}

template <class F> void map_elements(ReferenceContext& c, F f) {
  for (size_t i = 0; i < c.result().size(); ++i) {
    double second = c.count() > 1 ? c.operand(1).data[i] : 0;
    c.result().data[i] = f(c.operand(0).data[i], second);
  }
}

inline constexpr OpDef add{.name = "add",
                           .doc = "a + b. (C1) One type.",
                           .min_operands = 2,
                           .max_operands = 2,
                           .infer = infer_same,
                           .reference = [](ReferenceContext& c) { map_elements(c, std::plus<>()); },
                           .samples = no_samples};

inline constexpr OpDef multiply{.name = "multiply",
                                .doc = "a * b. (C1) One type.",
                                .min_operands = 2,
                                .max_operands = 2,
                                .infer = infer_same,
                                .reference = [](ReferenceContext& c) { map_elements(c, std::multiplies<>()); },
                                .samples = no_samples};

inline constexpr AttributeDef leaky_attributes[] = {{"slope", AttributeKind::number, "below zero"}};
inline constexpr OpDef leaky{.name = "leaky",
                             .doc = "x if x > 0, else slope * x.",
                             .attributes = leaky_attributes,
                             .infer = infer_same,
                             .reference =
                                 [](ReferenceContext& c) {
                                   double slope = c.attributes().number("slope");
                                   map_elements(c, [&](double x, double) { return x > 0 ? x : slope * x; });
                                 },
                             .samples = no_samples};

/// Two results, so that left sides with more than one name are met.
inline constexpr OpDef split{
    .name = "split",
    .kind = OpKind::reduction,
    .doc = "(sum of the elements, their number).",
    .infer = [](InferContext& c) -> std::vector<Type> { return {{c.operand(0).dtype, {}}, {DType::i64, {}}}; },
    .reference =
        [](ReferenceContext& c) {
          c.result(0).data[0] = 0;
          for (double x : c.operand(0).data) c.result(0).data[0] += x;
          c.result(1).data[0] = static_cast<double>(c.operand(0).size());
        },
    .samples = no_samples};

/// No result: only its effect.
inline constexpr OpDef check_finite{.name = "check_finite",
                                    .kind = OpKind::effect,
                                    .doc = "Reports values that are not finite.",
                                    .infer = [](InferContext&) -> std::vector<Type> { return {}; },
                                    .reference = [](ReferenceContext&) {},
                                    .samples = no_samples};

/// a * a + a, by its body alone.
inline constexpr OpDef square_plus{
    .name = "square_plus",
    .kind = OpKind::composite,
    .doc = "a * a + a.",
    .infer = infer_same,
    .body = [](Builder& b, std::span<const ValueId> x, const Attributes&) -> std::vector<ValueId> {
      return {b.add("add", {b.add("multiply", {x[0], x[0]}), x[0]})};
    },
    .samples = no_samples};

inline constexpr AttributeDef constant_attributes[] = {{"value", AttributeKind::number, "of rank 0"},
                                                       {"values", AttributeKind::numbers, "row-major"},
                                                       {"dtype", AttributeKind::dtype, "element type", true},
                                                       {"shape", AttributeKind::integers, "of values"}};
inline constexpr OpDef constant{
    .name = "constant",
    .doc = "Known numbers.",
    .attributes = constant_attributes,
    .min_operands = 0,
    .max_operands = 0,
    .infer = [](InferContext& c) -> std::vector<Type> {
      return {{c.attributes().dtype("dtype"), c.attributes().integers("shape")}};
    },
    .reference =
        [](ReferenceContext& c) {
          bool list = c.attributes().has("values");
          if (list)
            std::copy_n(c.attributes().numbers("values").begin(), c.result().size(), c.result().data.begin());
          else
            std::fill(c.result().data.begin(), c.result().data.end(), c.attributes().number("value"));
        },
    .samples = no_samples};

inline constexpr const OpDef* table[] = {&add, &multiply, &leaky, &split, &check_finite, &square_plus, &constant};
inline constexpr OpTable ops{table};

} // namespace dlcc::graph::toy

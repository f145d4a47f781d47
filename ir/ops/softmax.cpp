// softmax and log_softmax, shifted by the largest element so that nothing overflows.
#include "ir/ops/record.h"

#include <algorithm>
#include <cmath>

namespace dlcc::ops {

namespace {
using A = const Attributes&;

constexpr AttributeDef axis_attribute[] = {
    {"axis", AttributeKind::integer, "the axis that is normalised, from the end if negative; -1 if absent"}};

int64_t axis_in(A a, size_t rank) { return normalize_axis(a.integer("axis", -1), rank).value(); }

std::vector<Type> infer_softmax(InferContext& c) {
  const Type& x = c.operand(0);
  Require r(c);
  r.floats(0, 1).axis(c.attributes().integer("axis", -1), x.rank(), 2);
  if (!r) return {};
  int64_t axis = axis_in(c.attributes(), x.rank());
  r.that(x.shape[static_cast<size_t>(axis)] > 0, 3,
         [&] { return "axis " + std::to_string(axis) + " of " + to_string(x.shape) + " is empty"; });
  return r.result(x);
}

std::vector<ValueId> softmax_body(graph::Builder& b, std::span<const ValueId> v, A a) {
  Term x{&b, v[0]};
  std::vector<int64_t> axis{axis_in(a, x.shape().size())};
  Term e = exp(x - max(x, axis, true));
  return {e / sum(e, axis, true)};
}

std::vector<ValueId> log_softmax_body(graph::Builder& b, std::span<const ValueId> v, A a) {
  Term x{&b, v[0]};
  std::vector<int64_t> axis{axis_in(a, x.shape().size())};
  Term shifted = x - max(x, axis, true);
  return {shifted - log(sum(exp(shifted), axis, true))};
}

// dx = y (dy - sum(dy y))
void softmax_gradient(GradientContext& g) {
  Term y{&g.build(), g.result()}, dy{&g.build(), g.cotangent()};
  std::vector<int64_t> axis{axis_in(g.node().attributes, y.shape().size())};
  g.contribute(0, y * (dy - sum(dy * y, axis, true)));
}

// dx = dy - e^y sum(dy)
void log_softmax_gradient(GradientContext& g) {
  Term y{&g.build(), g.result()}, dy{&g.build(), g.cotangent()};
  std::vector<int64_t> axis{axis_in(g.node().attributes, y.shape().size())};
  g.contribute(0, dy - exp(y) * sum(dy, axis, true));
}

// result = finish(x - log(sum of e^x)) along the axis.
template <auto finish> void reference(ReferenceContext& c) {
  const Tensor& x = c.operand(0);
  auto axis = static_cast<size_t>(axis_in(c.attributes(), x.type.rank()));
  Shape rows = x.type.shape;
  rows[axis] = 1;
  for_each_index(rows, [&](const Shape& row) {
    double largest = -INFINITY, total = 0;
    auto each = [&](auto visit) {
      for (Shape at = row; at[axis] < x.type.shape[axis]; ++at[axis]) visit(offset_of(x.type.shape, at));
    };
    each([&](size_t i) { largest = std::max(largest, x.data[i]); });
    each([&](size_t i) { total += std::exp(x.data[i] - largest); });
    each([&](size_t i) { c.result().data[i] = finish(x.data[i] - largest - std::log(total)); });
  });
}
double identity(double x) { return x; }
double exponential(double x) { return std::exp(x); }

std::vector<Sample> softmax_samples() {
  auto sample = [](Shape shape, int64_t axis) {
    return Sample{.operands = {{DType::f32, shape}}, .attributes = {{"axis", axis}}, .ranges = {{-4, 4}}};
  };
  return {sample({3, 10}, -1), sample({7}, 0),     sample({2, 5, 3}, 1),
          sample({4, 1}, 1),   sample({0, 3}, -1), {.operands = {{DType::f64, {2, 40}}}, .ranges = {{-4, 4}}}};
}
} // namespace

constexpr OpDef softmax_op = complete({
    .name = "softmax",
    .kind = OpKind::composite,
    .doc =
        "e^(x - max x) / sum of e^(x - max x) along an axis; NaN where all are -inf. (C1) The operand is f32 or f64. "
        "(C2) The axis exists. (C3) It is not empty.",
    .attributes = axis_attribute,
    .infer = infer_softmax,
    .gradient = softmax_gradient,
    .body = softmax_body,
    .reference = reference<exponential>,
    .value_error = {.of = "the result times 1 + max x - x", .because = "x - max x is rounded"},
    .gradient_error = {.of = "the result's and the cotangent's product times 2 + max x - x",
                       .because = "x - max x is rounded, and 1 - softmax(x) may be small"},
    .samples = softmax_samples,
});

constexpr OpDef log_softmax_op = complete({
    .name = "log_softmax",
    .kind = OpKind::composite,
    .doc = "x - max x - ln(sum of e^(x - max x)) along an axis. (C1) The operand is f32 or f64. (C2) The axis exists. "
           "(C3) "
           "It is not empty.",
    .attributes = axis_attribute,
    .infer = infer_softmax,
    .gradient = log_softmax_gradient,
    .body = log_softmax_body,
    .reference = reference<identity>,
    .value_error = {.of = "the larger of 1 and max x - x", .because = "ln(sum of e^(x - max x)) is close to 0"},
    .gradient_error = {.of = "the larger of the cotangent and softmax(x) (1 + max x - x) times its sum",
                       .because = "x - max x is rounded"},
    .samples = softmax_samples,
});

} // namespace dlcc::ops

// Means over the valid rows of a batch: what lies behind n_valid is padding and must not count.
#include "ir/ops/record.h"

#include <algorithm>

namespace dlcc::ops {

namespace {
using A = const Attributes&;

constexpr AttributeDef spread_attributes[] = {{"shape", AttributeKind::integers, "of the result", true},
                                              {"dtype", AttributeKind::dtype, "of the result; f32 if absent"}};

int64_t elements_a_row(const Shape& shape) { return element_count({shape.begin() + 1, shape.end()}); }

// n_valid * elements a row, at least 1, as f64.
Scalar count_of(Scalar n_valid, const Shape& shape) {
  return maximum(n_valid * static_cast<double>(elements_a_row(shape)), 1.0).to(DType::f64);
}
double count_of(double n_valid, const Shape& shape) {
  return std::max(1.0, n_valid * static_cast<double>(elements_a_row(shape)));
}

// ---- mean_valid -----------------------------------------------------------------------------------------------------

std::vector<Type> infer_mean_valid(InferContext& c) {
  return Require(c).floats(0, 1).rank_at_least(0, 1, 2).dtype(1, DType::i64, 3).scalar(1, 3).result({DType::f64, {}});
}

void mean_valid_element(ElementContext& c) {
  const Shape& shape = c.operand_type(0).shape;
  Scalar n_valid = element_of(c, 1, {});
  Scalar total{&c.build(), c.reduce(loops::Combine::sum, shape, [&](std::span<const loops::Index> i) -> ExprId {
                 Scalar x = element_of(c, 0, {i.begin(), i.end()}).to(DType::f64);
                 return select(value_of(c.build(), i[0]) < n_valid, x, 0.0);
               })};
  c.set(total / count_of(n_valid, shape));
}

void mean_valid_reference(ReferenceContext& c) {
  const Tensor& x = c.operand(0);
  double n_valid = c.operand(1).data[0], total = 0;
  size_t i = 0;
  for_each_index(x.type.shape, [&](const Shape& at) {
    double value = x.data[i++];
    if (static_cast<double>(at[0]) < n_valid) total += value;
  });
  c.result().data[0] = total / count_of(n_valid, x.type.shape);
}

void mean_valid_gradient(GradientContext& g) {
  const Type x = g.build().type(g.operand(0));
  g.contribute(
      0, apply(g.build(), spread_valid_op, {g.cotangent(), g.operand(1)}, {{"shape", x.shape}, {"dtype", x.dtype}}));
}

std::vector<Sample> mean_valid_samples() {
  auto sample = [](Type x, double n_valid) {
    return Sample{.operands = {x, {DType::i64, {}}}, .ranges = {{-2, 2}, {n_valid, n_valid + 1}}};
  };
  return {sample({DType::f32, {7}}, 5), sample({DType::f32, {4, 3}}, 4), sample({DType::f64, {5, 1}}, 1),
          sample({DType::f32, {6, 2}}, 0), sample({DType::f32, {70}}, 69)};
}

// ---- spread_valid ---------------------------------------------------------------------------------------------------

std::vector<Type> infer_spread_valid(InferContext& c) {
  const Shape& shape = c.attributes().integers("shape");
  DType dtype = c.attributes().dtype("dtype");
  Require r(c);
  r.dtype(0, DType::f64, 1).scalar(0, 1).dtype(1, DType::i64, 2).scalar(1, 2).dimensions(shape, 3);
  r.that(!shape.empty() && is_float(dtype), 3, [] { return std::string("the result needs an axis, and floats"); });
  return r.result({dtype, shape});
}

void spread_valid_element(ElementContext& c) {
  Scalar d = element_of(c, 0, {}), n_valid = element_of(c, 1, {}), row = value_of(c.build(), c.at()[0]);
  Scalar share = (d / count_of(n_valid, c.result_type().shape)).to(c.result_type().dtype);
  c.set(select(row < n_valid, share, 0.0));
}

void spread_valid_reference(ReferenceContext& c) {
  double n_valid = c.operand(1).data[0], share = c.operand(0).data[0] / count_of(n_valid, c.result().type.shape);
  size_t i = 0;
  for_each_index(c.result().type.shape,
                 [&](const Shape& at) { c.result().data[i++] = static_cast<double>(at[0]) < n_valid ? share : 0; });
}

std::vector<Sample> spread_valid_samples() {
  auto sample = [](Shape shape, double n_valid) {
    return Sample{.operands = {{DType::f64, {}}, {DType::i64, {}}},
                  .attributes = {{"shape", shape}},
                  .ranges = {{-2, 2}, {n_valid, n_valid + 1}}};
  };
  std::vector<Sample> samples{sample({7}, 5), sample({4, 3}, 4), sample({5, 1}, 1), sample({6, 2}, 0)};
  samples[1].attributes.set("dtype", DType::f64);
  return samples;
}
} // namespace

constexpr OpDef mean_valid_op = complete({
    .name = "mean_valid",
    .kind = OpKind::reduction,
    .doc =
        "mean_valid(rows, n_valid): the mean, in f64, of all elements whose first index is below n_valid; 0 if there "
        "is none. (C1) The rows are f32 or f64. (C2) They have an axis. (C3) n_valid is an i64 scalar.",
    .min_operands = 2,
    .max_operands = 2,
    .infer = infer_mean_valid,
    .gradient = mean_valid_gradient,
    .element = mean_valid_element,
    .reference = mean_valid_reference,
    .samples = mean_valid_samples,
});

constexpr OpDef spread_valid_op = complete({
    .name = "spread_valid",
    .doc =
        "The gradient of mean_valid, spread_valid(d, n_valid): d / (n_valid * elements a row) in the first n_valid "
        "rows, 0 behind them. (C1) d is an f64 scalar. (C2) n_valid is an i64 scalar. (C3) The shape has an axis, and "
        "the elements are f32 or f64.",
    .attributes = spread_attributes,
    .min_operands = 2,
    .max_operands = 2,
    .infer = infer_spread_valid,
    .gradient = [](GradientContext& g) { g.contribute(0, mean_valid(g.build(), g.cotangent(), g.operand(1))); },
    .element = spread_valid_element,
    .reference = spread_valid_reference,
    .samples = spread_valid_samples,
});

} // namespace dlcc::ops

// Matrix products; their gradients are matrix products with the transposes chosen so that nothing is transposed in
// memory.
#include "ir/ops/record.h"

namespace dlcc::ops {

namespace {
using loops::Index;
using A = const Attributes&;

constexpr AttributeDef matmul_attributes[] = {
    {"transpose_a", AttributeKind::boolean, "use the transpose of the left matrices; false if absent"},
    {"transpose_b", AttributeKind::boolean, "use the transpose of the right matrices; false if absent"}};

/// op(A)[m, k] op(B)[k, n]
struct Sizes {
  int64_t m, k, other_k, n;
};
Sizes sizes_of(const Shape& a, const Shape& b, A attributes) {
  auto last = [](const Shape& s, size_t from_end) { return s[s.size() - from_end]; };
  bool ta = attributes.boolean("transpose_a"), tb = attributes.boolean("transpose_b");
  return {last(a, ta ? 1 : 2), last(a, ta ? 2 : 1), last(b, tb ? 1 : 2), last(b, tb ? 2 : 1)};
}
Shape batch_of(const Shape& s) { return {s.begin(), s.end() - 2}; }

std::vector<Type> infer_matmul(InferContext& c) {
  Require r(c);
  r.floats(0, 1).same_dtype(1).rank_at_least(0, 2, 2).rank_at_least(1, 2, 2);
  if (!r) return {};
  const Shape &a = c.operand(0).shape, &b = c.operand(1).shape;
  auto [m, k, other_k, n] = sizes_of(a, b, c.attributes());
  r.that(k == other_k, 3, [&, k = k, l = other_k] {
    return "inner dimensions " + std::to_string(k) + " and " + std::to_string(l) + " differ in " + to_string(a) +
           " x " + to_string(b);
  });
  auto batch = broadcast_shapes(batch_of(a), batch_of(b));
  r.that(batch.has_value(), 4, [&] {
    return "batch axes " + to_string(batch_of(a)) + " and " + to_string(batch_of(b)) + " cannot be broadcast together";
  });
  if (!r) return {};
  batch->push_back(m), batch->push_back(n);
  return r.result({c.operand(0).dtype, *batch});
}

// The index into an operand: its own batch axes, then row and column, exchanged if it is transposed.
std::vector<Index> operand_index(const std::vector<Index>& at, const Shape& shape, Index row, Index column,
                                 bool transposed) {
  std::vector<Index> index;
  size_t batch = shape.size() - 2, skipped = at.size() - shape.size();
  for (size_t axis = 0; axis < batch; ++axis) index.push_back(shape[axis] == 1 ? Index(0) : at[skipped + axis]);
  if (transposed) std::swap(row, column);
  index.push_back(std::move(row)), index.push_back(std::move(column));
  return index;
}

void matmul_element(ElementContext& c) {
  const Shape &a = c.operand_type(0).shape, &b = c.operand_type(1).shape;
  bool ta = c.attributes().boolean("transpose_a"), tb = c.attributes().boolean("transpose_b");
  const std::vector<Index>& at = c.at();
  const Index &row = at[at.size() - 2], &column = at.back();
  c.set(c.contract({sizes_of(a, b, c.attributes()).k}, [&](std::span<const Index> k) {
    return std::pair{c.operand(0, operand_index(at, a, row, k[0], ta)),
                     c.operand(1, operand_index(at, b, k[0], column, tb))};
  }));
}

void matmul_reference(ReferenceContext& c) {
  const Tensor &a = c.operand(0), &b = c.operand(1);
  bool ta = c.attributes().boolean("transpose_a"), tb = c.attributes().boolean("transpose_b");
  int64_t depth = sizes_of(a.type.shape, b.type.shape, c.attributes()).k;
  auto element = [](const Tensor& t, const Shape& at, int64_t row, int64_t column, bool transposed) {
    const Shape& shape = t.type.shape;
    Shape index;
    for (size_t axis = 0; axis + 2 < shape.size(); ++axis)
      index.push_back(shape[axis] == 1 ? 0 : at[at.size() - shape.size() + axis]);
    index.push_back(transposed ? column : row), index.push_back(transposed ? row : column);
    return t.data[offset_of(shape, index)];
  };
  size_t i = 0;
  for_each_index(c.result().type.shape, [&](const Shape& at) {
    double total = 0;
    for (int64_t k = 0; k < depth; ++k)
      total += element(a, at, at[at.size() - 2], k, ta) * element(b, at, k, at.back(), tb);
    c.result().data[i++] = total;
  });
}

// A matrix as one with all rows of its batch below each other.
Term as_rows(Term x) {
  int64_t width = x.shape().back(), rows = 1;
  for (size_t axis = 0; axis + 1 < x.shape().size(); ++axis) rows *= x.shape()[axis];
  return reshape(x, {rows, width});
}

// With C = op(A) op(B): d op(A) = dC op(B)^T and d op(B) = op(A)^T dC, or their transposes.
void matmul_gradient(GradientContext& g) {
  graph::Builder& builder = g.build();
  Term a{&builder, g.operand(0)}, b{&builder, g.operand(1)}, dc{&builder, g.cotangent()};
  bool ta = g.node().attributes.boolean("transpose_a"), tb = g.node().attributes.boolean("transpose_b");
  if (g.wanted(0)) g.contribute(0, ta ? matmul(b, dc, tb, true) : matmul(dc, b, false, !tb));
  if (!g.wanted(1)) return;
  if (b.shape().size() == 2 && a.shape().size() > 2 && !ta) {
    // One weight for the whole batch: the batch joins the summed rows instead of being summed afterwards.
    a = as_rows(a), dc = as_rows(dc);
  }
  g.contribute(1, tb ? matmul(dc, a, true, ta) : matmul(a, dc, !ta, false));
}

std::vector<Sample> matmul_samples() {
  std::vector<Sample> samples;
  auto add = [&](DType t, Shape a, Shape b, bool ta = false, bool tb = false) {
    samples.push_back({.operands = {{t, a}, {t, b}}});
    if (ta) samples.back().attributes.set("transpose_a", true);
    if (tb) samples.back().attributes.set("transpose_b", true);
  };
  add(DType::f32, {3, 5}, {5, 4});
  add(DType::f64, {5, 3}, {5, 4}, true);
  add(DType::f32, {3, 5}, {4, 5}, false, true);
  add(DType::f32, {5, 3}, {4, 5}, true, true);
  add(DType::f32, {1, 1}, {1, 1});
  add(DType::f32, {33, 1}, {1, 17});
  add(DType::f32, {1, 40}, {40, 1});
  add(DType::f32, {2, 3, 4}, {4, 5});
  add(DType::f32, {2, 4, 3}, {4, 5}, true);
  add(DType::f32, {2, 3, 4}, {5, 4}, false, true);
  add(DType::f32, {2, 3, 4}, {2, 4, 5});
  add(DType::f32, {2, 1, 3, 4}, {3, 4, 2});
  add(DType::f32, {3, 4}, {2, 4, 2});
  add(DType::f32, {2, 0}, {0, 3});
  add(DType::f32, {0, 3}, {3, 2});
  return samples;
}

std::vector<Type> infer_matvec(InferContext& c) {
  Require r(c);
  r.floats(0, 1).same_dtype(1).rank(0, 2, 2).rank(1, 1, 2);
  if (!r) return {};
  int64_t k = c.operand(0).shape[1], l = c.operand(1).shape[0];
  r.that(k == l, 3, [&] {
    return "inner dimensions " + std::to_string(k) + " and " + std::to_string(l) + " differ in " +
           to_string(c.operand(0).shape) + " x " + to_string(c.operand(1).shape);
  });
  return r.result({c.operand(0).dtype, {c.operand(0).shape[0]}});
}
} // namespace

constexpr OpDef matmul_op = complete({
    .name = "matmul",
    .kind = OpKind::contract,
    .doc =
        "The matrix product over the last two axes, C[m, n] = sum over k of A[m, k] B[k, n]; leading axes are a batch "
        "and broadcast. (C1) The operands are floats of one type. (C2) They have at least two axes. (C3) The inner "
        "dimensions are equal. (C4) The batch axes can be broadcast together.",
    .attributes = matmul_attributes,
    .min_operands = 2,
    .max_operands = 2,
    .infer = infer_matmul,
    .gradient = matmul_gradient,
    .element = matmul_element,
    .reference = matmul_reference,
    .samples = matmul_samples,
});

constexpr OpDef matvec_op = complete({
    .name = "matvec",
    .kind = OpKind::composite,
    .doc = "The product of a matrix [m, k] and a vector [k], y[m] = sum over k of A[m, k] x[k]. (C1) The operands are "
           "floats of one type. (C2) They have two axes and one. (C3) The inner dimensions are equal.",
    .min_operands = 2,
    .max_operands = 2,
    .infer = infer_matvec,
    .body = [](graph::Builder& b, std::span<const ValueId> x, A) -> std::vector<ValueId> {
      Term a{&b, x[0]}, v{&b, x[1]};
      return {reshape(matmul(a, reshape(v, {v.shape()[0], 1})), {a.shape()[0]})};
    },
    .reference =
        [](ReferenceContext& c) {
          size_t width = c.operand(1).size();
          for (size_t i = 0; i < c.result().size(); ++i) {
            double total = 0;
            for (size_t k = 0; k < width; ++k) total += c.operand(0).data[i * width + k] * c.operand(1).data[k];
            c.result().data[i] = total;
          }
        },
    .samples = []() -> std::vector<Sample> {
      return {{.operands = {{DType::f32, {3, 5}}, {DType::f32, {5}}}},
              {.operands = {{DType::f64, {1, 70}}, {DType::f64, {70}}}},
              {.operands = {{DType::f32, {2, 0}}, {DType::f32, {0}}}}};
    },
});

} // namespace dlcc::ops

// Movement that keeps every element: reshape, transpose, broadcast_to.
#include "ir/ops/indices.h"
#include "ir/ops/record.h"

#include <algorithm>
#include <numeric>

namespace dlcc::ops {

namespace {
using loops::Index;

constexpr AttributeDef shape_attribute[] = {{"shape", AttributeKind::integers, "the shape of the result", true}};
constexpr AttributeDef reshape_attributes[] = {
    {"shape", AttributeKind::integers, "the shape of the result; one -1 is computed from the rest", true}};
constexpr AttributeDef transpose_attributes[] = {
    {"permutation", AttributeKind::integers,
     "axis k of the result is axis permutation[k] of the operand; the axes in "
     "reverse order if absent"}};

// ---- reshape --------------------------------------------------------------------------------------------------------

// The shape with its -1 replaced, if that is possible.
Shape resolved(Shape shape, int64_t count) {
  auto open = std::find(shape.begin(), shape.end(), int64_t{-1});
  if (open == shape.end()) return shape;
  *open = 1;
  int64_t rest = checked_elements(shape).value_or(0);
  *open = rest > 0 && count % rest == 0 ? count / rest : -1;
  return shape;
}

std::vector<Type> infer_reshape(InferContext& c) {
  const Type& x = c.operand(0);
  Require r(c);
  Shape wanted = c.attributes().integers("shape"), shape = resolved(wanted, element_count(x.shape));
  const auto open = std::count(wanted.begin(), wanted.end(), int64_t{-1});
  bool sane = std::all_of(shape.begin(), shape.end(), [](int64_t d) { return d >= 0; });
  r.that(open < 2, 1,
         [&] { return to_string(wanted) + " has " + std::to_string(open) + " dimensions -1, expected one"; });
  r.that(std::all_of(wanted.begin(), wanted.end(), [](int64_t d) { return d >= -1; }), 1,
         [&] { return to_string(wanted) + " has a dimension below -1"; });
  r.that(sane && checked_elements(shape) == element_count(x.shape), 1, [&] {
    return to_string(x.shape) + " has " + std::to_string(element_count(x.shape)) + " elements and cannot become " +
           to_string(wanted);
  });
  return r.result({x.dtype, shape});
}

void copy_in_order(ReferenceContext& c) { c.result().data = c.operand(0).data; }

std::vector<Sample> reshape_samples() {
  auto sample = [](Shape from, Shape to) {
    return Sample{.operands = {{DType::f32, from}}, .attributes = {{"shape", to}}};
  };
  return {sample({3, 4}, {12}),   sample({12}, {3, 4}),         sample({2, 3, 4}, {2, 12}), sample({2, 12}, {2, 3, -1}),
          sample({6, 4}, {3, 8}), sample({3, 5}, {1, 3, 1, 5}), sample({1, 3, 1}, {3}),     sample({}, {1, 1}),
          sample({1}, {}),        sample({0, 3}, {3, 0}),       sample({4, 6, 5}, {8, 15})};
}

// ---- transpose ------------------------------------------------------------------------------------------------------

std::vector<int64_t> permutation_of(const Attributes& a, size_t rank) {
  if (a.has("permutation")) return a.integers("permutation");
  std::vector<int64_t> reversed(rank);
  std::iota(reversed.rbegin(), reversed.rend(), int64_t{0});
  return reversed;
}

std::vector<int64_t> inverse(const std::vector<int64_t>& permutation) {
  std::vector<int64_t> result(permutation.size());
  for (size_t k = 0; k < permutation.size(); ++k) result[static_cast<size_t>(permutation[k])] = static_cast<int64_t>(k);
  return result;
}

std::vector<Type> infer_transpose(InferContext& c) {
  const Type& x = c.operand(0);
  auto permutation = permutation_of(c.attributes(), x.rank()), sorted = permutation;
  std::sort(sorted.begin(), sorted.end());
  std::vector<int64_t> all(x.rank());
  std::iota(all.begin(), all.end(), int64_t{0});
  Require r(c);
  r.that(sorted == all, 1,
         [&] { return to_string(permutation) + " is no permutation of the axes of " + to_string(x.shape); });
  if (!r) return {};
  Shape shape;
  for (int64_t axis : permutation) shape.push_back(x.shape[static_cast<size_t>(axis)]);
  return r.result({x.dtype, shape});
}

template <class T> std::vector<T> un_permuted(const std::vector<T>& at, const std::vector<int64_t>& permutation) {
  std::vector<T> result(at.size());
  for (size_t k = 0; k < at.size(); ++k) result[static_cast<size_t>(permutation[k])] = at[k];
  return result;
}

std::vector<Sample> transpose_samples() {
  auto sample = [](Shape shape, std::vector<int64_t> permutation) {
    return Sample{.operands = {{DType::f32, shape}}, .attributes = {{"permutation", permutation}}};
  };
  return {sample({3, 5}, {1, 0}),
          sample({2, 3, 4}, {2, 0, 1}),
          sample({2, 3, 4, 1}, {0, 2, 1, 3}),
          sample({7}, {0}),
          sample({0, 3}, {1, 0}),
          {.operands = {{DType::f32, {3, 4}}}},
          {.operands = {{DType::f32, {}}}}};
}

// ---- broadcast_to ---------------------------------------------------------------------------------------------------

std::vector<Type> infer_broadcast(InferContext& c) {
  const Shape &from = c.operand(0).shape, &to = c.attributes().integers("shape");
  Require r(c);
  r.dimensions(to, 1).that(can_broadcast(from, to), 1,
                           [&] { return to_string(from) + " cannot be broadcast to " + to_string(to); });
  return r.result({c.operand(0).dtype, to});
}

std::vector<Sample> broadcast_samples() {
  auto sample = [](Shape from, Shape to) {
    return Sample{.operands = {{DType::f32, from}}, .attributes = {{"shape", to}}};
  };
  return {sample({5}, {3, 5}), sample({3, 1}, {3, 5}), sample({}, {2, 2}),
          sample({4}, {4}),    sample({1}, {0}),       sample({2, 1, 3}, {2, 4, 3})};
}
} // namespace

constexpr OpDef reshape_op = complete({
    .name = "reshape",
    .kind = OpKind::view,
    .doc = "The same elements in the same row-major order under another shape. (C1) The number of elements stays.",
    .attributes = reshape_attributes,
    .same_order = true,
    .infer = infer_reshape,
    .gradient =
        [](GradientContext& g) {
          graph::Builder& b = g.build();
          g.contribute(0, reshape(Term{&b, g.cotangent()}, b.type(g.operand(0)).shape));
        },
    .element =
        [](ElementContext& c) {
          c.set(c.operand(0, reindexed(c.build(), c.at(), c.result_type().shape, c.operand_type(0).shape)));
        },
    .reference = copy_in_order,
    .samples = reshape_samples,
});

constexpr OpDef transpose_op = complete({
    .name = "transpose",
    .kind = OpKind::view,
    .doc = "The axes in another order. (C1) The permutation names every axis once.",
    .attributes = transpose_attributes,
    .infer = infer_transpose,
    .gradient =
        [](GradientContext& g) {
          graph::Builder& b = g.build();
          size_t rank = b.type(g.operand(0)).rank();
          g.contribute(0, transpose(Term{&b, g.cotangent()}, inverse(permutation_of(g.node().attributes, rank))));
        },
    .element =
        [](ElementContext& c) {
          c.set(c.operand(0, un_permuted(c.at(), permutation_of(c.attributes(), c.at().size()))));
        },
    .reference =
        [](ReferenceContext& c) {
          const Tensor& x = c.operand(0);
          auto permutation = permutation_of(c.attributes(), x.type.rank());
          size_t i = 0;
          for_each_index(c.result().type.shape, [&](const Shape& at) {
            c.result().data[i++] = x.data[offset_of(x.type.shape, un_permuted(at, permutation))];
          });
        },
    .samples = transpose_samples,
});

constexpr OpDef broadcast_to_op = complete({
    .name = "broadcast_to",
    .kind = OpKind::view,
    .doc = "The operand repeated along new leading axes and axes of extent 1. (C1) NumPy's rule allows it.",
    .attributes = shape_attribute,
    .infer = infer_broadcast,
    .gradient = [](GradientContext& g) { g.contribute(0, g.cotangent()); },
    .element = [](ElementContext& c) { c.set(c.operand(0)); },
    .reference =
        [](ReferenceContext& c) {
          size_t i = 0;
          for_each_index(c.result().type.shape,
                         [&](const Shape& at) { c.result().data[i++] = broadcast_at(c.operand(0), at); });
        },
    .samples = broadcast_samples,
});

} // namespace dlcc::ops

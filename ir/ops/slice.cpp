// Movement that takes a part or puts parts together: slice and concat.
#include "ir/ops/indices.h"
#include "ir/ops/record.h"

namespace dlcc::ops {

namespace {
using loops::Index;

// ---- slice ----------------------------------------------------------------------------------------------------------

constexpr AttributeDef slice_attributes[] = {
    {"begin", AttributeKind::integers, "the first index, one an axis", true},
    {"end", AttributeKind::integers, "the index after the last, one an axis", true},
    {"stride", AttributeKind::integers, "the distance between indices, one an axis; 1 if absent"}};

struct Slice {
  std::vector<int64_t> begin, end, stride;
};
Slice slice_of(const Attributes& a, size_t rank) {
  Slice s{a.integers("begin"), a.integers("end"), a.integers("stride")};
  if (!a.has("stride")) s.stride.assign(rank, 1);
  return s;
}

std::vector<Type> infer_slice(InferContext& c) {
  const Type& x = c.operand(0);
  Slice s = slice_of(c.attributes(), x.rank());
  Require r(c);
  r.that(s.begin.size() == x.rank() && s.end.size() == x.rank() && s.stride.size() == x.rank(), 1,
         [&] { return "begin, end and stride need one number for each axis of " + to_string(x.shape); });
  if (!r) return {};
  Shape shape;
  for (size_t axis = 0; axis < x.rank() && r; ++axis) {
    int64_t begin = s.begin[axis], end = s.end[axis], stride = s.stride[axis];
    r.that(0 <= begin && begin <= end && end <= x.shape[axis], 2, [&] {
      return "[" + std::to_string(begin) + ", " + std::to_string(end) + ") is no part of axis " + std::to_string(axis) +
             " of " + to_string(x.shape);
    });
    r.that(stride > 0, 3, [&] { return "stride " + std::to_string(stride) + " is not positive"; });
    if (r) shape.push_back((end - begin) / stride + ((end - begin) % stride != 0));
  }
  return r.result({x.dtype, shape});
}

void slice_element(ElementContext& c) {
  Slice s = slice_of(c.attributes(), c.at().size());
  std::vector<Index> index;
  for (size_t axis = 0; axis < c.at().size(); ++axis)
    index.push_back(scaled(c.build(), c.at()[axis], s.stride[axis], s.begin[axis]));
  c.set(c.operand(0, std::move(index)));
}

// The inverse movement: zeros before, between and after.
void slice_gradient(GradientContext& g) {
  graph::Builder& b = g.build();
  Term dy{&b, g.cotangent()};
  const Shape shape = b.type(g.operand(0)).shape;
  Slice s = slice_of(g.node().attributes, shape.size());
  std::vector<int64_t> high, interior;
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    int64_t count = dy.shape()[axis], covered = count == 0 ? 0 : (count - 1) * s.stride[axis] + 1;
    high.push_back(shape[axis] - s.begin[axis] - covered);
    interior.push_back(s.stride[axis] - 1);
  }
  g.contribute(0, apply(b, pad_op, {dy}, {{"low", s.begin}, {"high", high}, {"interior", interior}}));
}

std::vector<Sample> slice_samples() {
  auto sample = [](Shape shape, Shape begin, Shape end, Shape stride) {
    return Sample{.operands = {{DType::f32, shape}},
                  .attributes = {{"begin", begin}, {"end", end}, {"stride", stride}}};
  };
  return {sample({5, 7}, {1, 2}, {4, 7}, {1, 1}),
          sample({5, 7}, {0, 1}, {5, 7}, {2, 3}),
          sample({9}, {8}, {9}, {4}),
          sample({6, 40}, {1, 3}, {5, 40}, {2, 1}),
          sample({4, 3, 34}, {1, 0, 2}, {3, 3, 18}, {1, 2, 1}),
          sample({4}, {2}, {2}, {1}),
          sample({}, {}, {}, {}),
          sample({2, 3, 4}, {0, 0, 0}, {2, 3, 4}, {1, 2, 1}),
          {.operands = {{DType::f32, {6}}}, .attributes = {{"begin", Shape{1}}, {"end", Shape{5}}}}};
}

// ---- concat ---------------------------------------------------------------------------------------------------------

constexpr AttributeDef concat_attributes[] = {
    {"axis", AttributeKind::integer, "the axis along which they follow each other, from the end if negative", true}};

size_t concat_axis(const Attributes& a, size_t rank) {
  return static_cast<size_t>(normalize_axis(a.integer("axis"), rank).value());
}

std::vector<Type> infer_concat(InferContext& c) {
  Require r(c);
  r.same_dtype(1).axis(c.attributes().integer("axis"), c.operand(0).rank(), 2);
  if (!r) return {};
  Type result = c.operand(0);
  size_t axis = concat_axis(c.attributes(), result.rank());
  for (size_t k = 1; k < c.count() && r; ++k) {
    Shape other = c.operand(k).shape;
    int64_t extent = other.size() > axis ? other[axis] : 0;
    if (other.size() > axis) other[axis] = result.shape[axis];
    r.that(other == result.shape, 3, [&] {
      return to_string(c.operand(0).shape) + " and " + to_string(c.operand(k).shape) + " differ in more than axis " +
             std::to_string(axis);
    });
    if (r)
      r.that(!__builtin_add_overflow(result.shape[axis], extent, &result.shape[axis]), 3,
             [] { return std::string("the result is too large"); });
  }
  return r.result(std::move(result));
}

// Each operand is read where it lies, and as zero elsewhere; the index decides which one counts.
void concat_element(ElementContext& c) {
  size_t axis = concat_axis(c.attributes(), c.at().size());
  Scalar i = value_of(c.build(), c.at()[axis]), result;
  int64_t end = element_count({c.result_type().shape[axis]});
  for (size_t k = c.operand_count(); k-- > 0;) {
    int64_t begin = end - c.operand_type(k).shape[axis];
    std::vector<Index> index = c.at();
    index[axis] = scaled(c.build(), index[axis], 1, -begin);
    Scalar x = element_of(c, k, std::move(index), c.operand_count() > 1);
    result = result.b ? select(i < static_cast<double>(end), x, result) : x;
    end = begin;
  }
  c.set(result);
}

void concat_gradient(GradientContext& g) {
  Term dy{&g.build(), g.cotangent()};
  size_t count = g.node().operands.size();
  size_t rank = dy.shape().size(), axis = concat_axis(g.node().attributes, rank);
  Shape begin(rank, 0), end = dy.shape(), stride(rank, 1);
  for (size_t k = 0; k < count; ++k) {
    end[axis] = begin[axis] + g.build().type(g.operand(k)).shape[axis];
    if (g.wanted(k)) g.contribute(k, slice(dy, begin, end, stride));
    begin[axis] = end[axis];
  }
}

void concat_reference(ReferenceContext& c) {
  size_t axis = concat_axis(c.attributes(), c.result().type.rank());
  int64_t begin = 0;
  for (size_t k = 0; k < c.count(); ++k) {
    size_t i = 0;
    for_each_index(c.operand(k).type.shape, [&](const Shape& index) {
      Shape at = index;
      at[axis] += begin;
      c.result().data[offset_of(c.result().type.shape, at)] = c.operand(k).data[i++];
    });
    begin += c.operand(k).type.shape[axis];
  }
}

std::vector<Sample> concat_samples() {
  auto sample = [](std::vector<Shape> shapes, int64_t axis) {
    Sample s{.attributes = {{"axis", axis}}};
    for (Shape& shape : shapes) s.operands.push_back({DType::f32, shape});
    return s;
  };
  return {sample({{2, 3}, {4, 3}}, 0), sample({{2, 3}, {2, 1}, {2, 5}}, -1), sample({{5}}, 0),
          sample({{0, 2}, {3, 2}}, 0), sample({{2, 1, 3}, {2, 2, 3}, {2, 1, 3}, {2, 0, 3}}, 1)};
}
} // namespace

constexpr OpDef slice_op = complete({
    .name = "slice",
    .kind = OpKind::view,
    .doc =
        "The elements begin, begin + stride, ... below end of every axis. (C1) begin, end and stride have one number "
        "an axis. (C2) 0 <= begin <= end <= extent. (C3) Strides are positive.",
    .attributes = slice_attributes,
    .infer = infer_slice,
    .gradient = slice_gradient,
    .element = slice_element,
    .reference =
        [](ReferenceContext& c) {
          Slice s = slice_of(c.attributes(), c.operand(0).type.rank());
          size_t i = 0;
          for_each_index(c.result().type.shape, [&](const Shape& at) {
            Shape index = at;
            for (size_t axis = 0; axis < at.size(); ++axis) index[axis] = s.begin[axis] + at[axis] * s.stride[axis];
            c.result().data[i++] = c.operand(0).data[offset_of(c.operand(0).type.shape, index)];
          });
        },
    .samples = slice_samples,
});

constexpr OpDef concat_op = complete({
    .name = "concat",
    .kind = OpKind::view,
    .doc =
        "The operands one after the other along an axis. (C1) They have one element type. (C2) The axis exists. (C3) "
        "Their shapes are equal except along it.",
    .attributes = concat_attributes,
    .min_operands = 1,
    .max_operands = -1,
    .infer = infer_concat,
    .gradient = concat_gradient,
    .element = concat_element,
    .reference = concat_reference,
    .samples = concat_samples,
});

} // namespace dlcc::ops

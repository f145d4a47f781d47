// Elements chosen by data or by position: take, gather, take_gradient, one_hot, iota, constant.
#include "ir/ops/indices.h"
#include "ir/ops/record.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace dlcc::ops {

namespace {
using loops::Index;
using A = const Attributes&;

// ---- take -----------------------------------------------------------------------------------------------------------

constexpr AttributeDef take_attributes[] = {
    {"axis", AttributeKind::integer, "the axis that is indexed, from the end if negative; 0 if absent"}};

size_t take_axis(A a, size_t rank) { return static_cast<size_t>(normalize_axis(a.integer("axis"), rank).value()); }

// `shape` with one axis replaced by others.
Shape with_axis_replaced(const Shape& shape, size_t axis, const Shape& by) {
  Shape result(shape.begin(), shape.begin() + static_cast<std::ptrdiff_t>(axis));
  result.insert(result.end(), by.begin(), by.end());
  result.insert(result.end(), shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1, shape.end());
  return result;
}

std::vector<Type> infer_take(InferContext& c) {
  const Type& x = c.operand(0);
  Require r(c);
  r.integers(1, 1).axis(c.attributes().integer("axis"), x.rank(), 2);
  if (!r) return {};
  size_t axis = take_axis(c.attributes(), x.rank());
  return r.result({x.dtype, with_axis_replaced(x.shape, axis, c.operand(1).shape)});
}

// Splits an index of the result of take into the part that chooses and the rest: at = before + chooser + after.
template <class T> std::vector<T> chooser(const std::vector<T>& at, size_t axis, size_t rank_of_indices) {
  auto first = at.begin() + static_cast<std::ptrdiff_t>(axis);
  return {first, first + static_cast<std::ptrdiff_t>(rank_of_indices)};
}
template <class T> std::vector<T> with_choice(const std::vector<T>& at, size_t axis, size_t rank_of_indices, T chosen) {
  std::vector<T> result(at.begin(), at.begin() + static_cast<std::ptrdiff_t>(axis));
  result.push_back(std::move(chosen));
  result.insert(result.end(), at.begin() + static_cast<std::ptrdiff_t>(axis + rank_of_indices), at.end());
  return result;
}

void take_element(ElementContext& c) {
  size_t axis = take_axis(c.attributes(), c.operand_type(0).rank()), rank = c.operand_type(1).rank();
  Scalar chosen = element_of(c, 1, chooser(c.at(), axis, rank));
  c.set(c.operand(0, with_choice(c.at(), axis, rank, index_of(chosen)), true));
}

void take_reference(ReferenceContext& c) {
  const Tensor &x = c.operand(0), &indices = c.operand(1);
  size_t axis = take_axis(c.attributes(), x.type.rank()), rank = indices.type.rank(), i = 0;
  for_each_index(c.result().type.shape, [&](const Shape& at) {
    auto chosen = static_cast<int64_t>(indices.data[offset_of(indices.type.shape, chooser(at, axis, rank))]);
    bool inside = chosen >= 0 && chosen < x.type.shape[axis];
    c.result().data[i++] = inside ? x.data[offset_of(x.type.shape, with_choice(at, axis, rank, chosen))] : 0;
  });
}

void take_rule(GradientContext& g) {
  const Shape shape = g.build().type(g.operand(0)).shape;
  auto axis = static_cast<int64_t>(take_axis(g.node().attributes, shape.size()));
  if (!g.wanted(0)) return;
  g.contribute(0, apply(g.build(), take_gradient_op, {g.cotangent(), g.operand(1)},
                        {{"axis", axis}, {"extent", shape[static_cast<size_t>(axis)]}}));
}

std::vector<Sample> take_samples() {
  auto sample = [](Shape x, Type indices, int64_t axis, double extent) {
    return Sample{
        .operands = {{DType::f32, x}, indices}, .attributes = {{"axis", axis}}, .ranges = {{-2, 2}, {0, extent}}};
  };
  return {sample({5, 3}, {DType::i32, {4}}, 0, 5),     sample({5, 3}, {DType::i64, {2, 2}}, 1, 3),
          sample({2, 7, 3}, {DType::i32, {9}}, -2, 7), sample({6}, {DType::i32, {}}, 0, 6),
          sample({4, 2}, {DType::i32, {0}}, 0, 4),     sample({3, 2}, {DType::i32, {8}}, 0, 5)};
}

// ---- take_gradient --------------------------------------------------------------------------------------------------

constexpr AttributeDef take_gradient_attributes[] = {
    {"axis", AttributeKind::integer, "the axis that take indexed, from the start", true},
    {"extent", AttributeKind::integer, "the extent of that axis", true}};

std::vector<Type> infer_take_gradient(InferContext& c) {
  const Type &dy = c.operand(0), &indices = c.operand(1);
  int64_t axis = c.attributes().integer("axis"), extent = c.attributes().integer("extent");
  Require r(c);
  r.numbers(0, 1).integers(1, 1);
  r.that(axis >= 0 && static_cast<uint64_t>(axis) + indices.rank() <= dy.rank(), 2,
         [&] { return "axis " + std::to_string(axis) + " leaves no room for the indices in " + to_string(dy.shape); });
  r.that(extent >= 0, 2, [&] { return "extent " + std::to_string(extent) + " is negative"; });
  if (!r) return {};
  auto at = static_cast<size_t>(axis);
  r.that(chooser(dy.shape, at, indices.rank()) == indices.shape, 3, [&] {
    return "the axes of " + to_string(dy.shape) + " from " + std::to_string(axis) +
           " on are not those of the indices " + to_string(indices.shape);
  });
  if (!r) return {};
  return r.result({dy.dtype, with_choice(dy.shape, at, indices.rank(), extent)});
}

// The sum over all j of dy[j] where indices[j] = i: no two tasks write the same element, and the order of sums is
// fixed.
void take_gradient_element(ElementContext& c) {
  auto axis = static_cast<size_t>(c.attributes().integer("axis"));
  const Shape& chosen_from = c.operand_type(1).shape;
  Scalar i = value_of(c.build(), c.at()[axis]);
  c.set(c.reduce(loops::Combine::sum, chosen_from, [&](std::span<const Index> j) -> ExprId {
    std::vector<Index> at(j.begin(), j.end());
    Scalar index = element_of(c, 1, at).to(DType::i64);
    at.insert(at.begin(), c.at().begin(), c.at().begin() + static_cast<std::ptrdiff_t>(axis));
    at.insert(at.end(), c.at().begin() + static_cast<std::ptrdiff_t>(axis) + 1, c.at().end());
    return select(index == i, element_of(c, 0, std::move(at)), 0.0);
  }));
}

void take_gradient_reference(ReferenceContext& c) {
  const Tensor &dy = c.operand(0), &indices = c.operand(1);
  auto axis = static_cast<size_t>(c.attributes().integer("axis"));
  size_t rank = indices.type.rank(), i = 0;
  const Shape& shape = c.result().type.shape;
  std::fill(c.result().data.begin(), c.result().data.end(), 0.0);
  for_each_index(dy.type.shape, [&](const Shape& at) {
    auto chosen = static_cast<int64_t>(indices.data[offset_of(indices.type.shape, chooser(at, axis, rank))]);
    double value = dy.data[i++];
    if (chosen >= 0 && chosen < shape[axis])
      c.result().data[offset_of(shape, with_choice(at, axis, rank, chosen))] += value;
  });
}

std::vector<Sample> take_gradient_samples() {
  auto sample = [](Shape dy, Type indices, int64_t axis, int64_t extent) {
    return Sample{.operands = {{DType::f32, dy}, indices},
                  .attributes = {{"axis", axis}, {"extent", extent}},
                  .ranges = {{-2, 2}, {0, static_cast<double>(extent)}}};
  };
  return {sample({4, 3}, {DType::i32, {4}}, 0, 5), sample({5, 2, 2}, {DType::i64, {2, 2}}, 1, 3),
          sample({}, {DType::i32, {}}, 0, 2), sample({0, 2}, {DType::i32, {0}}, 0, 4)};
}

// ---- one_hot --------------------------------------------------------------------------------------------------------

constexpr AttributeDef one_hot_attributes[] = {
    {"depth", AttributeKind::integer, "the extent of the new last axis", true},
    {"dtype", AttributeKind::dtype, "of the result; f32 if absent"}};

std::vector<Type> infer_one_hot(InferContext& c) {
  int64_t depth = c.attributes().integer("depth");
  Require r(c);
  r.integers(0, 1).that(depth >= 0, 2, [&] { return "depth " + std::to_string(depth) + " is negative"; });
  Shape shape = c.operand(0).shape;
  shape.push_back(depth);
  return r.result({c.attributes().dtype("dtype"), shape});
}

void one_hot_element(ElementContext& c) {
  std::vector<Index> at(c.at().begin(), c.at().end() - 1);
  Scalar index = element_of(c, 0, std::move(at)).to(DType::i64);
  c.set((index == value_of(c.build(), c.at().back())).to(c.result_type().dtype));
}

void one_hot_reference(ReferenceContext& c) {
  auto depth = c.attributes().integer("depth");
  for (size_t i = 0; i < c.result().size(); ++i) {
    auto row = static_cast<int64_t>(i) / depth, column = static_cast<int64_t>(i) % depth;
    c.result().data[i] = c.operand(0).data[static_cast<size_t>(row)] == static_cast<double>(column);
  }
}

// ---- iota -----------------------------------------------------------------------------------------------------------

constexpr AttributeDef iota_attributes[] = {{"shape", AttributeKind::integers, "of the result", true},
                                            {"axis", AttributeKind::integer, "from the end if negative; -1 if absent"},
                                            {"dtype", AttributeKind::dtype, "of the result; i32 if absent"}};

size_t iota_axis(A a, size_t rank) { return static_cast<size_t>(normalize_axis(a.integer("axis", -1), rank).value()); }

/// Up to here every whole number is one of the type.
int64_t largest_whole(DType t) {
  switch (t) {
  case DType::f32:
    return int64_t{1} << 24;
  case DType::i8:
    return 127;
  case DType::u8:
    return 255;
  case DType::i32:
    return std::numeric_limits<int32_t>::max();
  default:
    return int64_t{1} << 53;
  }
}

std::vector<Type> infer_iota(InferContext& c) {
  const Shape& shape = c.attributes().integers("shape");
  DType dtype = c.attributes().dtype("dtype", DType::i32);
  Require r(c);
  r.dimensions(shape, 1).axis(c.attributes().integer("axis", -1), shape.size(), 1);
  r.that(dtype != DType::boolean, 2, [] { return std::string("numbers expected, found bool"); });
  if (!r) return {};
  int64_t last = shape[iota_axis(c.attributes(), shape.size())] - 1;
  r.that(last <= largest_whole(dtype), 2, [&] {
    return "the index " + std::to_string(last) + " does not fit " + std::string(name_of(dtype)) + " exactly";
  });
  return r.result({dtype, shape});
}

// ---- constant -------------------------------------------------------------------------------------------------------

constexpr AttributeDef constant_attributes[] = {
    {"dtype", AttributeKind::dtype, "of the result", true},
    {"shape", AttributeKind::integers, "of the result; [] if absent"},
    {"value", AttributeKind::number, "of every element"},
    {"values", AttributeKind::numbers, "of the elements in row-major order, instead of value"}};

std::vector<Type> infer_constant(InferContext& c) {
  A a = c.attributes();
  const Shape& shape = a.integers("shape");
  DType dtype = a.dtype("dtype");
  Require r(c);
  r.dimensions(shape, 1).that(a.has("value") != a.has("values"), 2,
                              [] { return std::string("either value or values expected"); });
  if (!r) return {};
  const auto& values = a.numbers("values");
  auto count = checked_elements(shape);
  r.that(a.has("value") || (count && static_cast<uint64_t>(*count) == values.size()), 2, [&] {
    return "values has " + std::to_string(values.size()) + " elements, which do not fill " + to_string(shape);
  });
  const auto largest = static_cast<double>(largest_whole(dtype));
  auto is_element = [&](double x) {
    bool in_range = dtype == DType::i64 || (x <= largest && x >= (dtype == DType::u8 ? 0 : -largest - 1));
    return !is_integer(dtype) || (std::trunc(x) == x && in_range);
  };
  bool fits = a.has("values") || is_element(a.number("value"));
  for (double x : values) fits = fits && is_element(x);
  r.that(fits, 3, [&] { return "a value is no " + std::string(name_of(dtype)); });
  return r.result({dtype, shape});
}

// One of values[first, last), chosen by the number of the element; a tree of comparisons.
Scalar choose(Scalar number, DType dtype, std::span<const double> values, size_t first, size_t last) {
  if (last - first <= 1) {
    double value = first < values.size() ? values[first] : 0;
    return {number.b, number.b->constant(value, dtype)};
  }
  size_t middle = first + (last - first) / 2;
  return select(number < static_cast<double>(middle), choose(number, dtype, values, first, middle),
                choose(number, dtype, values, middle, last));
}

void constant_element(ElementContext& c) {
  DType dtype = c.result_type().dtype;
  const auto& values = c.attributes().numbers("values");
  if (!c.attributes().has("values")) return c.set(c.build().constant(c.attributes().number("value"), dtype));
  Scalar number = value_of(c.build(), linear_index(c.build(), c.at(), c.result_type().shape));
  c.set(choose(number, dtype, values, 0, values.size()));
}

void constant_reference(ReferenceContext& c) {
  A a = c.attributes();
  for (size_t i = 0; i < c.result().size(); ++i)
    c.result().data[i] = a.has("values") ? a.numbers("values")[i] : a.number("value");
}
} // namespace

constexpr OpDef take_op = complete({
    .name = "take",
    .kind = OpKind::view,
    .doc =
        "The slices of x along an axis that the indices name, take(x, indices); the axis is replaced by the axes of "
        "the indices. An index outside the axis, also a negative one, gives zero. (C1) The indices are integers. (C2) "
        "The axis exists.",
    .attributes = take_attributes,
    .min_operands = 2,
    .max_operands = 2,
    .infer = infer_take,
    .gradient = take_rule,
    .element = take_element,
    .reference = take_reference,
    .samples = take_samples,
});

constexpr OpDef gather_op = complete({
    .name = "gather",
    .kind = OpKind::composite,
    .doc = "Another name of take. (C1) The indices are integers. (C2) The axis exists.",
    .attributes = take_attributes,
    .min_operands = 2,
    .max_operands = 2,
    .infer = infer_take,
    .body = [](graph::Builder& b, std::span<const ValueId> x, A a) -> std::vector<ValueId> {
      return {apply(b, take_op, {x[0], x[1]}, a)};
    },
    .samples = take_samples,
});

constexpr OpDef take_gradient_op = complete({
    .name = "take_gradient",
    .kind = OpKind::reduction,
    .doc =
        "The gradient of take, take_gradient(dy, indices): slice i of the result is the sum of the slices of dy whose "
        "index is i. (C1) dy holds numbers, the indices are integers. (C2) The axis lies in dy, the extent is not "
        "negative. (C3) From the axis on, dy has the axes of the indices.",
    .attributes = take_gradient_attributes,
    .min_operands = 2,
    .max_operands = 2,
    .infer = infer_take_gradient,
    .gradient =
        [](GradientContext& g) {
          if (!g.wanted(0)) return;
          g.contribute(0, apply(g.build(), take_op, {g.cotangent(), g.operand(1)},
                                {{"axis", g.node().attributes.integer("axis")}}));
        },
    .element = take_gradient_element,
    .reference = take_gradient_reference,
    .samples = take_gradient_samples,
});

constexpr OpDef one_hot_op = complete({
    .name = "one_hot",
    .doc =
        "1 where the last index equals the operand's element, else 0; a row of zeros for an index outside [0, depth). "
        "(C1) The operand's elements are integers. (C2) The depth is not negative.",
    .attributes = one_hot_attributes,
    .infer = infer_one_hot,
    .no_gradient = integer_operand,
    .element = one_hot_element,
    .reference = one_hot_reference,
    .samples = []() -> std::vector<Sample> {
      return {{.operands = {{DType::i32, {5}}}, .attributes = {{"depth", int64_t{8}}}},
              {.operands = {{DType::i64, {2, 3}}}, .attributes = {{"depth", int64_t{4}}, {"dtype", DType::f64}}},
              {.operands = {{DType::i32, {}}}, .attributes = {{"depth", int64_t{3}}}},
              {.operands = {{DType::i32, {2}}}, .attributes = {{"depth", int64_t{0}}}}};
    },
});

constexpr OpDef iota_op = complete({
    .name = "iota",
    .doc = "Every element is its own index along the axis. (C1) The shape is valid and has the axis. (C2) The elements "
           "are numbers of a type that holds every index exactly.",
    .attributes = iota_attributes,
    .min_operands = 0,
    .max_operands = 0,
    .infer = infer_iota,
    .no_gradient = no_operand,
    .element =
        [](ElementContext& c) {
          size_t axis = iota_axis(c.attributes(), c.at().size());
          c.set(value_of(c.build(), c.at()[axis]).to(c.result_type().dtype));
        },
    .reference =
        [](ReferenceContext& c) {
          size_t axis = iota_axis(c.attributes(), c.result().type.rank()), i = 0;
          for_each_index(c.result().type.shape,
                         [&](const Shape& at) { c.result().data[i++] = static_cast<double>(at[axis]); });
        },
    .samples = []() -> std::vector<Sample> {
      return {{.attributes = {{"shape", Shape{5}}}},
              {.attributes = {{"shape", Shape{3, 4}}, {"axis", int64_t{0}}, {"dtype", DType::f32}}},
              {.attributes = {{"shape", Shape{2, 0}}, {"dtype", DType::i64}}}};
    },
});

constexpr OpDef constant_op = complete({
    .name = "constant",
    .doc =
        "Elements that are known when the model is compiled. (C1) The shape is valid. (C2) Either value is given, or "
        "values with one number an element. (C3) The elements of an integer type are whole and in its "
        "range.",
    .attributes = constant_attributes,
    .min_operands = 0,
    .max_operands = 0,
    .infer = infer_constant,
    .no_gradient = no_operand,
    .element = constant_element,
    .reference = constant_reference,
    .samples = []() -> std::vector<Sample> {
      return {{.attributes = {{"dtype", DType::f32}, {"value", 0.1}}},
              {.attributes = {{"dtype", DType::i32}, {"shape", Shape{2, 3}}, {"value", 7.0}}},
              {.attributes = {{"dtype", DType::f64},
                              {"shape", Shape{2, 3}},
                              {"values", std::vector<double>{0.5, -1, 3, 1e300, 0, 2}}}},
              {.attributes = {{"dtype", DType::f32}, {"shape", Shape{0}}, {"values", std::vector<double>{}}}}};
    },
});

} // namespace dlcc::ops

// Reductions over axes: sum, mean, product, max, min, argmax, argmin.
#include "ir/ops/record.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace dlcc::ops {

namespace {
using loops::Combine;
using loops::Index;
using A = const Attributes&;

constexpr AttributeDef reduce_attributes[] = {
    {"axes", AttributeKind::integers, "the axes that are reduced, from the end if negative; all if absent"},
    {"keepdims", AttributeKind::boolean, "keep them with extent 1; false if absent"}};
constexpr AttributeDef arg_attributes[] = {
    {"axis", AttributeKind::integer, "the axis that is searched, from the end if negative; -1 if absent"},
    {"keepdims", AttributeKind::boolean, "keep it with extent 1; false if absent"}};

#define DLCC_DOC_AXES " (C2) The axes exist and are distinct."

// ---- shapes ---------------------------------------------------------------------------------------------------------

bool contains(const std::vector<int64_t>& axes, size_t axis) {
  return std::find(axes.begin(), axes.end(), static_cast<int64_t>(axis)) != axes.end();
}

Shape reduced_shape(const Shape& shape, const std::vector<int64_t>& axes, bool keepdims) {
  Shape result;
  for (size_t axis = 0; axis < shape.size(); ++axis)
    if (!contains(axes, axis))
      result.push_back(shape[axis]);
    else if (keepdims)
      result.push_back(1);
  return result;
}

void require_reduction(Require& r, InferContext& c) { require_axes(r, c.attributes(), c.operand(0).rank(), 2); }

std::vector<Type> reduction_result(Require& r, InferContext& c, DType dtype) {
  if (!r) return {};
  const Type& x = c.operand(0);
  Shape shape = reduced_shape(x.shape, axes_of(c.attributes(), x.rank()), c.attributes().boolean("keepdims"));
  return r.result({dtype, shape});
}

// As NumPy: integers and bool are counted in i64, which few sums leave.
std::vector<Type> infer_accumulation(InferContext& c) {
  Require r(c);
  require_axes(r, c.attributes(), c.operand(0).rank(), 1);
  DType dtype = c.operand(0).dtype;
  return reduction_result(r, c, is_float(dtype) ? dtype : DType::i64);
}

std::vector<Type> infer_mean(InferContext& c) {
  Require r(c);
  r.floats(0, 1);
  require_reduction(r, c);
  return reduction_result(r, c, c.operand(0).dtype);
}

std::vector<Type> infer_extremum(InferContext& c) {
  Require r(c);
  r.numbers(0, 1);
  require_reduction(r, c);
  if (!r) return {};
  for (int64_t axis : axes_of(c.attributes(), c.operand(0).rank()))
    r.that(c.operand(0).shape[static_cast<size_t>(axis)] > 0, 3,
           [&] { return "axis " + std::to_string(axis) + " of " + to_string(c.operand(0).shape) + " is empty"; });
  return reduction_result(r, c, c.operand(0).dtype);
}

// ---- the element ----------------------------------------------------------------------------------------------------

Shape extents_of(const Shape& shape, const std::vector<int64_t>& axes) {
  Shape extents;
  for (int64_t axis : axes) extents.push_back(shape[static_cast<size_t>(axis)]);
  return extents;
}

// The operand's index from the result's and the reduced ones.
std::vector<Index> operand_index(const std::vector<Index>& at, std::span<const Index> reduced,
                                 const std::vector<int64_t>& axes, size_t rank, bool keepdims) {
  std::vector<Index> index;
  for (size_t axis = 0, kept = 0, r = 0; axis < rank; ++axis) {
    bool is_reduced = contains(axes, axis);
    index.push_back(is_reduced ? reduced[r++] : at[kept]);
    kept += !is_reduced || keepdims;
  }
  return index;
}

template <Combine combine> void reduction_element(ElementContext& c) {
  const Shape& shape = c.operand_type(0).shape;
  auto axes = axes_of(c.attributes(), shape.size());
  bool keepdims = c.attributes().boolean("keepdims");
  c.set(c.reduce(combine, extents_of(shape, axes), [&](std::span<const Index> reduced) {
    Scalar x = element_of(c, 0, operand_index(c.at(), reduced, axes, shape.size(), keepdims));
    return x.to(c.result_type().dtype);
  }));
}

// ---- one form -------------------------------------------------------------------------------------------------------

// Axes counted from the front, ascending, and not kept: extents of 1 are put back by a reshape.
ValueId reduction_of_listed_axes(graph::Builder& b, const graph::Node& node, std::span<const ValueId> operands) {
  const Shape shape = b.type(operands[0]).shape;
  const auto axes = axes_of(node.attributes, shape.size());
  const bool keepdims = node.attributes.boolean("keepdims");
  if (!keepdims && node.attributes.has("axes") && node.attributes.integers("axes") == axes) return {};
  if (shape.empty()) return {};
  Term reduced{&b, apply(b, *node.op, {operands[0]}, {{"axes", axes}})};
  return keepdims ? reshape(reduced, reduced_shape(shape, axes, true)).id : reduced.id;
}

// ---- references -----------------------------------------------------------------------------------------------------

// Calls visit(where the result lies, its index along `axis`, value) for every element of the operand.
template <class Visit> void fold(ReferenceContext& c, const std::vector<int64_t>& axes, Visit visit) {
  const Tensor& x = c.operand(0);
  Shape kept = reduced_shape(x.type.shape, axes, true);
  size_t i = 0;
  for_each_index(x.type.shape, [&](const Shape& index) {
    Shape at = index;
    for (int64_t axis : axes) at[static_cast<size_t>(axis)] = 0;
    visit(offset_of(kept, at), axes.empty() ? 0 : index[static_cast<size_t>(axes[0])], x.data[i++]);
  });
}

template <auto combine> void fold_reference(ReferenceContext& c, double start) {
  auto& out = c.result().data;
  std::fill(out.begin(), out.end(), start);
  fold(c, axes_of(c.attributes(), c.operand(0).type.rank()),
       [&](size_t at, int64_t, double x) { out[at] = combine(out[at], x); });
}

double plus(double a, double b) { return a + b; }
double times(double a, double b) { return a * b; }
double larger(double a, double b) { return std::isnan(a) || a > b ? a : b; }
double smaller(double a, double b) { return std::isnan(a) || a < b ? a : b; }

void sum_reference(ReferenceContext& c) { fold_reference<plus>(c, 0); }
void mean_reference(ReferenceContext& c) {
  sum_reference(c);
  double count = static_cast<double>(c.operand(0).size()) / static_cast<double>(c.result().size());
  for (double& m : c.result().data) m /= count;
}

// ---- gradients ------------------------------------------------------------------------------------------------------

// A result or its gradient with the reduced axes kept, so that it broadcasts against the operand.
Term kept(GradientContext& g, ValueId v) {
  graph::Builder& b = g.build();
  const Shape shape = b.type(g.operand(0)).shape;
  return reshape(Term{&b, v}, reduced_shape(shape, axes_of(g.node().attributes, shape.size()), true));
}

void sum_gradient(GradientContext& g) {
  const Shape shape = g.build().type(g.operand(0)).shape;
  g.contribute(0, broadcast_to(kept(g, g.cotangent()), shape));
}

void mean_gradient(GradientContext& g) {
  const Shape shape = g.build().type(g.operand(0)).shape;
  int64_t count = element_count(extents_of(shape, axes_of(g.node().attributes, shape.size())));
  g.contribute(0, broadcast_to(kept(g, g.cotangent()) / static_cast<double>(count), shape));
}

// Every element that equals the extremum gets an equal share.
void extremum_gradient(GradientContext& g) {
  Term x{&g.build(), g.operand(0)};
  Term is_extremum = cast(x == kept(g, g.result()), x.dtype());
  Term ties = sum(is_extremum, axes_of(g.node().attributes, x.shape().size()), true);
  g.contribute(0, is_extremum * (kept(g, g.cotangent()) / ties));
}

// dy times the product of the others: without zeros y / x; with one zero only that element's is not zero.
void product_gradient(GradientContext& g) {
  if (!g.wanted(0)) return; // integers
  Term x{&g.build(), g.operand(0)}, dy = kept(g, g.cotangent());
  auto axes = axes_of(g.node().attributes, x.shape().size());
  Term is_zero = (x == 0.0);
  Term zeros = sum(cast(is_zero, x.dtype()), axes, true);
  Term safe = where(is_zero, 1.0, x);
  Term others = product(safe, axes, true);
  g.contribute(0, where(is_zero, where(zeros == 1.0, dy * others, 0.0), where(zeros == 0.0, dy * others / safe, 0.0)));
}

// ---- argmax, argmin -------------------------------------------------------------------------------------------------

std::vector<int64_t> arg_axis(A a, size_t rank) { return {normalize_axis(a.integer("axis", -1), rank).value()}; }

ValueId search_of_listed_axis(graph::Builder& b, const graph::Node& node, std::span<const ValueId> operands) {
  const Shape shape = b.type(operands[0]).shape;
  const auto axis = arg_axis(node.attributes, shape.size());
  const bool keepdims = node.attributes.boolean("keepdims");
  if (!keepdims && node.attributes.has("axis") && node.attributes.integer("axis") == axis[0]) return {};
  Term found{&b, apply(b, *node.op, {operands[0]}, {{"axis", axis[0]}})};
  return keepdims ? reshape(found, reduced_shape(shape, axis, true)).id : found.id;
}

std::vector<Type> infer_arg(InferContext& c) {
  const Type& x = c.operand(0);
  Require r(c);
  r.numbers(0, 1).axis(c.attributes().integer("axis", -1), x.rank(), 2);
  if (!r) return {};
  auto axis = arg_axis(c.attributes(), x.rank());
  r.that(x.shape[static_cast<size_t>(axis[0])] > 0, 3,
         [&] { return "the axis of " + to_string(x.shape) + " is empty"; });
  r.that(x.shape[static_cast<size_t>(axis[0])] <= std::numeric_limits<int32_t>::max(), 3,
         [&] { return "the axis of " + to_string(x.shape) + " is too long for an index of i32"; });
  return r.result({DType::i32, reduced_shape(x.shape, axis, c.attributes().boolean("keepdims"))});
}

// The smallest index whose element is the extremum or NaN.
template <Combine combine> void arg_element(ElementContext& c) {
  const Shape& shape = c.operand_type(0).shape;
  auto axis = arg_axis(c.attributes(), shape.size());
  bool keepdims = c.attributes().boolean("keepdims");
  Shape extents = extents_of(shape, axis);
  auto x = [&](std::span<const Index> i) {
    return element_of(c, 0, operand_index(c.at(), i, axis, shape.size(), keepdims));
  };
  Scalar extremum{&c.build(), c.reduce(combine, extents, x)};
  Scalar first{&c.build(), c.reduce(Combine::min, extents, [&](std::span<const Index> i) {
                 Scalar position = value_of(c.build(), i[0]);
                 return select((x(i) == extremum) | !(x(i) == x(i)), position, static_cast<double>(extents[0]));
               })};
  c.set(first.to(DType::i32));
}

template <auto better> void arg_reference(ReferenceContext& c) {
  auto& out = c.result().data;
  std::vector<double> best(out.size());
  fold(c, arg_axis(c.attributes(), c.operand(0).type.rank()), [&](size_t at, int64_t i, double x) {
    bool found = i == 0 || (!std::isnan(best[at]) && (std::isnan(x) || better(x, best[at])));
    if (found) best[at] = x, out[at] = static_cast<double>(i);
  });
}
bool is_more(double a, double b) { return a > b; }
bool is_less(double a, double b) { return a < b; }

// ---- samples --------------------------------------------------------------------------------------------------------

std::vector<Sample> full_samples() {
  auto sample = [](Shape shape, Attributes a) { return Sample{.operands = {{DType::f32, shape}}, .attributes = a}; };
  using Axes = std::vector<int64_t>;
  return {sample({3, 5}, {}),
          sample({3, 5}, {{"axes", Axes{0}}}),
          sample({3, 5}, {{"axes", Axes{-1}}, {"keepdims", true}}),
          sample({2, 3, 4}, {{"axes", Axes{2, 0}}}),
          sample({2, 3, 4}, {{"axes", Axes{1}}}),
          sample({70}, {{"axes", Axes{0}}}),
          sample({1, 1}, {{"keepdims", true}}),
          sample({4}, {{"axes", Axes{}}}),
          sample({}, {}),
          sample({0, 3}, {{"axes", Axes{1}}})};
}

std::vector<Sample> with_empty_axis() {
  auto samples = full_samples();
  samples.push_back({.operands = {{DType::f32, {0, 3}}}, .attributes = {{"axes", std::vector<int64_t>{0}}}});
  return samples;
}

std::vector<Sample> with_integers() {
  auto samples = with_empty_axis();
  for (DType t : {DType::u8, DType::i8, DType::i32, DType::i64, DType::boolean})
    samples.push_back({.operands = {{t, {3, 5}}}, .attributes = {{"axes", std::vector<int64_t>{1}}}});
  return samples;
}

std::vector<Sample> arg_samples() {
  auto sample = [](Type t, Attributes a) { return Sample{.operands = {t}, .attributes = a}; };
  return {sample({DType::f32, {3, 5}}, {}), sample({DType::i32, {6, 40}}, {{"axis", int64_t{1}}}),
          sample({DType::i32, {4, 3, 2}}, {{"axis", int64_t{0}}, {"keepdims", true}}), sample({DType::f64, {1}}, {}),
          sample({DType::f32, {0, 2}}, {})};
}
} // namespace

constexpr OpDef sum_op = complete({
    .name = "sum",
    .kind = OpKind::reduction,
    .doc =
        "The sum over the axes; 0 over an empty one. Integers and bool are added in i64, which is the result's type. "
        "(C1) The axes exist and are distinct.",
    .attributes = reduce_attributes,
    .infer = infer_accumulation,
    .gradient = sum_gradient,
    .element = reduction_element<Combine::sum>,
    .canonical = reduction_of_listed_axes,
    .reference = sum_reference,
    .samples = with_integers,
});

constexpr OpDef mean_op = complete({
    .name = "mean",
    .kind = OpKind::composite,
    .doc =
        "The sum over the axes, divided by the number of elements in it; NaN over an empty axis. (C1) The operand is "
        "f32 or f64." DLCC_DOC_AXES,
    .attributes = reduce_attributes,
    .infer = infer_mean,
    .gradient = mean_gradient,
    .body = [](graph::Builder& b, std::span<const ValueId> x, A a) -> std::vector<ValueId> {
      const Shape shape = b.type(x[0]).shape;
      int64_t count = element_count(extents_of(shape, axes_of(a, shape.size())));
      return {Term{&b, apply(b, sum_op, {x[0]}, a)} / static_cast<double>(count)};
    },
    .reference = mean_reference,
    .samples = with_empty_axis,
});

constexpr OpDef product_op = complete({
    .name = "product",
    .kind = OpKind::reduction,
    .doc = "The product over the axes; 1 over an empty one. Integers and bool are multiplied in i64, which is the "
           "result's type. (C1) The axes exist and are distinct.",
    .attributes = reduce_attributes,
    .infer = infer_accumulation,
    .gradient = product_gradient,
    .element = reduction_element<Combine::product>,
    .canonical = reduction_of_listed_axes,
    .reference = [](ReferenceContext& c) { fold_reference<times>(c, 1); },
    .samples = with_integers,
});

constexpr OpDef max_op = complete({
    .name = "max",
    .kind = OpKind::reduction,
    .doc = "The largest element over the axes; NaN if there is one. Equal largest elements share the gradient equally. "
           "(C1) The operand's elements are numbers." DLCC_DOC_AXES " (C3) No reduced axis is empty.",
    .attributes = reduce_attributes,
    .infer = infer_extremum,
    .gradient = extremum_gradient,
    .element = reduction_element<Combine::max>,
    .canonical = reduction_of_listed_axes,
    .reference = [](ReferenceContext& c) { fold_reference<larger>(c, -INFINITY); },
    .samples = full_samples,
});

constexpr OpDef min_op = complete({
    .name = "min",
    .kind = OpKind::reduction,
    .doc = "The smallest element over the axes; NaN if there is one. Equal smallest elements share the gradient "
           "equally. (C1) The operand's elements are numbers." DLCC_DOC_AXES " (C3) No reduced axis is empty.",
    .attributes = reduce_attributes,
    .infer = infer_extremum,
    .gradient = extremum_gradient,
    .element = reduction_element<Combine::min>,
    .canonical = reduction_of_listed_axes,
    .reference = [](ReferenceContext& c) { fold_reference<smaller>(c, INFINITY); },
    .samples = full_samples,
});

constexpr OpDef argmax_op = complete({
    .name = "argmax",
    .kind = OpKind::reduction,
    .doc = "The index (i32) of the first largest element along the axis; NaN counts as the largest. (C1) The operand's "
           "elements are numbers. (C2) The axis exists. (C3) It is not empty, and an i32 counts it.",
    .attributes = arg_attributes,
    .infer = infer_arg,
    .no_gradient = piecewise_constant,
    .element = arg_element<Combine::max>,
    .canonical = search_of_listed_axis,
    .reference = arg_reference<is_more>,
    .samples = arg_samples,
});

constexpr OpDef argmin_op = complete({
    .name = "argmin",
    .kind = OpKind::reduction,
    .doc = "The index (i32) of the first smallest element along the axis; NaN counts as the smallest. (C1) The "
           "operand's elements are numbers. (C2) The axis exists. (C3) It is not empty, and an i32 counts it.",
    .attributes = arg_attributes,
    .infer = infer_arg,
    .no_gradient = piecewise_constant,
    .element = arg_element<Combine::min>,
    .canonical = search_of_listed_axis,
    .reference = arg_reference<is_less>,
    .samples = arg_samples,
});

} // namespace dlcc::ops

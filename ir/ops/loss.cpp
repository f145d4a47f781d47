#include "ir/ops/loss.h"

namespace dlcc::ops {

namespace {
Shape without_last(const Shape& s) { return {s.begin(), s.end() - 1}; }

std::vector<Type> class_result(Require& r, InferContext& c) {
  const Shape& shape = c.operand(0).shape;
  r.rank_at_least(0, 1, 3);
  r.that(!shape.empty() && shape.back() > 0, 3, [&] { return "no classes in " + to_string(shape); });
  if (!r) return {};
  return r.result({c.operand(0).dtype, without_last(shape)});
}
} // namespace

std::vector<Type> infer_loss(InferContext& c) {
  Require r(c);
  r.floats(0, 1).same_dtype(1).same_shape(0, 1, 2);
  const Type& x = c.operand(0);
  return r.result({x.dtype, x.rank() < 2 ? x.shape : without_last(x.shape)});
}

std::vector<Type> infer_class_loss(InferContext& c) {
  Require r(c);
  r.floats(0, 1).same_dtype(1).same_shape(0, 1, 2);
  return class_result(r, c);
}

std::vector<Type> infer_sparse_loss(InferContext& c) {
  Require r(c);
  r.floats(0, 1).integers(1, 1).rank_at_least(0, 1, 3);
  if (!r) return {};
  Shape expected = without_last(c.operand(0).shape);
  r.that(c.operand(1).shape == expected, 2, [&] {
    return "labels of shape " + to_string(expected) + " expected, found " + to_string(c.operand(1).shape);
  });
  return class_result(r, c);
}

Term mean_of_samples(Term x) {
  if (x.shape().size() < 2) return x;
  if (x.shape().back() == 1) return reshape(x, without_last(x.shape()));
  return mean(x, {-1});
}

Term keep_classes(Term rows, const Shape& elements) {
  Shape shape = elements;
  shape.back() = 1;
  return reshape(rows, shape);
}

Term share_of_sample(Term d, const Shape& elements) {
  if (elements.size() < 2) return d;
  Term kept = keep_classes(d, elements);
  return elements.back() == 1 ? kept : kept / static_cast<double>(elements.back());
}

void for_each_sample(const Shape& elements, bool has_classes,
                     const std::function<void(size_t, size_t, size_t)>& visit) {
  size_t width = has_classes || elements.size() > 1 ? static_cast<size_t>(elements.back()) : 1;
  size_t samples = width == 0 ? 0 : static_cast<size_t>(element_count(elements)) / width;
  for (size_t i = 0; i < samples; ++i) visit(i * width, width, i);
}

namespace {
std::vector<Sample> pairs(std::vector<Shape> shapes, graph::Range prediction, graph::Range label) {
  std::vector<Sample> samples;
  for (size_t i = 0; i < shapes.size(); ++i) {
    Type t{i == 1 ? DType::f64 : DType::f32, shapes[i]};
    samples.push_back({.operands = {t, t}, .ranges = {prediction, label}});
  }
  return samples;
}
} // namespace

std::vector<Sample> loss_samples(graph::Range prediction, graph::Range label) {
  return pairs({{5, 3}, {4, 1}, {7}, {}, {2, 3, 4}, {0, 3}}, prediction, label);
}

std::vector<Sample> class_samples(graph::Range prediction, graph::Range label) {
  return pairs({{5, 3}, {2, 33}, {7}, {4, 1}, {2, 3, 4}, {0, 3}}, prediction, label);
}

std::vector<Sample> sparse_samples(graph::Range prediction) {
  std::vector<Sample> samples;
  for (const Shape& shape : {Shape{5, 3}, Shape{2, 33}, Shape{7}, Shape{4, 1}, Shape{2, 3, 4}, Shape{0, 3}})
    samples.push_back({.operands = {{DType::f32, shape}, {DType::i32, without_last(shape)}},
                       .ranges = {prediction, {0, static_cast<double>(shape.back())}}});
  return samples;
}

} // namespace dlcc::ops

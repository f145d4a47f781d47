// What the losses share. A loss takes (prediction, label) and gives one number a sample: its result has the shape of
// the prediction without the last axis, over which the mean is taken; a prediction with fewer than two axes has one
// number a sample already and keeps its shape.
#pragma once

#include "ir/ops/elementwise.h"

namespace dlcc::ops {

#define DLCC_DOC_LOSS                                                                                                  \
  " The mean over the last axis if there are two or more. (C1) Prediction and label are floats of one type. (C2) "     \
  "Their "                                                                                                             \
  "shapes are equal."
#define DLCC_DOC_CLASSES                                                                                               \
  " (C1) Prediction and label are floats of one type. (C2) Their shapes are equal. (C3) The last axis, of the "        \
  "classes, "                                                                                                          \
  "exists and is not empty."
#define DLCC_DOC_SPARSE                                                                                                \
  " (C1) The prediction holds floats, the label integers. (C2) The label has the prediction's shape without the last " \
  "axis. (C3) That axis, of the classes, exists and is not empty."

std::vector<Type> infer_loss(InferContext& c);        ///< mean over the last axis
std::vector<Type> infer_class_loss(InferContext& c);  ///< the last axis are the classes
std::vector<Type> infer_sparse_loss(InferContext& c); ///< the same, with integer labels

/// Per-sample means: over the last axis if there are two or more.
Term mean_of_samples(Term elements);
/// The gradient of an element from that of its sample's mean; broadcasts against the elements.
Term share_of_sample(Term d, const Shape& elements);
/// One number a sample with the last axis kept as 1, so that it broadcasts against the classes.
Term keep_classes(Term rows, const Shape& elements);

/// Call visit(first element, number of elements, sample) for every sample.
void for_each_sample(const Shape& elements, bool has_classes, const std::function<void(size_t, size_t, size_t)>& visit);

/// The body of a loss that is the mean of f(prediction, label) -> element, a formula in Terms.
template <auto f> std::vector<ValueId> mean_body(graph::Builder& b, std::span<const ValueId> v, const Attributes& a) {
  std::array<Term, 3> x{Term{&b, v[0]}, Term{&b, v[1]}};
  return {mean_of_samples(call_formula<f>(x, a))};
}

/// Its reference, the same formula written in doubles.
template <auto f> void mean_loss_reference(ReferenceContext& c) {
  for_each_sample(c.operand(0).type.shape, false, [&](size_t first, size_t count, size_t sample) {
    double total = 0;
    for (size_t i = first; i < first + count; ++i)
      total += call_formula<f>(std::array<double, 3>{c.operand(0).data[i], c.operand(1).data[i]}, c.attributes());
    c.result().data[sample] = total / static_cast<double>(count);
  });
}

std::vector<Sample> loss_samples(graph::Range prediction, graph::Range label);
std::vector<Sample> class_samples(graph::Range prediction, graph::Range label);
std::vector<Sample> sparse_samples(graph::Range prediction);

} // namespace dlcc::ops

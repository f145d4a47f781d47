// Cross-entropies on probabilities, clipped as Keras does, and on logits, which need no clip. Their gradients are
// written so that nothing cancels: prediction minus label before anything is rounded.
#include "ir/ops/loss.h"

#include <algorithm>
#include <cmath>

namespace dlcc::ops {

namespace {
using A = const Attributes&;
using Values = std::vector<ValueId>;
constexpr double epsilon = 1e-7;

// ---- bodies ---------------------------------------------------------------------------------------------------------

Term binary_element(Term p, Term y) {
  Term q = clip(p, epsilon, 1 - epsilon);
  return -(y * log(q) + (1.0 - y) * log1p(-q));
}

// max(x, 0) - x y = |x| (1 - y) where x > 0, |x| y elsewhere: no difference of large numbers, no inf * 0.
Term logit_element(Term x, Term y) {
  Term wrong = where(x > 0.0, 1.0 - y, y);
  return where(wrong == 0.0, 0.0, abs(x) * wrong) + softplus(-abs(x));
}

/// Rows of probabilities that add up to 1, clipped.
Term probabilities(Term p) { return clip(p / sum(p, {-1}, true), epsilon, 1 - epsilon); }

/// True at the class that is the label.
Term is_label(Term label, const Shape& shape) {
  Term classes{label.b, apply(*label.b, iota_op, {}, {{"shape", Shape{shape.back()}}, {"dtype", DType::i64}})};
  return classes == keep_classes(cast(label, DType::i64), shape); // a label's own type may not hold all classes
}

Values categorical_body(graph::Builder& b, std::span<const ValueId> v, A) {
  Term p{&b, v[0]}, y{&b, v[1]};
  return {-sum(y * log(probabilities(p)), {-1})};
}

Values sparse_body(graph::Builder& b, std::span<const ValueId> v, A) {
  Term p{&b, v[0]}, label{&b, v[1]};
  return {-sum(log(where(is_label(label, p.shape()), probabilities(p), 1.0)), {-1})};
}

Term log_softmax_of(Term x) { return {x.b, apply(*x.b, log_softmax_op, {x})}; }
Term softmax_of(Term x) { return {x.b, apply(*x.b, softmax_op, {x})}; }

// A class without weight counts as nothing, whatever its logit, -inf included.
Values softmax_body(graph::Builder& b, std::span<const ValueId> v, A) {
  Term x{&b, v[0]}, y{&b, v[1]};
  return {-sum(where(y == 0.0, 0.0, y * log_softmax_of(x)), {-1})};
}

// ln(sum of e^x) - x[label], shifted by the largest x
Values sparse_softmax_body(graph::Builder& b, std::span<const ValueId> v, A) {
  Term x{&b, v[0]}, label{&b, v[1]};
  Term shifted = x - max(x, {-1}, true);
  return {log(sum(exp(shifted), {-1})) - sum(where(is_label(label, x.shape()), shifted, 0.0), {-1})};
}

// ---- gradients ------------------------------------------------------------------------------------------------------

// -y / p + (1 - y) / (1 - p) = (p - y) / (p (1 - p)) where p is not clipped
void binary_gradient(GradientContext& g) {
  Term p{&g.build(), g.operand(0)}, y{&g.build(), g.operand(1)};
  Term d = share_of_sample({&g.build(), g.cotangent()}, p.shape());
  if (g.wanted(0)) {
    Term inside = (p >= epsilon) & (p <= 1 - epsilon);
    Term q = where(inside, p, 0.5);
    g.contribute(0, where(inside, d * ((q - y) / (q * (1.0 - q))), 0.0));
  }
  if (g.wanted(1)) {
    Term q = clip(p, epsilon, 1 - epsilon);
    g.contribute(1, d * (log1p(-q) - log(q)));
  }
}

// sigmoid(x) - y = sigmoid(x) (1 - y) - sigmoid(-x) y
void logit_gradient(GradientContext& g) {
  Term x{&g.build(), g.operand(0)}, y{&g.build(), g.operand(1)};
  Term d = share_of_sample({&g.build(), g.cotangent()}, x.shape());
  if (g.wanted(0)) {
    Sigmoids s = sigmoids(x);
    g.contribute(0, d * (s.of_x * (1.0 - y) - s.of_minus_x * y));
  }
  if (g.wanted(1)) g.contribute(1, -(d * x));
}

void softmax_gradient(GradientContext& g) {
  Term x{&g.build(), g.operand(0)}, y{&g.build(), g.operand(1)};
  Term d = keep_classes({&g.build(), g.cotangent()}, x.shape());
  if (g.wanted(0)) g.contribute(0, d * (softmax_of(x) * sum(y, {-1}, true) - y));
  if (g.wanted(1)) g.contribute(1, -(d * log_softmax_of(x)));
}

void sparse_softmax_gradient(GradientContext& g) {
  Term x{&g.build(), g.operand(0)}, label{&g.build(), g.operand(1)};
  Term d = keep_classes({&g.build(), g.cotangent()}, x.shape());
  Term p = softmax_of(x);
  g.contribute(0, d * where(is_label(label, x.shape()), p - 1.0, p));
}

// ---- references: ln and exp of the formulas as they stand -----------------------------------------------------------

/// Calls loss(prediction row, label row or label) for every sample.
template <class Loss> void each_sample(ReferenceContext& c, Loss loss) {
  for_each_sample(c.operand(0).type.shape, true, [&](size_t first, size_t count, size_t sample) {
    c.result().data[sample] = loss(std::span<const double>(c.operand(0).data).subspan(first, count), first, sample);
  });
}

double total(std::span<const double> p) {
  double sum = 0;
  for (double x : p) sum += x;
  return sum;
}
double clipped_log(double p) { return std::log(std::clamp(p, 1e-7, 1 - 1e-7)); }
double log_sum_exp(std::span<const double> x) {
  double largest = *std::max_element(x.begin(), x.end()), sum = 0;
  for (double v : x) sum += std::exp(v - largest);
  return largest + std::log(sum);
}

double binary_value(double p, double y) {
  double q = std::clamp(p, 1e-7, 1 - 1e-7);
  return -y * std::log(q) - (1 - y) * std::log(1 - q);
}
// -y ln s(x) - (1 - y) ln(1 - s(x)), where -ln s(x) = ln(1 + e^-x)
double logit_value(double x, double y) { return y * std::log1p(std::exp(-x)) + (1 - y) * std::log1p(std::exp(x)); }

void categorical_reference(ReferenceContext& c) {
  each_sample(c, [&](std::span<const double> p, size_t first, size_t) {
    double loss = 0;
    for (size_t i = 0; i < p.size(); ++i) loss -= c.operand(1).data[first + i] * clipped_log(p[i] / total(p));
    return loss;
  });
}
// What is no class counts as nothing.
bool is_class(double label, std::span<const double> row) {
  return label >= 0 && label < static_cast<double>(row.size());
}
void sparse_reference(ReferenceContext& c) {
  each_sample(c, [&](std::span<const double> p, size_t, size_t sample) {
    double label = c.operand(1).data[sample];
    return is_class(label, p) ? -clipped_log(p[static_cast<size_t>(label)] / total(p)) : 0;
  });
}
void softmax_reference(ReferenceContext& c) {
  each_sample(c, [&](std::span<const double> x, size_t first, size_t) {
    double loss = 0;
    for (size_t i = 0; i < x.size(); ++i) loss += c.operand(1).data[first + i] * (log_sum_exp(x) - x[i]);
    return loss;
  });
}
void sparse_softmax_reference(ReferenceContext& c) {
  each_sample(c, [&](std::span<const double> x, size_t, size_t sample) {
    double label = c.operand(1).data[sample];
    return log_sum_exp(x) -
           (is_class(label, x) ? x[static_cast<size_t>(label)] : *std::max_element(x.begin(), x.end()));
  });
}
} // namespace

constexpr OpDef binary_crossentropy_op = complete({
    .name = "binary_crossentropy",
    .kind = OpKind::composite,
    .doc = "-(y ln p + (1 - y) ln(1 - p)), p clipped to [1e-7, 1 - 1e-7]." DLCC_DOC_LOSS,
    .min_operands = 2,
    .max_operands = 2,
    .infer = infer_loss,
    .gradient = binary_gradient,
    .body = mean_body<binary_element>,
    .reference = mean_loss_reference<binary_value>,
    .gradient_error = {.of = "the result; for the label, of the larger of 1 and ln p",
                       .because = "ln(1 - p) - ln p passes through 0"},
    .samples = [] { return loss_samples({0.05, 0.95}, {0, 1}); },
});

constexpr OpDef categorical_crossentropy_op = complete({
    .name = "categorical_crossentropy",
    .kind = OpKind::composite,
    .doc = "-sum of y ln p over the classes, p divided by its sum and clipped to [1e-7, 1 - 1e-7]." DLCC_DOC_CLASSES,
    .min_operands = 2,
    .max_operands = 2,
    .infer = infer_class_loss,
    .body = categorical_body,
    .reference = categorical_reference,
    .value_error = {.of = "the sum of y max(1, -ln p)", .because = "p, once divided by its sum, is rounded"},
    .gradient_error = {.of = "its two terms; for the label, of the larger of 1 and ln p",
                       .because = "p, once divided by its sum, is rounded, also where it is clipped"},
    .samples = [] { return class_samples({0.05, 0.95}, {0, 1}); },
});

constexpr OpDef sparse_categorical_crossentropy_op = complete({
    .name = "sparse_categorical_crossentropy",
    .kind = OpKind::composite,
    .doc = "-ln p[label], p divided by its sum and clipped to [1e-7, 1 - 1e-7]; 0 for a label that is no class." //
    DLCC_DOC_SPARSE,
    .min_operands = 2,
    .max_operands = 2,
    .infer = infer_sparse_loss,
    .body = sparse_body,
    .reference = sparse_reference,
    .value_error = {.of = "the larger of 1 and the result", .because = "p, once divided by its sum, is rounded"},
    .gradient_error = {.of = "its two terms",
                       .because = "p, once divided by its sum, is rounded, also where it is clipped"},
    .samples = [] { return sparse_samples({0.05, 0.95}); },
});

constexpr OpDef bce_with_logits_op = complete({
    .name = "bce_with_logits",
    .kind = OpKind::composite,
    .doc = "binary_crossentropy of sigmoid(x), from x: max(x, 0) - x y + ln(1 + e^-|x|)." DLCC_DOC_LOSS,
    .min_operands = 2,
    .max_operands = 2,
    .infer = infer_loss,
    .gradient = logit_gradient,
    .body = mean_body<logit_element>,
    .reference = mean_loss_reference<logit_value>,
    .gradient_error = {.of = "the larger of sigmoid(x) (1 - y) and sigmoid(-x) y", .because = "it is their difference"},
    .samples = [] { return loss_samples({-4, 4}, {0, 1}); },
});

constexpr OpDef softmax_crossentropy_op = complete({
    .name = "softmax_crossentropy",
    .kind = OpKind::composite,
    .doc =
        "categorical_crossentropy of softmax(x), from x: -sum of y log_softmax(x) over the classes." DLCC_DOC_CLASSES,
    .min_operands = 2,
    .max_operands = 2,
    .infer = infer_class_loss,
    .gradient = softmax_gradient,
    .body = softmax_body,
    .reference = softmax_reference,
    .value_error = {.of = "the sum of y max(1, max x - x)", .because = "ln(sum of e^(x - max x)) is close to 0"},
    .gradient_error = {.of = "softmax(x) (1 + max x - x) + y; for the label, of the larger of 1 and max x - x",
                       .because = "x - max x is rounded, and the difference of softmax and label may be small"},
    .samples = [] { return class_samples({-4, 4}, {0, 1}); },
});

constexpr OpDef sparse_softmax_crossentropy_op = complete({
    .name = "sparse_softmax_crossentropy",
    .kind = OpKind::composite,
    .doc = "sparse_categorical_crossentropy of softmax(x), from x: ln(sum of e^x) - x[label]; max x stands for "
           "x[label] where "
           "the label is no class." DLCC_DOC_SPARSE,
    .min_operands = 2,
    .max_operands = 2,
    .infer = infer_sparse_loss,
    .gradient = sparse_softmax_gradient,
    .body = sparse_softmax_body,
    .reference = sparse_softmax_reference,
    .value_error = {.of = "the larger of 1 and max x - x[label]", .because = "ln(sum of e^(x - max x)) is close to 0"},
    .gradient_error = {.of = "softmax(x) (1 + max x - x), of 1 for the label's class",
                       .because = "x - max x is rounded; softmax(x) - 1 may be small"},
    .samples = [] { return sparse_samples({-4, 4}); },
});

} // namespace dlcc::ops

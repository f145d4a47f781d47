// The losses that are no cross-entropies, named as Keras 3.
#include "ir/ops/loss.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace dlcc::ops {

namespace {
using A = const Attributes&;
constexpr double epsilon = 1e-7;

constexpr AttributeDef huber_attributes[] = {
    {"delta", AttributeKind::number, "the error from which on it grows linearly; 1 if absent"}};

std::vector<Type> infer_huber(InferContext& c) {
  if (!(c.attributes().number("delta", 1) > 0)) return c.fail(3, "delta is not positive");
  return infer_loss(c);
}

/// The gradient of a loss of e = p - y, from its derivative by e.
template <auto slope> void residual_gradient(GradientContext& g) {
  Term p{&g.build(), g.operand(0)}, y{&g.build(), g.operand(1)};
  Term d = share_of_sample({&g.build(), g.cotangent()}, p.shape());
  Term by_prediction = d * call_formula<slope>(std::array{p - y, Term{}, Term{}}, g.node().attributes);
  if (g.wanted(0)) g.contribute(0, by_prediction);
  if (g.wanted(1)) g.contribute(1, -by_prediction);
}

Term huber_element(Term p, Term y, A a) {
  double delta = a.number("delta", 1);
  Term error = abs(p - y);
  return where(error <= delta, 0.5 * error * error, delta * (error - 0.5 * delta));
}
Term huber_slope(Term error, A a) {
  double delta = a.number("delta", 1);
  return clip(error, -delta, delta);
}
double huber_value(double p, double y, A a) {
  double delta = a.number("delta", 1), error = std::fabs(p - y);
  return error <= delta ? error * error / 2 : delta * error - delta * delta / 2;
}

// 1 - y / (p + 1e-7), the difference first: p and y may be close.
void poisson_gradient(GradientContext& g) {
  Term p{&g.build(), g.operand(0)}, y{&g.build(), g.operand(1)};
  Term d = share_of_sample({&g.build(), g.cotangent()}, p.shape());
  if (g.wanted(0)) g.contribute(0, d * (((p - y) + epsilon) / (p + epsilon)));
  if (g.wanted(1)) g.contribute(1, -(d * log(p + epsilon)));
}

// cosh e = 1 + u^2 / (2 (1 + u)) with u = e^|e| - 1; from 20 on ln cosh e = |e| - ln 2 to the last digit of f64.
Term log_cosh_element(Term p, Term y) {
  Term error = abs(p - y), u = expm1(minimum(error, 20.0));
  return where(error > 20.0, error - std::numbers::ln2, log1p(u * u / (2.0 * (1.0 + u))));
}
double log_cosh_value(double p, double y) { return std::log(std::cosh(p - y)); }

// Labels 0 count as -1.
Term hinge_element(Term p, Term y) { return relu(1.0 - where(y == 0.0, -1.0, y) * p); }
double hinge_value(double p, double y) { return std::max(0.0, 1 - (y == 0 ? -1 : y) * p); }

// Labels 0 and 1.
std::vector<Sample> hinge_samples() { return loss_samples({-2, 2}, {1, 1}); }
std::vector<Sample> any_samples() { return loss_samples({-2, 2}, {-2, 2}); }

std::vector<ValueId> kl_body(graph::Builder& b, std::span<const ValueId> v, A) {
  Term p = clip({&b, v[0]}, epsilon, 1), y = clip({&b, v[1]}, epsilon, 1);
  return {sum(y * log(y / p), {-1})};
}

void kl_reference(ReferenceContext& c) {
  for_each_sample(c.operand(0).type.shape, true, [&](size_t first, size_t count, size_t sample) {
    double total = 0;
    for (size_t i = first; i < first + count; ++i) {
      double p = std::clamp(c.operand(0).data[i], 1e-7, 1.0), y = std::clamp(c.operand(1).data[i], 1e-7, 1.0);
      total += y * std::log(y / p);
    }
    c.result().data[sample] = total;
  });
}
} // namespace

#define DLCC_LOSS(op, text, f, value, cases)                                                                           \
  constexpr OpDef op##_op = complete({                                                                                 \
      .name = #op,                                                                                                     \
      .kind = OpKind::composite,                                                                                       \
      .doc = text DLCC_DOC_LOSS,                                                                                       \
      .min_operands = 2,                                                                                               \
      .max_operands = 2,                                                                                               \
      .infer = infer_loss,                                                                                             \
      .body = mean_body<f>,                                                                                            \
      .reference = mean_loss_reference<value>,                                                                         \
      .samples = cases,                                                                                                \
  });

// One row a loss: name, formula, element in terms, element in doubles, samples.
DLCC_LOSS(
    mean_squared_error, "(p - y)^2.", [](Term p, Term y) { return square(p - y); },
    [](double p, double y) { return (p - y) * (p - y); }, any_samples)
DLCC_LOSS(
    mean_absolute_error, "|p - y|.", [](Term p, Term y) { return abs(p - y); },
    [](double p, double y) { return std::fabs(p - y); }, any_samples)
DLCC_LOSS(hinge, "max(1 - y p, 0), where a label 0 counts as -1.", hinge_element, hinge_value, hinge_samples)
DLCC_LOSS(
    squared_hinge, "max(1 - y p, 0)^2, where a label 0 counts as -1.",
    [](Term p, Term y) { return square(hinge_element(p, y)); },
    [](double p, double y) { return std::pow(hinge_value(p, y), 2); }, hinge_samples)
#undef DLCC_LOSS

constexpr OpDef poisson_op = complete({
    .name = "poisson",
    .kind = OpKind::composite,
    .doc = "p - y ln(p + 1e-7)." DLCC_DOC_LOSS,
    .min_operands = 2,
    .max_operands = 2,
    .infer = infer_loss,
    .gradient = poisson_gradient,
    .body = mean_body<[](Term p, Term y) { return p - y * log(p + epsilon); }>,
    .reference = mean_loss_reference<[](double p, double y) { return p - y * std::log(p + 1e-7); }>,
    .value_error = {.of = "the largest of p, y and y ln(p + 1e-7)", .because = "it is their difference"},
    .gradient_error = {.of = "the result or 1e-7 / (p + 1e-7); for the label, of 1 or the result",
                       .because = "they pass through 0"},
    .samples = [] { return loss_samples({0.25, 4}, {0, 3}); },
});

constexpr OpDef huber_op = complete({
    .name = "huber",
    .kind = OpKind::composite,
    .doc = "e^2 / 2 for an error e = |p - y| up to delta, delta e - delta^2 / 2 beyond." DLCC_DOC_LOSS
           " (C3) delta is positive.",
    .attributes = huber_attributes,
    .min_operands = 2,
    .max_operands = 2,
    .infer = infer_huber,
    .gradient = residual_gradient<huber_slope>,
    .body = mean_body<huber_element>,
    .reference = mean_loss_reference<huber_value>,
    .samples =
        [] {
          auto samples = any_samples();
          for (Sample& s : loss_samples({-2, 2}, {-2, 2})) {
            s.attributes.set("delta", 0.5);
            samples.push_back(std::move(s));
          }
          return samples;
        },
});

constexpr OpDef log_cosh_op = complete({
    .name = "log_cosh",
    .kind = OpKind::composite,
    .doc = "ln cosh(p - y)." DLCC_DOC_LOSS,
    .min_operands = 2,
    .max_operands = 2,
    .infer = infer_loss,
    .gradient = residual_gradient<[](Term error) { return tanh(error); }>,
    .body = mean_body<log_cosh_element>,
    .reference = mean_loss_reference<log_cosh_value>,
    .samples = any_samples,
});

constexpr OpDef kl_divergence_op = complete({
    .name = "kl_divergence",
    .kind = OpKind::composite,
    .doc = "The sum over the last axis of y ln(y / p), both clipped to [1e-7, 1]." DLCC_DOC_CLASSES,
    .min_operands = 2,
    .max_operands = 2,
    .infer = infer_class_loss,
    .body = kl_body,
    .reference = kl_reference,
    .value_error = {.of = "the sum of y max(1, |ln(y / p)|)", .because = "y / p may be close to 1"},
    .gradient_error = {.of = "the result; for the label, of the larger of 1 and ln(y / p)",
                       .because = "1 + ln(y / p) passes through 0"},
    .samples = [] { return class_samples({0.05, 0.95}, {0.05, 0.95}); },
});

} // namespace dlcc::ops

#include "ir/ops/elementwise.h"

#include <limits>

namespace dlcc::ops {

double smallest_normal(DType t) {
  return t == DType::f32 ? double{std::numeric_limits<float>::min()} : std::numeric_limits<double>::min();
}
double largest_finite(DType t) {
  return t == DType::f32 ? double{std::numeric_limits<float>::max()} : std::numeric_limits<double>::max();
}

// x = high + low, high with so few bits that its square is exact; then x^2 = square + rest, rest being far below 1
// (Dekker 1971), and e^(square + rest) = e^square (1 + rest). Beyond 40 the result is 0 or infinite.
Term exp_of_square(Term x, double factor) {
  x = clip(x, -40, 40);
  Term high = floor(x * 16.0) / 16.0, low = x - high, square = x * x;
  Term rest = (high * high - square) + 2.0 * high * low + low * low;
  return exp(factor * square) * (1.0 + factor * rest);
}

Sigmoids sigmoids(Term x) {
  Term smaller = sigmoid(-abs(x)), larger = 1.0 - smaller, positive = (x > 0.0);
  return {where(positive, larger, smaller), where(positive, smaller, larger)};
}
Term sigmoid_slope(Term x) {
  Term smaller = sigmoid(-abs(x));
  return smaller * (1.0 - smaller);
}

std::vector<Type> infer_float(InferContext& c) { return Require(c).floats(0, 1).result(c.operand(0)); }
std::vector<Type> infer_signed(InferContext& c) { return Require(c).signed_numbers(0, 1).result(c.operand(0)); }

std::vector<Type> infer_numbers(InferContext& c) {
  Require r(c);
  r.numbers(0, 1).same_dtype(1).broadcast(2); // one type: all are numbers
  return r.result({c.operand(0).dtype, r.common_shape()});
}

std::vector<Type> infer_floats(InferContext& c) {
  Require r(c);
  r.floats(0, 1).same_dtype(1).broadcast(2);
  return r.result({c.operand(0).dtype, r.common_shape()});
}

std::vector<Type> infer_compare(InferContext& c) {
  Require r(c);
  r.numbers(0, 1).same_dtype(1).broadcast(2);
  return r.result({DType::boolean, r.common_shape()});
}

std::vector<Type> infer_bools(InferContext& c) {
  Require r(c);
  for (size_t k = 0; k < c.count(); ++k) r.dtype(k, DType::boolean, 1);
  r.broadcast(2);
  return r.result({DType::boolean, r.common_shape()});
}

std::vector<Sample> unary_samples(graph::Range range, std::vector<double> kinks, const Attributes& attributes) {
  std::vector<Sample> samples;
  for (const Type& t : {Type{DType::f32, {3, 5}}, Type{DType::f64, {17}}, Type{DType::f32, {}},
                        Type{DType::f32, {1, 1}}, Type{DType::f32, {0, 4}}, Type{DType::f32, {2, 3, 33}}})
    samples.push_back({.operands = {t}, .attributes = attributes, .ranges = {range}, .kinks = kinks});
  return samples;
}

std::vector<Sample> binary_samples(DType dtype, graph::Range x, graph::Range y) {
  auto t = [&](Shape shape) { return Type{dtype, std::move(shape)}; };
  std::vector<Sample> samples;
  for (auto& [a, b] : std::vector<std::pair<Type, Type>>{{t({3, 5}), t({3, 5})},
                                                         {t({}), t({})},
                                                         {t({2, 7}), t({7})},
                                                         {t({5, 1}), t({1, 4})},
                                                         {t({}), t({3, 1})},
                                                         {t({2, 0}), t({1, 1})},
                                                         {t({33}), t({33})}}) {
    Sample s{.operands = {a, b}};
    if (is_float(dtype)) s.ranges = {x, y};
    samples.push_back(std::move(s));
  }
  return samples;
}

} // namespace dlcc::ops

// From one formula a row to the facets of an elementwise operator: the element, the reference and the gradient hooks
// are instances of these templates, the formula being a lambda without captures.
#pragma once

#include "ir/ops/record.h"

#include <array>
#include <type_traits>

namespace dlcc::ops {

/// f(x), f(x, y) or f(x, y, z), with the attributes as last argument if f wants them.
template <auto f, class Number> auto call_formula(const std::array<Number, 3>& x, const Attributes& a) {
  using F = decltype(f);
  if constexpr (std::is_invocable_v<F, Number>) return f(x[0]);
  if constexpr (std::is_invocable_v<F, Number, const Attributes&>) return f(x[0], a);
  if constexpr (std::is_invocable_v<F, Number, Number>) return f(x[0], x[1]);
  if constexpr (std::is_invocable_v<F, Number, Number, const Attributes&>) return f(x[0], x[1], a);
  if constexpr (std::is_invocable_v<F, Number, Number, Number>) return f(x[0], x[1], x[2]);
}

/// The element hook of f(Scalar...) -> Scalar.
template <auto f> void element_by(ElementContext& c) {
  std::array<Scalar, 3> x;
  for (size_t k = 0; k < c.operand_count(); ++k) x[k] = element_of(c, k);
  c.set(call_formula<f>(x, c.attributes()));
}

/// The reference of f(double...) -> double.
template <auto f> void reference_by(ReferenceContext& c) {
  size_t at = 0;
  for_each_index(c.result().type.shape, [&](const Shape& index) {
    std::array<double, 3> x{};
    for (size_t k = 0; k < c.count(); ++k) x[k] = broadcast_at(c.operand(k), index);
    c.result().data[at++] = static_cast<double>(call_formula<f>(x, c.attributes()));
  });
}

/// The gradient of a unary operator: f(x, y, dy[, attributes]) -> dx, where y is the result and dy its gradient.
template <auto f> void gradient_by(GradientContext& g) {
  graph::Builder& b = g.build();
  Term x{&b, g.operand(0)}, y{&b, g.result()}, dy{&b, g.cotangent()};
  if constexpr (std::is_invocable_v<decltype(f), Term, Term, Term>)
    g.contribute(0, f(x, y, dy));
  else
    g.contribute(0, f(x, y, dy, g.node().attributes));
}

/// The gradient of a binary operator: one f(x, y, z, dz) -> dx or dy for each operand, where z is the result.
template <auto fx, auto fy> void gradients_by(GradientContext& g) {
  graph::Builder& b = g.build();
  Term x{&b, g.operand(0)}, y{&b, g.operand(1)}, z{&b, g.result()}, dz{&b, g.cotangent()};
  if (g.wanted(0)) g.contribute(0, fx(x, y, z, dz));
  if (g.wanted(1)) g.contribute(1, fy(x, y, z, dz));
}

// ---- formulas that several operators share --------------------------------------------------------------------------

double smallest_normal(DType t);
double largest_finite(DType t);
/// e^(factor x^2) for a factor that is a power of two up to 1, of either sign, although x^2 has no place in one number.
Term exp_of_square(Term x, double factor);

/// sigmoid(x) and sigmoid(-x); neither loses digits where the other is close to 1.
struct Sigmoids {
  Term of_x, of_minus_x;
};
Sigmoids sigmoids(Term x);
/// The derivative of sigmoid, the product of the two.
Term sigmoid_slope(Term x);

// ---- shape rules; the constraints are numbered as these texts say ---------------------------------------------------

#define DLCC_DOC_FLOAT " (C1) The operand is f32 or f64."
#define DLCC_DOC_SIGNED " (C1) The operand is a float or a signed integer."
#define DLCC_DOC_NUMBERS " (C1) The operands are numbers of one type. (C2) Their shapes can be broadcast together."
#define DLCC_DOC_FLOATS " (C1) The operands are floats of one type. (C2) Their shapes can be broadcast together."
#define DLCC_DOC_BOOLS " (C1) The operands are bool. (C2) Their shapes can be broadcast together."

std::vector<Type> infer_float(InferContext& c);   ///< one float -> the same type
std::vector<Type> infer_signed(InferContext& c);  ///< one signed number -> the same type
std::vector<Type> infer_numbers(InferContext& c); ///< two numbers of one type -> their broadcast
std::vector<Type> infer_floats(InferContext& c);  ///< two floats of one type -> their broadcast
std::vector<Type> infer_compare(InferContext& c); ///< two of one type -> bool
std::vector<Type> infer_bools(InferContext& c);   ///< one or two bools -> bool

// ---- samples --------------------------------------------------------------------------------------------------------

/// A few shapes of one operand of that range, f32 and f64, among them rank 0, odd, 1 and 0.
std::vector<Sample> unary_samples(graph::Range range, std::vector<double> kinks = {},
                                  const Attributes& attributes = {});
/// Pairs of shapes that broadcast in all ways.
std::vector<Sample> binary_samples(DType dtype, graph::Range x = {}, graph::Range y = {});

/// The same as function pointers for the records.
template <int low = -2, int high = 2> std::vector<Sample> unary_in() {
  return unary_samples({static_cast<double>(low), static_cast<double>(high)});
}
template <DType dtype> std::vector<Sample> binary_of() { return binary_samples(dtype); }

} // namespace dlcc::ops

// Layers that combine values element by element.
#include "frontend/layers.h"

namespace dlcc::frontend {

using ops::Term;

namespace {
template <auto combine> Term fold(LayerContext& c) {
  Term y = c.inputs[0];
  for (size_t i = 1; i < c.inputs.size(); ++i) y = combine(y, c.inputs[i]);
  return y;
}
constexpr auto plus = [](Term x, Term y) { return ops::add(x, y); };
constexpr auto minus = [](Term x, Term y) { return ops::subtract(x, y); };
constexpr auto times = [](Term x, Term y) { return ops::multiply(x, y); };

// One node: pairwise ones would share the gradient of ties unequally.
Term build_maximum(LayerContext& c) {
  return {&c.b, c.b.add("maximum", std::vector<graph::ValueId>(c.inputs.begin(), c.inputs.end()))};
}

Term build_average(LayerContext& c) { return fold<plus>(c) / static_cast<double>(c.inputs.size()); }

// Both sides of a residual block must have the same shape: broadcasting would hide a mistake.
Term build_residual(LayerContext& c) {
  if (!(c.inputs[0].type() == c.inputs[1].type()))
    throw ModelError{"shape-mismatch",
                     "the shortcut of " + quoted(c.name) + " is " + to_string(c.inputs[0].type()) +
                         " and its layers give " + to_string(c.inputs[1].type()) + ", expected one type",
                     {}};
  return fold<plus>(c);
}

// Pixels may come as integers.
Term as_float(LayerContext& c) {
  return is_float(c.input().dtype()) ? c.input() : ops::cast(c.input(), c.b.module().dtype);
}

Term build_rescale(LayerContext& c) {
  Term y = as_float(c) * c.layer.number("scale");
  double offset = c.layer.number("offset");
  return offset == 0 ? y : y + offset;
}

// One number, or one a feature of the last axis.
Term features(LayerContext& c, const char* key) {
  const std::vector<double>& values = c.layer.numbers(key);
  Term x = as_float(c);
  if (values.size() == 1) return x.number(values[0]);
  const auto count = static_cast<int64_t>(values.size());
  if (x.shape().empty() || x.shape().back() != count)
    throw ModelError{"shape-mismatch",
                     "'" + std::string(key) + "' has " + std::to_string(count) + " numbers for an input of " +
                         to_string(x.type()) + ", expected 1 or one a feature of the last axis",
                     c.layer.at(key).place};
  return {&c.b, c.b.add("constant", {}, {{"dtype", x.dtype()}, {"shape", Shape{count}}, {"values", values}})};
}

Term build_normalize(LayerContext& c) {
  Term mean = features(c, "mean"), variance = features(c, "variance");
  return (as_float(c) - mean) / ops::sqrt(variance);
}

constexpr LayerRow rows[] = {
    {"Add", fold<plus>, 2, -1},        {"Subtract", fold<minus>, 2, 2},   {"Multiply", fold<times>, 2, -1},
    {"Average", build_average, 2, -1}, {"Maximum", build_maximum, 2, -1}, {"Residual", build_residual, 2, 2},
    {"Rescale", build_rescale},        {"Normalize", build_normalize},
};
} // namespace

std::span<const LayerRow> arithmetic_layers() { return rows; }

} // namespace dlcc::frontend

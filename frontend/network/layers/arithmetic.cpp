// Layers that combine values element by element.
#include "frontend/network/layers/layers.h"

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
} // namespace

std::vector<LayerDef> arithmetic_layers() {
  return {
      {{"Rescale",
        "x * scale + offset",
        {number("scale").required("factor"), number("offset").defaults(0.0, "added after the factor")}},
       build_rescale},
      {{"Normalize",
        "(x - mean) / sqrt(variance), constants over the last axis",
        {list("mean", KeyKind::numbers).at_least_entries(1).required("one number, or one per feature"),
         list("variance", KeyKind::numbers)
             .at_least_entries(1)
             .more_than(0)
             .required("one number, or one per feature")}},
       build_normalize},
      {{"Add", "the sum of its inputs"}, fold<plus>, 2, -1},
      {{"Subtract", "the first input less the second"}, fold<minus>, 2, 2},
      {{"Multiply", "the product of its inputs"}, fold<times>, 2, -1},
      {{"Average", "the mean of its inputs"}, build_average, 2, -1},
      {{"Maximum", "the largest of its inputs, element by element"}, build_maximum, 2, -1},
  };
}

} // namespace dlcc::frontend

// Layers with layers inside. The layer graph opens them: Repeat disappears, of Residual the sum is left.
#include "frontend/network/layers/layers.h"

namespace dlcc::frontend {

namespace {
// Both sides of a residual block must have the same shape: broadcasting would hide a mistake.
ops::Term build_residual(LayerContext& c) {
  if (!(c.inputs[0].type() == c.inputs[1].type()))
    throw ModelError{"shape-mismatch",
                     "the shortcut of " + quoted(c.name) + " is " + to_string(c.inputs[0].type()) +
                         " and its layers give " + to_string(c.inputs[1].type()) + ", expected one type",
                     {}};
  return ops::add(c.inputs[0], c.inputs[1]);
}

Key sub_layers(std::string name, bool required) {
  Key key = record(std::move(name), Group::layer, KeyKind::records);
  if (required) return std::move(key).at_least_entries(1).required("layers inside, in order");
  return std::move(key).optional("layers on the other branch, in order; none is the identity");
}
} // namespace

std::vector<LayerDef> container_layers() {
  return {
      {{"Residual", "shortcut(x) + layers(x)", {sub_layers("layers", true), sub_layers("shortcut", false)}},
       build_residual,
       2,
       2},
      {{"Repeat",
        "its layers `times` over, one after the other; their names get the prefix <name>_<i>/",
        {integer("times").at_least(1).at_most(1e6).required("how often"), sub_layers("layers", true)}}},
  };
}

} // namespace dlcc::frontend

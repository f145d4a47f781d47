// Reverse-mode differentiation as a graph transformation: ordinary nodes are appended to the function, so gradients
// print, simplify and fuse like anything else, and the gradient of a gradient works. It knows no operator; each brings
// its rule (OpDef::gradient).
//
// Handles values used several times and by themselves (contributions are added), broadcast operands (summed back to
// their shape), views, operands whose gradient nobody wants (no work), integers (no gradient), and calls of functions
// that bring their own gradient. Composites without a rule must be expanded first (expand_composites).
#pragma once

#include "ir/graph/builder.h"

#include <map>
#include <string>

namespace dlcc::passes {

struct Gradients {
  /// Gradient of each wanted value; a value the result does not depend on has none.
  std::map<graph::ValueId, graph::ValueId> of;
  /// The first operator on the way to an unreached value that has no gradient, by name; for messages.
  std::map<graph::ValueId, std::string> blocked_by;
};

/// d result / d wanted, appended to the builder's function. `result` is a scalar; its own cotangent is `seed`, or 1.
Gradients differentiate(graph::Builder& builder, graph::ValueId result, const std::vector<graph::ValueId>& wanted,
                        graph::ValueId seed = {});

} // namespace dlcc::passes

// Replaces composite operators by their bodies: first those without a gradient rule of their own, so that the gradient
// is that of the body; after differentiation all the others.
//
//   %p = softmax(%z) {axis = -1}   ==>   %m = max(%z) ... %p = divide(%e, %s)
#pragma once

#include "passes/pass.h"

namespace dlcc::passes {

/// Whether the operator's gradient is that of its body.
bool is_underivable_composite(const graph::OpDef& op);
graph::Module expand_underivable_composites(graph::Module module, PassContext& context);
graph::Module expand_composites(graph::Module module, PassContext& context);

} // namespace dlcc::passes

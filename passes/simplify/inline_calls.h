// Replaces calls by the body of what they call, so that rules see across them. Calls of a function that brings its own
// gradient stay until the gradient is taken.
#pragma once

#include "passes/pass.h"

namespace dlcc::passes {

graph::Module inline_calls(graph::Module module, PassContext& context);
/// The function with every call inlined, those with a gradient of their own included.
graph::Function inline_all_calls(graph::Module& module, const graph::Function& function, graph::OpTable ops);

} // namespace dlcc::passes

#include "passes/simplify/inline_calls.h"

#include "ir/graph/call.h"
#include "ir/graph/rewrite.h"

#include <algorithm>

namespace dlcc::passes {

using namespace graph;

namespace {
Function inline_calls_of(Module& module, Function function, OpTable ops, bool keep_own_gradients) {
  auto callee = [&](const Node& node) -> const Function* {
    if (node.op != &call_op) return nullptr;
    const Function* f = callee_of(module, node.attributes);
    return keep_own_gradients && !f->gradient.empty() ? nullptr : f;
  };
  auto has_calls = [&] { return std::any_of(function.nodes.begin(), function.nodes.end(), callee); };
  // A callee's own calls appear when it is inlined; the verifier refuses recursion.
  while (has_calls())
    function = rewrite(module, function, ops, [&](Builder& to, const Node& node, std::span<const ValueId> operands) {
      const Function* f = callee(node);
      return f ? std::optional(inline_function(to, *f, operands)) : std::nullopt;
    });
  return function;
}
} // namespace

Function inline_all_calls(Module& module, const Function& function, OpTable ops) {
  return inline_calls_of(module, function, ops, false);
}

Module inline_calls(Module module, PassContext& context) {
  for (FunctionId f : module.functions.ids())
    module.functions[f] = inline_calls_of(module, module.functions[f], context.ops, true);
  return module;
}

} // namespace dlcc::passes

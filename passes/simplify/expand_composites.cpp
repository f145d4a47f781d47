#include "passes/simplify/expand_composites.h"

#include "ir/graph/call.h"
#include "ir/graph/rewrite.h"

#include <algorithm>

namespace dlcc::passes {

using namespace graph;

namespace {
Module expand(Module module, PassContext& context, bool (*wanted)(const OpDef&)) {
  for (FunctionId id : module.functions.ids()) {
    auto is_wanted = [&](const Node& node) {
      return node.op != &call_op && node.op->kind == OpKind::composite && wanted(*node.op);
    };
    // Bodies may consist of composites; the nesting is as deep as the operator table makes it.
    while (std::any_of(module.functions[id].nodes.begin(), module.functions[id].nodes.end(), is_wanted))
      module.functions[id] =
          rewrite(module, module.functions[id], context.ops,
                  [&](Builder& to, const Node& node, std::span<const ValueId> operands) {
                    return is_wanted(node) ? std::optional(node.op->body(to, operands, node.attributes)) : std::nullopt;
                  });
  }
  return module;
}
} // namespace

bool is_underivable_composite(const OpDef& op) {
  return op.kind == OpKind::composite && &op != &call_op && !op.gradient && op.no_gradient.empty();
}

Module expand_underivable_composites(Module module, PassContext& context) {
  return expand(std::move(module), context, is_underivable_composite);
}

Module expand_composites(Module module, PassContext& context) {
  return expand(std::move(module), context, [](const OpDef&) { return true; });
}

} // namespace dlcc::passes

#include "ir/base/text.h"
#include "ir/graph/call.h"
#include "ir/graph/rewrite.h"
#include "passes/simplify/simplify.h"

#include <algorithm>
#include <unordered_map>

namespace dlcc::passes {

using namespace graph;

namespace {
std::string key_of(const Node& node, std::span<const ValueId> operands) {
  std::string key(node.op->name);
  for (ValueId v : operands) key += " " + std::to_string(v.index);
  return key + print_attributes(node.attributes);
}
// A result of the function keeps its name, so no older value may stand for it.
bool gives_result(const Function& function, const Node& node) {
  return std::any_of(node.results.begin(), node.results.end(), [&](ValueId v) {
    return std::find(function.results.begin(), function.results.end(), v) != function.results.end();
  });
}

// Equal nodes in one form.
Function canonical(Module& module, const Function& function, OpTable ops) {
  return rewrite(
      module, function, ops,
      [&](Builder& to, const Node& node, std::span<const ValueId> operands) -> std::optional<std::vector<ValueId>> {
        ValueId v = node.op->canonical ? node.op->canonical(to, node, operands) : ValueId();
        return v.valid() ? std::optional(std::vector{v}) : std::nullopt;
      });
}
} // namespace

Module merge_duplicates(Module module, PassContext& context) {
  for (FunctionId id : module.functions.ids()) {
    const Function given = std::move(module.functions[id]);
    const Function before = canonical(module, given, context.ops);
    std::unordered_map<std::string, NodeId> seen;
    module.functions[id] = rewrite(
        module, before, context.ops,
        [&](Builder& to, const Node& node, std::span<const ValueId> operands) -> std::optional<std::vector<ValueId>> {
          if (node.op->kind == OpKind::effect || node.op == &call_op) return std::nullopt;
          auto [at, added] = seen.try_emplace(key_of(node, operands), to.function().nodes.next());
          if (added || gives_result(before, node)) return std::nullopt;
          return to.function().nodes[at->second].results;
        });
  }
  return module;
}

} // namespace dlcc::passes

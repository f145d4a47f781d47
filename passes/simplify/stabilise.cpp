#include "passes/simplify/stabilise.h"

#include "ir/graph/rewrite.h"
#include "ir/ops/build.h"

namespace dlcc::passes {

using namespace graph;
using ops::Term;

namespace {
struct Rule {
  std::string_view name, outer, inner;
  /// From the inner operator's operand and the outer node's operands.
  ValueId (*stable)(Builder&, const Node& outer, std::span<const ValueId> operands, ValueId logits);
};

Attributes without_from_logits(const Node& node) {
  Attributes attributes;
  for (auto& [name, value] : node.attributes)
    if (name != "from_logits") attributes.set(name, value);
  return attributes;
}

constexpr Rule rules[] = {
    {"sigmoid-crossentropy", "binary_crossentropy", "sigmoid",
     [](Builder& b, const Node& n, std::span<const ValueId> o, ValueId z) {
       return b.add("bce_with_logits", {z, o[1]}, without_from_logits(n));
     }},
    {"softmax-crossentropy", "categorical_crossentropy", "softmax",
     [](Builder& b, const Node& n, std::span<const ValueId> o, ValueId z) {
       return b.add("softmax_crossentropy", {z, o[1]}, without_from_logits(n));
     }},
    {"softmax-sparse-crossentropy", "sparse_categorical_crossentropy", "softmax",
     [](Builder& b, const Node& n, std::span<const ValueId> o, ValueId z) {
       return b.add("sparse_softmax_crossentropy", {z, o[1]}, without_from_logits(n));
     }},
    {"log-softmax", "log", "softmax",
     [](Builder& b, const Node&, std::span<const ValueId>, ValueId z) { return b.add("log_softmax", {z}); }},
    {"log-sigmoid", "log", "sigmoid",
     [](Builder& b, const Node&, std::span<const ValueId>, ValueId z) { return (-ops::softplus(-Term{&b, z})).id; }},
};
// The stable operators work along the last axis.
bool normalizes_last_axis(const Node& node, size_t rank) {
  return normalize_axis(node.attributes.integer("axis", -1), rank) == static_cast<int64_t>(rank) - 1;
}

// The node that computes `v`, looking through reshapes, which change no element.
const Node* producer_of(const Function& f, ValueId v) {
  while (f.values[v].kind == ValueKind::result) {
    const Node& n = f.nodes[f.values[v].node];
    if (n.op->name != "reshape") return &n;
    v = n.operands[0];
  }
  return nullptr;
}

bool applies(const Rule& rule, const Function& f, const Node& outer, ValueId operand, const Node& inner) {
  if (rule.outer != outer.op->name || rule.inner != inner.op->name) return false;
  if (inner.op->name != "softmax") return true;
  const Shape &rows = f.type(inner.results[0]).shape, &seen = f.type(operand).shape;
  return normalizes_last_axis(inner, rows.size()) && !seen.empty() && seen.back() == rows.back();
}
} // namespace

Module stabilise(Module module, PassContext& context) {
  for (FunctionId id : module.functions.ids())
    module.functions[id] = rewrite(
        module, module.functions[id], context.ops,
        [&](Builder& to, const Node& node, std::span<const ValueId> operands) -> std::optional<std::vector<ValueId>> {
          const Function& f = to.function();
          const Node* inner = operands.empty() ? nullptr : producer_of(f, operands[0]);
          if (!inner) return std::nullopt;
          for (const Rule& rule : rules) {
            if (!applies(rule, f, node, operands[0], *inner)) continue;
            const ValueId logits = inner->operands[0];
            const Shape shape = f.type(operands[0]).shape;
            to.note = "rule " + std::string(rule.name);
            return std::vector{rule.stable(to, node, operands, ops::reshape(Term{&to, logits}, shape))};
          }
          return std::nullopt;
        });
  return module;
}

} // namespace dlcc::passes

#include "passes/simplify/stabilise.h"

#include "ir/graph/rewrite.h"
#include "passes/simplify/probabilities.h"

namespace dlcc::passes {

using namespace graph;
using ops::Term;

namespace {
struct Rule {
  std::string_view name, outer;
  const OpDef* activation;
  /// From the outer node, its operands, and what the activation was applied to.
  ValueId (*stable)(Builder&, const Node& outer, std::span<const ValueId> operands, ValueId logits, int64_t axis);
};

/// The loss of the logits instead of the probabilities.
template <const OpDef& loss>
ValueId of_logits(Builder& b, const Node& outer, std::span<const ValueId> operands, ValueId logits, int64_t) {
  return ops::apply(b, loss, {logits, operands[1]}, outer.attributes);
}

constexpr Rule rules[] = {
    {"sigmoid-crossentropy", "binary_crossentropy", &ops::sigmoid_op, of_logits<ops::bce_with_logits_op>},
    {"softmax-crossentropy", "categorical_crossentropy", &ops::softmax_op, of_logits<ops::softmax_crossentropy_op>},
    {"softmax-sparse-crossentropy", "sparse_categorical_crossentropy", &ops::softmax_op,
     of_logits<ops::sparse_softmax_crossentropy_op>},
    {"log-softmax", "log", &ops::softmax_op,
     [](Builder& b, const Node&, std::span<const ValueId>, ValueId z, int64_t axis) {
       bool last = axis + 1 == static_cast<int64_t>(b.type(z).rank());
       return ops::apply(b, ops::log_softmax_op, {z}, last ? Attributes() : Attributes{{"axis", axis}});
     }},
    {"log-sigmoid", "log", &ops::sigmoid_op,
     [](Builder& b, const Node&, std::span<const ValueId>, ValueId z, int64_t) {
       return (-ops::softplus(-Term{&b, z})).id;
     }},
};

bool is_loss(const Rule& rule) { return rule.outer != "log"; }

// Losses over classes work along the last axis.
bool applies(const Rule& rule, const Node& outer, const Activated& p, size_t rank) {
  if (rule.outer != outer.op->name || rule.activation != p.activation) return false;
  return p.activation == &ops::sigmoid_op || !is_loss(rule) || p.axis + 1 == static_cast<int64_t>(rank);
}

void warn_of_clipping(PassContext& context, const Node& loss) {
  if (!context.diagnostics) return;
  for (const Diagnostic& d : context.diagnostics->all())
    if (d.name == "clipped-probabilities" && d.where == loss.where) return; // one loss, several functions
  context.diagnostics->warning("clipped-probabilities",
                               std::string(loss.op->name) +
                                   " takes probabilities that are changed after their sigmoid or softmax: they are "
                                   "clipped to [1e-7, 1 - 1e-7] and have no gradient beyond; expected the activation "
                                   "last, along the classes",
                               loss.where);
}
} // namespace

Module stabilise(Module module, PassContext& context) {
  for (FunctionId id : module.functions.ids()) {
    Probabilities probabilities;
    module.functions[id] = rewrite(
        module, module.functions[id], context.ops,
        [&](Builder& to, const Node& node, std::span<const ValueId> operands) -> std::optional<std::vector<ValueId>> {
          probabilities.catch_up(to.function());
          if (operands.empty()) return std::nullopt;
          const Activated* p = probabilities.find(operands[0]);
          bool is_known_loss = false;
          for (const Rule& rule : rules) {
            is_known_loss |= is_loss(rule) && rule.outer == node.op->name;
            if (!p || !applies(rule, node, *p, to.type(operands[0]).rank())) continue;
            ValueId logits = probabilities.logits(to, operands[0]);
            to.note = "rule " + std::string(rule.name);
            return std::vector{rule.stable(to, node, operands, logits, p->axis)};
          }
          if (is_known_loss && probabilities.derived(operands[0])) warn_of_clipping(context, node);
          return std::nullopt;
        });
  }
  return module;
}

} // namespace dlcc::passes

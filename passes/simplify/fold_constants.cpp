#include "ir/graph/evaluate.h"
#include "ir/graph/rewrite.h"
#include "passes/simplify/simplify.h"

namespace dlcc::passes {

using namespace graph;

namespace {
// Computing an f32 operation in double and rounding once more gives the f32 result, since 53 >= 2 * 24 + 2 bits
// (Figueroa 1995).
double rounded(double value, DType dtype) {
  return dtype == DType::f32 ? static_cast<double>(static_cast<float>(value)) : value;
}
} // namespace

Module fold_constants(Module module, PassContext& context) {
  for (FunctionId id : module.functions.ids())
    module.functions[id] = rewrite(
        module, module.functions[id], context.ops,
        [&](Builder& to, const Node& node, std::span<const ValueId> operands) -> std::optional<std::vector<ValueId>> {
          if (!node.op->exactly_rounded) return std::nullopt;
          std::vector<Tensor> values;
          for (ValueId v : operands) {
            const Value& operand = to.function().values[v];
            if (operand.kind != ValueKind::result || !operand.type.shape.empty()) return std::nullopt;
            if (is_integer(operand.type.dtype)) return std::nullopt; // it wraps, and may not fit a double
            const Node& constant = to.function().nodes[operand.node];
            if (constant.op->name != "constant" || !constant.attributes.has("value")) return std::nullopt;
            values.emplace_back(operand.type,
                                std::vector{rounded(constant.attributes.number("value"), operand.type.dtype)});
          }
          if (node.op->name == "cast" && is_integer(node.attributes.dtype("dtype"))) return std::nullopt;
          Tensor result = evaluate_op(*node.op, values, node.attributes, context.ops)[0];
          return std::vector{to.constant(rounded(result.data[0], result.type.dtype), result.type.dtype)};
        });
  return module;
}

} // namespace dlcc::passes

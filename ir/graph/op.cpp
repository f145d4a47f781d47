#include "ir/graph/op.h"

#include "ir/graph/call.h"

namespace dlcc::graph {

std::vector<Type> InferContext::fail(int constraint, std::string text) {
  message_ = std::move(text) + " (C" + std::to_string(constraint) + ")";
  return {};
}

std::string_view name_of(OpKind kind) {
  constexpr std::string_view names[] = {"map", "view", "reduction", "contract", "composite", "effect"};
  return names[static_cast<size_t>(kind)];
}

std::string_view name_of(AttributeKind kind) {
  constexpr std::string_view names[] = {"boolean", "integer", "number", "dtype", "string", "integers", "numbers"};
  return names[static_cast<size_t>(kind)];
}

const OpDef* find_op(OpTable ops, std::string_view name) {
  for (const OpDef* op : ops)
    if (op->name == name) return op;
  return name == call_op.name ? &call_op : nullptr;
}

} // namespace dlcc::graph

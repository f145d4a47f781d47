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

bool make_kind(AttributeValue& value, AttributeKind kind) {
  if (auto* integer = std::get_if<int64_t>(&value); integer && kind == AttributeKind::number)
    value = static_cast<double>(*integer);
  else if (auto* list = std::get_if<std::vector<int64_t>>(&value); list && kind == AttributeKind::numbers)
    value = std::vector<double>(list->begin(), list->end());
  switch (kind) {
  case AttributeKind::boolean:
    return std::holds_alternative<bool>(value);
  case AttributeKind::integer:
    return std::holds_alternative<int64_t>(value);
  case AttributeKind::number:
    return std::holds_alternative<double>(value);
  case AttributeKind::dtype:
    return std::holds_alternative<DType>(value);
  case AttributeKind::string:
    return std::holds_alternative<std::string>(value);
  case AttributeKind::integers:
    return std::holds_alternative<std::vector<int64_t>>(value);
  case AttributeKind::numbers:
    return std::holds_alternative<std::vector<double>>(value);
  }
  return false;
}

const OpDef* find_op(OpTable ops, std::string_view name) {
  for (const OpDef* op : ops)
    if (op->name == name) return op;
  return name == call_op.name ? &call_op : nullptr;
}

} // namespace dlcc::graph

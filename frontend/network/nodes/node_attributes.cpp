#include "frontend/network/nodes/node_attributes.h"

#include <algorithm>
#include <charconv>

namespace dlcc::frontend {

namespace {
using graph::AttributeKind;

constexpr std::string_view makes_numbers[] = {"constant", "one_hot", "random_uniform", "random_normal"};

const graph::AttributeDef* find_attribute(const graph::OpDef& op, std::string_view name) {
  for (const graph::AttributeDef& def : op.attributes)
    if (def.name == name) return &def;
  return nullptr;
}

[[noreturn]] void refuse(const graph::OpDef& op, const Attribute& a, const std::string& expected) {
  throw ModelError{"wrong-type",
                   "attribute " + quoted(a.name) + " of operator '" + std::string(op.name) + "' must be " + expected,
                   a.place};
}

AttributeValue read_dtype(const Attribute& a, const std::string& name) {
  if (std::optional<DType> type = dtype_from_name(name)) return *type;
  const Words::Complaint complaint = option_words("dtype", dtype_names()).complaint("dtype", name);
  throw ModelError{complaint.name, complaint.text, a.place};
}

std::vector<int64_t> read_dimensions(const Attribute& a, const std::vector<std::string>& texts,
                                     const ModelSpec& model) {
  std::vector<int64_t> out;
  for (const std::string& text : texts) {
    int64_t value = 0;
    const char* end = text.data() + text.size();
    if (auto [at, error] = std::from_chars(text.data(), end, value); error != std::errc() || at != end) {
      auto bound = model.symbols.find(text);
      if (bound == model.symbols.end())
        throw ModelError{"unbound-symbol",
                         "symbol " + quoted(text) + " in " + quoted(a.name) + " has no value, expected -D " + text +
                             "=<integer >= 1>",
                         a.place};
      value = bound->second;
    }
    out.push_back(value);
  }
  return out;
}

AttributeValue convert(const graph::OpDef& op, const Attribute& a, AttributeKind kind, const ModelSpec& model) {
  if (const auto* text = std::get_if<std::string>(&a.value))
    return kind == AttributeKind::dtype ? read_dtype(a, *text) : AttributeValue(*text);
  if (const auto* flag = std::get_if<bool>(&a.value)) return *flag;
  if (const auto* integer = std::get_if<int64_t>(&a.value)) {
    if (kind == AttributeKind::integers) return std::vector<int64_t>{*integer};
    if (kind == AttributeKind::numbers) return std::vector<double>{static_cast<double>(*integer)};
    return *integer;
  }
  if (const auto* number = std::get_if<double>(&a.value)) {
    if (kind == AttributeKind::numbers) return std::vector<double>{*number};
    return *number;
  }
  if (const auto* integers = std::get_if<std::vector<int64_t>>(&a.value)) return *integers;
  if (const auto* numbers = std::get_if<std::vector<double>>(&a.value)) return *numbers;
  if (const auto* texts = std::get_if<std::vector<std::string>>(&a.value); texts && kind == AttributeKind::integers)
    return read_dimensions(a, *texts, model);
  refuse(op, a, "of kind " + std::string(name_of(kind)));
}

// A constant's value may be a nested list: its numbers row by row, and their shape unless one is given.
bool read_nested_value(const Attribute& a, Attributes& out) {
  std::vector<double> numbers;
  if (const auto* integers = std::get_if<std::vector<int64_t>>(&a.value))
    numbers.assign(integers->begin(), integers->end());
  else if (const auto* doubles = std::get_if<std::vector<double>>(&a.value))
    numbers = *doubles;
  else if (const auto* flags = std::get_if<std::vector<bool>>(&a.value))
    numbers.assign(flags->begin(), flags->end());
  else
    return false;
  out.set("values", std::move(numbers));
  if (!out.has("shape")) out.set("shape", a.shape);
  return true;
}
} // namespace

Attributes node_attributes(const NodeSpec& node, const graph::OpDef& op, const ModelSpec& model) {
  Attributes out;
  for (const Attribute& a : node.attributes) {
    const graph::AttributeDef* def = find_attribute(op, a.name);
    if (!def) {
      throw ModelError{"unknown-key",
                       "operator '" + std::string(op.name) + "' has no attribute " + quoted(a.name) +
                           attribute_words(op).hint(a.name),
                       a.place};
    }
    if (op.name == "constant" && a.name == "value") {
      if (read_nested_value(a, out)) continue;
      if (const auto* flag = std::get_if<bool>(&a.value)) {
        out.set("value", *flag ? 1.0 : 0.0);
        continue;
      }
    }
    out.set(a.name, convert(op, a, def->kind, model));
  }
  bool makes = std::find(std::begin(makes_numbers), std::end(makes_numbers), op.name) != std::end(makes_numbers);
  if (makes && !out.has("dtype")) out.set("dtype", model.dtype);
  return out;
}

} // namespace dlcc::frontend

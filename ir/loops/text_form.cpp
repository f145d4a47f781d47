#include "ir/loops/text_form.h"

#include <algorithm>
#include <unordered_set>

namespace dlcc::loops {

const Infix* find_infix(ScalarOp op) {
  for (const Infix& i : infix_ops)
    if (i.op == op) return &i;
  return nullptr;
}

std::string_view call_name(ScalarOp op) {
  if (op == ScalarOp::maximum) return "max";
  if (op == ScalarOp::minimum) return "min";
  return name_of(op);
}

std::optional<ScalarOp> op_from_call_name(std::string_view name) {
  if (name == "max") return ScalarOp::maximum;
  if (name == "min") return ScalarOp::minimum;
  return scalar_op_from_name(name);
}

std::string symbol(std::string_view name) {
  auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  bool word = name == "inf" || name == "nan" || name == "true" || name == "false";
  return !name.empty() && letter(name[0]) && !word ? print_name(name) : print_string(name);
}

std::vector<std::string> unique_names(std::vector<std::string> names, const std::vector<bool>& first) {
  std::unordered_set<std::string> taken(names.begin(), names.end()), used;
  auto claim = [&](size_t i) {
    if (used.insert(names[i]).second) return;
    std::string wanted = names[i];
    for (int k = 1; taken.contains(names[i]); ++k) names[i] = wanted + "." + std::to_string(k);
    taken.insert(names[i]);
    used.insert(names[i]);
  };
  for (size_t i = 0; i < first.size(); ++i)
    if (first[i]) claim(i);
  for (size_t i = 0; i < names.size(); ++i)
    if (first.empty() || !first[i]) claim(i);
  return names;
}

} // namespace dlcc::loops

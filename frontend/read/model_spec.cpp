#include "frontend/read/model_spec.h"

namespace dlcc::frontend {

const Arg& Record::at(std::string_view key) const {
  for (size_t i = 0; i < def->keys.size(); ++i)
    if (def->keys[i].name == key) return args[i];
  DLCC_CHECK(false, "record '" + def->name + "' has no key '" + std::string(key) + "'");
  return args[0];
}

bool Record::has_if_known(std::string_view key) const {
  for (size_t i = 0; i < def->keys.size(); ++i)
    if (def->keys[i].name == key) return !std::holds_alternative<std::monostate>(args[i].value);
  return false;
}

std::optional<int64_t> Record::maybe_integer(std::string_view key) const {
  return has(key) ? std::optional(integer(key)) : std::nullopt;
}

std::optional<double> Record::maybe_number(std::string_view key) const {
  return has(key) ? std::optional(number(key)) : std::nullopt;
}

const std::vector<Name>& Record::names(std::string_view key) const {
  static const std::vector<Name> none;
  return has(key) ? std::get<std::vector<Name>>(at(key).value) : none;
}

const std::vector<Record>& Record::records(std::string_view key) const {
  static const std::vector<Record> none;
  return has(key) ? std::get<std::vector<Record>>(at(key).value) : none;
}

const Record* Record::record(std::string_view key) const {
  const std::vector<Record>& all = records(key);
  return all.empty() ? nullptr : &all[0];
}

const std::vector<NodeSpec>& Record::nodes(std::string_view key) const {
  static const std::vector<NodeSpec> none;
  return has(key) ? std::get<std::vector<NodeSpec>>(at(key).value) : none;
}

int TensorSpec::batch_axis() const {
  for (size_t i = 0; i < dims.size(); ++i)
    if (dims[i].symbol == "N") return static_cast<int>(i);
  return -1;
}

std::string label_of(const ModelSpec& spec, const Record& loss) {
  if (loss.is(own_value)) return "";
  if (loss.has("label")) return loss.text("label");
  if (spec.labels.empty()) return "label";
  return spec.labels.size() == 1 ? spec.labels[0].name.text : "";
}

} // namespace dlcc::frontend

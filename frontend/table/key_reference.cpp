// The table as Markdown.
#include "frontend/table/json_schema.h"
#include "frontend/document/document.h"
#include "frontend/table/vocabulary.h"

namespace dlcc::frontend {

namespace {
std::string default_text(const Key& key) {
  if (key.is_required) return "required";
  if (const auto* b = std::get_if<bool>(&key.fallback)) return *b ? "true" : "false";
  if (const auto* i = std::get_if<int64_t>(&key.fallback)) return std::to_string(*i);
  if (const auto* d = std::get_if<double>(&key.fallback)) return number_text(*d);
  if (const auto* s = std::get_if<std::string>(&key.fallback)) return *s;
  return "";
}
std::string guard_text(const Key& key) {
  return key.guard.empty() ? "" : " (only with `" + key.guard + "` " + key.guard_value + ")";
}

// "; also `lr`, `rate`": what else a word may be called.
std::string also_text(const Words& words, std::string_view name, const char* before) {
  std::string out;
  for (const Alias* alias : words.aliases_of(name)) {
    if (words.find(alias->name)->alias != alias) continue; // another word of this record comes first
    std::string implied;
    for (const auto& [key, value] : alias->implied)
      implied += (implied.empty() ? " (with `" : ", `") + std::string(key) + "`";
    out +=
        (out.empty() ? before : ", ") + ("`" + std::string(alias->name) + "`") + (implied.empty() ? "" : implied + ")");
  }
  return out;
}

std::string value_text(const Key& key) {
  if (key.kind != KeyKind::choice) return expected_text(key);
  const Words words = option_words(key.name, key.options);
  std::string out;
  for (const std::string& option : key.options) {
    const std::string also = also_text(words, option, " (also ");
    out += (out.empty() ? "one of " : ", ") + option + also + (also.empty() ? "" : ")");
  }
  return out;
}

std::string record_reference(const GroupDef& g, const RecordDef& r) {
  const std::string also = also_text(record_words(g), r.name, ". Also ");
  std::string out = (g.discriminator.empty() ? "\n" : "\n### " + r.name + "\n\n") + r.summary + also + "\n";
  if (r.keys.empty()) return out;
  out += "\n| Key | Value | Default | Meaning |\n|---|---|---|---|\n";
  const Words words = key_words(g, r);
  for (const Key& key : r.keys)
    out += "| `" + key.name + "` | " + value_text(key) + " | " + default_text(key) + " | " + key.doc + guard_text(key) +
           also_text(words, key.name, "; also ") + " |\n";
  return out;
}

std::string aliases_reference(const char* title, std::string_view family) {
  std::string out = "\n## " + std::string(title) + "\n\n| Written | Means |\n|---|---|\n";
  for (const Alias& alias : aliases())
    if (alias.family == family) out += "| `" + std::string(alias.name) + "` | `" + std::string(alias.meaning) + "` |\n";
  return out;
}
} // namespace

std::string key_reference() {
  std::string out =
      "# Keys of model.json\n\n"
      "Names and keys may be written in any case and with or without `_` and `-`; under *also* are what Keras, "
      "PyTorch,\nscikit-learn and NumPy call them. `dlcc check MODEL --print-config` writes ours.\n";
  for (const GroupDef& g : all_groups()) {
    if (g.id == Group::none) continue;
    out += "\n## " + g.noun + "\n";
    if (!g.discriminator.empty() && g.discriminator != "type")
      out += "\nThe key `" + g.discriminator + "`, or `type`, says which.\n";
    for (const RecordDef& r : g.records) out += record_reference(g, r);
    for (const auto& own : {g.by_value, g.by_function})
      if (own) out += record_reference(g, *own);
  }
  return out + aliases_reference("Other names of operators", "operator") +
         aliases_reference("Other names of their attributes", "attribute");
}

} // namespace dlcc::frontend

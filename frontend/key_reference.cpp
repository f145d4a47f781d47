// The table as Markdown.
#include "frontend/json_schema.h"
#include "frontend/validate.h"

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
} // namespace

std::string key_reference() {
  std::string out = "# Keys of model.json\n";
  for (const GroupDef& g : all_groups()) {
    if (g.id == Group::none) continue;
    out += "\n## " + g.noun + "\n";
    for (const RecordDef& r : g.records) {
      out += g.discriminator.empty() ? "\n" + r.summary + "\n" : "\n### " + r.name + "\n\n" + r.summary + "\n";
      if (r.keys.empty()) continue;
      out += "\n| Key | Value | Default | Meaning |\n|---|---|---|---|\n";
      for (const Key& key : r.keys)
        out += "| `" + key.name + "` | " + expected_text(key) + " | " + default_text(key) + " | " + key.doc +
               guard_text(key) + " |\n";
    }
  }
  return out;
}

} // namespace dlcc::frontend

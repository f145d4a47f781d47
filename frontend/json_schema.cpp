#include "frontend/json_schema.h"

#include "frontend/json_writer.h"
#include "frontend/validate.h"

#include <algorithm>
#include <cmath>

namespace dlcc::frontend {

namespace {
constexpr const char* printable = "^[^\\u0000-\\u001f\\u007f]*$";
constexpr const char* name_pattern = "^[^\\u0000-\\u001f\\u007f]+$";
// A name that is given here: not d.<value>.
constexpr const char* new_name_pattern = "^(?!d\\.)[^\\u0000-\\u001f\\u007f]+$";

std::string definition_of(Group id) {
  std::string name = group(id).noun;
  for (char& c : name) c = c == ' ' ? '_' : c;
  return name;
}

class SchemaWriter {
public:
  std::string write() {
    out_.begin_object();
    out_.member("$schema", "http://json-schema.org/draft-07/schema#");
    out_.member("title", "dlcc model, format 1");
    out_.key("allOf"); // a $ref's siblings do not count in draft-07
    out_.begin_list(true), out_.begin_object(), ref(definition_of(Group::model)), out_.end_object(), out_.end_list();
    out_.key("definitions");
    out_.begin_object();
    node_definition();
    for (const GroupDef& g : all_groups())
      if (g.id != Group::none) definition(g);
    out_.end_object();
    out_.end_object();
    return out_.take();
  }

private:
  void definition(const GroupDef& g);
  void short_names(const GroupDef& g);
  void long_form(const GroupDef& g);
  void record_body(const GroupDef& g, const RecordDef& r);
  void top_level_choice();
  void property(const Key& key);
  void type_of(const Key& key);
  void bounds(const Key& key);
  void fallback(const Key& key);
  void node_definition();
  void ref(const std::string& name) { out_.member("$ref", "#/definitions/" + name); }
  void pattern_string(const char* pattern, int64_t longest = -1) {
    out_.member("type", "string");
    out_.member("pattern", pattern);
    if (longest >= 0) out_.key("maxLength"), out_.integer(longest);
  }
  // "items": {...} of a list.
  template <class Body> void items(const Key& key, Body body) {
    out_.member("type", "array");
    if (key.fewest) out_.key("minItems"), out_.integer(static_cast<int64_t>(key.fewest));
    out_.key("items");
    out_.begin_object(true);
    body();
    out_.end_object();
  }
  void names() {
    out_.member("type", "array");
    out_.key("items");
    out_.begin_object(true), pattern_string(name_pattern, max_name_bytes), out_.end_object();
  }

  JsonWriter out_;
};

// Either the record itself, or its name alone, or an object whose discriminator decides what else it holds.
void SchemaWriter::definition(const GroupDef& g) {
  out_.key(definition_of(g.id));
  out_.begin_object();
  if (g.discriminator.empty()) {
    record_body(g, g.records[0]);
  } else if (g.short_form) {
    out_.key("if");
    out_.begin_object(true), out_.member("type", "object"), out_.end_object();
    out_.key("then");
    out_.begin_object(), long_form(g), out_.end_object();
    out_.key("else");
    out_.begin_object(true), short_names(g), out_.end_object();
  } else {
    out_.member("type", "object");
    long_form(g);
  }
  out_.end_object();
}

// A name alone must leave nothing open.
void SchemaWriter::short_names(const GroupDef& g) {
  out_.key("enum");
  out_.begin_list();
  for (const RecordDef& r : g.records)
    if (std::none_of(r.keys.begin(), r.keys.end(), [](const Key& key) { return key.is_required; })) out_.string(r.name);
  out_.end_list();
}

void SchemaWriter::long_form(const GroupDef& g) {
  out_.key("required");
  out_.begin_list(true), out_.string(g.discriminator), out_.end_list();
  out_.key("properties");
  out_.begin_object(true), out_.key(g.discriminator), out_.begin_object(), out_.key("enum"), out_.begin_list();
  for (const RecordDef& r : g.records) out_.string(r.name);
  out_.end_list(), out_.end_object(), out_.end_object();
  out_.key("allOf");
  out_.begin_list();
  for (const RecordDef& r : g.records) {
    out_.begin_object();
    out_.key("if");
    out_.raw("{\"properties\": {" + json_string(g.discriminator) + ": {\"const\": " + json_string(r.name) + "}}}");
    out_.key("then");
    out_.begin_object(), record_body(g, r), out_.end_object();
    out_.end_object();
  }
  out_.end_list();
}

void SchemaWriter::record_body(const GroupDef& g, const RecordDef& r) {
  if (g.from_file) {
    out_.key("type");
    out_.begin_list(true), out_.string("object"), out_.string("string"), out_.end_list();
    out_.member("pattern", printable);
  } else {
    out_.member("type", "object");
  }
  out_.member("description", r.summary);
  out_.key("properties");
  out_.begin_object();
  if (!g.discriminator.empty()) out_.key(g.discriminator), out_.begin_object(true), out_.end_object();
  for (const Key& key : r.keys) property(key);
  out_.end_object();
  out_.key("required");
  out_.begin_list(true);
  for (const Key& key : r.keys)
    if (key.is_required) out_.string(key.name);
  out_.end_list();
  out_.key("patternProperties");
  out_.begin_object(true), out_.key("^x-"), out_.begin_object(), out_.end_object(), out_.end_object();
  out_.key("additionalProperties");
  if (g.open_keys)
    out_.raw(
        R"({"anyOf": [{"type": ["string", "integer"]}, {"type": "array", "items": {"type": ["string", "integer"]}}]})");
  else
    out_.boolean(false);
  if (g.id == Group::model) return top_level_choice();
  if (r.conflicts.empty()) return;
  out_.key("allOf");
  out_.begin_list();
  for (size_t i = 0; i < r.conflicts.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      out_.raw("{\"not\": {\"required\": [" + json_string(r.conflicts[j]) + ", " + json_string(r.conflicts[i]) + "]}}");
  out_.end_list();
}

void SchemaWriter::top_level_choice() {
  out_.key("oneOf");
  out_.raw(R"([{"required": ["layers"]}, {"required": ["nodes"]}])");
}

void SchemaWriter::property(const Key& key) {
  out_.key(key.name);
  out_.begin_object(true);
  type_of(key);
  if (!key.doc.empty()) out_.member("description", key.doc);
  fallback(key);
  out_.end_object();
}

void SchemaWriter::fallback(const Key& key) {
  if (std::holds_alternative<std::monostate>(key.fallback)) return;
  if (key.kind == KeyKind::record && group(key.group).discriminator.empty()) return; // a section with its own defaults
  out_.key("default");
  if (const auto* b = std::get_if<bool>(&key.fallback))
    out_.boolean(*b);
  else if (const auto* i = std::get_if<int64_t>(&key.fallback))
    out_.integer(*i);
  else if (const auto* d = std::get_if<double>(&key.fallback))
    out_.number(*d);
  else
    out_.string(std::get<std::string>(key.fallback));
}

void SchemaWriter::bounds(const Key& key) {
  auto bound = [&](const char* name, double x) {
    out_.key(name), x == std::floor(x) && std::abs(x) < 1e15 ? out_.integer(static_cast<int64_t>(x)) : out_.number(x);
  };
  if (std::isfinite(key.low)) bound(key.low_open ? "exclusiveMinimum" : "minimum", key.low);
  if (std::isfinite(key.high)) bound(key.high_open ? "exclusiveMaximum" : "maximum", key.high);
}

void SchemaWriter::type_of(const Key& key) {
  switch (key.kind) {
  case KeyKind::boolean:
    out_.member("type", "boolean");
    break;
  case KeyKind::integer:
    out_.member("type", "integer"), bounds(key);
    break;
  case KeyKind::number:
    out_.member("type", "number"), bounds(key);
    break;
  case KeyKind::string:
    pattern_string(printable);
    break;
  case KeyKind::name:
    pattern_string(key.name == "name" ? new_name_pattern : name_pattern, max_name_bytes);
    break;
  case KeyKind::identifier:
    pattern_string("^[A-Za-z_][A-Za-z0-9_]*$", max_name_bytes);
    break;
  case KeyKind::tie:
    pattern_string("^@[^\\u0000-\\u001f\\u007f]+$", max_name_bytes);
    break;
  case KeyKind::choice:
    out_.key("enum");
    out_.begin_list();
    for (const std::string& option : key.options) out_.string(option);
    out_.end_list();
    break;
  case KeyKind::integers:
    items(key, [&] { out_.member("type", "integer"), bounds(key); });
    break;
  case KeyKind::numbers:
    out_.key("anyOf");
    out_.begin_list();
    out_.begin_object(), out_.member("type", "number"), bounds(key), out_.end_object();
    out_.begin_object(), items(key, [&] { out_.member("type", "number"), bounds(key); }), out_.end_object();
    out_.end_list();
    break;
  case KeyKind::names:
    items(key, [&] { pattern_string(name_pattern, max_name_bytes); });
    break;
  case KeyKind::dims:
    items(key, [&] {
      out_.key("anyOf"),
          out_.raw(
              R"([{"type": "integer", "minimum": 1}, {"type": "string", "pattern": "^[A-Z][A-Za-z0-9_]{0,63}$"}])");
    });
    out_.key("maxItems"), out_.integer(8);
    break;
  case KeyKind::record:
    if (group(key.group).from_number.empty()) return ref(definition_of(key.group));
    out_.key("anyOf");
    out_.begin_list();
    out_.begin_object(), out_.member("type", "number"), bounds(key), out_.end_object();
    out_.begin_object(), ref(definition_of(key.group)), out_.end_object();
    out_.end_list();
    break;
  case KeyKind::records:
    items(key, [&] { ref(definition_of(key.group)); });
    break;
  case KeyKind::one_or_more:
    out_.key("anyOf");
    out_.begin_list();
    out_.begin_object(), ref(definition_of(key.group)), out_.end_object();
    out_.begin_object(), items(key, [&] { ref(definition_of(key.group)); }), out_.end_object();
    out_.end_list();
    break;
  case KeyKind::by_name:
    out_.member("type", "object");
    out_.key("propertyNames");
    out_.begin_object(), pattern_string(new_name_pattern, max_name_bytes), out_.end_object();
    out_.key("patternProperties");
    out_.raw(R"({"^x-": {}})");
    out_.key("additionalProperties");
    out_.begin_object(), ref(definition_of(key.group)), out_.end_object();
    break;
  case KeyKind::weights:
    out_.member("type", "object");
    out_.key("propertyNames");
    out_.begin_object(), pattern_string("^[0-9]+$"), out_.end_object();
    out_.key("additionalProperties");
    out_.begin_object(), out_.member("type", "number"), bounds(key), out_.end_object();
    break;
  case KeyKind::nodes:
    items(key, [&] { ref("node"); });
    break;
  }
}

void SchemaWriter::node_definition() {
  out_.key("node");
  out_.begin_object();
  out_.member("type", "object");
  out_.key("required");
  out_.raw(R"(["op", "inputs", "output"])");
  out_.key("properties");
  out_.begin_object();
  out_.key("op");
  out_.begin_object(true), pattern_string(name_pattern, max_name_bytes), out_.end_object();
  out_.key("inputs");
  out_.begin_object(true), names(), out_.end_object();
  out_.key("output");
  out_.begin_object(true), out_.key("anyOf"), out_.begin_list();
  out_.begin_object(), pattern_string(name_pattern, max_name_bytes), out_.end_object();
  out_.begin_object(), names(), out_.end_object();
  out_.end_list(), out_.end_object();
  out_.key("attrs");
  out_.raw(
      R"({"type": "object", "patternProperties": {"^x-": {}}, "additionalProperties": {"type": ["boolean", "number", "string", "array"]}})");
  out_.key("activity_regularizer");
  out_.begin_object(true), ref(definition_of(Group::regularizer)), out_.end_object();
  out_.end_object();
  out_.key("patternProperties");
  out_.raw(R"({"^x-": {}})");
  out_.key("additionalProperties");
  out_.boolean(false);
  out_.end_object();
}
} // namespace

std::string json_schema() { return SchemaWriter().write(); }

} // namespace dlcc::frontend

#include "frontend/table/json_schema.h"

#include "frontend/document/json_writer.h"
#include "frontend/table/vocabulary.h"

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

// Names of the same letters, whatever their case and wherever they have '_' or '-'.
std::string spelling(std::string_view name) {
  std::string out = "[-_]*";
  for (char c : plain_letters(name)) {
    const bool is_letter = c >= 'a' && c <= 'z';
    out += is_letter ? std::string{'[', c, static_cast<char>(c - 'a' + 'A'), ']'} : (c == '$' ? "\\$" : std::string{c});
    out += "[-_]*";
  }
  return out;
}
std::string any_spelling(const std::vector<std::string_view>& names) {
  std::string out;
  for (std::string_view name : names) out += (out.empty() ? "^(" : "|") + spelling(name);
  return out + ")$";
}

// A name of ours with the aliases that stand for it alone.
std::vector<std::string_view> with_aliases(const Words& words, std::string_view name) {
  std::vector<std::string_view> out{name};
  for (const Alias* alias : words.aliases_of(name))
    if (alias->implied.empty()) out.push_back(alias->name);
  return out;
}

bool is_implied(const Alias* alias, const Key& key) {
  return alias && std::any_of(alias->implied.begin(), alias->implied.end(),
                              [&](const auto& pair) { return pair.first == key.name; });
}
bool needs(const Alias* alias, const Key& key) { return key.is_required && !is_implied(alias, key); }

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
    for (const GroupDef& g : all_groups()) {
      if (g.id == Group::none) continue;
      definition(g);
      std::vector<Named> all = all_named(g);
      for (const auto* own : {&g.by_value, &g.by_function})
        if (*own) all.push_back({&**own, nullptr, own_definition(g, **own), {}});
      for (const Named& named : all)
        out_.key(named.definition), out_.begin_object(), record_body(g, named), out_.end_object();
    }
    out_.end_object();
    out_.end_object();
    return out_.take();
  }

private:
  void definition(const GroupDef& g);
  /// A record under one of its names: an alias that implies keys is a record of its own.
  struct Named {
    const RecordDef* record;
    const Alias* alias;
    std::string definition; ///< its name in `definitions`
    std::vector<std::string_view> names;
  };
  static std::vector<Named> all_named(const GroupDef& g);
  static std::string own_definition(const GroupDef& g, const RecordDef& own) {
    return definition_of(g.id) + "." + own.name;
  }
  void one_name(const GroupDef& g, const std::vector<std::string>& ours, const std::vector<std::string_view>& all);
  void one_of(const std::vector<std::string>& ours, const std::vector<std::string_view>& all);
  void has_key(const Words& words, const std::string& key);
  void long_form(const GroupDef& g);
  void typed_form(const GroupDef& g);
  void record_body(const GroupDef& g, const Named& named);
  void alternatives(const Words& words, const Alternatives& a);
  void top_level_choice();
  void property(const Key& key);
  void type_of(const Key& key);
  void choice(const Key& key);
  void bounds(const Key& key);
  void fallback(const Key& key);
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

  JsonWriter out_;
};

std::vector<SchemaWriter::Named> SchemaWriter::all_named(const GroupDef& g) {
  std::vector<Named> out;
  const Words words = record_words(g);
  auto add = [&](const RecordDef& r, const Alias* alias, std::vector<std::string_view> names) {
    out.push_back({&r, alias, definition_of(g.id) + "." + std::string(names[0]), std::move(names)});
  };
  for (const RecordDef& r : g.records) {
    add(r, nullptr, with_aliases(words, r.name));
    for (const Alias* alias : words.aliases_of(r.name))
      if (!alias->implied.empty()) add(r, alias, {alias->name});
  }
  return out;
}

// Either the record itself, or its name alone, or an object whose discriminator decides what else it holds.
void SchemaWriter::definition(const GroupDef& g) {
  out_.key(definition_of(g.id));
  out_.begin_object();
  if (g.discriminator.empty() && !g.short_form) {
    ref(definition_of(g.id) + "." + g.records[0].name);
    return out_.end_object();
  }
  if (g.short_form) { // a name alone must leave nothing open
    std::vector<std::string> ours;
    std::vector<std::string_view> all;
    for (const Named& named : all_named(g)) {
      const std::vector<Key>& keys = named.record->keys;
      if (std::any_of(keys.begin(), keys.end(), [&](const Key& key) { return needs(named.alias, key); })) continue;
      if (g.discriminator.empty() && !named.alias) continue;
      if (!named.alias) ours.push_back(named.record->name);
      all.insert(all.end(), named.names.begin(), named.names.end());
    }
    out_.key("if");
    out_.begin_object(true), out_.member("type", "string"), out_.end_object();
    out_.key("then");
    out_.begin_object(), one_name(g, ours, all), out_.end_object();
    out_.key("else");
    out_.begin_object();
  }
  out_.member("type", "object");
  if (g.discriminator.empty())
    out_.key("allOf"), out_.begin_list(true), out_.begin_object(), ref(definition_of(g.id) + "." + g.records[0].name),
        out_.end_object(), out_.end_list();
  else
    long_form(g);
  if (g.short_form) out_.end_object();
  out_.end_object();
}

// The name of a record; where functions of the model are records, it may be any.
void SchemaWriter::one_name(const GroupDef& g, const std::vector<std::string>& ours,
                            const std::vector<std::string_view>& all) {
  if (!g.by_function) return one_of(ours, all);
  out_.key("anyOf");
  out_.begin_list();
  out_.begin_object(), one_of(ours, all), out_.end_object();
  out_.begin_object(true), pattern_string(name_pattern, max_name_bytes), out_.end_object();
  out_.end_list();
}

// Our names, which editors offer, or any spelling of them and of their aliases.
void SchemaWriter::one_of(const std::vector<std::string>& ours, const std::vector<std::string_view>& all) {
  out_.key("anyOf");
  out_.begin_list();
  if (!ours.empty()) {
    out_.begin_object(), out_.key("enum"), out_.begin_list();
    for (const std::string& name : ours) out_.string(name);
    out_.end_list(), out_.end_object();
  }
  out_.begin_object(true), pattern_string(any_spelling(all).c_str());
  out_.member("description", "another spelling or name"), out_.end_object();
  out_.end_list();
}

// {"required": [key]}, or some key that is another spelling or name of it.
void SchemaWriter::has_key(const Words& words, const std::string& key) {
  out_.key("anyOf");
  out_.raw("[{\"required\": [" + json_string(key) + "]}, {\"not\": {\"propertyNames\": {\"not\": {\"pattern\": " +
           json_string(any_spelling(with_aliases(words, key))) + "}}}}]");
}

void SchemaWriter::long_form(const GroupDef& g) {
  if (!g.by_value) return typed_form(g);
  out_.key("if");
  out_.begin_object(), has_key({g.noun + " key", {g.discriminator}}, g.discriminator), out_.end_object();
  out_.key("then");
  out_.begin_object(), typed_form(g), out_.end_object();
  out_.key("else");
  out_.begin_object(true), ref(own_definition(g, *g.by_value)), out_.end_object();
}

void SchemaWriter::typed_form(const GroupDef& g) {
  const Words words(g.noun + " key", {g.discriminator});
  const std::vector<Named> all = all_named(g);
  std::vector<std::string_view> names;
  for (const Named& named : all) names.insert(names.end(), named.names.begin(), named.names.end());
  has_key(words, g.discriminator);
  out_.key("properties");
  out_.begin_object(true), out_.key(g.discriminator), out_.begin_object(), one_name(g, g.names(), names);
  out_.end_object(), out_.end_object();
  const std::string discriminator = json_string(any_spelling(with_aliases(words, g.discriminator)));
  auto has_name = [&](const std::vector<std::string_view>& some) {
    return "{" + discriminator + ": {\"type\": \"string\", \"pattern\": " + json_string(any_spelling(some)) + "}}";
  };
  out_.key("patternProperties");
  out_.raw(g.by_function ? "{" + discriminator + ": {\"type\": \"string\"}}" : has_name(names));
  out_.key("allOf");
  out_.begin_list();
  for (const Named& named : all) {
    out_.begin_object();
    out_.key("if");
    out_.raw("{\"patternProperties\": " + has_name(named.names) + "}");
    out_.key("then");
    out_.begin_object(true), ref(named.definition), out_.end_object();
    out_.end_object();
  }
  if (g.by_function) {
    out_.begin_object();
    out_.key("if");
    out_.raw("{\"not\": {\"patternProperties\": " + has_name(names) + "}}");
    out_.key("then");
    out_.begin_object(true), ref(own_definition(g, *g.by_function)), out_.end_object();
    out_.end_object();
  }
  out_.end_list();
}

void SchemaWriter::record_body(const GroupDef& g, const Named& named) {
  const RecordDef& r = *named.record;
  const Words words = key_words(g, r);
  constexpr const char* source =
      R"({"anyOf": [{"type": ["string", "integer"]}, {"$ref": "#/definitions/column"}, {"type": "array", "items": {"anyOf": [{"type": ["string", "integer"]}, {"$ref": "#/definitions/column"}]}}]})";
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
  const bool is_typed = !g.discriminator.empty() && r.name != own_value && r.name != own_function;
  if (is_typed) out_.key(g.discriminator), out_.begin_object(true), out_.end_object();
  for (const Key& key : r.keys)
    if (!is_implied(named.alias, key)) property(key);
  out_.end_object();
  out_.key("patternProperties");
  out_.begin_object();
  out_.key("^x-"), out_.begin_object(true), out_.end_object();
  if (is_typed)
    out_.key(any_spelling(with_aliases(words, g.discriminator))), out_.begin_object(true), out_.end_object();
  for (const Key& key : r.keys) {
    if (is_implied(named.alias, key)) continue;
    const std::string own =
        "{\"$ref\": " + json_string("#/definitions/" + named.definition + "/properties/" + key.name) + "}";
    out_.key(any_spelling(with_aliases(words, key.name)));
    out_.raw(g.open_keys ? "{\"anyOf\": [" + own + ", " + source + "]}" : own); // it may be an input's name
  }
  out_.end_object();
  out_.key("additionalProperties");
  if (g.open_keys)
    out_.raw(source);
  else
    out_.boolean(false);
  auto is_needed = [&](const Key& key) { return needs(named.alias, key); };
  if (std::none_of(r.keys.begin(), r.keys.end(), is_needed) && r.alternatives.empty()) return; // [] is no schema
  out_.key("allOf");
  out_.begin_list();
  for (const Key& key : r.keys)
    if (is_needed(key)) out_.begin_object(), has_key(words, key.name), out_.end_object();
  if (g.id == Group::model) {
    top_level_choice();
  } else {
    for (const Alternatives& a : r.alternatives) alternatives(words, a);
  }
  out_.end_list();
}

void SchemaWriter::alternatives(const Words& words, const Alternatives& a) {
  for (size_t i = 0; i < a.keys.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      out_.raw("{\"not\": {\"required\": [" + json_string(a.keys[j]) + ", " + json_string(a.keys[i]) + "]}}");
  if (!a.is_required) return;
  out_.begin_object();
  out_.key("anyOf");
  out_.begin_list();
  for (const std::string& key : a.keys) out_.begin_object(), has_key(words, key), out_.end_object();
  out_.end_list();
  out_.end_object();
}

// Of the list's elements, each a record of its own.
void SchemaWriter::top_level_choice() {
  const GroupDef& model = group(Group::model);
  const Words words = key_words(model, model.records[0]);
  out_.begin_object();
  out_.key("anyOf");
  out_.begin_list();
  for (const char* key : {"layers", "nodes"}) out_.begin_object(), has_key(words, key), out_.end_object();
  out_.end_list();
  out_.end_object();
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

void SchemaWriter::choice(const Key& key) {
  const Words words = option_words(key.name, key.options);
  std::vector<std::string_view> all;
  for (const std::string& option : key.options)
    for (std::string_view name : with_aliases(words, option)) all.push_back(name);
  one_of(key.options, all);
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
    choice(key);
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
    out_.key("anyOf");
    out_.begin_list();
    out_.begin_object(true), pattern_string(name_pattern, max_name_bytes), out_.end_object();
    out_.begin_object(), items(key, [&] { pattern_string(name_pattern, max_name_bytes); }), out_.end_object();
    out_.end_list();
    break;
  case KeyKind::texts:
    items(key, [&] { pattern_string(printable); });
    break;
  case KeyKind::character:
    pattern_string("^([\\t -~]|tab|\\\\t)$");
    break;
  case KeyKind::either:
    out_.key("anyOf");
    out_.begin_list();
    for (const Key& alternative : key.alternatives) out_.begin_object(true), type_of(alternative), out_.end_object();
    out_.end_list();
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
  case KeyKind::attributes:
    out_.member("type", "object");
    out_.key("patternProperties");
    out_.raw(R"({"^x-": {}})");
    out_.key("additionalProperties");
    out_.raw(R"({"type": ["boolean", "number", "string", "array"]})");
    break;
  }
}

} // namespace

std::string json_schema() { return SchemaWriter().write(); }

} // namespace dlcc::frontend

// A small draft-07 validator (the keywords that our schema uses), so that the schema can be tried without a library.
#pragma once

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <regex>
#include <stdexcept>

namespace dlcc::frontend::testing {

class MiniSchema {
public:
  using Json = nlohmann::json;
  explicit MiniSchema(Json root) : root_(std::move(root)) {}
  bool accepts(const Json& value) const { return check(root_, value); }

private:
  static bool has_type(const std::string& type, const Json& v) {
    if (type == "integer") return v.is_number_integer();
    if (type == "number") return v.is_number();
    if (type == "string") return v.is_string();
    if (type == "boolean") return v.is_boolean();
    if (type == "array") return v.is_array();
    if (type == "object") return v.is_object();
    throw std::runtime_error("type " + type);
  }
  static bool matches(const std::string& pattern, const std::string& text) {
    static std::map<std::string, std::regex> compiled; // compiling them is most of the work
    auto at = compiled.find(pattern);
    if (at == compiled.end()) at = compiled.emplace(pattern, std::regex(pattern, std::regex::ECMAScript)).first;
    return std::regex_search(text, at->second);
  }

  bool check(const Json& schema, const Json& v) const {
    if (schema.is_boolean()) return schema.get<bool>();
    if (schema.contains("$ref"))
      return check(root_.at(Json::json_pointer(schema["$ref"].get<std::string>().substr(1))), v);
    for (const auto& [keyword, s] : schema.items())
      if (!check_keyword(keyword, s, schema, v)) return false;
    return true;
  }

  bool check_keyword(const std::string& keyword, const Json& s, const Json& schema, const Json& v) const {
    if (keyword == "type") {
      if (s.is_string()) return has_type(s, v);
      return std::any_of(s.begin(), s.end(), [&](const Json& t) { return has_type(t, v); });
    }
    if (keyword == "const") return v == s;
    if (keyword == "enum") return std::find(s.begin(), s.end(), v) != s.end();
    if (keyword == "not") return !check(s, v);
    if (keyword == "allOf") return std::all_of(s.begin(), s.end(), [&](const Json& x) { return check(x, v); });
    if (keyword == "anyOf") return std::any_of(s.begin(), s.end(), [&](const Json& x) { return check(x, v); });
    if (keyword == "oneOf") return std::count_if(s.begin(), s.end(), [&](const Json& x) { return check(x, v); }) == 1;
    if (keyword == "if") {
      const char* branch = check(s, v) ? "then" : "else";
      return !schema.contains(branch) || check(schema[branch], v);
    }
    if (v.is_number()) return check_number(keyword, s, v.get<double>());
    if (v.is_string()) return check_string(keyword, s, v.get<std::string>());
    if (v.is_array()) return check_array(keyword, s, v);
    if (v.is_object()) return check_object(keyword, s, schema, v);
    return true;
  }
  static bool check_number(const std::string& keyword, const Json& s, double x) {
    if (keyword == "minimum") return x >= s.get<double>();
    if (keyword == "maximum") return x <= s.get<double>();
    if (keyword == "exclusiveMinimum") return x > s.get<double>();
    if (keyword == "exclusiveMaximum") return x < s.get<double>();
    return true;
  }
  static bool check_string(const std::string& keyword, const Json& s, const std::string& text) {
    if (keyword == "pattern") return matches(s, text);
    if (keyword == "maxLength") return text.size() <= s.get<size_t>();
    return true;
  }
  bool check_array(const std::string& keyword, const Json& s, const Json& v) const {
    if (keyword == "minItems") return v.size() >= s.get<size_t>();
    if (keyword == "maxItems") return v.size() <= s.get<size_t>();
    if (keyword == "items") return std::all_of(v.begin(), v.end(), [&](const Json& x) { return check(s, x); });
    return true;
  }
  bool check_object(const std::string& keyword, const Json& s, const Json& schema, const Json& v) const {
    if (keyword == "required")
      return std::all_of(s.begin(), s.end(), [&](const Json& key) { return v.contains(key.get<std::string>()); });
    const Json patterns = schema.value("patternProperties", Json::object());
    for (const auto& [name, value] : v.items()) {
      bool is_property = schema.contains("properties") && schema["properties"].contains(name), is_pattern = false;
      for (const auto& [pattern, x] : patterns.items()) {
        if (!matches(pattern, name)) continue;
        is_pattern = true;
        if (keyword == "patternProperties" && !check(x, value)) return false;
      }
      if (keyword == "properties" && s.contains(name) && !check(s[name], value)) return false;
      if (keyword == "propertyNames" && !check(s, name)) return false;
      if (keyword == "additionalProperties" && !is_property && !is_pattern && !check(s, value)) return false;
    }
    return true;
  }

  Json root_;
};

} // namespace dlcc::frontend::testing

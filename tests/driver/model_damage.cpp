#include "tests/driver/model_damage.h"

#include <algorithm>

namespace dlcc::testing {

namespace {
bool ends_word(char c) {
  return c == ',' || c == ':' || c == ']' || c == '}' || isspace(static_cast<unsigned char>(c));
}

size_t end_of_token(std::string_view text, size_t at) {
  size_t end = at + 1;
  if (text[at] == '"') {
    while (end < text.size() && text[end] != '"') end += text[end] == '\\' ? 2 : 1;
    return std::min(end + 1, text.size());
  }
  while (end < text.size() && !ends_word(text[end])) ++end;
  return end;
}

const std::vector<std::string> odd_numbers = {"0",
                                              "-0",
                                              "1",
                                              "-1",
                                              "2",
                                              "3",
                                              "17",
                                              "0.5",
                                              "-0.5",
                                              "1.5",
                                              "1e-30",
                                              "1e30",
                                              "1e308",
                                              "-1e308",
                                              "1e999",
                                              "1e-999",
                                              "4096",
                                              "100000",
                                              "2147483648",
                                              "4294967297",
                                              "9007199254740993",
                                              "9223372036854775807",
                                              "-9223372036854775808",
                                              "18446744073709551616",
                                              "NaN",
                                              "Infinity",
                                              "-Infinity",
                                              "nan",
                                              "inf",
                                              "\"nan\"",
                                              "\"inf\"",
                                              "\"1\"",
                                              "1.0",
                                              "01",
                                              "+1",
                                              ".5",
                                              "5.",
                                              "0x10"};
const std::vector<std::string> odd_values = {"null",
                                             "true",
                                             "false",
                                             "[]",
                                             "{}",
                                             "\"\"",
                                             "\"N\"",
                                             "\"x\"",
                                             "[[]]",
                                             "[{}]",
                                             "\" \"",
                                             "\"a/b\"",
                                             "\"\\u0000\"",
                                             "[0]",
                                             "[-1]",
                                             "[1, 1]",
                                             "[\"N\"]",
                                             "[\"N\", \"N\"]",
                                             "[\"N\", 0]",
                                             "[\"N\", 4294967296, 4294967296]",
                                             "[1, 1, 1, 1, 1, 1, 1, 1, 1]",
                                             "\"\xC3\xA9\"",
                                             "[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]"};
} // namespace

std::vector<JsonValue> json_values(std::string_view text) {
  std::vector<JsonValue> values;
  std::vector<size_t> open;
  size_t key_begin = 0, key_end = 0;
  auto add = [&](size_t begin, size_t end) {
    values.push_back({begin, end, open.empty() ? values.size() : open.back(), key_begin, key_end});
    key_begin = key_end = 0;
  };
  for (size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (c == '{' || c == '[') {
      add(at, text.size());
      open.push_back(values.size() - 1);
      ++at;
    } else if (c == '}' || c == ']') {
      ++at;
      if (!open.empty()) values[open.back()].end = at, open.pop_back();
    } else if (ends_word(c)) {
      ++at;
    } else {
      const size_t end = end_of_token(text, at);
      const size_t next = text.find_first_not_of(" \n\t\r", end);
      if (c == '"' && next != std::string_view::npos && text[next] == ':')
        key_begin = at, key_end = end;
      else
        add(at, end);
      at = end;
    }
  }
  return values;
}

ModelDamage::ModelDamage(const std::vector<std::string>& models) {
  for (const std::string& text : models)
    for (const JsonValue& v : json_values(text)) {
      const std::string value(v.of(text)), key(v.key(text));
      if (value.size() > 400) continue; // parts, not whole models
      values_.push_back(value);
      by_key_[key].push_back(value);
      if (key.empty()) continue;
      keys_.push_back(key);
      members_.push_back(key + ": " + value);
    }
}

std::string ModelDamage::other_value(std::string_view text, const JsonValue& value) {
  const std::string old(value.of(text)), key(value.key(text));
  const bool number = old[0] == '-' || isdigit(static_cast<unsigned char>(old[0]));
  const bool compound = (old[0] == '[' || old[0] == '{') && old.size() > 1;
  switch (below(16)) {
  case 0:
    return any(odd_values);
  case 1:
    return any(values_);
  case 2:
    return "[" + old + "]";
  case 3:
    return "{ " + any(keys_) + ": " + old + " }";
  case 4:
    if (compound) return old.substr(1, old.size() - 2);
    break;
  case 5:
  case 6:
    if (number) return any(odd_numbers);
    break;
  case 7:
  case 8:
  case 9:
    if (number) return std::to_string(below(9));
    break;
  default:
    break;
  }
  // What the same key says elsewhere, of the same kind if there is one.
  const auto known = by_key_.find(key);
  if (known == by_key_.end()) return any(values_);
  std::string found = any(known->second);
  for (int tries = 0; tries < 8 && found[0] != old[0]; ++tries) found = any(known->second);
  return found;
}

std::string ModelDamage::once(const std::string& text) {
  const std::vector<JsonValue> values = json_values(text);
  if (values.empty()) return any(values_);
  const JsonValue v = values[below(values.size())], around = values[v.parent];
  const size_t begin = v.member_begin();
  auto replaced = [&](size_t from, size_t to, const std::string& by) {
    return text.substr(0, from) + by + text.substr(to);
  };
  switch (below(20)) {
  case 0: { // gone, with one comma
    size_t end = text.find_first_not_of(" \n\t\r", v.end);
    if (end != std::string::npos && text[end] == ',') return replaced(begin, end + 1, "");
    size_t comma = text.find_last_not_of(" \n\t\r", begin ? begin - 1 : 0);
    return replaced(comma != std::string::npos && text[comma] == ',' ? comma : begin, v.end, "");
  }
  case 1: // twice
    return replaced(begin, begin, text.substr(begin, v.end - begin) + ", ");
  case 2: { // an exchange with a sibling
    std::vector<JsonValue> siblings;
    for (const JsonValue& s : values)
      if (s.parent == v.parent && s.begin > v.end) siblings.push_back(s);
    if (siblings.empty()) break;
    const JsonValue s = siblings[below(siblings.size())];
    return text.substr(0, begin) + text.substr(s.member_begin(), s.end - s.member_begin()) +
           text.substr(v.end, s.member_begin() - v.end) + text.substr(begin, v.end - begin) + text.substr(s.end);
  }
  case 3: // another key
    if (v.key_begin < v.key_end) return replaced(v.key_begin, v.key_end, any(keys_));
    break;
  case 4: // one key more
    if (text[around.begin] == '{') return replaced(around.begin + 1, around.begin + 1, " " + any(members_) + ",");
    break;
  case 5: { // a part of the same model
    const JsonValue s = values[below(values.size())];
    return replaced(v.begin, v.end, std::string(s.of(text)));
  }
  default:
    break;
  }
  return replaced(v.begin, v.end, other_value(text, v));
}

std::string ModelDamage::of(std::string text, unsigned seed) {
  random_.seed(seed);
  for (size_t times = below(3) ? 1 : 2 + below(3); times > 0; --times) text = once(text);
  return text;
}

} // namespace dlcc::testing

// Models with damage that leaves most of them JSON: what people, scripts and other programs get wrong.
#pragma once

#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace dlcc::testing {

/// A value of a JSON text, by the places of its bytes.
struct JsonValue {
  size_t begin = 0, end = 0;
  size_t parent = 0;                 ///< index of the value around it; of the outermost: its own
  size_t key_begin = 0, key_end = 0; ///< with the quotes; equal: no key
  std::string_view of(std::string_view text) const { return text.substr(begin, end - begin); }
  std::string_view key(std::string_view text) const { return text.substr(key_begin, key_end - key_begin); }
  /// With its key.
  size_t member_begin() const { return key_begin < key_end ? key_begin : begin; }
};

/// All values, each after the one around it. Takes any bytes; what is no JSON gives values that make no sense.
std::vector<JsonValue> json_values(std::string_view text);

class ModelDamage {
public:
  /// Values and keys are exchanged between `models`.
  explicit ModelDamage(const std::vector<std::string>& models);
  /// The same for the same seed.
  std::string of(std::string text, unsigned seed);

private:
  size_t below(size_t n) { return random_() % n; }
  const std::string& any(const std::vector<std::string>& list) { return list[below(list.size())]; }
  std::string once(const std::string& text);
  std::string other_value(std::string_view text, const JsonValue& value);

  std::mt19937 random_;
  std::vector<std::string> keys_, members_, values_;
  std::map<std::string, std::vector<std::string>> by_key_;
};

} // namespace dlcc::testing

#include "runtime/core/cell.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>

namespace dlcc::runtime {

namespace {

// Whether a number that std::from_chars found out of range is so by being tiny, not huge: by the power of ten of its
// first digit that is not zero.
bool is_tiny(std::string_view s) {
  const size_t e = std::min(s.find_first_of("eE"), s.size());
  const size_t point = std::min(s.find('.'), e), first = s.find_first_of("123456789");
  if (first >= e) return true; // zeros alone
  const auto power = static_cast<int64_t>(point) - static_cast<int64_t>(first);
  int64_t exponent = 0;
  const std::string_view digits = e < s.size() ? s.substr(e + (s[e + 1] == '+' ? 2 : 1)) : "0";
  if (std::from_chars(digits.data(), digits.data() + digits.size(), exponent).ec == std::errc::result_out_of_range)
    return digits[0] == '-';
  return exponent < -power;
}

bool same_word(std::string_view text, std::string_view lower) {
  auto same = [](char c, char l) { return (c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c) == l; };
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(), same);
}

} // namespace

std::string_view trimmed(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
  return s;
}

std::string_view without_plus(std::string_view s) {
  if (s.size() > 1 && s[0] == '+' && s[1] != '-' && s[1] != '+') s.remove_prefix(1);
  return s;
}

std::optional<double> cell_number(std::string_view text) {
  const std::string_view s = without_plus(trimmed(text));
  double v = 0;
  auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), v);
  const bool whole = end == s.data() + s.size();
  if (whole && error == std::errc()) return v;
  if (whole && error == std::errc::result_out_of_range) {
    v = is_tiny(s) ? 0 : std::numeric_limits<double>::infinity();
    return s[0] == '-' ? -v : v;
  }
  if (same_word(s, "true") || same_word(s, "yes")) return 1;
  if (same_word(s, "false") || same_word(s, "no")) return 0;
  return {};
}

} // namespace dlcc::runtime

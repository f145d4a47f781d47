#include "runtime/data/csv_columns.h"

#include <algorithm>
#include <charconv>

namespace dlcc::data {

using runtime::trimmed;

namespace {
std::optional<int64_t> whole_number(std::string_view text) {
  const std::string_view s = runtime::without_plus(text);
  int64_t v = 0;
  auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), v);
  return end == s.data() + s.size() && error == std::errc() ? std::optional(v) : std::nullopt;
}
} // namespace

void CsvColumns::fail(const std::string& text) const {
  throw DataError(Code::data, file_, first_[0].line, 0, text, "csv-columns");
}

std::string CsvColumns::name(size_t column) const {
  return source_.header ? std::string(trimmed(first_[column].text)) : std::to_string(column);
}

std::string CsvColumns::names() const {
  constexpr size_t longest = 120;
  std::string list;
  for (size_t i = 0; i < first_.size() && list.size() < longest; ++i)
    list += (i ? ", " : "") + (list.size() + name(i).size() > longest ? "..." : quoted(name(i)));
  return list;
}

std::vector<FoundColumn> CsvColumns::find(std::span<const ColumnRef> refs) {
  std::vector<FoundColumn> out;
  for (const ColumnRef& ref : refs) {
    const std::optional<Range> found = range(ref);
    if (!found) {
      absent_.push_back(ref.number >= 0 ? std::to_string(ref.number) : quoted(ref.name));
      continue;
    }
    if (found->first > found->second) fail("the range " + quoted(ref.name) + " runs backwards");
    for (size_t c = found->first; c <= found->second; ++c) out.push_back({c, &ref});
  }
  return out;
}

void CsvColumns::check(int64_t expected) const {
  if (absent_.empty()) return;
  std::string text = absent_.size() == 1 ? "no column " : "no columns ";
  for (size_t i = 0; i < absent_.size() && i < 8; ++i) text += (i ? ", " : "") + absent_[i];
  if (absent_.size() > 8) text += " and " + std::to_string(absent_.size() - 8) + " more";
  if (absent_[0][0] != '\'')
    text += ", the file has " + std::to_string(first_.size()) + " (numbered from 0)";
  else if (!source_.header)
    text += "; without a header columns are numbers from 0";
  else if (first_.size() > 1)
    text += "; the file has " + names();
  if (first_.size() > 1) fail(text);
  std::string hint;
  size_t most = 0;
  for (char c : {';', '\t', ',', '|'}) {
    auto n = static_cast<size_t>(std::count(first_[0].text.begin(), first_[0].text.end(), c));
    if (c != source_.separator && n > most)
      most = n, hint = std::string("; separator is '") + (c == '\t' ? std::string("\\t") : std::string(1, c)) + "'?";
  }
  if (hint.empty()) fail(text);
  fail("found 1 column, " + std::to_string(expected) + " expected" + hint);
}

std::optional<size_t> CsvColumns::named(const std::string& name) const {
  std::optional<size_t> found;
  for (size_t i = 0; source_.header && i < first_.size(); ++i)
    if (trimmed(first_[i].text) == name) {
      if (found) fail("two columns are named " + quoted(name));
      found = i;
    }
  return found;
}

std::optional<size_t> CsvColumns::numbered(int64_t number) const {
  if (number < 0 || number >= static_cast<int64_t>(first_.size())) return {};
  return static_cast<size_t>(number);
}

std::optional<size_t> CsvColumns::one(const std::string& text) const {
  if (auto c = named(text)) return c;
  const std::optional<int64_t> number = whole_number(text);
  return number ? numbered(*number) : std::nullopt;
}

std::optional<CsvColumns::Range> CsvColumns::range(const ColumnRef& ref) const {
  const auto single = ref.number >= 0 ? numbered(ref.number) : ref.is_exact ? named(ref.name) : one(ref.name);
  if (single) return Range{*single, *single};
  if (ref.number >= 0 || ref.is_exact) return {};
  for (size_t colon = ref.name.find(':'); colon != ref.name.npos; colon = ref.name.find(':', colon + 1)) {
    auto from = one(ref.name.substr(0, colon)), to = one(ref.name.substr(colon + 1));
    if (from && to) return Range{*from, *to};
  }
  return {};
}

} // namespace dlcc::data

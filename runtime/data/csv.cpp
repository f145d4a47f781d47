#include "runtime/data/csv.h"

#include "runtime/data/csv_records.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

namespace dlcc::data {

namespace {

using Fields = std::vector<CsvField>;

std::string_view trimmed(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
  return s;
}

template <class T> std::errc parse_whole(std::string_view s, T& v) {
  if (s.size() > 1 && s[0] == '+' && s[1] != '-' && s[1] != '+') s.remove_prefix(1);
  auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), v);
  return end == s.data() + s.size() ? error : std::errc::invalid_argument;
}

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

std::string quoted(std::string_view text) { return "'" + escape(text, 40) + "'"; }

// Finds columns by name, number or range.
class Selector {
public:
  Selector(const SourceSpec& source, const Fields& first, const std::string& file, int64_t expected)
      : source_(source), first_(first), file_(file), expected_(expected) {}

  std::vector<size_t> select(const CsvTarget& t) const {
    std::vector<size_t> columns;
    for (const ColumnRef& ref : t.mapping->columns) {
      auto [from, to] = range(ref);
      if (from > to) fail("the range " + quoted(ref.name) + " runs backwards");
      for (size_t c = from; c <= to; ++c) columns.push_back(c);
    }
    if (static_cast<int64_t>(columns.size()) != t.elements)
      fail(std::to_string(columns.size()) + " columns for " + quoted(t.mapping->tensor) + ", whose samples have " +
           std::to_string(t.elements) + " values");
    return columns;
  }

private:
  [[noreturn]] void fail(const std::string& text) const {
    throw DataError(Code::data, file_, first_[0].line, 0, text, "csv-columns");
  }
  [[noreturn]] void fail_missing(const std::string& text) const {
    if (first_.size() > 1) fail(text);
    std::string hint;
    size_t most = 0;
    for (char c : {';', '\t', ',', '|'}) {
      auto n = static_cast<size_t>(std::count(first_[0].text.begin(), first_[0].text.end(), c));
      if (c != source_.separator && n > most)
        most = n, hint = std::string("; separator is '") + (c == '\t' ? std::string("\\t") : std::string(1, c)) + "'?";
    }
    if (hint.empty()) fail(text);
    fail("found 1 column, " + std::to_string(expected_) + " expected" + hint);
  }
  std::optional<size_t> named(const std::string& name) const {
    std::optional<size_t> found;
    for (size_t i = 0; source_.header && i < first_.size(); ++i)
      if (trimmed(first_[i].text) == name) {
        if (found) fail("two columns are named " + quoted(name));
        found = i;
      }
    return found;
  }
  size_t numbered(int64_t number) const {
    if (number < 0 || number >= static_cast<int64_t>(first_.size()))
      fail_missing("no column " + std::to_string(number) + ", the file has " + std::to_string(first_.size()) +
                   " (numbered from 0)");
    return static_cast<size_t>(number);
  }
  std::optional<size_t> one(const std::string& text) const {
    if (auto c = named(text)) return c;
    int64_t number = 0;
    if (parse_whole(text, number) == std::errc()) return numbered(number);
    return {};
  }
  std::pair<size_t, size_t> range(const ColumnRef& ref) const {
    if (ref.number >= 0) {
      size_t c = numbered(ref.number);
      return {c, c};
    }
    if (auto c = one(ref.name)) return {*c, *c};
    for (size_t colon = ref.name.find(':'); colon != ref.name.npos; colon = ref.name.find(':', colon + 1)) {
      auto from = one(ref.name.substr(0, colon)), to = one(ref.name.substr(colon + 1));
      if (from && to) return {*from, *to};
    }
    fail_missing("no column " + quoted(ref.name) +
                 (source_.header ? "" : "; without a header columns are numbers from 0"));
  }

  const SourceSpec& source_;
  const Fields& first_;
  const std::string& file_;
  int64_t expected_;
};

template <class T> void put(std::byte* to, T v) { std::memcpy(to, &v, sizeof v); }

// Parses one cell and stores it.
class CellReader {
public:
  CellReader(const SourceSpec& source, const std::string& file) : source_(source), file_(file) {}

  void read(const CsvField& f, ElementType store, std::byte* to) const {
    std::string_view text = trimmed(f.text);
    double v = 0;
    if (text.empty()) {
      if (!source_.missing)
        fail(f, "empty cell, a number expected (\"missing\" gives empty cells a value)", "csv-empty");
      v = *source_.missing;
    } else {
      if (store == ElementType::i64) {
        int64_t exact = 0; // doubles would round beyond 2^53
        if (parse_whole(text, exact) == std::errc()) return put(to, exact);
      }
      v = number(f, text);
    }
    store_value(f, v, store, to);
  }

private:
  [[noreturn]] void fail(const CsvField& f, const std::string& text, const char* name) const {
    throw DataError(Code::data, file_, f.line, f.column, text, name);
  }
  double number(const CsvField& f, std::string_view text) const {
    double v = 0;
    std::errc error = parse_whole(text, v);
    if (error == std::errc::result_out_of_range && is_tiny(text)) return text[0] == '-' ? -0.0 : 0.0;
    if (error == std::errc::result_out_of_range) fail(f, quoted(text) + " is outside the range of f64", "range");
    if (error != std::errc()) {
      const char* hint = text.find(',') != text.npos ? " (with a decimal point)" : "";
      fail(f, quoted(text) + " is not a number" + hint, "csv-number");
    }
    if (!std::isfinite(v) && !source_.allow_nonfinite)
      fail(f, quoted(text) + ", finite numbers expected (\"allow_nonfinite\": true lets it pass)", "nonfinite");
    return v;
  }
  template <class T> void store_integer(const CsvField& f, double v, std::byte* to) const {
    if (v != std::floor(v) || !std::isfinite(v))
      fail(f, quoted(trimmed(f.text)) + " where an integer is expected", "integer");
    constexpr double low = static_cast<double>(std::numeric_limits<T>::min());
    constexpr double beyond = 2.0 * static_cast<double>(std::numeric_limits<T>::max() / 2 + 1);
    if (v < low || v >= beyond) fail(f, quoted(trimmed(f.text)) + " is outside the range of the integer type", "range");
    put(to, static_cast<T>(v));
  }
  void store_value(const CsvField& f, double v, ElementType store, std::byte* to) const {
    switch (store) {
    case ElementType::f32:
      if (overflows_f32(v)) fail(f, quoted(trimmed(f.text)) + " is outside the range of f32", "range");
      return put(to, static_cast<float>(v));
    case ElementType::f64:
      return put(to, v);
    case ElementType::i8:
      return store_integer<int8_t>(f, v, to);
    case ElementType::u8:
      return store_integer<uint8_t>(f, v, to);
    case ElementType::i32:
      return store_integer<int32_t>(f, v, to);
    case ElementType::i64:
      return store_integer<int64_t>(f, v, to);
    case ElementType::boolean:
      if (v != 0 && v != 1) fail(f, quoted(trimmed(f.text)) + " where 0 or 1 is expected", "integer");
      return put(to, static_cast<uint8_t>(v));
    }
  }

  const SourceSpec& source_;
  const std::string& file_;
};

bool is_number(const CsvField& f) { return parse_number(f.text).has_value(); }

// A header of numbers alone is suspicious unless columns are chosen by those names.
void check_header(const SourceSpec& source, const Fields& first, std::span<const CsvTarget> targets,
                  const std::string& file) {
  bool by_name = false;
  for (const CsvTarget& t : targets)
    for (const ColumnRef& c : t.mapping->columns)
      by_name |= c.number < 0 &&
                 std::any_of(first.begin(), first.end(), [&](const CsvField& f) { return trimmed(f.text) == c.name; });
  if (source.header && !by_name && std::all_of(first.begin(), first.end(), is_number))
    throw DataError(Code::data, file, first[0].line, 0,
                    "the first row holds only numbers, column names expected; without a header say \"header\": false",
                    "csv-header");
}

void check_first_row(const Fields& first, const std::vector<std::vector<size_t>>& columns, const std::string& file) {
  for (const auto& list : columns)
    for (size_t c : list)
      if (!trimmed(first[c].text).empty() && !is_number(first[c]))
        throw DataError(Code::data, file, first[c].line, first[c].column,
                        quoted(first[c].text) +
                            " in the first row is not a number; if it is a header, say \"header\": true",
                        "csv-header");
}

class TableBuilder {
public:
  TableBuilder(std::span<const CsvTarget> targets, std::vector<std::vector<size_t>> selected, CellReader cells,
               const std::string& file, const FileOptions& options)
      : targets_(targets), selected_(std::move(selected)), cells_(cells), file_(file), cap_(options.memory_cap) {
    for (const CsvTarget& t : targets_) {
      Column c;
      c.name = t.mapping->tensor;
      c.type = t.store;
      c.shape = {t.elements};
      c.origin.file = file_;
      row_bytes_ += c.row_bytes();
      columns_.push_back(std::move(c));
    }
  }

  void add(const Fields& fields, uint32_t line) {
    if (rows_ == capacity_) grow();
    for (size_t t = 0; t < columns_.size(); ++t) {
      Column& c = columns_[t];
      std::byte* to = c.values.data() + rows_ * c.row_bytes();
      for (size_t column : selected_[t]) {
        cells_.read(fields[column], c.type, to);
        to += byte_size(c.type);
      }
    }
    lines_.push_back(line);
    ++rows_;
  }

  std::vector<Column> finish() {
    for (Column& c : columns_) {
      c.values.resize(rows_ * c.row_bytes());
      c.origin.lines = lines_;
    }
    return std::move(columns_);
  }

private:
  void grow() {
    capacity_ = std::max<int64_t>(256, capacity_ * 2);
    auto bytes = checked_multiply(capacity_, row_bytes_);
    if (!bytes || *bytes > cap_)
      throw DataError(Code::resources, file_, 0, 0,
                      "the table takes more than the memory limit of " + std::to_string(cap_) + " bytes", "memory");
    for (Column& c : columns_) c.values.resize(capacity_ * c.row_bytes());
  }

  std::span<const CsvTarget> targets_;
  std::vector<std::vector<size_t>> selected_;
  CellReader cells_;
  const std::string& file_;
  int64_t cap_, rows_ = 0, capacity_ = 0, row_bytes_ = 0;
  std::vector<Column> columns_;
  std::vector<uint32_t> lines_;
};

} // namespace

std::optional<double> parse_number(std::string_view text) {
  double v = 0;
  std::errc error = parse_whole(trimmed(text), v);
  if (error == std::errc::result_out_of_range) return std::numeric_limits<double>::infinity();
  return error == std::errc() ? std::optional(v) : std::nullopt;
}

std::vector<Column> read_csv(const SourceSpec& source, std::span<const CsvTarget> targets, const FileOptions& options) {
  std::unique_ptr<Stream> stream = open_stream(source.file, options);
  const std::string& file = stream->name();
  CsvRecords records(*stream, source.separator);
  bool row = records.next();
  if (!row) throw DataError(file, "no samples: the file is empty", "no-samples");
  const size_t width = records.fields().size();
  int64_t expected = 0;
  for (const CsvTarget& t : targets) expected += t.elements;
  check_header(source, records.fields(), targets, file);
  Selector selector(source, records.fields(), file, expected);
  std::vector<std::vector<size_t>> selected;
  for (const CsvTarget& t : targets) selected.push_back(selector.select(t));
  if (source.header)
    row = records.next();
  else
    check_first_row(records.fields(), selected, file);
  if (!row) throw DataError(file, "no samples: the file holds a header only", "no-samples");
  TableBuilder table(targets, selected, CellReader(source, file), file, options);
  for (; row; row = records.next()) {
    if (records.fields().size() != width)
      throw DataError(Code::data, file, records.line(), 0,
                      "found " + std::to_string(records.fields().size()) + " columns, " + std::to_string(width) +
                          " expected",
                      "csv-columns");
    table.add(records.fields(), records.line());
  }
  stream->finish();
  return table.finish();
}

} // namespace dlcc::data

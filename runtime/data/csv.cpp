#include "runtime/data/csv.h"

#include "runtime/data/csv_columns.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <unordered_map>

namespace dlcc::data {

namespace {

using runtime::CellCode;
using runtime::trimmed;
using Fields = std::vector<CsvField>;

template <class T> void put(std::byte* to, T v) { std::memcpy(to, &v, sizeof v); }

// Parses the number in one cell and stores it.
class CellReader {
public:
  CellReader(const SourceSpec& source, const std::string& file) : source_(source), file_(file) {}

  bool is_missing(const CsvField& f) const {
    const auto& spellings = source_.missing.spellings;
    return std::find(spellings.begin(), spellings.end(), trimmed(f.text)) != spellings.end();
  }
  [[noreturn]] void fail_missing(const CsvField& f, const char* expected) const {
    const bool has_mean = source_.missing.rule == MissingSpec::Rule::mean;
    const std::string_view text = trimmed(f.text);
    fail(f,
         (text.empty() ? "empty cell" : "missing value " + quoted(text)) + std::string(", ") + expected +
             (has_mean ? " expected (labels are never made up; the rule \"drop\" leaves the sample out)"
                       : " expected (\"missing\" gives empty cells a value)"),
         "csv-empty");
  }
  void read(const CsvField& f, ElementType store, std::byte* to) const {
    const std::string_view text = trimmed(f.text);
    if (store == ElementType::i64) {
      int64_t exact = 0; // doubles would round beyond 2^53
      const std::string_view digits = runtime::without_plus(text);
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), exact);
      if (error == std::errc() && end == digits.data() + digits.size()) return put(to, exact);
    }
    store_value(f, number(f, text), store, to);
  }
  void store_value(const CsvField& f, double v, ElementType store, std::byte* to) const;

private:
  [[noreturn]] void fail(const CsvField& f, const std::string& text, const char* name) const {
    throw DataError(Code::data, file_, f.line, f.column, text, name);
  }
  double number(const CsvField& f, std::string_view text) const {
    const std::optional<double> v = runtime::cell_number(text);
    if (!v) fail(f, quoted(text) + " is not a number" + hint(text), "csv-number");
    if (runtime::is_overflow(text, *v)) fail(f, quoted(text) + " is outside the range of f64", "range");
    if (!std::isfinite(*v) && !source_.allow_nonfinite)
      fail(f, quoted(text) + ", finite numbers expected (\"allow_nonfinite\": true lets it pass)", "nonfinite");
    return *v;
  }
  static const char* hint(std::string_view text) {
    for (std::string_view missing : {"NA", "N/A", "n/a", "na", "null", "NULL", "None", "?", "-"})
      if (text == missing) return " (\"missing\" says what stands for a missing one)";
    if (text.find_first_of("0123456789") == text.npos) return " (\"categories\" reads a column of text)";
    return text.find(',') != text.npos ? " (with a decimal point)" : "";
  }
  template <class T> void store_integer(const CsvField& f, double v, std::byte* to) const {
    if (v != std::floor(v) || !std::isfinite(v))
      fail(f, quoted(trimmed(f.text)) + " where an integer is expected", "integer");
    constexpr double low = static_cast<double>(std::numeric_limits<T>::min());
    constexpr double beyond = 2.0 * static_cast<double>(std::numeric_limits<T>::max() / 2 + 1);
    if (v < low || v >= beyond) fail(f, quoted(trimmed(f.text)) + " is outside the range of the integer type", "range");
    put(to, static_cast<T>(v));
  }

  const SourceSpec& source_;
  const std::string& file_;
};

void CellReader::store_value(const CsvField& f, double v, ElementType store, std::byte* to) const {
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

bool is_number(const CsvField& f) { return runtime::cell_number(f.text).has_value(); }

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

void check_first_row(const CellReader& cells, const Fields& first, const std::vector<std::vector<FoundColumn>>& columns,
                     const std::string& file) {
  for (const auto& list : columns)
    for (const FoundColumn& c : list) {
      const CsvField& f = first[c.at];
      if (c.ref->code == CellCode::number && !cells.is_missing(f) && !is_number(f))
        throw DataError(Code::data, file, f.line, f.column,
                        quoted(f.text) + " in the first row is not a number; if it is a header, say \"header\": true",
                        "csv-header");
    }
}

// The texts of a column of categories, numbered as they appear.
class Dictionary {
public:
  int64_t number(std::string_view text) {
    auto [at, is_new] = numbers_.try_emplace(std::string(text), static_cast<int64_t>(numbers_.size()));
    if (is_new) texts_.push_back(at->first);
    return at->second;
  }
  std::vector<std::string> take() { return std::move(texts_); }

private:
  std::unordered_map<std::string, int64_t> numbers_;
  std::vector<std::string> texts_;
};

class TableBuilder {
public:
  TableBuilder(const SourceSpec& source, const CellReader& cells, const std::string& file, const FileOptions& options)
      : source_(source), cells_(cells), file_(file), cap_(options.memory_cap) {}

  void add_tensor(const CsvTarget& target, const std::vector<FoundColumn>& found, const CsvColumns& columns) {
    Tensor t;
    t.column.name = target.mapping->tensor;
    t.column.type = target.store;
    t.column.shape = {static_cast<int64_t>(found.size())};
    t.column.origin.file = file_;
    for (const FoundColumn& c : found)
      t.column.table.push_back({columns.name(c.at), c.ref->code, c.ref->unknown, c.ref->categories, {}});
    t.found = found;
    t.missing = target.missing;
    t.dictionaries.resize(found.size());
    row_bytes_ += t.column.row_bytes();
    tensors_.push_back(std::move(t));
  }
  void keep(size_t column, std::string name) {
    kept_at_.push_back(column);
    table_.kept.push_back({std::move(name), {}});
  }

  void add(const Fields& fields, uint32_t line) {
    if (rows_ == capacity_) grow();
    for (Tensor& t : tensors_)
      if (!add_sample(t, fields)) {
        ++table_.dropped;
        return forget_row();
      }
    for (size_t k = 0; k < kept_at_.size(); ++k) table_.kept[k].cells.emplace_back(fields[kept_at_[k]].text);
    lines_.push_back(line);
    ++rows_;
  }

  CsvTable finish() {
    for (Tensor& t : tensors_) {
      t.column.values.resize(rows_ * t.column.row_bytes());
      t.column.origin.lines = lines_;
      for (size_t i = 0; i < t.found.size(); ++i) t.column.table[i].texts = t.dictionaries[i].take();
      table_.columns.push_back(std::move(t.column));
    }
    return std::move(table_);
  }

private:
  struct Tensor {
    Column column;
    std::vector<FoundColumn> found;
    MissingSpec::Rule missing = MissingSpec::Rule::error;
    std::vector<Dictionary> dictionaries;
  };

  // False if the row is to be dropped.
  bool add_sample(Tensor& t, const Fields& fields) {
    Column& c = t.column;
    std::byte* to = c.values.data() + rows_ * c.row_bytes();
    for (size_t i = 0; i < t.found.size(); ++i, to += byte_size(c.type)) {
      const CsvField& f = fields[t.found[i].at];
      const bool is_text = t.found[i].ref->code != CellCode::number, missing = cells_.is_missing(f);
      using Rule = MissingSpec::Rule;
      if (missing && t.missing == Rule::drop) return false;
      if (missing && t.missing == Rule::error) cells_.fail_missing(f, is_text ? "text" : "a number");
      if (is_text)
        cells_.store_value(f, static_cast<double>(missing ? -1 : t.dictionaries[i].number(trimmed(f.text))), c.type,
                           to);
      else if (!missing)
        cells_.read(f, c.type, to);
      else if (t.missing == Rule::value)
        cells_.store_value(f, source_.missing.value, c.type, to);
      else
        c.missing.push_back(rows_ * c.elements() + static_cast<int64_t>(i)), cells_.store_value(f, 0, c.type, to);
    }
    return true;
  }
  void forget_row() {
    for (Tensor& t : tensors_)
      while (!t.column.missing.empty() && t.column.missing.back() >= rows_ * t.column.elements())
        t.column.missing.pop_back();
  }
  void grow() {
    capacity_ = std::max<int64_t>(256, capacity_ * 2);
    auto bytes = checked_multiply(capacity_, row_bytes_);
    if (!bytes || *bytes > cap_)
      throw too_large(file_, "the first " + std::to_string(capacity_) + " rows", bytes.value_or(INT64_MAX), cap_);
    for (Tensor& t : tensors_) t.column.values.resize(capacity_ * t.column.row_bytes());
  }

  const SourceSpec& source_;
  const CellReader& cells_;
  const std::string& file_;
  int64_t cap_, rows_ = 0, capacity_ = 0, row_bytes_ = 0;
  std::vector<Tensor> tensors_;
  std::vector<size_t> kept_at_;
  std::vector<uint32_t> lines_;
  CsvTable table_;
};

// Where categories are learned, how wide a sample is will be known when they are.
void check_count(const CsvColumns& columns, const CsvTarget& t, const std::vector<FoundColumn>& found) {
  int64_t width = 0;
  for (const FoundColumn& c : found) {
    const bool is_row = c.ref->code == CellCode::one_hot;
    if (is_row && c.ref->categories.empty()) return;
    width +=
        is_row ? static_cast<int64_t>(c.ref->categories.size()) + (c.ref->unknown == runtime::UnknownRule::extra) : 1;
  }
  if (width != t.elements)
    columns.fail(std::to_string(width) + " columns for " + quoted(t.mapping->tensor) + ", whose samples have " +
                 std::to_string(t.elements) + " values");
}

} // namespace

CsvTable read_csv(const SourceSpec& source, std::span<const CsvTarget> targets, const FileOptions& options) {
  std::unique_ptr<Stream> stream = open_stream(source.file, options);
  const std::string& file = stream->name();
  CsvRecords records(*stream, source.separator);
  bool row = records.next();
  if (!row) throw DataError(file, "no samples: the file is empty", "no-samples");
  const size_t width = records.fields().size();
  check_header(source, records.fields(), targets, file);
  CsvColumns columns(source, records.fields(), file);
  std::vector<std::vector<FoundColumn>> found;
  int64_t expected = 0;
  for (const CsvTarget& t : targets) {
    found.push_back(columns.find(t.mapping->columns));
    expected += t.elements;
  }
  std::vector<ColumnRef> kept_refs;
  for (const std::string& name : source.kept) {
    kept_refs.emplace_back();
    kept_refs.back().name = name;
  }
  const std::vector<FoundColumn> kept = columns.find(kept_refs);
  columns.check(expected);
  const CellReader cells(source, file);
  TableBuilder table(source, cells, file, options);
  for (size_t i = 0; i < targets.size(); ++i) {
    check_count(columns, targets[i], found[i]);
    table.add_tensor(targets[i], found[i], columns);
  }
  for (const FoundColumn& c : kept) table.keep(c.at, columns.name(c.at));
  if (source.header)
    row = records.next();
  else
    check_first_row(cells, records.fields(), found, file);
  if (!row) throw DataError(file, "no samples: the file holds a header only", "no-samples");
  for (; row; row = records.next()) {
    if (records.fields().size() != width)
      throw DataError(Code::data, file, records.line(), 0,
                      "found " + std::to_string(records.fields().size()) + " columns, " + std::to_string(width) +
                          " expected",
                      "csv-columns");
    table.add(records.fields(), records.line());
  }
  stream->finish();
  CsvTable out = table.finish();
  if (out.columns.at(0).origin.lines.empty())
    throw DataError(file, "no samples: every row has a missing value", "no-samples");
  return out;
}

} // namespace dlcc::data

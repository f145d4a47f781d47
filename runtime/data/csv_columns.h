// Finds the columns of a csv file that a model names.
#pragma once

#include "runtime/data/csv_records.h"
#include "runtime/data/spec.h"

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace dlcc::data {

/// A column that was found.
struct FoundColumn {
  size_t at = 0; ///< its number, from 0
  const ColumnRef* ref = nullptr;
};

/// `first` is the file's first record: the names, if there is a header.
class CsvColumns {
public:
  CsvColumns(const SourceSpec& source, const std::vector<CsvField>& first, const std::string& file)
      : source_(source), first_(first), file_(file) {}

  /// In the order of `refs`. Columns that are absent are noted.
  std::vector<FoundColumn> find(std::span<const ColumnRef> refs);
  /// Throws DataError with all that were not found; `expected`: how many columns the model takes in all.
  void check(int64_t expected) const;
  /// The header's, or the number.
  std::string name(size_t column) const;
  [[noreturn]] void fail(const std::string& text) const;

private:
  std::string names() const; // of all columns, as many as a line holds
  using Range = std::pair<size_t, size_t>;
  std::optional<size_t> named(const std::string& name) const;
  std::optional<size_t> numbered(int64_t number) const;
  std::optional<size_t> one(const std::string& text) const;
  std::optional<Range> range(const ColumnRef& ref) const;

  const SourceSpec& source_;
  const std::vector<CsvField>& first_;
  const std::string& file_;
  std::vector<std::string> absent_;
};

} // namespace dlcc::data

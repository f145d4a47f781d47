// Columns of comma separated numbers as arrays.
#pragma once

#include "runtime/data/dataset.h"
#include "runtime/data/file.h"

#include <string_view>

namespace dlcc::data {

/// A tensor to be read from csv columns.
struct CsvTarget {
  const Mapping* mapping = nullptr;
  int64_t elements = 1;                 ///< values a sample; as many columns must be named
  ElementType store = ElementType::f32; ///< what cells become; integers must be written as integers
};

/// One Column per target, shape [elements]. Errors name line and column of the cell.
std::vector<Column> read_csv(const SourceSpec& source, std::span<const CsvTarget> targets, const FileOptions& options);

/// A number as csv cells may have it: blanks around it, a sign, decimal point, exponent; nothing else, in any locale.
/// Nothing if `text` is not one; infinity if it does not fit double.
std::optional<double> parse_number(std::string_view text);

} // namespace dlcc::data

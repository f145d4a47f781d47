// Columns of comma separated values as arrays.
#pragma once

#include "runtime/data/dataset.h"
#include "runtime/data/file.h"

namespace dlcc::data {

/// A tensor to be read from csv columns.
struct CsvTarget {
  const Mapping* mapping = nullptr;
  int64_t elements = 1;                 ///< values a sample, once text is encoded
  ElementType store = ElementType::f32; ///< what cells become; integers must be written as integers; f64 if there is
                                        ///< text, or a number may be missing
  MissingSpec::Rule missing = MissingSpec::Rule::error;
};

struct CsvTable {
  std::vector<Column> columns; ///< one a target, shape [csv columns], not encoded yet (table.h)
  std::vector<TextColumn> kept;
  int64_t dropped = 0; ///< rows with a missing value
};

/// Errors name line and column of the cell.
CsvTable read_csv(const SourceSpec& source, std::span<const CsvTarget> targets, const FileOptions& options);

} // namespace dlcc::data

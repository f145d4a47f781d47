// Splits comma separated text into records and fields, in one pass and in bounded memory.
#pragma once

#include "runtime/data/file.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace dlcc::data {

struct CsvField {
  std::string_view text; ///< without quotes; valid until the next record is read
  uint32_t line = 0, column = 0;
};

/// RFC 4180, read leniently: lines end with LF, CRLF or a lone CR; empty lines are skipped; a byte order mark at the
/// start is skipped. NUL bytes, records over 16 MiB and over 1,000,000 fields are errors.
class CsvRecords {
public:
  CsvRecords(Stream& stream, char separator);

  /// False at the end of the file.
  bool next();
  const std::vector<CsvField>& fields() const { return fields_; }
  uint32_t line() const { return record_line_; } ///< on which the record starts

private:
  struct Part {
    size_t start, end; // within the record
    uint32_t line, column;
  };

  bool more();        // makes at_ < end_ true, or is false at the end of the file
  void skip_mark();   // the byte order mark
  bool end_of_line(); // consumes a line end, if one stands here
  void plain_field();
  void quoted_field();
  void add_part(size_t start, size_t end, uint32_t line, uint32_t column);
  uint32_t column() const { return static_cast<uint32_t>(static_cast<int64_t>(at_) - line_start_ + 1); }
  [[noreturn]] void fail(uint32_t line, uint32_t column, const std::string& text, const char* name) const;

  Stream& stream_;
  bool special_[256] = {};
  std::vector<char> buffer_;
  size_t record_ = 0, at_ = 0, end_ = 0; // within the buffer
  int64_t line_start_ = 0;               // negative if the line began before the buffer
  bool ended_ = false;
  uint32_t line_ = 1, record_line_ = 1;
  uint32_t quote_line_ = 0, quote_column_ = 0; // of the quote that is open, else 0
  std::vector<Part> parts_;
  std::vector<CsvField> fields_;
};

} // namespace dlcc::data

#include "runtime/data/csv_records.h"

#include <cstring>

namespace dlcc::data {

namespace {
constexpr size_t piece = 1 << 18;
constexpr size_t longest_record = 16 << 20;
constexpr size_t most_fields = 1'000'000;
} // namespace

CsvRecords::CsvRecords(Stream& stream, char separator) : stream_(stream), buffer_(2 * piece) {
  for (char c : {'\n', '\r', '\0', separator}) special_[static_cast<unsigned char>(c)] = true;
  skip_mark();
}

void CsvRecords::fail(uint32_t line, uint32_t column, const std::string& text, const char* name) const {
  throw DataError(Code::data, stream_.name(), line, column, text, name);
}

bool CsvRecords::more() {
  if (at_ < end_) return true;
  if (ended_) return false;
  if (at_ - record_ > longest_record) {
    if (quote_line_) fail(quote_line_, quote_column_, "the quote opened here is not closed within 16 MiB", "csv-quote");
    fail(record_line_, 0, "line longer than 16 MiB", "csv-line");
  }
  if (record_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + record_, end_ - record_);
    at_ -= record_, end_ -= record_, line_start_ -= static_cast<int64_t>(record_), record_ = 0;
  }
  if (buffer_.size() - end_ < piece) buffer_.resize(buffer_.size() * 2);
  int64_t got = stream_.read(buffer_.data() + end_, static_cast<int64_t>(piece));
  end_ += static_cast<size_t>(got);
  ended_ = got < static_cast<int64_t>(piece);
  return at_ < end_;
}

void CsvRecords::skip_mark() {
  if (more() && end_ >= 3 && std::memcmp(buffer_.data(), "\xEF\xBB\xBF", 3) == 0) at_ = 3, line_start_ = 3;
}

bool CsvRecords::end_of_line() {
  if (!more()) return true;
  char c = buffer_[at_];
  if (c != '\n' && c != '\r') return false;
  ++at_;
  if (c == '\r' && more() && buffer_[at_] == '\n') ++at_;
  ++line_;
  line_start_ = static_cast<int64_t>(at_);
  return true;
}

void CsvRecords::add_part(size_t start, size_t end, uint32_t line, uint32_t column) {
  if (parts_.size() == most_fields) fail(line, column, "more than 1,000,000 columns", "csv-columns");
  parts_.push_back({start, end, line, column});
}

void CsvRecords::plain_field() {
  size_t start = at_ - record_;
  uint32_t first_column = column();
  do {
    while (at_ < end_ && !special_[static_cast<unsigned char>(buffer_[at_])]) ++at_;
  } while (at_ == end_ && more());
  if (at_ < end_ && buffer_[at_] == '\0')
    fail(line_, column(), "NUL byte at offset " + std::to_string(stream_.position() - static_cast<int64_t>(end_ - at_)),
         "csv-nul");
  add_part(start, at_ - record_, line_, first_column);
}

// Doubled quotes are undoubled in place: what is written never overtakes what is read.
void CsvRecords::quoted_field() {
  quote_line_ = line_, quote_column_ = column();
  ++at_;
  size_t start = at_ - record_, written = start;
  for (;; ++at_) {
    if (!more()) fail(quote_line_, quote_column_, "the quote opened here is never closed", "csv-quote");
    char c = buffer_[at_];
    if (c == '\0')
      fail(line_, column(),
           "NUL byte at offset " + std::to_string(stream_.position() - static_cast<int64_t>(end_ - at_)), "csv-nul");
    if (c == '"') {
      ++at_;
      if (!more() || buffer_[at_] != '"') break;
    }
    if (c == '\n') ++line_, line_start_ = static_cast<int64_t>(at_) + 1;
    buffer_[record_ + written++] = c;
  }
  const bool ends = !more() || (special_[static_cast<unsigned char>(buffer_[at_])] && buffer_[at_] != '\0');
  if (!ends) fail(line_, column(), "text after a closing quote", "csv-quote");
  add_part(start, written, quote_line_, quote_column_);
  quote_line_ = 0;
}

bool CsvRecords::next() {
  do record_ = at_; // empty lines are skipped
  while (more() && end_of_line());
  if (!more()) return false;
  record_ = at_;
  record_line_ = line_;
  parts_.clear();
  for (;;) {
    if (more() && buffer_[at_] == '"')
      quoted_field();
    else
      plain_field();
    if (end_of_line()) break;
    ++at_; // the separator
  }
  fields_.clear();
  for (const Part& p : parts_)
    fields_.push_back({{buffer_.data() + record_ + p.start, p.end - p.start}, p.line, p.column});
  return true;
}

} // namespace dlcc::data

#include "runtime/data/readers.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>

namespace dlcc::data {

namespace {

constexpr int64_t header_limit = 1 << 20;

struct Header {
  std::optional<std::string> descr;
  std::optional<bool> fortran_order;
  std::optional<std::vector<int64_t>> shape;
};

// Parses the header's Python dictionary: exactly the three keys, and no more of the language than they need.
class HeaderParser {
public:
  HeaderParser(std::string_view text, int64_t offset, const std::string& file)
      : text_(text), offset_(offset), file_(file) {}

  Header parse() {
    expect('{');
    while (!accept('}')) {
      std::string key = string();
      expect(':');
      value(key);
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_blanks();
    if (at_ != text_.size()) fail("unexpected text after the dictionary");
    if (!header_.descr) fail("no 'descr' key");
    if (!header_.fortran_order) fail("no 'fortran_order' key");
    if (!header_.shape) fail("no 'shape' key");
    return header_;
  }

private:
  [[noreturn]] void fail(const std::string& what) const {
    throw DataError(file_, "npy header, offset " + std::to_string(offset_ + static_cast<int64_t>(at_)) + ": " + what,
                    "npy-header");
  }
  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t')) ++at_;
  }
  bool accept(char c) {
    skip_blanks();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail(std::string("'") + c + "' expected");
  }
  std::string string() {
    skip_blanks();
    char quote = at_ < text_.size() ? text_[at_] : '\0';
    if (quote != '\'' && quote != '"') fail("a quoted string expected");
    size_t end = text_.find(quote, at_ + 1);
    if (end == text_.npos) fail("string without an end");
    std::string s(text_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    return s;
  }
  bool word(std::string_view w) {
    skip_blanks();
    if (text_.substr(at_, w.size()) != w) return false;
    at_ += w.size();
    return true;
  }
  std::vector<int64_t> dimensions() {
    std::vector<int64_t> dims;
    expect('(');
    while (!accept(')')) {
      skip_blanks();
      int64_t d = 0;
      auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), d);
      if (error != std::errc() || d < 0) fail("a dimension (an integer from 0) expected");
      at_ = static_cast<size_t>(end - text_.data());
      accept('L'); // Python 2 wrote long integers so
      dims.push_back(d);
      if (dims.size() > 8) fail("more than 8 dimensions");
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return dims;
  }
  void value(const std::string& key) {
    bool repeated = (key == "descr" && header_.descr) || (key == "fortran_order" && header_.fortran_order) ||
                    (key == "shape" && header_.shape);
    if (repeated) fail("key '" + key + "' is repeated");
    if (key == "descr") {
      skip_blanks();
      if (at_ < text_.size() && text_[at_] == '[')
        throw DataError(file_, "structured npy arrays are not supported (pickle is never loaded)", "dtype");
      header_.descr = string();
    } else if (key == "fortran_order") {
      if (word("True"))
        header_.fortran_order = true;
      else if (word("False"))
        header_.fortran_order = false;
      else
        fail("True or False expected");
    } else if (key == "shape") {
      header_.shape = dimensions();
    } else {
      fail("unknown key '" + escape(key, 40) + "'");
    }
  }

  std::string_view text_;
  size_t at_ = 0;
  int64_t offset_;
  const std::string& file_;
  Header header_;
};

StoredType type_of(const std::string& descr, const std::string& file) {
  static constexpr std::string_view known[] = {"f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"};
  bool ordered = !descr.empty() && std::string_view("<>=|").find(descr[0]) != std::string_view::npos;
  std::string_view base = std::string_view(descr).substr(ordered);
  for (std::string_view k : known)
    if (base == k) return {k[0], k[1] - '0', ordered && descr[0] == '>'};
  throw DataError(file, "npy element type '" + escape(descr, 40) + "' is not supported (pickle is never loaded)",
                  "dtype");
}

std::string read_header_text(Stream& s) {
  std::array<unsigned char, 8> magic{};
  read_exactly(s, magic.data(), 8, "the npy header");
  if (std::string_view(reinterpret_cast<char*>(magic.data()), 6) != "\x93NUMPY")
    throw DataError(s.name(), "not an npy file: its first bytes are not '\\x93NUMPY'", "magic");
  if (magic[6] < 1 || magic[6] > 3)
    throw DataError(s.name(), "npy format version " + std::to_string(magic[6]) + ", expected 1 to 3", "version");
  std::array<unsigned char, 4> raw{};
  read_exactly(s, raw.data(), magic[6] == 1 ? 2 : 4, "the npy header");
  int64_t length = raw[0] | raw[1] << 8 | raw[2] << 16 | static_cast<int64_t>(raw[3]) << 24;
  if (length > s.most() - s.position() || length > header_limit)
    throw DataError(s.name(),
                    "npy header of " + std::to_string(length) + " bytes at offset " + std::to_string(s.position()) +
                        " reaches beyond the file or the limit of " + std::to_string(header_limit),
                    "npy-header");
  std::string text(static_cast<size_t>(length), '\0');
  read_exactly(s, text.data(), length, "the npy header");
  for (size_t i = 0; i < text.size(); ++i)
    if (static_cast<unsigned char>(text[i]) >= 0x80 || (text[i] < 0x20 && text[i] != '\n' && text[i] != '\t'))
      throw DataError(s.name(),
                      "npy header, offset " + std::to_string(s.position() - length + static_cast<int64_t>(i)) +
                          ": not an ASCII character",
                      "npy-header");
  return text;
}

} // namespace

PendingArray open_npy(std::unique_ptr<Stream> s) {
  std::string text = read_header_text(*s);
  Header header = HeaderParser(text, s->position() - static_cast<int64_t>(text.size()), s->name()).parse();
  PendingArray a;
  a.type = type_of(*header.descr, s->name());
  a.shape = *header.shape;
  a.fortran_order = *header.fortran_order;
  if (a.shape.empty()) throw DataError(s->name(), "an npy array of rank 0 has no samples", "rank");
  a.stream = std::move(s);
  return a;
}

} // namespace dlcc::data

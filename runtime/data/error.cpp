#include "runtime/data/error.h"

#include <algorithm>

namespace dlcc::data {

namespace {
constexpr size_t line_limit = 300;

// Length of the printable UTF-8 sequence (RFC 3629) at the start of s; 0: not valid, a control character, or one of
// the direction overrides that can disguise a text.
size_t printable_length(std::string_view s) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(s[i]); };
  unsigned c = byte(0);
  if (c < 0x80) return c >= 0x20 && c != 0x7F;
  size_t n = (c >= 0xC2 && c <= 0xDF) ? 2 : (c & 0xF0) == 0xE0 ? 3 : (c >= 0xF0 && c <= 0xF4) ? 4 : 0;
  if (n == 0 || n > s.size()) return 0;
  uint32_t point = c & (0x7Fu >> n);
  for (size_t i = 1; i < n; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
    point = point << 6 | (byte(i) & 0x3Fu);
  }
  constexpr uint32_t least[] = {0, 0, 0xA0, 0x800, 0x10000};
  bool surrogate = point >= 0xD800 && point <= 0xDFFF;
  bool disguise = (point >= 0x2028 && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069);
  return point < least[n] || point > 0x10FFFF || surrogate || disguise ? 0 : n;
}

std::string format_line(std::string_view file, uint32_t line, uint32_t column, std::string_view severity,
                        std::string_view text, std::string_view name) {
  std::string head = file.empty() ? "dlcc" : escape(file, 100);
  if (line) head += ":" + std::to_string(line);
  if (line && column) head += ":" + std::to_string(column);
  head += ": " + std::string(severity) + ": ";
  std::string tail = " [" + std::string(name) + "]";
  size_t room = line_limit - std::min(line_limit, head.size() + tail.size() + 4);
  return head + escape(text, room) + tail;
}
} // namespace

std::string escape(std::string_view text, size_t limit) {
  static const char hex[] = "0123456789abcdef";
  std::string out;
  while (!text.empty()) {
    size_t n = printable_length(text);
    std::string shown(text.substr(0, n));
    auto c = static_cast<unsigned char>(text[0]);
    if (n == 0) shown = {'\\', 'x', hex[c >> 4], hex[c & 15]};
    if (out.size() + shown.size() > limit) return out + "...";
    out += shown;
    text.remove_prefix(std::max<size_t>(n, 1));
  }
  return out;
}

std::string warning_line(std::string_view file, std::string_view text, std::string_view name) {
  return format_line(file, 0, 0, "warning", text, name);
}
std::string note_line(std::string_view file, std::string_view text, std::string_view name) {
  return format_line(file, 0, 0, "note", text, name);
}

DataError::DataError(Code exit, std::string in_file, uint32_t at_line, uint32_t at_column, std::string message,
                     std::string fault)
    : code(exit), file(std::move(in_file)), line(at_line), column(at_column), text(std::move(message)),
      name(std::move(fault)), message_(format_line(file, line, column, "error", text, name)) {}

} // namespace dlcc::data

#include "runtime/core/error.h"

#include <cstdarg>
#include <cstdio>
#include <cstring>

namespace dlcc::runtime {

void fail(dlcc_status status, const char* format, ...) {
  char text[1024];
  va_list args;
  va_start(args, format);
  std::vsnprintf(text, sizeof text, format, args);
  va_end(args);
  throw Error(status, text);
}

void fail_errno(const char* what, std::string_view path, int error) {
  char buffer[128];
  // The GNU strerror_r, which is thread-safe and returns the text.
  fail(status_of_errno(error), "%s '%s': %s", what, escape(path).c_str(), strerror_r(error, buffer, sizeof buffer));
}

// The sequence at the front of a text: its length, 0 if it is not UTF-8 (RFC 3629), and the code point.
struct Sequence {
  size_t length;
  uint32_t point;
};
static Sequence first_of(std::string_view text) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return {1, lead};
  const size_t n = (lead & 0xE0) == 0xC0 ? 2 : (lead & 0xF0) == 0xE0 ? 3 : (lead & 0xF8) == 0xF0 ? 4 : 0;
  if (n == 0 || n > text.size()) return {0, 0};
  uint32_t point = lead & (0x7Fu >> n);
  for (size_t i = 1; i < n; ++i) {
    if ((byte(i) & 0xC0u) != 0x80u) return {0, 0};
    point = point << 6 | (byte(i) & 0x3Fu);
  }
  constexpr uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000}; // below: an overlong form
  const bool surrogate = point >= 0xD800 && point <= 0xDFFF;
  return {point < least[n] || point > 0x10FFFF || surrogate ? 0 : n, point};
}

// Not a control character, on which terminals act, nor one of the direction overrides that can disguise a text.
static bool is_harmless(uint32_t point) {
  const bool control = point < 0x20 || (point >= 0x7F && point < 0xA0);
  return !control && !(point >= 0x2028 && point <= 0x202E) && !(point >= 0x2066 && point <= 0x2069);
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const size_t n = first_of(text).length;
    if (n == 0) return false;
    text.remove_prefix(n);
  }
  return true;
}

std::string size_text(int64_t bytes) {
  constexpr int64_t kib = int64_t{1} << 10, mib = int64_t{1} << 20;
  if (bytes < 16 * kib) return std::to_string(bytes) + " bytes";
  if (bytes < 16 * mib) return std::to_string((bytes + kib - 1) / kib) + " KiB";
  if (bytes <= 10000 * mib) return std::to_string(bytes / mib) + " MiB";
  char text[32];
  std::snprintf(text, sizeof text, "%.1f GB", static_cast<double>(bytes) / 1e9);
  return text;
}

std::string escape(std::string_view text, size_t limit) {
  static const char hex[] = "0123456789abcdef";
  std::string out;
  while (!text.empty()) {
    const Sequence s = first_of(text);
    std::string shown(text.substr(0, s.length));
    if (s.length == 0 || !is_harmless(s.point)) {
      const auto c = static_cast<unsigned char>(text[0]);
      shown = {'\\', 'x', hex[c >> 4], hex[c & 15]};
      text.remove_prefix(1);
    } else {
      text.remove_prefix(s.length);
    }
    if (out.size() + shown.size() > limit) return out + "...";
    out += shown;
  }
  return out;
}

dlcc_status report(dlcc_error* err, dlcc_status status, const char* message) noexcept {
  if (err) {
    err->code = status;
    err->reserved = 0;
    std::snprintf(err->message, sizeof err->message, "%s", message);
  }
  return status;
}

} // namespace dlcc::runtime

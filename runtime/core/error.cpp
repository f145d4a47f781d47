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

// Length of the UTF-8 sequence at the front of `text`, 0 if there is none (RFC 3629: no overlong forms, no surrogates).
static size_t utf8_length(std::string_view text) {
  auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  auto follows = [&](size_t i) { return (byte(i) & 0xC0u) == 0x80u; };
  unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return follows(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    if (!follows(1) || !follows(2)) return 0;
    if ((lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xED && byte(1) > 0x9F)) return 0;
    return 3;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    if (!follows(1) || !follows(2) || !follows(3)) return 0;
    if ((lead == 0xF0 && byte(1) < 0x90) || (lead == 0xF4 && byte(1) > 0x8F)) return 0;
    return 4;
  }
  return 0;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    size_t n = utf8_length(text);
    if (n == 0) return false;
    text.remove_prefix(n);
  }
  return true;
}

std::string escape(std::string_view text) {
  constexpr size_t limit = 200;
  std::string out;
  while (!text.empty()) {
    auto lead = static_cast<unsigned char>(text[0]);
    size_t n = utf8_length(text);
    // C1 controls are two bytes, C2 80 to C2 9F; terminals act on them as on ESC.
    bool c1 = n == 2 && lead == 0xC2 && static_cast<unsigned char>(text[1]) < 0xA0;
    bool shown = n != 0 && lead >= 0x20 && lead != 0x7F && !c1;
    if (out.size() + (shown ? n : 4) > limit) return out + "...";
    if (shown) {
      out.append(text.substr(0, n));
      text.remove_prefix(n);
    } else {
      char hex[8];
      std::snprintf(hex, sizeof hex, "\\x%02x", lead);
      out += hex;
      text.remove_prefix(1);
    }
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

#include "tools/train/text.h"

#include <charconv>
#include <cmath>
#include <cstdio>

namespace dlcc::training {

namespace {
template <class... Args> std::string formatted(const char* format, Args... args) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, format, args...);
  return buffer;
}
} // namespace

std::string exact(double v) {
  if (std::isnan(v)) return "nan"; // whatever its sign
  char buffer[64];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, v).ptr};
}

std::string hex(double v) {
  if (std::isnan(v)) return "nan";
  char buffer[64];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, v, std::chars_format::hex).ptr};
}

std::string brief(double v) {
  if (!std::isfinite(v) || v == 0) return exact(v);
  const double size = std::fabs(v);
  if (size < 1e-3 || size >= 1e6) return formatted("%.3e", v);
  return formatted(size < 10 ? "%.4f" : size < 1000 ? "%.2f" : "%.1f", v);
}

std::string duration(double s) {
  if (s < 1) return formatted("%.0f ms", s * 1000);
  if (s < 60) return formatted("%.1f s", s);
  const auto whole = static_cast<long long>(s);
  if (whole < 3600) return formatted("%lld:%02lld", whole / 60, whole % 60);
  return formatted("%lld:%02lld:%02lld", whole / 3600, whole / 60 % 60, whole % 60);
}

std::string rate(double v) {
  if (v < 1000) return formatted("%.0f", v);
  if (v < 1e6) return formatted("%.1f k", v / 1e3);
  return formatted("%.2f M", v / 1e6);
}

namespace {
struct CodePoint {
  size_t bytes = 1;
  int columns = 1;
};

// Bytes that are no UTF-8 count as they are. Widths follow Unicode's East Asian Width in its large blocks.
CodePoint first_point(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const size_t bytes = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (bytes == 1 || bytes > text.size()) return {};
  char32_t point = lead & (0xFFu >> (bytes + 1));
  for (size_t i = 1; i < bytes; ++i) point = point << 6 | (static_cast<unsigned char>(text[i]) & 0x3Fu);
  auto in = [&](char32_t low, char32_t high) { return point >= low && point <= high; };
  if (in(0x300, 0x36F) || in(0x200B, 0x200F) || in(0xFE00, 0xFE0F)) return {bytes, 0};
  const bool wide = in(0x1100, 0x115F) || in(0x2E80, 0xA4CF) || in(0xAC00, 0xD7A3) || in(0xF900, 0xFAFF) ||
                    in(0xFE30, 0xFE6F) || in(0xFF00, 0xFF60) || in(0x1F300, 0x1FAFF) || in(0x20000, 0x3FFFD);
  return {bytes, wide ? 2 : 1};
}
} // namespace

int columns(std::string_view text) {
  int sum = 0;
  for (CodePoint p; !text.empty(); text.remove_prefix(p.bytes)) sum += (p = first_point(text)).columns;
  return sum;
}

std::string first_columns(std::string_view text, int columns) {
  size_t at = 0;
  while (at < text.size()) {
    const CodePoint p = first_point(text.substr(at));
    if ((columns -= p.columns) < 0) break;
    at += p.bytes;
  }
  return std::string(text.substr(0, at));
}

bool parse_double(std::string_view text, double* out, bool hex) {
  auto format = hex ? std::chars_format::hex : std::chars_format::general;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out, format);
  return error == std::errc() && end == text.data() + text.size();
}

bool parse_integer(std::string_view text, int64_t* out) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return error == std::errc() && end == text.data() + text.size();
}

std::string joined(const std::vector<std::string>& parts, const std::string& separator) {
  std::string out;
  for (size_t i = 0; i < parts.size(); ++i) out += (i ? separator : "") + parts[i];
  return out;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> out;
  for (size_t from = 0;;) {
    const size_t to = text.find(separator, from);
    out.emplace_back(text.substr(from, to == std::string_view::npos ? to : to - from));
    if (to == std::string_view::npos) return out;
    from = to + 1;
  }
}

} // namespace dlcc::training

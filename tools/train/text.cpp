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

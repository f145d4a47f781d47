#include "ir/base/diagnostics.h"

#include <algorithm>
#include <numeric>

namespace dlcc {

namespace {
constexpr size_t line_limit = 300;

// Length of the valid UTF-8 sequence at the start of s, or 0. (RFC 3629)
size_t utf8_length(std::string_view s) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(s[i]); };
  unsigned char c = byte(0);
  size_t n = c < 0x80 ? 1 : (c >= 0xC2 && c <= 0xDF) ? 2 : (c & 0xF0) == 0xE0 ? 3 : (c >= 0xF0 && c <= 0xF4) ? 4 : 0;
  if (n == 0 || n > s.size()) return 0;
  for (size_t i = 1; i < n; ++i)
    if ((byte(i) & 0xC0) != 0x80) return 0;
  if ((c == 0xE0 && byte(1) < 0xA0) || (c == 0xED && byte(1) > 0x9F) || (c == 0xF0 && byte(1) < 0x90) ||
      (c == 0xF4 && byte(1) > 0x8F))
    return 0;
  return n;
}

// C1 control characters and the direction overrides that can disguise a text.
bool is_unsafe_sequence(std::string_view s) {
  if (s.size() == 2) return s[0] == '\xC2' && static_cast<unsigned char>(s[1]) < 0xA0;
  return s.size() == 3 && s[0] == '\xE2' &&
         ((s[1] == '\x80' && static_cast<unsigned char>(s[2]) >= 0xA8 && static_cast<unsigned char>(s[2]) <= 0xAE) ||
          (s[1] == '\x81' && static_cast<unsigned char>(s[2]) >= 0xA6 && static_cast<unsigned char>(s[2]) <= 0xA9));
}
} // namespace

std::string escape(std::string_view text, size_t limit) {
  static const char hex[] = "0123456789abcdef";
  std::string out;
  for (size_t i = 0; i < text.size();) {
    size_t n = utf8_length(text.substr(i));
    std::string_view piece = text.substr(i, n ? n : 1);
    std::string shown(piece);
    unsigned char c = static_cast<unsigned char>(text[i]);
    if (n == 0 || c < 0x20 || c == 0x7F || is_unsafe_sequence(piece)) {
      shown.clear();
      for (char b : piece) {
        auto u = static_cast<unsigned char>(b);
        shown += {'\\', 'x', hex[u >> 4], hex[u & 15]};
      }
    }
    if (out.size() + shown.size() > limit) return out + "...";
    out += shown;
    i += piece.size();
  }
  return out;
}

std::string format_short(const Diagnostic& d) {
  std::string place = d.file.empty() ? "dlcc" : escape(d.file, 100);
  if (d.where.known()) place += ":" + std::to_string(d.where.line);
  if (d.where.column) place += ":" + std::to_string(d.where.column);
  std::string head = place + (d.severity == Severity::error ? ": error: " : ": warning: ");
  std::string tail = d.name.empty() ? "" : " [" + d.name + "]";
  size_t room = line_limit - std::min(line_limit, head.size() + tail.size() + 4);
  return head + escape(d.text, room) + tail;
}

void DiagnosticList::add(Diagnostic d) {
  if (d.file.empty()) d.file = file_;
  if (d.severity == Severity::error && errors_++ >= limit_) return;
  items_.push_back(std::move(d));
}

void DiagnosticList::error(std::string name, std::string text, Location where, std::string pointer) {
  add({Severity::error, std::move(name), std::move(text), file_, where, std::move(pointer), {}});
}

void DiagnosticList::warning(std::string name, std::string text, Location where, std::string pointer) {
  add({Severity::warning, std::move(name), std::move(text), file_, where, std::move(pointer), {}});
}

void DiagnosticList::promote(std::string_view name) {
  for (Diagnostic& d : items_)
    if (d.name == name && d.severity == Severity::warning) d.severity = Severity::error, ++errors_;
}

void DiagnosticList::append(const DiagnosticList& other) {
  for (const Diagnostic& d : other.items_) add(d);
}

namespace {
// Levenshtein distance with transpositions of neighbours counted as one.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before, last(b.size() + 1), now(b.size() + 1);
  std::iota(last.begin(), last.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) now[j] = std::min(now[j], before[j - 2] + 1);
    }
    before = last;
    std::swap(last, now);
  }
  return last[b.size()];
}

std::string lower(std::string_view s) {
  std::string out(s);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}
} // namespace

std::string nearest_name(std::string_view name, const std::vector<std::string>& candidates) {
  if (name.size() > 64) return {};
  std::string best;
  size_t best_distance = name.size() / 3 + 1;
  for (const std::string& c : candidates) {
    size_t d = edit_distance(lower(name), lower(c));
    if (d < best_distance) best_distance = d, best = c;
  }
  return best;
}

std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates) {
  std::string near = nearest_name(name, candidates);
  return near.empty() ? "" : ", did you mean '" + near + "'?";
}

void internal_error(const char* file, int line, const std::string& what) {
  throw InternalError(std::string(file) + ":" + std::to_string(line) + ": " + what);
}

} // namespace dlcc

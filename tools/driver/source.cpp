#include "tools/driver/source.h"

#include "runtime/core/error.h"
#include "tools/driver/status.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

namespace dlcc::tools {

namespace {
struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd > 2) close(fd);
  }
};

[[noreturn]] void fail(const std::string& path, const std::string& text, ExitCode code = ExitCode::io) {
  throw UserError(code, "cannot-read", text, path == "-" ? "<stdin>" : path);
}

[[noreturn]] void fail_errno(const std::string& path, const std::string& what, int error) {
  fail(path, what + ": " + strerror(error), exit_code(runtime::status_of_errno(error)));
}
} // namespace

std::string read_text_file(const std::string& path) {
  Descriptor file{path == "-" ? 0 : open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.fd < 0) fail_errno(path, "cannot open", errno);
  struct stat info;
  if (fstat(file.fd, &info) != 0) fail(path, strerror(errno));
  if (path != "-" && S_ISDIR(info.st_mode)) fail(path, "is a directory, expected a model file");
  if (path != "-" && !S_ISREG(info.st_mode)) fail(path, "is not a regular file; use - to read from a pipe");
  std::string text;
  char buffer[1 << 16];
  while (true) {
    ssize_t n = read(file.fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_errno(path, "cannot read", errno);
    if (n == 0) return text;
    text.append(buffer, static_cast<size_t>(n));
    if (static_cast<int64_t>(text.size()) > max_model_bytes) fail(path, "larger than 256 MiB");
  }
}

namespace {
// The source line, cut around the column so that it fits a terminal, and a caret below it.
std::string source_excerpt(const std::string& source, Location where) {
  size_t begin = 0;
  for (uint32_t line = 1; line < where.line; ++line) {
    begin = source.find('\n', begin);
    if (begin == std::string::npos) return "";
    ++begin;
  }
  std::string line = source.substr(begin, source.find('\n', begin) - begin);
  size_t column = where.column ? where.column - 1 : 0, from = column > 60 ? column - 60 : 0;
  std::string shown = escape(line.substr(std::min(from, line.size()), 100), 100);
  return "  " + shown + "\n  " + std::string(column - from, ' ') + "^\n";
}

void print_json(const Diagnostic& d) {
  nlohmann::ordered_json object = {{"format", 1},
                                   {"severity", d.severity == Severity::error ? "error" : "warning"},
                                   {"file", escape(d.file)},
                                   {"line", d.where.line},
                                   {"column", d.where.column},
                                   {"message", escape(d.text, 300)},
                                   {"name", d.name},
                                   {"pointer", escape(d.pointer)}};
  fprintf(stderr, "%s\n", object.dump().c_str());
}
} // namespace

void print_diagnostic(const Diagnostic& d, const std::string& source, DiagnosticsFormat format) {
  if (format == DiagnosticsFormat::json) return print_json(d);
  std::string text = format_short(d) + "\n";
  bool rich = format == DiagnosticsFormat::rich || (format == DiagnosticsFormat::automatic && isatty(2));
  if (rich && d.where.known() && !source.empty()) text += source_excerpt(source, d.where);
  if (rich)
    for (const std::string& note : d.notes) text += "  note: " + escape(note) + "\n";
  fputs(text.c_str(), stderr);
}

void print_diagnostics(const DiagnosticList& diagnostics, const std::string& source, DiagnosticsFormat format) {
  for (const Diagnostic& d : diagnostics.all()) print_diagnostic(d, source, format);
  size_t hidden = diagnostics.error_count();
  for (const Diagnostic& d : diagnostics.all()) hidden -= d.severity == Severity::error;
  if (hidden && format != DiagnosticsFormat::json)
    fprintf(stderr, "dlcc: error: %zu more errors; see --error-limit\n", hidden);
}

} // namespace dlcc::tools

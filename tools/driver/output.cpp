#include "tools/driver/output.h"

#include "ir/base/diagnostics.h"
#include "runtime/core/atomic_file.h"
#include "runtime/core/error.h"
#include "tools/driver/status.h"

#include <cerrno>
#include <cstring>
#include <sys/stat.h>
#include <unistd.h>

namespace dlcc::tools {

namespace {
void write_to_stdout(std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t n = write(1, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EPIPE) return; // the reader has seen enough
    if (n <= 0)
      throw UserError(ExitCode::io, "cannot-write", std::string("cannot write: ") + strerror(errno), "<stdout>");
    bytes.remove_prefix(static_cast<size_t>(n));
  }
}

void refuse_bad_target(const std::string& path, const std::string& input) {
  struct stat out;
  if (stat(path.c_str(), &out) != 0) return;
  if (S_ISDIR(out.st_mode)) throw UserError(ExitCode::io, "cannot-write", "is a directory, expected a file name", path);
  if (!S_ISREG(out.st_mode)) throw UserError(ExitCode::io, "cannot-write", "is not a regular file", path);
  if (runtime::same_file(path, input))
    throw UserError(ExitCode::io, "cannot-write", "is the input file; it is never overwritten", path);
}
} // namespace

void write_output(const std::string& path, std::string_view bytes, const std::string& input, unsigned mode) {
  if (path.empty() || path == "-") return write_to_stdout(bytes);
  refuse_bad_target(path, input);
  try {
    runtime::AtomicFile file(path, bytes.size(), mode);
    file.write(bytes.data(), bytes.size());
    file.commit();
  } catch (const runtime::Error& e) {
    throw UserError(exit_code(e.status()), "cannot-write", e.what());
  }
}

std::string without_extension(const std::string& path) {
  size_t slash = path.find_last_of('/'), dot = path.find_last_of('.');
  bool has = dot != std::string::npos && (slash == std::string::npos || dot > slash + 1) && dot != 0;
  return has ? path.substr(0, dot) : path;
}

} // namespace dlcc::tools

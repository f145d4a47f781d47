// The program: from words to an exit code.
#include "tools/cli/command_line.h"
#include "tools/driver/environment.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iostream>
#include <system_error>

namespace dlcc::tools {

namespace {
// What is still in a buffer counts as written; that nobody reads it is no fault.
int flushed(int exit_code) {
  errno = 0;
  std::cout.flush();
  if ((std::fflush(stdout) == 0 && std::cout) || errno == EPIPE) return exit_code;
  throw UserError(ExitCode::io, "cannot-write", std::string("cannot write: ") + std::strerror(errno), "<stdout>");
}

// Words that make no sense; what is wrong with a file, its reader has said.
bool concerns_words(const UserError& e) { return e.code == ExitCode::usage && e.diagnostic.file.empty(); }

int run(const std::vector<std::string>& words) try {
  prepare_environment();
  if (!words.empty()) return flushed(CommandLine().run(words));
  fputs("dlcc compiles the training of neural networks: dlcc train MODEL, dlcc MODEL -o FILE\nsee dlcc --help\n",
        stderr);
  return static_cast<int>(ExitCode::usage);
} catch (const UserError& e) {
  Diagnostic d = e.diagnostic;
  if (concerns_words(e)) d.text += " (see " + help_command(words) + ")";
  print_diagnostic(d, {}, DiagnosticsFormat::brief);
  return static_cast<int>(e.code);
}
} // namespace

} // namespace dlcc::tools

int main(int argc, char** argv) {
  using namespace dlcc;
  try {
    tools::command_line().assign(argv, argv + argc);
    return tools::run({argv + std::min(argc, 1), argv + argc});
  } catch (const std::bad_alloc&) {
    fputs("dlcc: error: out of memory [memory]\n", stderr);
    return static_cast<int>(ExitCode::environment);
  } catch (const std::system_error& e) { // no thread, no file descriptor: the environment's limits
    fprintf(stderr, "dlcc: error: the system refused: %s [environment]\n", e.what());
    return static_cast<int>(ExitCode::environment);
  } catch (const std::exception& e) {
    fprintf(stderr, "dlcc: internal error: %s\nThis is a bug of dlcc; please report it with the model.\n", e.what());
    return static_cast<int>(ExitCode::internal);
  }
}

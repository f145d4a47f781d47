#include "codegen/link/out_of_memory.h"

#include <atomic>
#include <llvm/Support/ErrorHandling.h>
#include <new>
#include <string_view>
#include <unistd.h>

namespace dlcc::codegen {

namespace {
int exit_code_of_process = 0;

// Allocates nothing, runs no destructor; of several threads that come here, one speaks.
[[noreturn]] void end_process() {
  static std::atomic_flag spoken;
  while (spoken.test_and_set()) pause();
  constexpr std::string_view line = "dlcc: error: out of memory [memory]\n";
  [[maybe_unused]] auto written = write(STDERR_FILENO, line.data(), line.size());
  _exit(exit_code_of_process);
}
} // namespace

void exit_when_out_of_memory(int exit_code) {
  exit_code_of_process = exit_code;
  llvm::install_bad_alloc_error_handler([](void*, const char*, bool) { end_process(); });
  // LLVM is built without exceptions: a std::bad_alloc that unwound through it would leave its structures half made.
  std::set_new_handler(end_process);
}

} // namespace dlcc::codegen

#include "codegen/out_of_memory.h"

#include <cstdint>
#include <llvm/Support/ErrorHandling.h>
#include <string_view>
#include <unistd.h>

namespace dlcc::codegen {

namespace {
// Allocates nothing, runs no destructor.
void end_process(void* exit_code, const char*, bool) {
  constexpr std::string_view line = "dlcc: error: out of memory [memory]\n";
  [[maybe_unused]] auto written = write(STDERR_FILENO, line.data(), line.size());
  _exit(static_cast<int>(reinterpret_cast<intptr_t>(exit_code)));
}
} // namespace

void exit_when_out_of_memory(int exit_code) {
  llvm::install_bad_alloc_error_handler(end_process, reinterpret_cast<void*>(static_cast<intptr_t>(exit_code)));
}

} // namespace dlcc::codegen

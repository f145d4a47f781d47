#include "tools/driver/environment.h"

#include "codegen/link/out_of_memory.h"
#include "ir/base/diagnostics.h"

#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fcntl.h>
#include <new>
#include <sys/resource.h>
#include <unistd.h>

namespace dlcc::tools {

namespace {
void open_standard_descriptors() {
  for (int fd = open("/dev/null", O_RDWR); fd >= 0; fd = open("/dev/null", O_RDWR))
    if (fd > 2) {
      close(fd);
      return;
    }
}

// "4" or "2,4", every number in [1, 1000].
bool is_thread_list(const char* text) {
  const char* end = text + strlen(text);
  while (true) {
    int value = 0;
    auto [next, error] = std::from_chars(text, end, value);
    if (error != std::errc() || value < 1 || value > 1000) return false;
    if (next == end) return true;
    if (*next != ',') return false;
    text = next + 1;
  }
}

void drop(const char* variable, const char* value) {
  fprintf(stderr, "dlcc: warning: %s is '%s', expected a number of threads from 1 to 1000; ignored [environment]\n",
          variable, escape(value, 60).c_str());
  unsetenv(variable);
}

// LLVM's passes go some hundred calls deep, in the threads that inherit this limit too.
void check_stack_limit() {
  constexpr rlim_t least = 512 << 10;
  rlimit limit{};
  if (getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur < least)
    throw UserError(ExitCode::environment, "stack-limit",
                    "the stack is limited to " + std::to_string(limit.rlim_cur >> 10) + " KiB, expected at least " +
                        std::to_string(least >> 10) + " KiB (ulimit -s)");
}

// An exception that no frame may pass: of memory, in a thread or inside a library, it is no bug.
[[noreturn]] void terminate_with_message() {
  try {
    if (auto e = std::current_exception()) std::rethrow_exception(e);
  } catch (const std::bad_alloc&) {
    fputs("dlcc: error: out of memory [memory]\n", stderr);
    _exit(static_cast<int>(ExitCode::environment));
  } catch (const std::exception& e) {
    fprintf(stderr, "dlcc: internal error: %s\n", e.what());
  }
  abort();
}
} // namespace

void prepare_environment() {
  std::set_terminate(terminate_with_message);
  open_standard_descriptors();
  check_stack_limit();
  codegen::exit_when_out_of_memory(static_cast<int>(ExitCode::environment));
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN); // a write beyond the limit fails instead
  signal(SIGUSR1, SIG_IGN);
  for (const char* variable : {"OMP_NUM_THREADS", "OMP_THREAD_LIMIT"})
    if (const char* value = getenv(variable); value && !is_thread_list(value)) drop(variable, value);
  // A tiny stack would not hold the OpenMP runtime's own frames.
  unsetenv("OMP_STACKSIZE");
  // libgomp's threads spin long at a barrier, which costs time slices when other work wants the cores: measured with
  // nine other jobs on two cores, MNIST took 207 s as it is and 8 s so; on quiet cores the step times were the same.
  if (!getenv("OMP_WAIT_POLICY")) setenv("GOMP_SPINCOUNT", "1000", 0);
}

} // namespace dlcc::tools

// failure.h: how the training loop gives up: an exit code and a line for the user.
#pragma once

#include "runtime/core/dlcc_runtime.h"

#include <exception>
#include <functional>
#include <string>

namespace dlcc::training {

enum Exit : int {
  exit_ok = 0,
  exit_internal = 1,
  exit_usage = 2,
  exit_data = 4,
  exit_checkpoint = 5,
  exit_io = 6,
  exit_resources = 7,
  exit_numeric = 8,
  exit_require = 9,
};

/// `text` says what was found and what was expected; `name` is the short kebab-case name of the fault.
class Failure : public std::exception {
public:
  Failure(int code, const std::string& text, const std::string& name);
  int code() const { return code_; }
  const std::string& text() const { return text_; } ///< without what stands around it in the line
  const std::string& name() const { return name_; }
  const char* what() const noexcept override { return line_.c_str(); }

private:
  int code_;
  std::string text_, name_, line_;
};

/// "dlcc: error: text [name]"
std::string error_line(const std::string& text, const std::string& name);
std::string warning_line(const std::string& text, const std::string& name);

/// The exit code for a status of the runtime while it works with checkpoints (or anything but a step).
int exit_code(dlcc_status status);

/// The name of a fault of the system, or `otherwise`.
const char* fault_name(dlcc_status status, const char* otherwise);

/// Throws a Failure if the call did not succeed.
template <class Call> void check(Call&& call, const char* name = "checkpoint") {
  dlcc_error e{};
  if (call(&e) != DLCC_OK) throw Failure(exit_code(e.code), e.message, fault_name(e.code, name));
}

/// Runs `body`; an exception is printed as a line on stderr and becomes its exit code. `help`: the command that says
/// more about words that make no sense.
int guarded(const std::function<int()>& body, const std::string& help = {});

} // namespace dlcc::training

// error.h: how the runtime reports faults inside: one exception type, turned into a dlcc_error at the C boundary.
#pragma once
#include <cerrno>
#include <exception>
#include <string>
#include <string_view>

#include "runtime/core/dlcc_runtime.h"

namespace dlcc::runtime {

class Error : public std::exception {
public:
  Error(dlcc_status status, std::string message) : status_(status), message_(std::move(message)) {}
  dlcc_status status() const noexcept { return status_; }
  const std::string& message() const noexcept { return message_; }
  const char* what() const noexcept override { return message_.c_str(); }

private:
  dlcc_status status_;
  std::string message_;
};

[[noreturn]] void fail(dlcc_status status, const char* format, ...) __attribute__((format(printf, 2, 3)));

// What a refusal of the system means: this process may have no more descriptors or memory, or the file is at fault.
inline dlcc_status status_of_errno(int error) {
  return error == EMFILE || error == ENFILE || error == ENOMEM ? DLCC_E_NOMEM : DLCC_E_IO;
}
// "<what> '<path>': <text of errno>", with the status above.
[[noreturn]] void fail_errno(const char* what, std::string_view path, int error);

// "12 bytes", "782 KiB", "512 MiB", "12.4 GB".
std::string size_text(int64_t bytes);

// Text that came from a file or a caller, safe to print: control characters, direction overrides and bytes that are not
// UTF-8 as \xNN, cut to `limit` bytes with "...".
std::string escape(std::string_view text, size_t limit = 200);

bool is_utf8(std::string_view text);

// Copies `message` into a caller's error struct, if there is one; returns `status`.
dlcc_status report(dlcc_error* err, dlcc_status status, const char* message) noexcept;

// Runs `body` and turns whatever it throws into a status.
template <class Body> dlcc_status guarded(dlcc_error* err, Body&& body) noexcept {
  try {
    body();
    return report(err, DLCC_OK, "");
  } catch (const Error& e) {
    return report(err, e.status(), e.what());
  } catch (const std::bad_alloc&) {
    return report(err, DLCC_E_NOMEM, "not enough memory");
  } catch (const std::exception& e) {
    return report(err, DLCC_E_INTERNAL, e.what());
  } catch (...) {
    return report(err, DLCC_E_INTERNAL, "exception in a callback of the host");
  }
}

} // namespace dlcc::runtime

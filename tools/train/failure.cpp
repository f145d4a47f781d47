#include "tools/train/failure.h"

#include "runtime/core/error.h"
#include "runtime/data/error.h"

#include <cstdio>
#include <new>

namespace dlcc::training {

namespace {
// Messages of the runtime have their file texts escaped already; this bounds the whole line.
std::string one_line(const std::string& head, const std::string& text, const std::string& name) {
  constexpr size_t most = 300;
  const std::string tail = " [" + name + "]";
  std::string body = head + text;
  if (body.size() + tail.size() > most) body = body.substr(0, most - tail.size() - 3) + "...";
  for (char& c : body)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return body + tail;
}

int print(int code, const char* line) {
  std::fprintf(stderr, "%s\n", line);
  return code;
}
} // namespace

std::string error_line(const std::string& text, const std::string& name) {
  return one_line("dlcc: error: ", text, name);
}
std::string warning_line(const std::string& text, const std::string& name) {
  return one_line("dlcc: warning: ", text, name);
}

Failure::Failure(int code, const std::string& text, const std::string& name)
    : code_(code), text_(text), name_(name), line_(error_line(text, name)) {}

int exit_code(dlcc_status status) {
  switch (status) {
  case DLCC_E_IO:
    return exit_io;
  case DLCC_E_NOMEM:
  case DLCC_E_CPU:
    return exit_resources;
  case DLCC_E_NONFINITE:
    return exit_numeric;
  case DLCC_E_CORRUPT:
  case DLCC_E_MISMATCH:
  case DLCC_E_ABI:
  case DLCC_E_NOTFOUND:
  case DLCC_E_STATE:
  case DLCC_E_BUSY:
    return exit_checkpoint;
  default:
    return exit_internal;
  }
}

const char* fault_name(dlcc_status status, const char* otherwise) {
  return status == DLCC_E_IO ? "io" : status == DLCC_E_NOMEM ? "resources" : otherwise;
}

int guarded(const std::function<int()>& body, const std::string& help) {
  try {
    return body();
  } catch (const Failure& f) {
    if (f.code() != exit_usage || help.empty()) return print(f.code(), f.what());
    return print(f.code(), error_line(f.text() + " (see " + help + ")", f.name()).c_str());
  } catch (const data::DataError& e) {
    return print(static_cast<int>(e.code), e.what());
  } catch (const runtime::Error& e) {
    return print(exit_code(e.status()), error_line(e.message(), fault_name(e.status(), "checkpoint")).c_str());
  } catch (const std::bad_alloc&) {
    return print(exit_resources, error_line("not enough memory", "memory").c_str());
  } catch (const std::exception& e) {
    return print(exit_internal, error_line(e.what(), "internal").c_str());
  }
}

} // namespace dlcc::training

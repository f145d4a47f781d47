#include "tools/library/compiler.h"

#include "tools/driver/compile.h"
#include "tools/driver/output.h"
#include "tools/driver/source.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace dlcc::tools {

namespace {
dlcc_status fill(dlcc_error* err, dlcc_status status, const std::string& message) {
  if (err) {
    err->code = status, err->reserved = 0;
    size_t n = std::min(message.size(), sizeof err->message - 1);
    memcpy(err->message, message.data(), n);
    err->message[n] = '\0';
  }
  return status;
}

dlcc_status status_of(const UserError& e) {
  const std::string& name = e.diagnostic.name;
  if (name == "abi") return DLCC_E_ABI;
  switch (e.code) {
  case ExitCode::io:
    return DLCC_E_IO;
  case ExitCode::environment:
    return name == "cpu-too-old" || name == "no-openmp" ? DLCC_E_CPU : DLCC_E_NOMEM;
  case ExitCode::artefact:
    return DLCC_E_CORRUPT;
  default:
    return DLCC_E_ARG;
  }
}

/// A module that the runtime refused.
struct Refused {
  dlcc_status status;
  std::string message;
};

// No exception leaves the library.
template <class Body> dlcc_status guarded(dlcc_error* err, Body&& body) noexcept {
  try {
    body();
    return fill(err, DLCC_OK, "");
  } catch (const UserError& e) {
    return fill(err, status_of(e), format_short(e.diagnostic));
  } catch (const Refused& r) {
    return fill(err, r.status, r.message);
  } catch (const std::bad_alloc&) {
    return fill(err, DLCC_E_NOMEM, "out of memory");
  } catch (const std::exception& e) {
    return fill(err, DLCC_E_INTERNAL, e.what());
  } catch (...) {
    return fill(err, DLCC_E_INTERNAL, "exception in a callback of the host");
  }
}

CompileOptions compile_options(const dlcc_compile_options* o) {
  CompileOptions options;
  if (!o) return options;
  if (o->struct_size != sizeof *o) throw UserError(ExitCode::usage, "abi", "dlcc_compile_options has another size");
  if (o->flags != 0) throw UserError(ExitCode::usage, "argument", "options: flags is not 0");
  if (o->batch_size < 0) throw UserError(ExitCode::usage, "argument", "options: batch_size is negative");
  if (o->target) options.target = o->target;
  if (o->dtype) options.overrides.dtype = o->dtype;
  if (o->batch_size > 0) options.overrides.batch_size = o->batch_size;
  return options;
}

// Reads and plans the model; throws the first of the user's errors.
std::unique_ptr<Compilation> compile(const std::string& name, std::string text, const dlcc_compile_options* o) {
  auto c = std::make_unique<Compilation>(name, std::move(text), compile_options(o));
  bool good = c->read() && c->run_passes();
  if (o && o->report)
    for (const Diagnostic& d : c->diagnostics.all()) o->report(o->user, format_short(d).c_str());
  if (good) return c;
  for (const Diagnostic& d : c->diagnostics.all())
    if (d.severity == Severity::error) throw UserError(ExitCode::model, d);
  throw InternalError("a model was refused without a diagnostic");
}

void wrap(codegen::JitModule code, dlcc_module** out) {
  auto* owned = new codegen::JitModule(std::move(code));
  dlcc_error error = {};
  auto release = [](void* p) { delete static_cast<codegen::JitModule*>(p); };
  if (dlcc_status status = dlcc_module_wrap_owned(owned->module(), release, owned, out, &error))
    throw Refused{status, error.message};
}

void require(const void* pointer, const char* name) {
  if (!pointer) throw UserError(ExitCode::usage, "argument", std::string(name) + " is null");
}
} // namespace

} // namespace dlcc::tools

using namespace dlcc::tools;

dlcc_status dlcc_compile_text(const char* text, uint64_t length, const char* name, const dlcc_compile_options* options,
                              dlcc_module** out, dlcc_error* err) {
  return guarded(err, [&] {
    require(out, "out");
    *out = nullptr;
    require(text, "text");
    wrap(compile(name ? name : "model", std::string(text, length), options)->jit(), out);
  });
}

dlcc_status dlcc_compile_file(const char* path, const dlcc_compile_options* options, dlcc_module** out,
                              dlcc_error* err) {
  return guarded(err, [&] {
    require(out, "out");
    *out = nullptr;
    require(path, "path");
    wrap(compile(path, read_text_file(path), options)->jit(), out);
  });
}

dlcc_status dlcc_compile_to_file(const char* path, const dlcc_compile_options* options, const char* so_path,
                                 dlcc_error* err) {
  return guarded(err, [&] {
    require(path, "path");
    require(so_path, "so_path");
    std::vector<char> bytes = compile(path, read_text_file(path), options)->shared_library();
    write_output(so_path, {bytes.data(), bytes.size()}, path, 0777);
  });
}

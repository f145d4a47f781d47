// A dlcc_module that is closed when its owner goes: loaded from a file, or compiled in this process.
#pragma once

#include "codegen/link/jit.h"
#include "runtime/core/dlcc_runtime.h"

#include <memory>
#include <string>

namespace dlcc::tools {

class LoadedModule {
public:
  /// Throws UserError(artefact or io).
  static LoadedModule open(const std::string& path);
  static LoadedModule wrap(codegen::JitModule code);

  dlcc_module* get() const { return module_.get(); }

private:
  struct Close {
    void operator()(dlcc_module* m) const { dlcc_module_close(m); }
  };
  std::unique_ptr<codegen::JitModule> code_; ///< outlives the module
  std::unique_ptr<dlcc_module, Close> module_;
};

/// Turns a status of the loader library into the user's error: I/O, environment or artefact.
[[noreturn]] void throw_artefact_error(int32_t status, const std::string& message);

} // namespace dlcc::tools

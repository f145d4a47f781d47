// Object code in this process, callable through the same module tables as a linked artefact.
#pragma once

#include "codegen/link/object.h"
#include "runtime/abi.h"

#include <memory>

namespace dlcc::codegen {

/// Owns the memory of loaded code: never writable and executable at once.
class JitModule {
public:
  /// Links the objects; OpenMP's entry points come from the process, or from libgomp.so.1 if it has none.
  /// Throws UserError(environment) if there is no OpenMP runtime.
  explicit JitModule(std::vector<ObjectCode> objects);
  JitModule(JitModule&&) noexcept;
  JitModule& operator=(JitModule&&) noexcept;
  ~JitModule();

  /// Valid as long as this object.
  const dlcc_module_v1* module() const { return module_; }

private:
  struct Session;
  std::unique_ptr<Session> session_;
  const dlcc_module_v1* module_ = nullptr;
};

} // namespace dlcc::codegen

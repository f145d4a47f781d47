#include "tools/driver/loaded_module.h"

#include "ir/base/diagnostics.h"
#include "tools/driver/status.h"

namespace dlcc::tools {

void throw_artefact_error(int32_t status, const std::string& message) {
  throw UserError(exit_code(status), dlcc_status_name(status), message);
}

LoadedModule LoadedModule::open(const std::string& path) {
  LoadedModule loaded;
  dlcc_module* module = nullptr;
  dlcc_error error = {};
  if (dlcc_status status = dlcc_module_open(path.c_str(), &module, &error)) throw_artefact_error(status, error.message);
  loaded.module_.reset(module);
  return loaded;
}

LoadedModule LoadedModule::wrap(codegen::JitModule code) {
  LoadedModule loaded;
  loaded.code_ = std::make_unique<codegen::JitModule>(std::move(code));
  dlcc_module* module = nullptr;
  dlcc_error error = {};
  if (dlcc_status status = dlcc_module_wrap(loaded.code_->module(), &module, &error))
    throw_artefact_error(status, error.message);
  loaded.module_.reset(module);
  return loaded;
}

} // namespace dlcc::tools

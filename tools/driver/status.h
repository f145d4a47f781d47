// The exit codes of what the runtime reports about files and compiled steps.
#pragma once

#include "ir/base/diagnostics.h"
#include "runtime/core/dlcc_runtime.h"

namespace dlcc::tools {

inline ExitCode exit_code(dlcc_status status) {
  if (status == DLCC_E_IO) return ExitCode::io;
  return status == DLCC_E_CPU || status == DLCC_E_NOMEM ? ExitCode::environment : ExitCode::artefact;
}

} // namespace dlcc::tools

// Turns a planned program into LLVM modules: some for the kernels, as many in each, one for each entry, one for the
// tables and the query function.
#pragma once

#include "codegen/code_unit.h"
#include "codegen/target.h"
#include "ir/loops/program.h"

#include <array>
#include <string>
#include <vector>

namespace dlcc::codegen {

/// What an artefact says about itself besides the program.
struct ArtefactInfo {
  std::string name;
  std::string model_json; ///< the resolved model
  std::array<uint8_t, 32> model_hash = {};
  std::string compiler; ///< name and version, "dlcc 0.1.0"
  uint32_t flags = 0;
};

struct EmitOptions {
  bool one_unit = false; ///< everything in one module, with no symbol but the query function: for static linking
  std::string query_symbol = "dlcc_module_query";
};

/// The program must be at stage planned and have passed its verifier. Throws InternalError if it is not so.
std::vector<CodeUnit> emit_program(const loops::Program& program, const Target& target, const ArtefactInfo& info,
                                   const EmitOptions& options = {});

} // namespace dlcc::codegen

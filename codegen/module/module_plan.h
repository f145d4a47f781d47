// What all parts of an artefact must agree on: symbols, the table of tensors, region sizes; internal to codegen.
#pragma once

#include "codegen/layout.h"
#include "codegen/module/emit.h"

#include <map>

namespace dlcc::codegen {

/// One row of dlcc_module_v1.tensors.
struct TensorRow {
  loops::BufferId buffer;
  int32_t kind = 0, region = -1;
};

/// The name a buffer has for callers and in checkpoints: "param/<layer>/<name>", "opt/...", "buffer/...", "grad/...".
std::string tensor_name(const loops::Buffer& buffer);

struct ModulePlan {
  const loops::Program& program;
  const Target& target;
  const ArtefactInfo& info;
  const EmitOptions& options;
  std::vector<TensorRow> tensors;
  std::map<std::string, int32_t, std::less<>> tensor_index; ///< by name
  std::array<int64_t, region_count> region_bytes = {};
  int64_t arena_bytes = 0;              ///< largest arena of an entry
  int64_t fault_offset = 0;             ///< of FaultState in WORK
  int64_t spill_offset = 0;             ///< in WORK: where outputs go that the caller does not want
  IdVector<loops::KernelId, bool> used; ///< by an entry
  int64_t scratch_bytes = 0;            ///< of one thread; set while kernels are emitted

  ModulePlan(const loops::Program& program, const Target& target, const ArtefactInfo& info, const EmitOptions& options);

  std::string kernel_symbol(loops::KernelId k) const;
  static std::string entry_symbol(const std::string& entry) { return "dlcc.entry." + entry; }
  /// Table index of an input, output or state buffer.
  int32_t index_of(loops::BufferId b) const;
};

/// DLCC_FN_ of an entry's name, 0: none.
int32_t entry_kind(std::string_view name);
/// DLCC_REG_ of a region of the loop IR that lives in one, -1 otherwise.
int32_t abi_region(loops::Region region);

inline constexpr const char* constants_symbol = "dlcc.constants";

/// The tables and dlcc_module_query.
void emit_tables(llvm::Module& module, const ModulePlan& plan);

/// The function of one entry and its parallel bodies; kernels that are not in this module get declared.
void emit_entry(llvm::Module& module, const ModulePlan& plan, const loops::Entry& entry);

} // namespace dlcc::codegen

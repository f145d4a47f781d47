// An operand of a contraction as the micro-kernel reads it: in place, or evaluated into a panel in scratch.
#pragma once

#include "codegen/kernel/kernel_emitter.h"

namespace dlcc::codegen {

/// element (i, k) at base + (i - first) * along + k * depth, in elements; i counts rows or columns.
struct Panel {
  llvm::Value* base = nullptr;
  llvm::Type* element = nullptr;
  llvm::Value* first = nullptr; ///< null: 0
  int64_t along = 0, depth = 0;
};

/// One operand: its expression over its own axis (rows or columns) and k.
struct Operand {
  loops::ExprId value;
  const Axis* axis;
  const Axis* k;
  DType dtype;
};

/// True if the expression is a load whose elements lie at constant distances along both axes.
bool is_strided(const KernelEmitter& e, const Operand& o);
/// The operand where it lies; is_strided must hold.
Panel panel_in_place(KernelEmitter& e, const Operand& o);
/// +1: neighbours along the operand's own axis are neighbours in memory; -1: along k; 0: neither.
int contiguity(const KernelEmitter& e, const Operand& o);

/// Evaluates rows [begin, end), at most `most`, into a new panel, for broadcasting.
Panel pack_rows(KernelEmitter& e, const Operand& o, llvm::Value* begin, llvm::Value* end, int64_t most);

/// Room for `columns` columns of all k; reused for one group of columns after the other.
llvm::Value* allocate_columns(KernelEmitter& e, const Operand& o, int64_t columns);
/// Evaluates the columns begin, begin + 1, ... of all k into memory of allocate_columns, each k's columns side by side.
/// `columns` is a multiple of the lanes, of which `used` exist; the rest holds anything.
Panel pack_columns(KernelEmitter& e, const Operand& o, llvm::Value* memory, llvm::Value* begin, int64_t columns,
                   int64_t used);

} // namespace dlcc::codegen

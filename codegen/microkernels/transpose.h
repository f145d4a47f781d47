// Transposes a square of vectors in registers.
#pragma once

#include "codegen/kernel/kernel_emitter.h"

namespace dlcc::codegen {

/// rows.size() vectors of as many elements, a power of two: element j of vector i becomes element i of vector j.
/// Eklundh's method: log2(n) rounds of exchanging off-diagonal blocks.
Values transpose(llvm::IRBuilderBase& b, Values rows);

} // namespace dlcc::codegen

// The generator of contractions C[m, n] = sum over k of A[m, k] * B[k, n], with an epilogue for every element.
//
// Order of the sum, whatever the tile: chains of 256 along k, acc = fma(a, b, acc) from +0, added up in order.
//
// One of the two axes runs in vector lanes ("columns", usually n), the other one ("rows", usually m) is broadcast. A
// tile of rows x columns accumulators stays in registers along a chain. An operand that is a plain load in a usable
// layout is read where it lies; any other one is evaluated into a panel in scratch first.
#pragma once

#include "codegen/kernel/kernel_emitter.h"

namespace dlcc::codegen {

/// Emits the statement at the insertion point; `outermost`: its tiles are the kernel's tasks.
void emit_contract(KernelEmitter& e, const loops::Contract& s, bool outermost);

} // namespace dlcc::codegen

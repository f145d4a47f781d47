// Marks the loops of every kernel: which one is cut into tasks, which one runs in vector lanes, how a contraction is
// tiled. The number of tasks is a function of the shape, never of the threads.
//
//   for r in 128 { sum s over j in 10 order sequential = ... }   ==>   for r in 128 vector { ... }      16 rows at once
//   for r in 128 { for j in 784 { ... } }                     ==>   for r in 128 tasks { for j in 784 vector { ... } }
#pragma once

#include "passes/pass.h"

namespace dlcc::passes {

loops::Program mark_loops(loops::Program program, PassContext& context);

} // namespace dlcc::passes

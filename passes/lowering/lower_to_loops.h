// Clustered graph -> loop program: one kernel a cluster (equal ones shared), one buffer a stored value, one entry a
// function. Buffers have no places yet and the entries are plain lists of calls in an order that respects data flow.
//
//   cluster 0 hidden { hidden/z, hidden/b, hidden }
//     ==>   kernel @hidden(x: f32[32,20], hidden/kernel: f32[20,64], hidden/bias: f32[64], out hidden: f32[32,64]) {
//             contract c over m in 32; n in 64; k in 20 = x[m,k] * hidden/kernel[k,n] { ... }
#pragma once

#include "passes/pass.h"

namespace dlcc::passes {

loops::Program lower_to_loops(const graph::Module& module, PassContext& context);

} // namespace dlcc::passes

// Lets a kernel write its result over an operand that dies there, where every element is read before it is overwritten:
// the result's buffer becomes a view of the operand's.
#pragma once

#include "passes/pass.h"

namespace dlcc::passes {

loops::Program share_in_place(loops::Program program, PassContext& context);

/// Whether the kernel may write `out` to the memory of `in`: same size, and every read of an element of `in` comes in
/// the same iteration as, and before, the one write of that element of `out`.
bool may_overwrite(const loops::Kernel& kernel, loops::TensorId in, loops::TensorId out);

} // namespace dlcc::passes

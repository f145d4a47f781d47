// The operator `call`: applies another function of the module. It is a composite whose body is the callee's, inlined.
#pragma once

#include "ir/graph/op.h"

namespace dlcc::graph {

/// `call {function = "loss"}`: operands are all parameters of the callee in order, results are its results. The
/// callee's updates and effects become the caller's. Found by find_op in every table.
extern const OpDef call_op;

/// The callee of a call node, null if the module has none of that name.
const Function* callee_of(const Module& module, const Attributes& attributes);

} // namespace dlcc::graph

// The table of all operators, and the record of each by name: `tanh_op`.
#pragma once

#include "ir/graph/op.h"

namespace dlcc::ops {

#define OP(name) extern const graph::OpDef name##_op;
#define UNARY_OP(name) OP(name)
#define BINARY_OP(name) OP(name)
#include "ir/ops/ops.def"
#undef OP
#undef UNARY_OP
#undef BINARY_OP

/// In the order of ops.def.
graph::OpTable all_ops();

} // namespace dlcc::ops

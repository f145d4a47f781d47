#include "ir/ops/ops.h"

namespace dlcc::ops {

namespace {
constexpr const graph::OpDef* table[] = {
#define OP(name) &name##_op,
#define UNARY_OP(name) OP(name)
#define BINARY_OP(name) OP(name)
#include "ir/ops/ops.def"
#undef OP
#undef UNARY_OP
#undef BINARY_OP
};
} // namespace

graph::OpTable all_ops() { return table; }

} // namespace dlcc::ops

// Algebraic rules, exact in floating point; each is named with its equation in simplify.cpp. Dead nodes vanish by the
// rebuild.
#pragma once

#include "passes/pass.h"

namespace dlcc::passes {

graph::Module simplify(graph::Module module, PassContext& context);

/// Evaluates nodes of rank 0 whose operands are constants, if the operator is exactly rounded: fold on and off give the
/// same bits.
graph::Module fold_constants(graph::Module module, PassContext& context);

/// Common subexpressions: nodes with equal operator, operands and attributes become one.
graph::Module merge_duplicates(graph::Module module, PassContext& context);

} // namespace dlcc::passes

// Small random graphs over the operator table, for differential tests of the passes.
#pragma once

#include "ir/graph/graph.h"

namespace dlcc::testing {

/// A module at stage training with one entry train_step: inputs, states, values used several times and by themselves,
/// broadcast operands, reductions over any axes, softmax, matrix products of odd sizes, views of views, updates of
/// states by anything (each other included), and results that may be states, parameters, views or constants.
/// The same seed gives the same module.
graph::Module random_module(unsigned seed);

} // namespace dlcc::testing

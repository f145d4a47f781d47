// widen_floats.h: a module in double precision throughout, whatever types its model gave.
#pragma once

#include "ir/graph/graph.h"

namespace dlcc::passes {

/// Every f32 becomes f64: of values, states, and of operators that make or cast to it. For modules without updates of
/// an optimizer yet: gradients by differences need all of a double's digits.
void widen_floats(graph::Module& module);

} // namespace dlcc::passes

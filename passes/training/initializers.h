// First values of states as graph nodes: one function and one row of a table an initialiser (MODEL_FORMAT,
// "initialisers"). Random ones draw from the state's own stream, so adding a layer does not change the others.
#pragma once

#include "ir/graph/builder.h"

namespace dlcc::passes {

/// The first value of the state, of its type. `seed` is the i64 scalar of the call.
graph::ValueId initial_value(graph::Builder& builder, const graph::State& state, graph::ValueId seed);
bool is_known_initializer(std::string_view name);

} // namespace dlcc::passes

// What a module may declare for training: directives, initialisers, and attributes of states, with their types.
#pragma once

#include "ir/graph/parse.h"

namespace dlcc::passes {

/// What build_training could not carry out. An integer where a number is meant becomes one.
std::vector<Violation> check_declarations(graph::Module& module, const graph::TextPlaces* places = nullptr);

} // namespace dlcc::passes

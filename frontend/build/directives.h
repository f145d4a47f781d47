// What the model says about training that a pass carries out: optimizer, schedule, clipping, as directives.
#pragma once

#include "frontend/read/model_spec.h"
#include "ir/graph/graph.h"

namespace dlcc::frontend {

/// Adds the directives and the overridable learning rate.
void add_directives(const ModelSpec& spec, graph::Module& module);

} // namespace dlcc::frontend

// The layers of a model, written as the nodes and parameters that they stand for.
#pragma once

#include "frontend/json_writer.h"
#include "frontend/model_spec.h"
#include "ir/graph/op.h"

namespace dlcc::frontend {

/// Writes the keys `params`, `nodes` and, unless the model gives it, `outputs` of a model that computes, and trains to,
/// the same bits. The model must be one that build_module accepts.
void write_as_nodes(const ModelSpec& model, graph::OpTable ops, JsonWriter& out);

} // namespace dlcc::frontend

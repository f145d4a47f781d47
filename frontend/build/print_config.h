// The resolved model as JSON: every default written out, keys in the order of the table.
#pragma once

#include "frontend/read/model_spec.h"
#include "ir/graph/op.h"

namespace dlcc::frontend {

/// A document that reads back to the same model. Deterministic; two-space indentation; ends with a newline.
std::string print_config(const ModelSpec& model);

/// The same with `layers` lowered to the `params` and `nodes` that they stand for, in a model that trains to the same
/// bits. The model must be one that build_module accepts.
std::string print_lowered_config(const ModelSpec& model, graph::OpTable ops);

} // namespace dlcc::frontend

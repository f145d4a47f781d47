// The resolved model as JSON: every default written out, keys in the order of the table.
#pragma once

#include "frontend/model_spec.h"

namespace dlcc::frontend {

/// A document that reads back to the same model. Deterministic; two-space indentation; ends with a newline.
std::string print_config(const ModelSpec& model);

} // namespace dlcc::frontend

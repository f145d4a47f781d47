// Attributes of a node as written in the model -> those its operator takes.
#pragma once

#include "frontend/read/report.h"
#include "ir/graph/op.h"

namespace dlcc::frontend {

/// Throws ModelError at the attribute that does not fit. A single number stands for a list of one, a string for an
/// element type, symbols among integers for their values; an operator that makes numbers takes the model's type unless
/// the node says another.
Attributes node_attributes(const NodeSpec& node, const graph::OpDef& op, const ModelSpec& model);

} // namespace dlcc::frontend

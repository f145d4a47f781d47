// The reference of all operators as text, written from their records: `dlcc ops` prints it, OPS.md is it.
#pragma once

#include "ir/graph/op.h"

#include <string>

namespace dlcc::ops {

/// Markdown: an overview and a section an operator, in the order of the table.
std::string print_ops_reference(graph::OpTable ops);
/// One section, for `dlcc ops <name>`.
std::string print_op_reference(const graph::OpDef& op);

} // namespace dlcc::ops

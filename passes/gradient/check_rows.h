// Whether the rows of a batch stay apart. A short batch is filled with copies of a row, which must not reach the results
// of the others: `x - mean(x, axes = [0])` would count them.
#pragma once

#include "passes/pass.h"

namespace dlcc::passes {

/// Reports the first node of the forward function at which one row depends on others, in models whose `train` directive
/// says `last_batch = "mask"`. Loss and metrics mask the rows themselves.
graph::Module check_rows(graph::Module module, PassContext& context);

} // namespace dlcc::passes

// dlcc bench --profile: the time of each kernel of a training step.
#pragma once

#include "tools/cli/job.h"

namespace dlcc::tools {

/// Compiles steps that call one kernel each, times them as bench times whole steps, and prints a table or JSON. The
/// compiled step that everybody else gets knows nothing of it.
int profile(PreparedJob& prepared, const training::BenchOptions& options);

} // namespace dlcc::tools

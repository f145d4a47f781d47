// Learning-rate schedules as graph nodes: the rate at update t (0 at the first), in double, from the module's
// `schedule` directive.
#pragma once

#include "ir/graph/builder.h"

namespace dlcc::passes {

/// f64 scalar. Schedules that react to results (plateau, adaptive) are constant here: the training loop sets the rate.
graph::ValueId scheduled_rate(graph::Builder& builder, const graph::Directive& schedule);
/// True if this pass can build the schedule of that name.
bool is_known_schedule(std::string_view name);

} // namespace dlcc::passes

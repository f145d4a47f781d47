// From gradients to updates of parameters and slots: clipping, weight decay, and the optimizer's rule.
#pragma once

#include "passes/pass.h"

#include "ir/ops/build.h"

#include <map>

namespace dlcc::passes {

/// The state of this role and name, of the parameter's type; declared if it is not there. The name gets a suffix if a
/// state of another role has it.
graph::StateId state_beside(graph::Module& module, const graph::State& parameter, graph::StateRole role,
                            std::string name);

/// Declares, in the module, the state of an optimizer slot for each parameter the rule asks one for. Emits the updates
/// of all parameters that have a gradient into the builder's function.
///
/// With `due` (a boolean scalar), nothing changes unless it is true. `gradients` is by parameter.
void apply_gradients(graph::Builder& builder, const std::map<graph::StateId, ops::Term>& gradients,
                     ops::Term update_number, const ops::Term* due = nullptr);

/// The learning rate at this update: what the caller set, else the schedule. f64 scalar.
ops::Term learning_rate(graph::Builder& builder);

} // namespace dlcc::passes

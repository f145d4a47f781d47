// From gradients to updates of parameters and slots: clipping, weight decay, and the optimizer's rule.
#pragma once

#include "passes/pass.h"

#include "ir/ops/build.h"

#include <map>
#include <string>
#include <unordered_map>

namespace dlcc::passes {

/// The states of a module by name, those included that passes declare through it.
class StateTable {
public:
  explicit StateTable(graph::Module& module);
  /// The state of this role and name, of the parameter's type; declared if it is not there. The name gets a suffix if
  /// another state has it.
  graph::StateId beside(const graph::State& parameter, graph::StateRole role, std::string name);

private:
  graph::Module& module_;
  std::unordered_map<std::string, graph::StateId> by_name_;
};

/// Declares, in the module, the state of an optimizer slot for each parameter the rule asks one for. Emits the updates
/// of all parameters that have a gradient into the builder's function.
///
/// With `due` (a boolean scalar), nothing changes unless it is true. `gradients` is by parameter.
void apply_gradients(graph::Builder& builder, StateTable& states, const std::map<graph::StateId, ops::Term>& gradients,
                     ops::Term update_number, const ops::Term* due = nullptr);

/// The learning rate at this update: what the caller set, else the schedule. f64 scalar.
ops::Term learning_rate(graph::Builder& builder);

} // namespace dlcc::passes

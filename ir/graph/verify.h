// Checks every invariant of the graph IR and what is legal at the module's stage; a violation is a bug of dlcc.
#pragma once

#include "ir/graph/op.h"

namespace dlcc::graph {

/// What a stage allows; one row a stage.
struct StageRules {
  Stage stage;
  bool calls;              ///< nodes that call another function
  bool composites;         ///< nodes whose operator is a body of others
  bool updates_everywhere; ///< false: only entries update state
  bool clusters;           ///< true: everything that must be computed once is in a cluster; false: nothing is
  std::string_view reason; ///< for the message
};
const StageRules& rules_of(Stage stage);

/// All violations, each with its function and value; empty if the module is well formed.
std::vector<std::string> verify(const Module& module);

/// Throws InternalError that lists the violations; `after` says what ran last.
void check(const Module& module, std::string_view after);

} // namespace dlcc::graph

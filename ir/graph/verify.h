// Checks every invariant of the graph IR and what is legal at the module's stage. A violation is a bug of dlcc, or of
// who wrote the text that the module was read from.
#pragma once

#include "ir/base/text.h"
#include "ir/graph/op.h"
#include "ir/graph/parse.h"

namespace dlcc::graph {

enum class Calls : uint8_t {
  any,
  own_gradient, ///< of functions whose gradient the user gave: they stay until it is taken
  none,
};

/// What a stage allows; one row a stage.
struct StageRules {
  Stage stage;
  Calls calls;             ///< nodes that call another function
  bool composites;         ///< nodes whose operator is a body of others
  bool updates_everywhere; ///< false: only entries update state
  bool clusters;           ///< true: everything that must be computed once is in a cluster; false: nothing is
  std::string_view reason; ///< for the message
};
const StageRules& rules_of(Stage stage);

/// Most nodes that all calls of a module may stand for: functions that call each other twice, 60 deep, are a short
/// text.
inline constexpr int64_t max_inlined_nodes = 5'000'000;

/// All violations, each with its function and value; empty if the module is well formed.
std::vector<Violation> verify(const Module& module, const TextPlaces* places = nullptr);

/// What keeps a module from being at this stage, nodes taken one by one; empty: nothing does.
std::string obstacle_to(Stage stage, const Module& module);

/// Throws InternalError that lists the violations; `after` says what ran last.
void check(const Module& module, std::string_view after);

} // namespace dlcc::graph

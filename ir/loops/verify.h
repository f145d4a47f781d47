// Checks every invariant of the loop IR and what is legal at the program's stage. Shares no code with the passes that
// make programs: what they decided is proved again here.
//
// Each violation ends with the name of its rule in brackets:
//   kernels     names, nesting, expressions, types, locals, variables, rank, bounds, access, contract, order, tasks,
//               scratch, side-by-side
//   program     names, buffers, views, tree, arguments, read-only, alias, phase-race, written-first, entry
//   from scheduled on   tiling
//   planned     place, overlap
#pragma once

#include "ir/base/text.h"
#include "ir/loops/parse.h"
#include "ir/loops/program.h"

#include <string>
#include <string_view>
#include <vector>

namespace dlcc::loops {

/// What a stage demands; one row a stage.
struct StageRules {
  Stage stage;
  bool tree;   ///< true: serial, parallel and phases; false: a plain list of calls and exits
  bool tiled;  ///< contractions have their tiling
  bool placed; ///< every buffer of the arena and of the stored regions has its offset
  std::string_view reason;
};
const StageRules& rules_of(Stage stage);

/// Deepest nesting of statements in a kernel.
inline constexpr int max_statement_depth = 32;

/// All violations, each with its kernel or entry; empty if the program is well formed. Never crashes on what
/// parse_program accepts.
std::vector<Violation> verify(const Program& program, const TextPlaces* places = nullptr);

/// Throws InternalError that lists the violations; `after` says what ran last.
void check(const Program& program, std::string_view after);

} // namespace dlcc::loops

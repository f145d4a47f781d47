// What every pass may know of the world. A pass is a function (Module | Program, PassContext&) -> Module | Program, and
// a row of the list in pipeline.cpp; help, documentation, timing, dumps and switches come from that row.
#pragma once

#include "ir/base/machine.h"
#include "ir/graph/op.h"
#include "ir/loops/program.h"

#include <stdexcept>

namespace dlcc::passes {

/// What the input says cannot be carried out, although each part of it is well formed: the mistake of who wrote it by
/// hand, or of an earlier pass.
struct CannotBeDone : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct PassContext {
  graph::OpTable ops;
  Machine machine;
  DiagnosticList* diagnostics = nullptr; ///< warnings and errors about the user's model
  bool fuse = true;                      ///< compile.fusion
  bool check_nan = false;                ///< check gradients too, before any update
  bool share_memory = true;              ///< off: every buffer gets a place of its own
};

} // namespace dlcc::passes

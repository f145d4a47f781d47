// What every pass may know of the world. A pass is a function (Module | Program, PassContext&) -> Module | Program, and
// a row of the list in pipeline.cpp; help, documentation, timing, dumps and switches come from that row.
#pragma once

#include "ir/base/machine.h"
#include "ir/graph/op.h"
#include "ir/loops/program.h"

namespace dlcc::passes {

struct PassContext {
  graph::OpTable ops;
  Machine machine;
  DiagnosticList* diagnostics = nullptr; ///< warnings and errors about the user's model
  bool fuse = true;                      ///< compile.fusion
  bool check_nan = false;                ///< check gradients too, before any update
  bool share_memory = true;              ///< off: every buffer gets a place of its own
};

} // namespace dlcc::passes

// A pass is a value: name, one-line summary, function. Help, documentation, timing, dumps and switches come from the
// list in pipeline.cpp alone.
#pragma once

#include "ir/base/machine.h"
#include "ir/graph/op.h"
#include "ir/loops/program.h"

#include <string_view>

namespace dlcc::passes {

/// What every pass may know.
struct PassContext {
  graph::OpTable ops;
  Machine machine;
  DiagnosticList* diagnostics = nullptr; ///< warnings and errors about the user's model
  bool fuse = true;                      ///< compile.fusion
  bool check_nan = false;                ///< check gradients too, before any update
  bool share_memory = true;              ///< off: every buffer gets a place of its own
};

struct GraphPass {
  std::string_view name, summary;
  graph::Module (*run)(graph::Module, PassContext&);
};

struct LoopPass {
  std::string_view name, summary;
  loops::Program (*run)(loops::Program, PassContext&);
};

} // namespace dlcc::passes

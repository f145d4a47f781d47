// Runs passes of the pipeline: verifies after each, prints, times, switches off, bisects, and on a failure saves the
// last good IR with the command that repeats it.
#pragma once

#include "passes/pipeline.h"

#include <functional>
#include <set>

namespace dlcc::passes {

struct PassTime {
  std::string_view pass;
  double seconds;
  std::string did = {}; ///< "nodes 120 -> 86"; empty for what is no pass
};

struct PassOptions {
  std::string stop_after;         ///< name of a stage; empty: to the end
  std::vector<std::string> only;  ///< run exactly these passes, in this order (dlcc opt)
  std::set<std::string> disabled; ///< optional passes to leave out
  int64_t bisect_limit = -1;      ///< run only so many optional passes; -1: all
  bool text_of_user = false;      ///< the input was written by hand, so what an operator refuses is no fault of a pass
  bool verify_each = true;        ///< after every pass; otherwise once at the end
  bool print_after_all = false, print_after_change = false;
  std::set<std::string> print_before, print_after;
  std::string filter;     ///< print only functions, kernels and entries whose name contains this
  std::string reproducer; ///< where a failing pass's input goes; empty: dlcc-crash-<pass>.ir in the current folder
  std::function<void(const std::string&)> print = {}; ///< receives what is printed
  std::vector<PassTime>* times = nullptr;
};

/// Runs the passes from the IR's stage on. Throws InternalError when a pass or a verifier fails, after saving its
/// input. Stops early when context.diagnostics has errors.
Ir run_passes(Ir ir, PassContext& context, const PassOptions& options);

} // namespace dlcc::passes

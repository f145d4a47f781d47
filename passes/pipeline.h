// THE list of passes: what runs, in which order, and why there.
#pragma once

#include "ir/base/text.h"
#include "passes/pass.h"

#include <span>
#include <string>
#include <variant>

namespace dlcc::passes {

/// What travels through the pipeline: a graph, and from "loops" on a program.
using Ir = std::variant<graph::Module, loops::Program>;

/// One entry of the list.
struct PassEntry {
  std::string_view name, summary;
  std::string_view stage;       ///< the stage that its group of passes leads to
  std::string_view from, until; ///< the first and the last stage that it may run at
  std::string_view reason;      ///< why it stands here
  bool required;                ///< cannot be switched off: later passes rely on it
  bool arrives = false;         ///< after it the IR is at `stage`, unless something of an earlier one is left
  /// What it needs that the stage alone does not promise: what is there instead, and which pass to run first; or empty.
  std::string (*missing)(const Ir&) = nullptr;
  graph::Module (*graph)(graph::Module, PassContext&) = nullptr;
  loops::Program (*lower)(const graph::Module&, PassContext&) = nullptr;
  loops::Program (*loops)(loops::Program, PassContext&) = nullptr;
};

std::span<const PassEntry> pipeline();
const PassEntry* find_pass(std::string_view name);

/// The stages in order: source, stable, training, simplified, clustered, loops, scheduled, planned.
std::span<const std::string_view> stages();
std::string_view stage_of(const Ir& ir);

std::string print(const Ir& ir);
/// Either textual form, told by its first word.
struct ParsedText {
  Ir ir;
  std::vector<Violation> violations; ///< each with its place
  Location stage;                    ///< the place where the text says its stage
};
/// Throws TextError.
ParsedText parse_and_verify(std::string_view text, graph::OpTable ops);
Ir parse(std::string_view text, graph::OpTable ops);
/// Runs the verifier of the IR; throws InternalError.
void check(const Ir& ir, std::string_view after);
/// The IR is at this stage from now on, unless it holds what the stage does not allow.
void arrive_at(std::string_view stage, Ir& ir);

/// PASSES.md: the list as a reference.
std::string print_passes_reference();

} // namespace dlcc::passes

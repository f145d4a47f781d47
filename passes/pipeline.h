// THE list of passes: what runs, in which order, and why there.
#pragma once

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
  std::string_view stage;  ///< the stage that is reached when the last pass of this name's group has run
  std::string_view reason; ///< why it stands here
  bool required;           ///< cannot be switched off: later passes rely on it
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
/// Reads either textual form by its first word; throws TextError.
Ir parse(std::string_view text, graph::OpTable ops);
/// Runs the verifier of the IR; throws InternalError.
void check(const Ir& ir, std::string_view after);

/// PASSES.md: the list as a reference.
std::string print_passes_reference();

} // namespace dlcc::passes

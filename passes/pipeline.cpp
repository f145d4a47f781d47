#include "passes/pipeline.h"

#include "ir/base/text.h"
#include "ir/graph/parse.h"
#include "ir/graph/print.h"
#include "ir/graph/verify.h"
#include "ir/loops/parse.h"
#include "ir/loops/print.h"
#include "ir/loops/verify.h"
#include "passes/fusion/form_clusters.h"
#include "passes/gradient/build_training.h"
#include "passes/gradient/check_rows.h"
#include "passes/lowering/lower_to_loops.h"
#include "passes/memory/plan_memory.h"
#include "passes/memory/share_in_place.h"
#include "passes/schedule/form_phases.h"
#include "passes/schedule/mark_loops.h"
#include "passes/simplify/expand_composites.h"
#include "passes/simplify/inline_calls.h"
#include "passes/simplify/simplify.h"
#include "passes/simplify/stabilise.h"

namespace dlcc::passes {

namespace {
constexpr PassEntry entries[] = {
    {.name = "inline_calls",
     .summary = "put the body of a function where it is called",
     .stage = "stable",
     .reason = "rules must see a layer's activation and the loss together",
     .required = true,
     .graph = inline_calls},
    {.name = "stabilise",
     .summary = "replace poor combinations by their stable operator",
     .stage = "stable",
     .reason = "before the gradient, so that the gradient is stable too",
     .required = true,
     .graph = stabilise},
    {.name = "check_rows",
     .summary = "refuse a model whose rows depend on each other if a batch may be short",
     .stage = "stable",
     .reason = "before the gradient, which sums over the rows by right",
     .required = true,
     .graph = check_rows},
    {.name = "expand_underivable_composites",
     .summary = "expand composites that have no gradient rule of their own",
     .stage = "training",
     .reason = "their gradient is that of their body",
     .required = true,
     .graph = expand_underivable_composites},
    {.name = "build_training",
     .summary = "differentiate the loss and write the entries of training",
     .stage = "training",
     .reason = "everything after it sees forward, backward and optimizer as one program",
     .required = true,
     .graph = build_training},
    {.name = "expand_composites",
     .summary = "replace composite operators by their bodies",
     .stage = "simplified",
     .reason = "rules and fusion see primitive operators only",
     .required = true,
     .graph = expand_composites},
    {.name = "fold_constants",
     .summary = "evaluate exactly rounded operators of constants",
     .stage = "simplified",
     .reason = "expansion leaves constants behind, and the algebraic rules look for them",
     .required = false,
     .graph = fold_constants},
    {.name = "merge_duplicates",
     .summary = "compute equal nodes once",
     .stage = "simplified",
     .reason = "forward and backward expansions share parts",
     .required = false,
     .graph = merge_duplicates},
    {.name = "simplify",
     .summary = "apply exact algebraic rules, drop dead nodes",
     .stage = "simplified",
     .reason = "last, on what is left, so that fusion decides on clean nodes",
     .required = true,
     .graph = simplify},
    {.name = "form_clusters",
     .summary = "group nodes that one kernel computes",
     .stage = "clustered",
     .reason = "needs every node that will exist, and the effects between them",
     .required = true,
     .graph = form_clusters},
    {.name = "lower_to_loops",
     .summary = "turn clusters into kernels over buffers",
     .stage = "loops",
     .reason = "the last look at operators: from here on there are loops and scalars",
     .required = true,
     .lower = lower_to_loops},
    {.name = "mark_loops",
     .summary = "choose tasks, vector lanes and contraction tiles",
     .stage = "scheduled",
     .reason = "phases depend on the number of tasks of each kernel",
     .required = true,
     .loops = mark_loops},
    {.name = "form_phases",
     .summary = "order kernels into serial code or phases with barriers",
     .stage = "scheduled",
     .reason = "the phase is the unit of time for lifetimes",
     .required = true,
     .loops = form_phases},
    {.name = "share_in_place",
     .summary = "let results overwrite operands that die",
     .stage = "planned",
     .reason = "shortens the list of buffers before they are placed",
     .required = false,
     .loops = share_in_place},
    {.name = "plan_memory",
     .summary = "give every buffer its place, with the proof",
     .stage = "planned",
     .reason = "all lifetimes are known and final",
     .required = true,
     .loops = plan_memory},
};
constexpr std::string_view stage_names[] = {"source",    "stable", "training",  "simplified",
                                            "clustered", "loops",  "scheduled", "planned"};
} // namespace

std::span<const PassEntry> pipeline() { return entries; }
std::span<const std::string_view> stages() { return stage_names; }

const PassEntry* find_pass(std::string_view name) {
  for (const PassEntry& e : entries)
    if (e.name == name) return &e;
  return nullptr;
}

std::string_view stage_of(const Ir& ir) {
  return std::visit([](auto& x) { return name_of(x.stage); }, ir);
}

std::string print(const Ir& ir) {
  if (auto* module = std::get_if<graph::Module>(&ir)) return graph::print(*module);
  return loops::print(std::get<loops::Program>(ir));
}

Ir parse(std::string_view text, graph::OpTable ops) {
  Lexer first(text);
  if (first.is("program")) return loops::parse_program(text);
  if (first.is("module")) return graph::parse_module(text, ops);
  first.fail("expected 'module' or 'program'");
}

void check(const Ir& ir, std::string_view after) {
  if (auto* module = std::get_if<graph::Module>(&ir))
    graph::check(*module, after);
  else
    loops::check(std::get<loops::Program>(ir), after);
}

std::string print_passes_reference() {
  std::string text = "# Passes\n\nGenerated by `dlcc passes --markdown`. In the order in which they run.\n\n"
                     "| pass | leads to | what it does | why there |\n|---|---|---|---|\n";
  for (const PassEntry& e : entries)
    text += "| `" + std::string(e.name) + "` | " + std::string(e.stage) + " | " + std::string(e.summary) + " | " +
            std::string(e.reason) + " |\n";
  return text;
}

} // namespace dlcc::passes

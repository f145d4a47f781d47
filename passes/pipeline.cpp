#include "passes/pipeline.h"

#include "ir/base/text.h"
#include "ir/graph/parse.h"
#include "ir/graph/print.h"
#include "ir/graph/verify.h"
#include "ir/loops/parse.h"
#include "ir/loops/print.h"
#include "ir/loops/verify.h"
#include "passes/fusion/form_clusters.h"
#include "passes/lowering/lower_to_loops.h"
#include "passes/memory/plan_memory.h"
#include "passes/memory/share_in_place.h"
#include "passes/schedule/form_phases.h"
#include "passes/schedule/mark_loops.h"
#include "passes/simplify/expand_composites.h"
#include "passes/simplify/inline_calls.h"
#include "passes/simplify/simplify.h"
#include "passes/simplify/stabilise.h"
#include "passes/training/build_training.h"
#include "passes/training/declarations.h"

namespace dlcc::passes {

namespace {
std::string missing_for_training(const Ir& ir) {
  const auto& module = std::get<graph::Module>(ir);
  for (const char* made : {"train_step", "gradients", "apply", "learning_rate", "init"})
    if (module.find_function(made)) return "there is a function '" + std::string(made) + "', which it would make";
  if (auto loss = module.find_function("loss")) {
    const graph::Function& f = module.functions[*loss];
    if (f.results.size() != 1 || f.type(f.results[0]).rank() != 0 || !is_float(f.type(f.results[0]).dtype))
      return "the function 'loss' has to give one number, a float without dimensions";
  }
  for (const graph::Function& f : module.functions)
    for (const graph::Node& node : f.nodes)
      if (is_underivable_composite(*node.op))
        return "'" + std::string(node.op->name) + "' has no gradient rule but that of its body; run " +
               "'expand_underivable_composites' first";
  return {};
}

std::string untiled_contraction(const Ir& ir) {
  for (const loops::Kernel& k : std::get<loops::Program>(ir).kernels)
    for (const loops::Stmt& s : k.stmts)
      if (auto* contract = std::get_if<loops::Contract>(&s); contract && contract->tiling == loops::Tiling{})
        return "the contraction of kernel '" + k.name + "' is not tiled; run 'mark_loops' first";
  return {};
}

constexpr PassEntry entries[] = {
    {.name = "inline_calls",
     .summary = "put the body of a function where it is called",
     .stage = "stable",
     .from = "source",
     .until = "stable",
     .reason = "rules must see a layer's activation and the loss together",
     .required = true,
     .graph = inline_calls},
    {.name = "stabilise",
     .summary = "replace poor combinations by their stable operator",
     .stage = "stable",
     .from = "source",
     .until = "stable",
     .reason = "before the gradient, so that the gradient is stable too",
     .required = true,
     .arrives = true,
     .graph = stabilise},
    {.name = "expand_underivable_composites",
     .summary = "expand composites that have no gradient rule of their own",
     .stage = "training",
     .from = "source",
     .until = "training",
     .reason = "their gradient is that of their body",
     .required = true,
     .graph = expand_underivable_composites},
    {.name = "build_training",
     .summary = "differentiate the loss and write the entries of training",
     .stage = "training",
     .from = "stable",
     .until = "stable",
     .reason = "everything after it sees forward, backward and optimizer as one program",
     .required = true,
     .arrives = true,
     .missing = missing_for_training,
     .graph = build_training},
    {.name = "expand_composites",
     .summary = "replace composite operators by their bodies",
     .stage = "simplified",
     .from = "source",
     .until = "simplified",
     .reason = "rules and fusion see primitive operators only",
     .required = true,
     .graph = expand_composites},
    {.name = "fold_constants",
     .summary = "evaluate exactly rounded operators of constants",
     .stage = "simplified",
     .from = "source",
     .until = "simplified",
     .reason = "expansion leaves constants behind, and the algebraic rules look for them",
     .required = false,
     .graph = fold_constants},
    {.name = "merge_duplicates",
     .summary = "bring nodes into one form, compute equal ones once",
     .stage = "simplified",
     .from = "source",
     .until = "simplified",
     .reason = "forward and backward expansions share parts",
     .required = false,
     .graph = merge_duplicates},
    {.name = "simplify",
     .summary = "apply exact algebraic rules, drop dead nodes",
     .stage = "simplified",
     .from = "source",
     .until = "simplified",
     .reason = "last, on what is left, so that fusion decides on clean nodes",
     .required = true,
     .arrives = true,
     .graph = simplify},
    {.name = "form_clusters",
     .summary = "group nodes that one kernel computes",
     .stage = "clustered",
     .from = "simplified",
     .until = "simplified",
     .reason = "needs every node that will exist, and the effects between them",
     .required = true,
     .arrives = true,
     .graph = form_clusters},
    {.name = "lower_to_loops",
     .summary = "turn clusters into kernels over buffers",
     .stage = "loops",
     .from = "clustered",
     .until = "clustered",
     .reason = "the last look at operators: from here on there are loops and scalars",
     .required = true,
     .arrives = true,
     .lower = lower_to_loops},
    {.name = "mark_loops",
     .summary = "choose tasks, vector lanes and contraction tiles",
     .stage = "scheduled",
     .from = "loops",
     .until = "loops",
     .reason = "phases depend on the number of tasks of each kernel",
     .required = true,
     .loops = mark_loops},
    {.name = "form_phases",
     .summary = "order kernels into serial code or phases with barriers",
     .stage = "scheduled",
     .from = "loops",
     .until = "loops",
     .reason = "the phase is the unit of time for lifetimes",
     .required = true,
     .arrives = true,
     .missing = untiled_contraction,
     .loops = form_phases},
    {.name = "share_in_place",
     .summary = "let results overwrite operands that die",
     .stage = "planned",
     .from = "scheduled",
     .until = "scheduled",
     .reason = "shortens the list of buffers before they are placed",
     .required = false,
     .loops = share_in_place},
    {.name = "plan_memory",
     .summary = "give every buffer its place, with the proof",
     .stage = "planned",
     .from = "scheduled",
     .until = "scheduled",
     .reason = "all lifetimes are known and final",
     .required = true,
     .arrives = true,
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

ParsedText parse_and_verify(std::string_view text, graph::OpTable ops) {
  Lexer first(text);
  if (first.is("program")) {
    loops::TextPlaces places;
    loops::Program program = loops::parse_program(text, &places);
    std::vector<Violation> violations = loops::verify(program, &places);
    return {std::move(program), std::move(violations), places.stage};
  }
  if (first.is("module")) {
    graph::TextPlaces places;
    graph::Module module = graph::parse_module(text, ops, &places);
    std::vector<Violation> violations = graph::verify(module, &places);
    for (Violation& v : check_declarations(module, &places)) violations.push_back(std::move(v));
    return {std::move(module), std::move(violations), places.stage};
  }
  first.fail("expected 'module' or 'program'");
}

Ir parse(std::string_view text, graph::OpTable ops) { return parse_and_verify(text, ops).ir; }

void arrive_at(std::string_view stage, Ir& ir) {
  if (auto* program = std::get_if<loops::Program>(&ir)) {
    program->stage = *loops::stage_from_name(stage);
    return;
  }
  auto& module = std::get<graph::Module>(ir);
  const graph::Stage next = *graph::stage_from_name(stage);
  const bool is_next = static_cast<int>(next) == static_cast<int>(module.stage) + 1;
  if (is_next && graph::obstacle_to(next, module).empty()) module.stage = next;
}

void check(const Ir& ir, std::string_view after) {
  if (auto* module = std::get_if<graph::Module>(&ir))
    graph::check(*module, after);
  else
    loops::check(std::get<loops::Program>(ir), after);
}

std::string print_passes_reference() {
  std::string text = "# Passes\n\nGenerated by `dlcc passes --markdown`. In the order in which they run; "
                     "`--disable-pass` leaves out those that are optional.\n\n"
                     "| pass | | leads to | what it does | why there |\n|---|---|---|---|---|\n";
  for (const PassEntry& e : entries)
    text += "| `" + std::string(e.name) + "` | " + (e.required ? "" : "optional") + " | " + std::string(e.stage) +
            " | " + std::string(e.summary) + " | " + std::string(e.reason) + " |\n";
  return text;
}

} // namespace dlcc::passes

// Runs a function of a module in every way there is: as a graph, as a planned program, compiled.
#pragma once

#include "ir/graph/evaluate.h"
#include "ir/graph/graph.h"
#include "ir/loops/program.h"
#include "passes/pass_manager.h"

#include <map>
#include <string>
#include <vector>

namespace dlcc::testing {

graph::Module parse_graph(const std::string& text);

/// Stops at errors of the user's model too; `diagnostics` receives them if given.
struct PassRun {
  passes::PassOptions options = {};
  bool fuse = true, share_memory = true, check_nan = false;
  DiagnosticList* diagnostics = nullptr;
};
passes::Ir run_to(std::string_view stage, graph::Module module, PassRun run = {});
loops::Program plan(graph::Module module, PassRun run = {});

/// What a call sees and changes: states by name, parameters by name (scalars of the call included).
using Tensors = std::map<std::string, Tensor>;

struct Outcome {
  int32_t status = 0;
  std::vector<Tensor> results;
  Tensors states;
};

/// Floats are multiples of 1/16 in [-2, 2], exact in every type; integers 0 or 1; n_valid = rows - 1 if that is not 0.
graph::Environment random_environment(const graph::Module& module, const graph::Function& function, unsigned seed);

const graph::Function& entry_of(const graph::Module& module, const std::string& name);
Outcome run_graph(const graph::Module& module, const std::string& entry, const graph::Environment& environment);
/// By the interpreter of the loop IR, on the planned arena.
Outcome run_planned(const loops::Program& program, const std::string& entry, const graph::Environment& environment);
Outcome run_compiled(const loops::Program& program, const std::string& entry, const graph::Environment& environment,
                     int threads = 1);

/// |a - b| <= tolerance * max(scale, |b|) for every element, NaN and infinities being equal to themselves; every state
/// of `a` is compared.
void expect_close(const Outcome& a, const Outcome& b, double tolerance, double scale = 1);
/// The same numbers, -0 and NaN included.
void expect_identical(const Outcome& a, const Outcome& b);
void expect_close(const Tensor& a, const Tensor& b, double tolerance, double scale = 1);

} // namespace dlcc::testing

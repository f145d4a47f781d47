// Random graphs: the graph as it means, the planned program, and the compiled code give the same numbers, whatever is
// switched on or off.
#include "tests/passes/execution.h"
#include "tests/passes/random_graph.h"

#include "ir/graph/print.h"
#include "ir/ops/ops.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace dlcc::testing {
namespace {

// The largest number that is computed on the way: what rounding errors are relative to.
double scale_of(graph::Module module, const graph::Environment& environment) {
  graph::Function& f = module.functions[graph::FunctionId(0)];
  f.results.clear(), f.updates.clear();
  for (const graph::Node& node : f.nodes) f.results.insert(f.results.end(), node.results.begin(), node.results.end());
  double largest = 1;
  for (const Tensor& t : run_graph(module, "train_step", environment).results)
    for (double x : t.data)
      if (std::isfinite(x)) largest = std::max(largest, std::fabs(x));
  return largest;
}

void check_seed(unsigned seed) {
  graph::Module module = random_module(seed);
  SCOPED_TRACE("seed " + std::to_string(seed) + "\n" + graph::print(module));
  graph::Environment environment = random_environment(module, entry_of(module, "train_step"), seed);
  Outcome expected = run_graph(module, "train_step", environment);
  bool narrow = module.dtype == DType::f32;
  double scale = scale_of(module, environment), tolerance = narrow ? 3e-5 : 1e-11;

  loops::Program program = plan(module);
  Outcome planned = run_planned(program, "train_step", environment);
  auto agrees = [&](const char* what, const Outcome& outcome) {
    SCOPED_TRACE(what);
    expect_close(outcome, expected, tolerance, scale);
  };
  agrees("planned", planned);
  Outcome compiled = run_compiled(program, "train_step", environment);
  agrees("compiled", compiled);
  if (::testing::Test::HasFailure()) return;
  if (seed % 4 == 0) expect_identical(run_compiled(program, "train_step", environment, 3), compiled);

  PassRun apart;
  apart.share_memory = false;
  loops::Program unshared = plan(module, apart);
  expect_identical(run_planned(unshared, "train_step", environment), planned);
  if (seed % 4 == 1) expect_identical(run_compiled(unshared, "train_step", environment), compiled);
  PassRun plain;
  plain.fuse = false;
  loops::Program unfused = plan(module, plain);
  agrees("not fused", run_planned(unfused, "train_step", environment));
  if (seed % 4 == 2) expect_identical(run_compiled(unfused, "train_step", environment), compiled);
  PassRun bare;
  for (const passes::PassEntry& pass : passes::pipeline())
    if (!pass.required) bare.options.disabled.insert(std::string(pass.name));
  agrees("without optional passes", run_planned(plan(module, bare), "train_step", environment));
}

TEST(RandomGraphs, MeanTheSameAtEveryStage) {
  const char* wanted = std::getenv("DLCC_RANDOM_GRAPHS");
  const char* first = std::getenv("DLCC_RANDOM_SEED"); // to repeat one
  unsigned begin = first ? static_cast<unsigned>(std::atoi(first)) : 1;
  unsigned count = first ? 1 : wanted ? static_cast<unsigned>(std::atoi(wanted)) : 300;
  for (unsigned seed = begin; seed < begin + count; ++seed) {
    try {
      check_seed(seed);
    } catch (const std::exception& e) {
      FAIL() << "seed " << seed << ": " << e.what();
    }
    if (HasFailure()) return;
  }
}

} // namespace
} // namespace dlcc::testing

// Every stage of a model as text: it reads back to itself, and the small model's texts are those in stages/.
#include "tests/passes/execution.h"
#include "tests/passes/golden.h"
#include "tests/passes/models.h"
#include "tests/passes/random_graph.h"

#include "ir/ops/ops.h"

namespace dlcc::testing {
namespace {

void expect_text_reads_back(const graph::Module& module) {
  for (std::string_view stage : passes::stages()) {
    if (passes::stage_of(module) == stage) continue;
    PassRun run;
    passes::Ir ir = run_to(stage, module, run);
    SCOPED_TRACE(stage);
    EXPECT_EQ(passes::stage_of(ir), stage);
    std::string text = passes::print(ir);
    passes::Ir again = passes::parse(text, ops::all_ops());
    passes::check(again, "parsing");
    EXPECT_EQ(passes::print(again), text);
    if (stage == "planned") continue;
    // What was read back goes on to the same plan.
    passes::PassContext context{ops::all_ops(), {}};
    EXPECT_EQ(passes::print(passes::run_passes(std::move(again), context, {})), passes::print(plan(module)));
  }
}

TEST(Stages, OfModelsReadBackAndGoOn) {
  expect_text_reads_back(parse_graph(tiny_model));
  expect_text_reads_back(parse_graph(classifier));
}

TEST(Stages, OfRandomGraphsReadBack) {
  for (unsigned seed = 1000; seed < 1040 && !HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    passes::Ir start = random_module(seed);
    for (std::string_view stage : {"training", "clustered", "planned"}) {
      std::string text = passes::print(run_to(stage, std::get<graph::Module>(start)));
      EXPECT_EQ(passes::print(passes::parse(text, ops::all_ops())), text);
    }
  }
}

TEST(Stages, OfTheSmallModelAreTheseTexts) {
  for (std::string_view stage : passes::stages()) {
    std::string text = passes::print(run_to(stage, parse_graph(tiny_model)));
    expect_golden(std::string(DLCC_SOURCE_DIR) + "/tests/passes/stages/" + std::string(stage) + ".txt", text);
  }
}

} // namespace
} // namespace dlcc::testing

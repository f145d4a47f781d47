// The pass manager: where it stops, what it leaves out, what it prints, and what a failing pass leaves behind.
#include "tests/passes/execution.h"
#include "tests/passes/golden.h"
#include "tests/passes/models.h"

#include "ir/base/text.h"
#include "ir/ops/ops.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

namespace dlcc::testing {
namespace {

using passes::Ir;
using passes::PassOptions;

Ir run(const PassOptions& options, Ir ir = parse_graph(tiny_model)) {
  passes::PassContext context{ops::all_ops(), {}};
  return passes::run_passes(std::move(ir), context, options);
}
std::vector<std::string> names(const PassOptions& options) {
  PassOptions timed = options;
  std::vector<passes::PassTime> times;
  timed.times = &times;
  run(timed);
  std::vector<std::string> ran;
  for (const passes::PassTime& t : times) ran.emplace_back(t.pass);
  return ran;
}
bool contains(const std::vector<std::string>& list, const std::string& name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

TEST(PassManager, StopsAfterEveryStage) {
  for (std::string_view stage : passes::stages()) {
    PassOptions o;
    o.stop_after = stage;
    EXPECT_EQ(passes::stage_of(run(o)), stage);
  }
}

TEST(PassManager, GoesOnFromTheStageOfItsInput) {
  PassOptions half;
  half.stop_after = "clustered";
  EXPECT_EQ(passes::print(run({}, run(half))), passes::print(run({})));
}

TEST(PassManager, LeavesOutDisabledPassesUnlessTheyAreRequired) {
  PassOptions o;
  o.disabled = {"merge_duplicates", "lower_to_loops"};
  std::vector<std::string> ran = names(o);
  EXPECT_FALSE(contains(ran, "merge_duplicates"));
  EXPECT_TRUE(contains(ran, "lower_to_loops"));
  EXPECT_EQ(ran.size() + 1, names({}).size());
}

TEST(PassManager, BisectsOverOptionalPasses) {
  std::vector<std::string> all = names({});
  size_t optional = 0;
  for (const passes::PassEntry& pass : passes::pipeline()) optional += !pass.required;
  for (size_t limit = 0; limit <= optional; ++limit) {
    PassOptions o;
    o.bisect_limit = static_cast<int64_t>(limit);
    std::vector<std::string> ran = names(o);
    EXPECT_EQ(ran.size(), all.size() - optional + limit);
    size_t seen = 0; // the first ones run
    for (const passes::PassEntry& pass : passes::pipeline())
      if (!pass.required) {
        EXPECT_EQ(contains(ran, std::string(pass.name)), seen++ < limit) << pass.name;
      }
  }
}

TEST(PassManager, RunsExactlyTheNamedPasses) {
  PassOptions o;
  o.only = {"inline_calls", "stabilise", "inline_calls"};
  EXPECT_EQ(names(o), o.only);
  o.only = {"no_such_pass"};
  EXPECT_THROW(run(o), InternalError);
}

// The message of the user error that it ends with; empty if it ends well.
std::string refusal(const PassOptions& options, Ir ir = parse_graph(tiny_model)) {
  try {
    run(options, std::move(ir));
  } catch (const UserError& e) {
    EXPECT_EQ(e.code, ExitCode::usage);
    return e.diagnostic.text;
  }
  return {};
}

// A pass runs at its stages, and nowhere else it runs at all.
TEST(PassManager, EveryPassAtEveryStageRunsOrIsRefused) {
  auto index = [](std::string_view stage) {
    auto all = passes::stages();
    return std::find(all.begin(), all.end(), stage) - all.begin();
  };
  for (const char* model : {tiny_model, classifier})
    for (std::string_view stage : passes::stages()) {
      Ir ir = run_to(stage, parse_graph(model));
      for (const passes::PassEntry& pass : passes::pipeline()) {
        SCOPED_TRACE(std::string(pass.name) + " at stage " + std::string(stage));
        PassOptions o;
        o.only = {std::string(pass.name)};
        bool runs = index(stage) >= index(pass.from) && index(stage) <= index(pass.until);
        // What lies between the stage and the pass is missing.
        if (pass.name == "form_phases") runs = false;
        if (pass.name == "build_training" && model == tiny_model) runs = runs && stage == "stable";
        std::string why = refusal(o, ir);
        EXPECT_EQ(why.empty(), runs) << why;
      }
    }
}

TEST(PassManager, SaysWhyAPassCannotRun) {
  auto why = [](std::vector<std::string> passes, const char* stage) {
    PassOptions o;
    o.only = std::move(passes);
    return refusal(o, run_to(stage, parse_graph(tiny_model)));
  };
  EXPECT_EQ(why({"plan_memory"}, "source"), "the pass 'plan_memory' runs at stage scheduled, not at stage source");
  EXPECT_EQ(why({"build_training"}, "planned"), "the pass 'build_training' runs at stage stable, not at stage planned");
  EXPECT_EQ(why({"form_phases"}, "loops"), "the pass 'form_phases' cannot run yet: the contraction of kernel "
                                           "'hidden.forward' is not tiled; run 'mark_loops' "
                                           "first");
  EXPECT_EQ(why({"simplify", "form_clusters"}, "training"),
            "the pass 'form_clusters' runs at stage simplified, not at stage training (bce_with_logits 'rows' in stage "
            "simplified: only operators with an element expression remain)");
  PassOptions back;
  back.stop_after = "source";
  EXPECT_EQ(refusal(back, run_to("planned", parse_graph(tiny_model))),
            "it is at stage planned, which comes after source");
}

TEST(PassManager, TheStageTellsWhatIsThere) {
  auto stage = [](std::vector<std::string> passes, const char* from) {
    PassOptions o;
    o.only = std::move(passes);
    return std::string(passes::stage_of(run(o, run_to(from, parse_graph(classifier)))));
  };
  EXPECT_EQ(stage({"stabilise"}, "source"), "source"); // calls are left
  EXPECT_EQ(stage({"inline_calls", "stabilise"}, "source"), "stable");
  EXPECT_EQ(stage({"simplify"}, "source"), "source");
  EXPECT_EQ(stage({"simplify"}, "training"), "training"); // composites are left
  EXPECT_EQ(stage({"expand_composites", "simplify"}, "training"), "simplified");
  EXPECT_EQ(stage({"mark_loops"}, "loops"), "loops");
  EXPECT_EQ(stage({"mark_loops", "form_phases", "plan_memory"}, "loops"), "planned");
}

std::string printed(PassOptions o) {
  std::string text;
  o.print = [&](const std::string& s) { text += s; };
  run(o);
  return text;
}
size_t count(const std::string& text, const std::string& what) {
  size_t n = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
  return n;
}

TEST(PassManager, PrintsAfterAllOrAfterChange) {
  PassOptions all, change;
  all.print_after_all = true, change.print_after_change = true;
  EXPECT_EQ(count(printed(all), "# ---- after "), names({}).size());
  std::string changed = printed(change);
  EXPECT_EQ(count(changed, "# ---- after build_training"), 1u);
  EXPECT_EQ(count(changed, "# ---- after expand_underivable_composites"), 0u) << "nothing to expand in this model";
  EXPECT_EQ(printed({}), "");
}

TEST(PassManager, PrintsBeforeAndAfterNamedPassesAndFilters) {
  PassOptions o;
  o.print_before = {"stabilise"}, o.print_after = {"stabilise"};
  std::string text = printed(o);
  EXPECT_EQ(count(text, "# ---- before stabilise"), 1u);
  EXPECT_EQ(count(text, "# ---- after stabilise"), 1u);
  EXPECT_EQ(count(text, "bce_with_logits"), 1u);
  o.filter = "@predict";
  text = printed(o);
  EXPECT_EQ(count(text, "func @predict"), 2u);
  EXPECT_EQ(count(text, "func @loss"), 0u);
}

// A module that the verifier refuses, whatever is copied of it: a node says that it is in a cluster.
graph::Module broken() {
  graph::Module m = parse_graph("module @m stage training dtype f64 batch 0 {\n"
                                "  entry func @predict(input %x: f64[2]) -> %y {\n    %y : f64[2] = exp(%x)\n  }\n}\n");
  m.functions[graph::FunctionId(0)].nodes[graph::NodeId(0)].cluster = 3;
  return m;
}

TEST(PassManager, SavesTheInputOfAFailingPassAndSaysHowToRepeatIt) {
  std::string file = ::testing::TempDir() + "dlcc-pass-manager-test-" + std::to_string(getpid()) + ".ir";
  PassOptions o;
  o.reproducer = file;
  o.only = {"merge_duplicates"};
  try {
    run(o, broken());
    FAIL() << "what the pass made is broken";
  } catch (const InternalError& e) {
    EXPECT_NE(std::string(e.what()).find("pass 'merge_duplicates'"), std::string::npos) << e.what();
    EXPECT_NE(std::string(e.what()).find("dlcc opt " + file + " --passes=merge_duplicates"), std::string::npos)
        << e.what();
  }
  EXPECT_EQ(read_file(file), passes::print(broken()));
  std::filesystem::remove(file);
}

TEST(PassManager, VerifiesAfterEachPassOrOnceAtTheEnd) {
  for (bool each : {true, false}) {
    PassOptions o;
    o.reproducer = ::testing::TempDir() + "dlcc-pass-manager-test-" + std::to_string(getpid()) + ".ir";
    o.verify_each = each;
    o.only = {"merge_duplicates"};
    EXPECT_THROW(run(o, broken()), InternalError) << each;
    std::filesystem::remove(o.reproducer);
  }
}

TEST(PassManager, StopsWhenTheModelHasErrors) {
  graph::Module m = parse_graph("module @m stage source dtype f64 batch 0 {\n  state %w : parameter f64[2] = zeros\n"
                                "  hyper learning_rate = 0.1\n  directive optimizer sgd\n"
                                "  directive schedule constant {initial = 0.1}\n"
                                "  func @loss(input %x: f64[2]) -> %l {\n    %l : f64[] = sum(%x)\n  }\n}\n");
  DiagnosticList diagnostics("model.json");
  PassRun pass_run;
  pass_run.diagnostics = &diagnostics;
  EXPECT_EQ(passes::stage_of(run_to("planned", m, pass_run)), "training");
  EXPECT_TRUE(diagnostics.has_errors());
}

TEST(Pipeline, EveryEntryHasOneFunctionAndIsDescribed) {
  std::string reference = passes::print_passes_reference();
  for (const passes::PassEntry& e : passes::pipeline()) {
    EXPECT_EQ((e.graph != nullptr) + (e.lower != nullptr) + (e.loops != nullptr), 1) << e.name;
    EXPECT_EQ(passes::find_pass(e.name), &e);
    EXPECT_NE(reference.find("`" + std::string(e.name) + "`"), std::string::npos);
    EXPECT_FALSE(e.summary.empty() || e.reason.empty());
  }
  EXPECT_EQ(passes::find_pass("nothing"), nullptr);
}

TEST(Pipeline, RefusesOtherText) { EXPECT_THROW(passes::parse("hello", ops::all_ops()), TextError); }

} // namespace
} // namespace dlcc::testing

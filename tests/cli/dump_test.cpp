// What a learner reads: kernels named by layer and part of the step, filters, and what each pass did.
#include "tests/cli/models.h"
#include "tests/cli/program.h"

#include <gtest/gtest.h>

#include <regex>
#include <set>

namespace dlcc::cli_tests {
namespace {

class Dumps : public testing::Test {
protected:
  void SetUp() override { folder.write("m.json", tiny); }

  Result run(std::vector<std::string> args) {
    args.insert(args.begin(), "m.json");
    args.push_back("-march=x86-64-v3");
    Result r = folder.run(args);
    EXPECT_EQ(r.exit_code, 0) << r.err;
    return r;
  }
  std::string planned(const std::string& filter = {}) {
    return run({"--emit=planned", "--print-ir-filter=" + filter}).out;
  }

  Folder folder;
};

// The first group of each match, in order.
std::vector<std::string> all_matches(const std::string& text, const std::string& pattern) {
  const std::regex regex(pattern);
  std::vector<std::string> found;
  for (std::sregex_iterator i(text.begin(), text.end(), regex), end; i != end; ++i) found.push_back((*i)[1]);
  return found;
}

std::set<std::string> as_set(const std::vector<std::string>& words) { return {words.begin(), words.end()}; }

TEST_F(Dumps, KernelsAreNamedByLayerAndPartOfTheStep) {
  const auto kernels_of = [&](const std::string& entry) {
    return as_set(all_matches(planned(entry), "\n *call @([^(]*)\\("));
  };
  EXPECT_EQ(kernels_of("predict"), (std::set<std::string>{"hidden.forward", "p.forward"}));
  EXPECT_EQ(kernels_of("metrics_result"), std::set<std::string>{"loss.metrics.1"});
  EXPECT_EQ(kernels_of("learning_rate"), std::set<std::string>{"learning_rate.update"});
  EXPECT_EQ(kernels_of("train_step"),
            (std::set<std::string>{"hidden.dropout.forward", "p.forward.loss.metrics.hidden.backward",
                                   "p/kernel.update", "p/bias.update", "hidden/kernel.update", "hidden/bias.update",
                                   "loss", "loss.metrics.2", "loss.metrics.update"}));
  const auto init = kernels_of("init");
  for (const char* kernel : {"hidden/kernel.init", "hidden/bias.init", "p/kernel.init", "p/bias.init"})
    EXPECT_TRUE(init.contains(kernel)) << kernel;
}

// From the logits to their gradient a row is in one kernel: softmax, loss, metric.
TEST_F(Dumps, ASoftmaxIsComputedOnceAStep) {
  folder.write("s.json", replaced(replaced(tiny, R"("units": 1, "activation": "sigmoid")",
                                           R"("units": 3, "activation": "softmax")"),
                                  "binary_crossentropy", "sparse_categorical_crossentropy"));
  const std::string text = folder.run({"s.json", "--emit=planned", "--print-ir-filter=train_step"}).out;
  EXPECT_EQ(all_matches(text, "\n *let [^ ]+ = (exp)\\(").size(), 1u) << text;
  EXPECT_NE(text.find("call @p.forward.loss.metrics.p.backward("), std::string::npos) << text;
}

TEST_F(Dumps, EveryKernelHasANameOfItsOwnAndOfItsPart) {
  for (const char* option : {"--no-fusion", "--no-share-memory"}) {
    const auto names = all_matches(run({"--emit=planned", option}).out, "\nkernel @([^(]*)\\(");
    EXPECT_GT(names.size(), 10u);
    EXPECT_EQ(as_set(names).size(), names.size());
    const std::regex part("(.*\\.)?(forward|loss|metrics|backward|update|init|step|copy)(\\.[0-9]+)?");
    for (const std::string& name : names) EXPECT_TRUE(std::regex_match(name, part)) << name;
  }
}

TEST_F(Dumps, AMaximumIsNotCalledASum) {
  const std::string model =
      replaced(replaced(tiny, R"("units": 1, "activation": "sigmoid")", R"("units": 3, "activation": "softmax")"),
               "binary_crossentropy", "sparse_categorical_crossentropy");
  folder.write("s.json", model);
  const std::string text = folder.run({"s.json", "--emit=loops"}).out;
  EXPECT_NE(text.find("max maximum over"), std::string::npos) << text;
  EXPECT_EQ(text.find("max sum"), std::string::npos);
  EXPECT_EQ(text.find("min sum"), std::string::npos);
}

TEST_F(Dumps, AFilterKeepsWhatItNamesAtEveryStage) {
  EXPECT_EQ(planned("hidden.forward").find("kernel @hidden.forward("), 0u);
  EXPECT_EQ(all_matches(planned("hidden.forward"), "(kernel|entry) @").size(), 1u);
  EXPECT_EQ(planned("no such name"), "");
  // An entry comes with the kernels that it calls, and with no other.
  const std::string predict = planned("predict");
  EXPECT_NE(predict.find("\nentry @predict("), std::string::npos);
  EXPECT_EQ(as_set(all_matches(predict, "kernel @([^(]*)\\(")), as_set(all_matches(predict, "call @([^(]*)\\(")));
  for (const char* stage : {"training", "simplified", "clustered"}) {
    const std::string text = run({std::string("--emit=") + stage, "--print-ir-filter=predict"}).out;
    EXPECT_EQ(all_matches(text, "func @(\\w+)"), std::vector<std::string>{"predict"}) << stage;
    EXPECT_TRUE(text.ends_with("  }\n")) << stage;
  }
}

TEST_F(Dumps, EachPassEndsWithALineOfWhatItDid) {
  const std::string all = run({"-o", "m.so", "--print-ir-after-all"}).err;
  const auto shown = all_matches(all, "# ---- after (\\w+) ----\n"), did = all_matches(all, "\n# (\\w+): [a-z]");
  EXPECT_GT(shown.size(), 10u);
  EXPECT_EQ(did, shown);
  EXPECT_TRUE(std::regex_search(all, std::regex("\n# merge_duplicates: nodes [0-9]+ -> [0-9]+\n")));
  EXPECT_TRUE(std::regex_search(all, std::regex("\n# lower_to_loops: kernels [0-9]+")));
  const std::string times = run({"-o", "m.so", "--time-passes"}).err;
  EXPECT_TRUE(std::regex_search(times, std::regex("ms +[0-9.]+ %  form_clusters: clusters [0-9]+\n"))) << times;
}

TEST_F(Dumps, ScheduledKernelsSayWhatTheyCost) {
  const std::string text = run({"--emit=scheduled"}).out;
  const size_t kernels = all_matches(text, "\n(kernel) @").size();
  const std::string cost = "note \"([0-9.e+-]+) MFLOP, [0-9.e+-]+ MB, about [0-9.]+ us on one core\"";
  EXPECT_EQ(all_matches(text, cost).size(), kernels);
  // 2 * 16 * 4 * 8 operations of the product, and some of what follows it.
  const auto flops = all_matches(planned("hidden.forward"), cost);
  ASSERT_EQ(flops.size(), 1u);
  EXPECT_GT(std::stod(flops[0]), 1024e-6);
  EXPECT_LT(std::stod(flops[0]), 2048e-6);
}

// The estimate of an entry is the sum of its kernels', however many digits it has.
TEST_F(Dumps, EstimatesAddUp) {
  for (const char* batch : {"16", "1600000"}) {
    const std::string text =
        run({"--emit=scheduled", "--print-ir-filter=predict", "--batch-size", batch, "--memory-limit", "none"}).out;
    double sum = 0;
    for (const std::string& us : all_matches(text, "about ([0-9.]+) us on one core")) sum += std::stod(us);
    const auto estimated = all_matches(text, "estimated ([0-9.]+) us on one thread");
    ASSERT_EQ(estimated.size(), 1u) << text;
    EXPECT_NEAR(std::stod(estimated[0]), sum, 0.5) << batch;
  }
}

TEST_F(Dumps, PassesSayWhetherTheyCanBeLeftOut) {
  const std::string list = folder.run({"passes"}).out;
  EXPECT_TRUE(std::regex_search(list, std::regex("\nmerge_duplicates +simplified +optional ")));
  EXPECT_TRUE(std::regex_search(list, std::regex("\nform_clusters +clustered +required ")));
  for (const std::string& line : lines_of(list)) {
    const std::string name = line.substr(0, line.find(' '));
    const bool required = line.find(" required ") != std::string::npos;
    EXPECT_EQ(folder.run({"m.json", "--emit=source", "--disable-pass=" + name}).exit_code, required ? 2 : 0) << name;
  }
}

} // namespace
} // namespace dlcc::cli_tests

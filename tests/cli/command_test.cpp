// Every sub-command on a tiny model, and what must not change a bit: where, how often and how it is compiled.
#include "runtime/core/checkpoint.h"
#include "tests/cli/models.h"
#include "tests/cli/program.h"

#include <gtest/gtest.h>

#include <cstring>
#include <regex>

namespace dlcc::cli_tests {
namespace {

class Commands : public testing::Test {
protected:
  void SetUp() override { folder.write("m.json", tiny); }

  // Runs and expects success; what it printed on standard output.
  std::string output(const std::vector<std::string>& args, const RunOptions& options = {}) {
    Result r = folder.run(args, options);
    EXPECT_EQ(r.exit_code, 0) << args[0] << ": " << r.err;
    return r.out;
  }
  // Trains into the folder of that name; the bytes of its last checkpoint.
  std::string train(const std::string& out, const std::vector<std::string>& more = {},
                    const std::string& model = "m.json") {
    std::vector<std::string> args = {"train", model, "--out", out};
    args.insert(args.end(), more.begin(), more.end());
    output(args);
    return folder.read(out + "/last.safetensors");
  }

  Folder folder;
};

TEST_F(Commands, HelpAndVersion) {
  std::string help = output({"--help"});
  for (const char* command : {"build", "check", "train", "eval", "predict", "gradcheck", "bench", "inspect", "opt",
                              "ops", "passes", "schema", "new"}) {
    EXPECT_NE(help.find(std::string("\n  ") + command + " "), std::string::npos) << command;
    EXPECT_NE(output({command, "--help"}).find("Usage: dlcc " + std::string(command)), std::string::npos);
  }
  EXPECT_TRUE(std::regex_match(output({"--version"}), std::regex("dlcc [0-9]+\\.[0-9]+\\.[0-9]+\n")));
}

TEST_F(Commands, BuildNeedsNoWordAndPrintsNothing) {
  EXPECT_EQ(output({"m.json", "-o", "a.so"}), "");
  EXPECT_EQ(output({"build", "m.json", "-o", "b.so"}), "");
  EXPECT_EQ(output({"-", "-o", "c.so"}, {.input = tiny}), "");
  EXPECT_TRUE(folder.read("a.so") == folder.read("b.so"));
  EXPECT_EQ(folder.read("c.so").substr(0, 4), "\x7f"
                                              "ELF");
}

TEST_F(Commands, TheSameArtefactInAnotherFolder) {
  output({"m.json", "-o", "m.so"});
  Folder other;
  other.write("m.json", tiny);
  EXPECT_EQ(other.run({"m.json", "-o", "m.so"}).exit_code, 0);
  EXPECT_TRUE(folder.read("m.so") == other.read("m.so"));
}

TEST_F(Commands, EveryStageParsesBackToTheSameText) {
  for (const char* stage :
       {"source", "stable", "training", "simplified", "clustered", "loops", "scheduled", "planned"}) {
    std::string text = output({"m.json", std::string("--emit=") + stage});
    EXPECT_GT(text.size(), 100u) << stage;
    EXPECT_EQ(output({"opt", "-"}, {.input = text}), text) << stage;
    EXPECT_EQ(output({"opt", "-", "--to=planned"}, {.input = text}), output({"m.json", "--emit=planned"})) << stage;
  }
}

TEST_F(Commands, OptRunsNamedPasses) {
  std::string text = output({"m.json", "--emit=training"});
  std::string passes = "--passes=expand_composites,fold_constants,merge_duplicates,simplify";
  EXPECT_NE(output({"opt", "-", passes}, {.input = text}), text);
}

TEST_F(Commands, OtherOutputs) {
  EXPECT_NE(output({"m.json", "--emit=llvm"}).find("define "), std::string::npos);
  EXPECT_NE(output({"m.json", "-S"}).find(".text"), std::string::npos);
  output({"m.json", "-c", "-o", "m.o"});
  EXPECT_EQ(folder.read("m.o").substr(0, 4), "\x7f"
                                             "ELF");
  EXPECT_NE(output({"m.json", "--emit=header"}).find("#include"), std::string::npos);
  EXPECT_NE(folder.run({"m.json", "-o", "m.so", "--print-ir-after-all"}).err.find("simplify"), std::string::npos);
  EXPECT_NE(folder.run({"m.json", "-o", "m.so", "--time-passes"}).err.find("plan_memory"), std::string::npos);
}

TEST_F(Commands, CheckKnowsTheParameters) {
  EXPECT_NE(output({"check", "m.json"}).find("tiny: 49 parameters"), std::string::npos); // 4 * 8 + 8 + 8 + 1
  std::string json = output({"check", "--json", "m.json"});
  EXPECT_NE(json.find("\"format\": 1"), std::string::npos);
  EXPECT_NE(json.find("\"parameters\": 49"), std::string::npos);
}

TEST_F(Commands, ThePrintedConfigurationIsTheSameModel) {
  std::string config = output({"check", "--print-config", "m.json"});
  folder.write("full.json", config);
  EXPECT_EQ(output({"check", "--print-config", "full.json"}), config);
  train("full", {}, "full.json"), train("short");
  EXPECT_EQ(without_seconds(folder.read("full/history.jsonl")), without_seconds(folder.read("short/history.jsonl")));
  EXPECT_EQ(output({"predict", "m.json", "--weights", "short"}), output({"predict", "full.json", "--weights", "full"}));
}

TEST_F(Commands, SetChangesAKey) {
  train("a", {"--set", "train.epochs=1"});
  EXPECT_EQ(lines_of(folder.read("a/history.jsonl")).size(), 1u);
}

TEST_F(Commands, TrainEvalPredict) {
  train("run");
  EXPECT_EQ(lines_of(folder.read("run/history.jsonl")).size(), 3u);
  EXPECT_EQ(lines_of(folder.read("run/history.csv")).size(), 4u);
  // The trained weights give the last epoch's result again.
  std::string json = output({"eval", "m.json", "--weights", "run/last.safetensors", "--on", "validation", "--json"});
  std::smatch at_eval, at_end;
  std::string last = lines_of(folder.read("run/history.jsonl")).back();
  ASSERT_TRUE(std::regex_search(json, at_eval, std::regex("\"loss\":([-+.e0-9]+)"))) << json;
  ASSERT_TRUE(std::regex_search(last, at_end, std::regex("\"val_loss\":([-+.e0-9]+)"))) << last;
  EXPECT_EQ(at_eval[1], at_end[1]);
  EXPECT_EQ(lines_of(output({"predict", "m.json", "--weights", "run", "--on", "train"})).size(), 54u);
  output({"predict", "m.json", "--weights", "run", "--on", "train", "-o", "p.npy"});
  EXPECT_EQ(folder.read("p.npy").substr(0, 6), "\x93NUMPY");
}

TEST_F(Commands, RequireDecidesTheExitCode) {
  EXPECT_EQ(folder.run({"train", "m.json", "--out", "a", "--require", "loss<=100"}).exit_code, 0);
  Result r = folder.run({"train", "m.json", "--out", "b", "--require", "accuracy>=2"});
  EXPECT_EQ(r.exit_code, 9) << r.err;
  EXPECT_TRUE(folder.has("b/last.safetensors"));
}

TEST_F(Commands, TheArtefactTrainsToTheSameBytes) {
  output({"m.json", "-o", "m.so"});
  EXPECT_TRUE(train("from_so", {}, "m.so") == train("from_model"));
}

TEST_F(Commands, ThreadsDoNotChangeABit) {
  EXPECT_TRUE(train("one", {"--threads", "1"}) == train("two", {"--threads", "2"}));
}

TEST_F(Commands, GradcheckPassesAndCanFail) {
  EXPECT_EQ(lines_of(output({"gradcheck", "m.json"})).size(), 4u);
  Result r = folder.run({"gradcheck", "m.json", "--tolerance", "1e-30"});
  EXPECT_NE(r.exit_code, 0) << r.out;
}

TEST_F(Commands, InspectShowsTensors) {
  train("run");
  EXPECT_NE(output({"inspect", "run/last.safetensors"}).find("param/hidden/kernel : f32[4,8]"), std::string::npos);
  output({"m.json", "-o", "m.so"});
  EXPECT_NE(output({"inspect", "m.so"}).find("param/hidden/kernel : f32[4,8]"), std::string::npos);
  EXPECT_EQ(output({"inspect", "--json", "m.so"}).front(), '{');
}

TEST_F(Commands, BenchReportsTheStep) { EXPECT_NE(output({"bench", "m.json", "--steps", "3"}), ""); }

TEST_F(Commands, Lists) {
  EXPECT_NE(output({"ops"}).find("matmul"), std::string::npos);
  EXPECT_NE(output({"passes"}).find("plan_memory"), std::string::npos);
  EXPECT_NE(output({"schema"}).find("\"http://json-schema.org/draft-07/schema#\""), std::string::npos);
}

TEST_F(Commands, NewWritesAModelThatChecks) {
  for (const char* name :
       {"linear", "logreg", "binary", "binary-regularized", "mlp-sk", "mnist-softmax", "mnist-mlp"}) {
    output({"new", name, "-o", std::string(name) + ".json"});
    output({"check", std::string(name) + ".json"});
  }
  expect_fault(folder.run({"new", "nope"}), 2, {"unknown starter 'nope'", "mnist-mlp"});
}

} // namespace
} // namespace dlcc::cli_tests

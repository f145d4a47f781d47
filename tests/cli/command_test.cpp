// Every sub-command on a tiny model, and what must not change a bit: where, how often and how it is compiled.
#include "runtime/core/checkpoint.h"
#include "tests/cli/models.h"
#include "tests/cli/program.h"
#include "tests/train/bench_json.h"

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
  EXPECT_EQ(output({"help"}), help);
  EXPECT_EQ(output({"help", "train"}), output({"train", "--help"}));
  EXPECT_EQ(output({"version"}), output({"--version"}));
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
  const std::string training = output({"m.json", "--emit=training"});
  const std::string passes = "--passes=expand_composites,fold_constants,merge_duplicates,simplify";
  // The passes between two stages, named, do what the pipeline does on its way to the second.
  const std::string some = output({"opt", "-", passes}, {.input = training});
  EXPECT_EQ(output({"opt", "-", "--to", "simplified"}, {.input = training}), some);
  EXPECT_NE(output({"opt", "-", "--passes=merge_duplicates"}, {.input = training}), some);
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

TEST_F(Commands, TheEndingOfTheNameSaysWhatIsWritten) {
  for (auto [ending, kind] :
       {std::pair{"so", "so"}, {"o", "obj"}, {"h", "header"}, {"s", "asm"}, {"ll", "llvm"}, {"bc", "bc"}}) {
    const std::string by_name = std::string("a.") + ending, by_option = std::string("b.") + ending;
    output({"m.json", "-o", by_name});
    output({"m.json", "-o", by_option, std::string("--emit=") + kind});
    EXPECT_TRUE(folder.read(by_name) == folder.read(by_option)) << ending;
  }
  output({"m.json", "-o", "c.s", "--emit=llvm"}); // the option decides
  EXPECT_TRUE(folder.read("c.s") == folder.read("a.ll"));
  output({"m.json", "-o", "c.ll", "-S"});
  EXPECT_TRUE(folder.read("c.ll") == folder.read("a.s"));
  output({"m.json", "-o", "plain"});
  EXPECT_TRUE(folder.read("plain") == folder.read("a.so"));
}

// Whether the shell command succeeds in the test's folder.
bool succeeds(const Folder& folder, const std::string& command) {
  return std::system(("cd '" + folder.path().string() + "' && " + command).c_str()) == 0;
}

// Large enough for several units of code, where code is generated in parallel.
TEST_F(Commands, TextOfCodeIsOneModuleThatOtherToolsRead) {
  output({"m.json", "-o", "t.ll"});
  output({"m.json", "-o", "t.s"});
  output({"m.json", "-o", "t.bc"});
  const std::string llvm = folder.read("t.ll");
  EXPECT_EQ(llvm.find("target triple"), llvm.rfind("target triple"));
  EXPECT_TRUE(succeeds(folder, "cc -c t.s -o t.o"));
  if (!succeeds(folder, "command -v llvm-as-19 llvm-dis-19 >/dev/null")) GTEST_SKIP() << "no llvm-as-19";
  EXPECT_TRUE(succeeds(folder, "llvm-as-19 t.ll -o from_text.bc && llvm-dis-19 from_text.bc -o a.ll"));
  EXPECT_TRUE(
      succeeds(folder, "llvm-dis-19 t.bc -o b.ll && sed 1d a.ll >a && sed 1d b.ll >b && cmp a b")); // but its name
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
  EXPECT_EQ(lines_of(output({"predict", "m.json", "--weights", "run", "--on", "train"})).size(), 55u); // with a header
  output({"predict", "m.json", "--weights", "run", "--on", "train", "-o", "p.npy"});
  EXPECT_EQ(folder.read("p.npy").substr(0, 6), "\x93NUMPY");
}

// The folder of a run is of use by itself, wherever it lies.
TEST_F(Commands, TheModelOfARunNamesItsData) {
  std::filesystem::create_directory(folder.path("there"));
  folder.write("there/t.csv", "a,b,y\n1,2,5\n2,1,4\n3,4,11\n");
  folder.write("there/m.json", from_csv);
  output({"train", "there/m.json", "--out", "run"});
  const std::string model = folder.read("run/model.json");
  EXPECT_NE(model.find("\"" + folder.path("there/t.csv").string() + "\""), std::string::npos) << model;
  const std::string expected = output({"predict", "there/m.json", "--weights", "run"});
  EXPECT_EQ(output({"predict", "run/model.json", "--data", "run/model.json", "--weights", "run"}), expected);
}

TEST_F(Commands, AFaultyModelForDataIsReportedAsAModel) {
  folder.write("d.json", replaced(tiny, "relu", "rulu"));
  expect_refused(folder, {"train", "m.json", "--data", "d.json"}, 4,
                 "d.json:3:78: error: unknown activation 'rulu', did you mean 'relu'? [unknown-name]");
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

// Its defaults depend on other keys; what the artefact holds has them all written out.
TEST_F(Commands, AnArtefactOfAPresetTrainsToTheSameBytes) {
  folder.write("p.json", replaced(tiny, R"({ "type": "adam", "learning_rate": 0.01 })",
                                  R"({ "type": "sgd", "preset": "sklearn", "early_stopping": true })"));
  output({"p.json", "-o", "p.so"});
  const std::string expected = train("from_model", {}, "p.json");
  EXPECT_TRUE(train("from_so", {}, "p.so") == expected);
  EXPECT_TRUE(train("from_run", {"--data", "from_model/model.json"}, "from_model/model.json") == expected);
}

// The rate must not be 0 for epochs without a word, in whichever unit the schedule counts.
TEST_F(Commands, AScheduleThatEndsBeforeTheTrainingIsWarnedOf) {
  auto warnings = [&](const std::string& schedule, const std::vector<std::string>& more = {}) {
    folder.write("s.json", replaced(tiny, "0.01 }", R"({ "schedule": )" + schedule + "} }"));
    std::vector<std::string> args = {"train", "s.json", "--out", "s", "-q"};
    args.insert(args.end(), more.begin(), more.end());
    Result r = folder.run(args);
    EXPECT_EQ(r.exit_code, 0) << r.err;
    std::filesystem::remove_all(folder.path("s"));
    return r.err;
  };
  const std::string rest =
      ", expected a decay ('decay_steps' or 'decay_epochs') as long as the training [schedule-end]";
  const std::string cosine = R"("cosine", "initial": 0.01, )";
  EXPECT_EQ(warnings(cosine + R"("decay_steps": 12)"), ""); // 3 epochs of 4 steps
  EXPECT_NE(
      warnings(cosine + R"("decay_steps": 11)")
          .find("the cosine schedule ends at step 11 of 12, epoch 3; from there on the learning rate is 0" + rest),
      std::string::npos);
  EXPECT_EQ(warnings(cosine + R"("decay_epochs": 3)"), "");
  EXPECT_NE(warnings(cosine + R"("decay_epochs": 1.5, "alpha": 0.25)")
                .find("ends at step 6 of 12, epoch 2; from there on the learning rate is 0.0025" + rest),
            std::string::npos);
  EXPECT_NE(warnings(cosine + R"("decay_epochs": 3)", {"--steps", "20"}).find("ends at step 12 of 20"),
            std::string::npos);
  EXPECT_NE(warnings(R"("polynomial", "initial": 0.01, "decay_epochs": 2)").find("polynomial schedule ends at step 8"),
            std::string::npos);
  EXPECT_EQ(warnings(R"("polynomial", "initial": 0.01, "decay_epochs": 2, "cycle": true)"), "");
  EXPECT_EQ(warnings(R"("cosine_restarts", "initial": 0.01, "first_decay_epochs": 1)"), "");
}

// Steps and epochs are two ways to say one length.
TEST_F(Commands, ScheduleLengthsInEpochsTrainToTheSameBytes) {
  auto trained = [&](const std::string& lengths, const std::string& out, const std::vector<std::string>& more = {}) {
    folder.write("s.json",
                 replaced(tiny, "0.01 }",
                          R"({ "schedule": "cosine", "initial": 0.001, "warmup_target": 0.01, )" + lengths + "} }"));
    train(out, more, "s.json");
    runtime::CheckpointFile checkpoint(folder.path(out + "/last.safetensors").string());
    const runtime::StoredTensor* kernel = checkpoint.find("param/hidden/kernel");
    std::string bytes(kernel->bytes(), '\0');
    checkpoint.read(*kernel, bytes.data());
    return bytes;
  };
  const std::string expected = trained(R"("decay_steps": 8, "warmup_steps": 4)", "steps");
  const std::string in_epochs = R"("decay_epochs": 2, "warmup_epochs": 1)";
  EXPECT_TRUE(trained(in_epochs, "epochs") == expected);
  trained(in_epochs, "part", {"--steps", "7"});
  EXPECT_TRUE(trained(in_epochs, "part", {"--resume", "latest", "--epochs", "3"}) == expected);
}

// What a step was compiled for cannot be changed when it is loaded; what concerns training and data can.
TEST_F(Commands, TheArtefactRefusesWhatWouldChangeIt) {
  output({"m.json", "-o", "m.so"});
  for (std::vector<std::string> options : {std::vector<std::string>{"--dtype", "f64"},
                                           {"--batch-size", "8"},
                                           {"-D", "N=8"},
                                           {"--set", "layers.0.units=9"},
                                           {"--set", "optimizer.learning_rate=1"}}) {
    options.insert(options.begin(), {"train", "m.so", "--out", "refused"});
    expect_refused(
        folder, options, 2,
        "m.so: error: is compiled already, and these options (--set, --dtype, --batch-size, -D) would change "
        "it; expected such that concern training and data only [compiled-in]");
    EXPECT_FALSE(folder.has("refused"));
  }
  train("accepted", {"--set", "train.epochs=1", "--seed", "3"}, "m.so");
  EXPECT_EQ(lines_of(folder.read("accepted/history.jsonl")).size(), 1u);
}

TEST_F(Commands, TheSizesOfAModelFromTheCommandLine) {
  EXPECT_NE(output({"check", "m.json", "-D", "N=8"}).find("f32[8,1]"), std::string::npos);
  EXPECT_NE(output({"check", "m.json", "--shape", "x=8,4"}).find("f32[8,1]"), std::string::npos);
  Result r = folder.run({"check", "m.json", "-D", "Q=8"});
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_NE(r.err.find("warning: no shape has the symbol 'Q'"), std::string::npos) << r.err;
}

TEST_F(Commands, CheckListsLayers) {
  EXPECT_EQ(output({"check", "m.json"}).substr(output({"check", "m.json"}).find('\n') + 1),
            "  hidden (Dense) : f32[16,8]\n    hidden/kernel : f32[4,8]\n    hidden/bias : f32[8]\n"
            "  dropout (Dropout) : f32[16,8]\n  p (Dense) : f32[16,1]\n    p/kernel : f32[8,1]\n    p/bias : f32[1]\n");
}

// The model's own settings of the compiler; the command line goes before them.
TEST_F(Commands, TheCompileSectionIsObeyed) {
  const std::string fused = output({"m.json", "--emit=planned"});
  EXPECT_EQ(output({"m.json", "--emit=planned", "--set", "compile.fusion=false"}),
            output({"m.json", "--emit=planned", "--no-fusion"}));
  EXPECT_NE(output({"m.json", "--emit=planned", "--set", "compile.fusion=false"}), fused);
  EXPECT_EQ(folder.run({"m.json", "-o", "m.so", "--set", "compile.memory_limit=1000"}).exit_code, 7);
  output({"m.json", "-o", "m.so", "--set", "compile.memory_limit=1000", "--memory-limit", "none"});
  expect_refused(folder, {"m.json", "-o", "n.so", "--set", "compile.target=z80"}, 3,
                 "m.json: error: unknown target 'z80', expected native, x86-64-v3, x86-64-v4 or a CPU such as znver4 "
                 "(set at /compile/target) [unknown-target]");
  expect_refused(folder, {"m.json", "-o", "n.so", "--set", "compile.precision=medium"}, 3,
                 "m.json: error: precision 'medium' is not supported yet; there is highest (set at /compile/precision) "
                 "[unsupported]");
}

// G4: nothing in the batch counts, so its loss is 0 and it is no update.
TEST_F(Commands, ABatchOfIgnoredLabelsIsNoUpdate) {
  std::string model = replaced(from_csv, R"("mean_squared_error")",
                               R"({"type": "sparse_categorical_crossentropy", "ignore_index": 7})");
  model = replaced(replaced(model, R"("units": 1)", R"("units": 3, "activation": "softmax")"), R"("batch_size": 2)",
                   R"("batch_size": 2, "shuffle": false)");
  model =
      replaced(model, R"({ "type": "sgd", "learning_rate": 0.001 })", R"({ "type": "adam", "learning_rate": 0.1 })");
  folder.write("i.json", model);
  folder.write("t.csv", "a,b,y\n1,2,0\n2,1,1\n3,4,7\n5,6,7\n");
  auto run = [&](const std::string& out, const std::string& steps) {
    Result r = folder.run({"train", "i.json", "--out", out, "--steps", steps, "--log-every", "1"});
    EXPECT_EQ(r.exit_code, 0) << r.err;
    return r.err;
  };
  const std::string skipped = "warning: no label of batch 2 counts (all are ignored); nothing was updated";
  EXPECT_EQ(run("one", "1").find(skipped), std::string::npos);
  EXPECT_NE(run("two", "2").find(skipped), std::string::npos);
  runtime::CheckpointFile one(folder.path("one/last.safetensors")), two(folder.path("two/last.safetensors"));
  EXPECT_EQ(*one.meta("dlcc.updates"), "1");
  EXPECT_EQ(*two.meta("dlcc.updates"), "1");
  EXPECT_EQ(*two.meta("dlcc.batches"), "2");
  for (const char* name : {"param/line/kernel", "opt/line/kernel/m", "opt/line/kernel/v"}) {
    const runtime::StoredTensor &a = *one.find(name), &b = *two.find(name);
    std::vector<char> x(a.bytes()), y(b.bytes());
    one.read(a, x.data()), two.read(b, y.data());
    EXPECT_EQ(x, y) << name;
  }
  EXPECT_NE(folder.read("two/history.jsonl").find("\"step\":2,\"loss\":0"), std::string::npos)
      << folder.read("two/history.jsonl");
}

// The rows that fill a short batch must not bring their infinite derivatives into the gradients of the others.
TEST_F(Commands, ShortBatchesOfAFunctionThatIsSteepAtZero) {
  folder.write("r.json", R"({ "dlcc": 1, "name": "root", "inputs": { "x": { "shape": ["N", 2] } },
    "labels": { "y": { "shape": ["N"] } }, "params": { "w": { "shape": [2], "init": "ones" } },
    "nodes": [ { "op": "matvec", "inputs": ["x", "w"], "output": "s" },
               { "op": "sqrt", "inputs": ["s"], "output": "z" } ],
    "loss": { "type": "mean_squared_error", "prediction": "z", "label": "y" }, "optimizer": "sgd",
    "train": { "batch_size": 2, "epochs": 3 },
    "data": { "train": { "format": "csv", "file": "t.csv", "x": ["a", "b"], "y": "y" } } })");
  folder.write("t.csv", "a,b,y\n1,2,3\n2,1,2\n3,4,1\n");
  train("run", {}, "r.json");
  const std::string predictions = output({"predict", "r.json", "--weights", "run"});
  EXPECT_EQ(lines_of(predictions).size(), 1u + 3u);
  EXPECT_EQ(predictions.find("nan"), std::string::npos) << predictions;
}

// C12: with momentum and weight decay everywhere else, too.
TEST_F(Commands, AParameterThatTheLossDoesNotReachNeverChanges) {
  folder.write("u.json", R"({ "dlcc": 1, "name": "unused", "inputs": { "x": { "shape": ["N", 2] } },
    "labels": { "y": { "shape": ["N"] } }, "params": { "w": { "shape": [2] }, "u": { "shape": [5] } },
    "nodes": [ { "op": "matvec", "inputs": ["x", "w"], "output": "p" } ],
    "loss": { "type": "mean_squared_error", "prediction": "p", "label": "y" },
    "optimizer": { "type": "adam", "learning_rate": 0.1, "weight_decay": 0.1 }, "train": { "batch_size": 2 },
    "data": { "train": { "format": "csv", "file": "t.csv", "x": ["a", "b"], "y": "y" } } })");
  folder.write("t.csv", "a,b,y\n1,2,3\n2,1,2\n");
  train("one", {"--epochs", "1"}, "u.json"), train("nine", {"--epochs", "9"}, "u.json");
  auto values = [&](const std::string& run, const char* name) {
    runtime::CheckpointFile file(folder.path(run + "/last.safetensors"));
    std::vector<char> bytes(file.find(name)->bytes());
    file.read(*file.find(name), bytes.data());
    return bytes;
  };
  EXPECT_EQ(values("one", "param/u"), values("nine", "param/u"));
  EXPECT_NE(values("one", "param/w"), values("nine", "param/w"));
}

TEST_F(Commands, ThreadsDoNotChangeABit) {
  EXPECT_TRUE(train("one", {"--threads", "1"}) == train("two", {"--threads", "2"}));
}

TEST_F(Commands, GradcheckHasALineAParameter) { EXPECT_EQ(lines_of(output({"gradcheck", "m.json"})).size(), 4u); }

TEST_F(Commands, InspectShowsTensors) {
  train("run");
  EXPECT_NE(output({"inspect", "run/last.safetensors"}).find("param/hidden/kernel : f32[4,8]"), std::string::npos);
  output({"m.json", "-o", "m.so"});
  EXPECT_NE(output({"inspect", "m.so"}).find("param/hidden/kernel : f32[4,8]"), std::string::npos);
  EXPECT_EQ(output({"inspect", "--json", "m.so"}).front(), '{');
}

// Numbers that fit each other: the least is no more than the median, the rate is what the median says.
// One row a call of the step, in its order, and the normal step beside them.
TEST_F(Commands, BenchTimesEachKernel) {
  const std::string text = output({"bench", "m.json", "--profile", "--steps", "3"});
  const std::string planned = output({"m.json", "--emit=planned", "--print-ir-filter=train_step"});
  const std::vector<std::string> rows = lines_of(text);
  const std::regex call("\n *call @([^(]*)\\(");
  size_t row = 1;
  for (std::sregex_iterator i(planned.begin(), planned.end(), call), end; i != end; ++i, ++row) {
    ASSERT_LT(row, rows.size()) << text;
    EXPECT_TRUE(rows[row].ends_with("  " + std::string((*i)[1]))) << rows[row];
  }
  EXPECT_GT(row, 5u);
  EXPECT_EQ(rows.size(), row + 2) << text; // their sum, and the step
  folder.write("line.json", from_csv);
  const std::string json = output({"bench", "line.json", "--profile", "--steps", "3", "--json"});
  EXPECT_NE(json.find("{\"name\":\"line/kernel.update\",\"ns\":"), std::string::npos) << json;
  output({"m.json", "-o", "m.so"});
  expect_refused(
      folder, {"bench", "m.so", "--profile"}, 2,
      "dlcc: error: --profile compiles each kernel by itself, expected a model (see dlcc bench --help) [usage]");
}

TEST_F(Commands, InspectShowsRunsSignaturesAndRegions) {
  train("run");
  const std::string run = output({"inspect", "run"});
  EXPECT_NE(run.find("file: run/best.safetensors"), std::string::npos) << run;
  EXPECT_NE(run.find("param/hidden/kernel : f32[4,8]"), std::string::npos) << run;
  std::filesystem::create_directory(folder.path("empty"));
  expect_refused(folder, {"inspect", "empty"}, 5, "dlcc: error: 'empty' holds no valid checkpoint [weights]");
  output({"m.json", "-o", "m.so"});
  const std::string step = output({"inspect", "m.so"});
  EXPECT_NE(step.find("\ntrain_step(x : f32[16,4], label : f32[16,1]) -> (loss : f64[])\n"), std::string::npos) << step;
  EXPECT_NE(step.find("\npredict(x : f32[16,4]) -> (p : f32[16,1])\n"), std::string::npos) << step;
  EXPECT_TRUE(std::regex_search(step, std::regex("region_bytes: \\{\"param\":[0-9]+,\"opt\":"))) << step;
}

TEST_F(Commands, ACompiledStepIsNoModel) {
  output({"m.json", "-o", "m.so"});
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"m.so", "-o", "n.so"}, {"m.so", "--emit=planned"}})
    expect_refused(folder, words, 3,
                   "m.so: error: is a compiled step, expected a model; 'dlcc inspect' shows it [not-a-model]");
  expect_refused(folder, {"gradcheck", "m.so"}, 3,
                 "m.so: error: is a compiled step, expected the model, to compile it in double [not-a-model]");
}

TEST_F(Commands, QuietPrintsNoResults) {
  train("run");
  const auto quiet = [&](std::vector<std::string> args) {
    args.push_back("-q");
    Result r = folder.run(args);
    EXPECT_EQ(r.exit_code, 0) << r.err;
    EXPECT_EQ(r.err, "") << args[0];
    return r.out;
  };
  EXPECT_EQ(quiet({"check", "m.json", "-D", "Q=8"}), ""); // nor its warning
  EXPECT_EQ(quiet({"train", "m.json", "--out", "quiet"}), "");
  EXPECT_EQ(quiet({"eval", "m.json", "--weights", "run", "--on", "train"}), "");
  EXPECT_EQ(quiet({"eval", "m.json", "--weights", "run", "--on", "train", "--json"}).front(), '{');
  EXPECT_EQ(quiet({"check", "m.json", "--json"}).front(), '{');
  EXPECT_EQ(folder.run({"eval", "m.json", "--weights", "run", "--on", "train", "-q", "--require", "loss<0"}).exit_code,
            9);
}

TEST_F(Commands, NewSaysWhichDataToPutWhere) {
  const Result mnist = folder.run({"new", "mnist-mlp", "-o", "mine.json"});
  EXPECT_NE(mnist.err.find("\nbefore that, put there what it trains on (or change 'data'): "
                           "data/mnist/train-images-idx3-ubyte.gz, data/mnist/train-labels-idx1-ubyte.gz, "),
            std::string::npos)
      << mnist.err;
  EXPECT_EQ(folder.run({"new", "binary", "-o", "b.json"}).err.find("before that"), std::string::npos);
}

TEST_F(Commands, BenchReportsTheStep) {
  const std::string table = output({"bench", "m.json", "--steps", "3"});
  std::smatch step;
  ASSERT_TRUE(std::regex_search(
      table, step, std::regex(R"(^step +([0-9]+) ns median, ([0-9]+) ns least, of 3 steps of 16 samples\n)")))
      << table;
  EXPECT_LE(std::stoll(step[2]), std::stoll(step[1]));
  EXPECT_GT(std::stoll(step[2]), 0);
  expect_bench_json(output({"bench", "m.json", "--steps", "5", "--json"}), 16, 5);
}

TEST_F(Commands, Lists) {
  EXPECT_NE(output({"ops"}).find("matmul"), std::string::npos);
  EXPECT_NE(output({"passes"}).find("plan_memory"), std::string::npos);
  EXPECT_NE(output({"schema"}).find("\"http://json-schema.org/draft-07/schema#\""), std::string::npos);
}

TEST_F(Commands, NewWritesAModelThatChecks) {
  for (const char* name :
       {"linear", "logreg", "binary", "binary-regularized", "mlp-sk", "mnist-softmax", "mnist-mlp", "table"}) {
    output({"new", name, "-o", std::string(name) + ".json"});
    output({"check", std::string(name) + ".json"});
  }
  EXPECT_NE(folder.read("linear.json").find(R"("$schema": "model-1.schema.json")"), std::string::npos);
  EXPECT_EQ(folder.read("model-1.schema.json"), output({"schema"}));
  folder.write("linear.json", "mine");
  folder.write("model-1.schema.json", "{}");
  expect_refused(folder, {"new", "linear", "-o", "linear.json"}, 6,
                 "linear.json: error: exists already; it is never overwritten [exists]");
  output({"new", "linear", "-o", "other.json"});
  EXPECT_EQ(folder.read("model-1.schema.json"), "{}");
  expect_refused(folder, {"new", "nope"}, 2,
                 "dlcc: error: unknown starter 'nope'; there are: linear, logreg, binary, binary-regularized, mlp-sk, "
                 "mnist-softmax, mnist-mlp, table (see dlcc new --help) [usage]");
}

} // namespace
} // namespace dlcc::cli_tests

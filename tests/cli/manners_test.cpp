// What is said about words that make no sense, about compiled steps, and what results are written to.
#include "tests/cli/models.h"
#include "tests/cli/program.h"

#include <algorithm>
#include <gtest/gtest.h>

namespace dlcc::cli_tests {
namespace {

class Manners : public testing::Test {
protected:
  void SetUp() override { folder.write("m.json", tiny); }
  std::string output(const std::vector<std::string>& words) {
    const Result r = folder.run(words);
    EXPECT_EQ(r.exit_code, 0) << r.err;
    return r.out;
  }
  void train(const std::string& out) { output({"train", "m.json", "-q", "--out", out}); }
  Folder folder;
};

TEST_F(Manners, CheckOfACompiledStepSaysWhetherItIsIntact) {
  output({"m.json", "-o", "m.so"});
  const std::string text = output({"check", "m.so"});
  EXPECT_EQ(text.find("tiny: a compiled step of dlcc "), 0u) << text;
  EXPECT_NE(text.find(", intact, for CPUs with "), std::string::npos) << text;
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  const std::string bytes = folder.read("m.so");
  for (const size_t at : {size_t{5000}, bytes.size() / 2, bytes.size() - 50}) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    folder.write("d.so", damaged);
    Result r = folder.run({"check", "d.so"});
    EXPECT_EQ(r.exit_code, 5) << at;
    EXPECT_EQ(r.out, "");
    EXPECT_EQ(std::count(r.err.begin(), r.err.end(), '\n'), 1) << r.err;
  }
  folder.write("d.so", bytes.substr(0, bytes.size() - 1));
  EXPECT_EQ(folder.run({"check", "d.so"}).exit_code, 5);
  EXPECT_EQ(folder.run({"check", "m.so", "--json"}).exit_code, 2);
  EXPECT_EQ(folder.run({"check", "m.so", "m.json"}).exit_code, 0);
}

// Members are stored as they are: each is the npy file of its output.
TEST_F(Manners, AnNpzFileHoldsEveryOutput) {
  folder.write("m.json", replaced(tiny, R"("metrics")", R"("outputs": ["hidden", "p"], "metrics")"));
  train("run");
  const std::vector<std::string> predict = {"predict", "m.json", "--weights", "run", "--on", "train"};
  const auto written = [&](const std::string& file, const std::vector<std::string>& more = {}) {
    std::vector<std::string> words = predict;
    words.insert(words.end(), {"-o", file});
    words.insert(words.end(), more.begin(), more.end());
    output(words);
    return folder.read(file);
  };
  const std::string all = written("all.npz"), hidden = written("hidden.npy", {"--output-name", "hidden"}),
                    p = written("p.npy", {"--output-name", "p"});
  EXPECT_NE(all.find("hidden.npy" + hidden), std::string::npos);
  EXPECT_NE(all.find("p.npy" + p), std::string::npos);
  EXPECT_EQ(written("again.npz"), all);
  EXPECT_EQ(written("one.npz", {"--output-name", "p"}).find("hidden"), std::string::npos);
  // An archive that was written is one that can be read: as the data of a model with inputs of these names.
  folder.write("r.json", R"({ "dlcc": 1, "name": "r", "inputs": { "hidden": { "shape": ["N", 8] } },
    "labels": { "p": { "shape": ["N", 1] } }, "layers": [ { "type": "Dense", "units": 1 } ],
    "loss": "mean_squared_error", "optimizer": "sgd", "train": { "batch_size": 8, "epochs": 1 } })");
  output({"train", "r.json", "--data", "all.npz", "--out", "read", "-q"});
}

// Habits of those who come from compilers.
TEST_F(Manners, LevelsOfOptimizationAreRefusedInOneLine) {
  for (const char* level : {"-O0", "-O2", "-O3", "-Ofast", "-O"}) {
    const Result r = folder.run({"m.json", level, "-o", "m.so"});
    EXPECT_EQ(r.exit_code, 2) << level;
    EXPECT_EQ(r.err, "dlcc: error: '" + std::string(level) +
                         "': there are no levels, everything is always optimized; --disable-pass, --no-fusion and "
                         "--no-share-memory leave parts of it out (see dlcc --help) [usage]\n");
  }
}

TEST_F(Manners, NamesPromiseNothingElse) {
  for (const char* name : {"m.onnx", "m.pt", "m.a", "m.dll"}) {
    const Result r = folder.run({"m.json", "-o", name});
    EXPECT_EQ(r.exit_code, 2) << name;
    EXPECT_NE(r.err.find("expected .so, .o, .s, .ll, .bc or .h"), std::string::npos) << r.err;
    EXPECT_FALSE(folder.has(name));
  }
  output({"m.json", "-o", "m.step"}); // free
  expect_refused(folder, {"inspect", "m.json"}, 2,
                 "dlcc: error: 'm.json': expected a compiled step, a checkpoint or the folder of a run; 'dlcc check' "
                 "shows a model (see dlcc inspect --help) [usage]");
}

// Names of keys, and what other libraries call them.
TEST_F(Manners, OptionsAreSuggestedByTheKeyTheySet) {
  const std::pair<const char*, const char*> cases[] = {{"--lr", "--learning-rate"},
                                                       {"--batch", "--batch-size"},
                                                       {"--max_iter", "--epochs"},
                                                       {"--num-epochs", "--epochs"},
                                                       {"--epoch", "--epochs"}};
  for (const auto& [typed, meant] : cases)
    EXPECT_EQ(folder.run({"train", "m.json", typed, "3"}).err, std::string("dlcc: error: unknown option '") + typed +
                                                                   "' of 'train', did you mean '" + meant +
                                                                   "'? (see dlcc train --help) [usage]\n");
}

// A word of an option that is none of its words: what was meant, or the list.
TEST_F(Manners, WordsOfOptionsAreSuggested) {
  const std::pair<std::vector<std::string>, const char*> cases[] = {
      {{"m.json", "--emit=plannd"}, "--emit: 'plannd', did you mean 'planned'?"},
      {{"m.json", "--emit=planned,hedder"}, "--emit: 'hedder', did you mean 'header'?"},
      {{"check", "m.json", "--diagnostics-format", "jsn"}, "--diagnostics-format: 'jsn', did you mean 'json'?"},
      {{"train", "m.json", "--log", "cvs"}, "--log: 'cvs', did you mean 'csv'?"},
      {{"train", "m.json", "--plot", "x"}, "--plot: 'x', expected one of svg, term, none"},
      {{"train", "m.json", "--color", "alwys"}, "--color: 'alwys', did you mean 'always'?"},
      {{"train", "m.json", "--progress", "bra"}, "--progress: 'bra', did you mean 'bar'?"},
      {{"train", "m.json", "--on-save-error", "go"}, "--on-save-error: 'go', expected one of continue, stop"},
      {{"opt", "m.json", "--passes=simplfy"}, "--passes: 'simplfy', did you mean 'simplify'?"},
      {{"opt", "m.json", "--to=plan"}, "--to: 'plan', expected one of source, stable"}};
  for (const auto& [words, line] : cases) {
    const Result r = folder.run(words);
    EXPECT_EQ(r.exit_code, 2);
    EXPECT_EQ(r.err.find("dlcc: error: " + std::string(line)), 0u) << r.err;
    EXPECT_NE(r.err.find(" --help) [usage]\n"), std::string::npos) << r.err;
  }
}

// Also those that only the work itself finds.
TEST_F(Manners, EveryErrorOfUsageNamesTheHelp) {
  train("run");
  const std::vector<std::vector<std::string>> cases = {
      {"predict", "m.json", "--weights", "run", "--output-name", "nothing"},
      {"predict", "m.json", "--weights", "run", "--on", "test"},
      {"predict", "m.json", "--weights", "run", "-o", "p.h5"},
      {"predict", "m.json", "--weights", "run", "-o", "p.npz", "--id", "x"},
      {"predict", "m.json", "--weights", "run", "--raw", "--classes"},
      {"eval", "m.json", "--weights", "run", "--on", "test"},
      {"eval", "m.json", "--weights", "run", "--on", "train", "--require", "nothing>0"},
      {"train", "m.json", "--require", "val_nothing>0", "--out", "other"}};
  for (const std::vector<std::string>& words : cases) {
    const Result r = folder.run(words);
    EXPECT_EQ(r.exit_code, 2) << r.err;
    EXPECT_NE(r.err.find(" (see dlcc " + words[0] + " --help) ["), std::string::npos) << r.err;
  }
}

TEST_F(Manners, TheTableStarterTrainsAsItStands) {
  std::filesystem::create_directory(folder.path("here"));
  output({"new", "table", "-o", "here/m.json"});
  EXPECT_EQ(folder.read("here/data/houses.csv").find("number,city,area"), 0u);
  output({"train", "here/m.json", "-q", "--epochs", "1", "--out", "run"});
  folder.write("here/data/houses.csv", "mine");
  output({"new", "table", "-o", "here/n.json"});
  EXPECT_EQ(folder.read("here/data/houses.csv"), "mine");
}

} // namespace
} // namespace dlcc::cli_tests

// Row K of the list of bad inputs: wrong words, paths, descriptors, variables, limits, and masks of the environment.
#include "tests/cli/models.h"
#include "tests/cli/program.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstring>
#include <fstream>
#include <regex>
#include <sys/stat.h>
#include <unistd.h>

namespace dlcc::cli_tests {
namespace {

namespace fs = std::filesystem;

struct Row {
  std::string name;
  std::vector<std::string> args;
  int exit_code;
  std::vector<std::string> words;
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

std::string name_of(const testing::TestParamInfo<Row>& info) { return info.param.name; }

class BadCommand : public testing::TestWithParam<Row> {};

TEST_P(BadCommand, GetsOneLine) {
  Folder folder;
  folder.write("m.json", tiny);
  fs::create_directory(folder.path("folder"));
  auto before = folder.snapshot();
  expect_fault(folder.run(GetParam().args), GetParam().exit_code, GetParam().words);
  EXPECT_TRUE(folder.snapshot() == before) << "the folder was changed";
}

const Row words[] = {
    {"UnknownCommand", {"trian", "m.json"}, 2, {"unknown command 'trian'", "did you mean 'train'?"}},
    {"UnknownOption",
     {"train", "m.json", "--eppochs", "3"},
     2,
     {"unknown option '--eppochs'", "did you mean '--epochs'?"}},
    {"UnknownOptionFarFromAll", {"train", "m.json", "--xyzzy=3"}, 2, {"unknown option '--xyzzy' of 'train'"}},
    {"OneWordTooMany", {"train", "m.json", "n.json"}, 2, {"one argument too many: 'n.json'"}},
    {"NoOutput", {"m.json"}, 2, {"expected -o FILE"}},
    {"NoModel", {"train"}, 2, {"MODEL is required"}},
    {"NoWeights", {"eval", "m.json"}, 2, {"--weights is required"}},
    {"EpochsNoNumber", {"train", "m.json", "--epochs", "x"}, 2, {"--epochs", "'x'", "a whole number >= 1"}},
    {"EpochsZero", {"train", "m.json", "--epochs", "0"}, 2, {"--epochs", "'0'", "a whole number >= 1"}},
    {"UnknownStage", {"m.json", "--emit=plan"}, 2, {"--emit", "plan", "planned"}},
    {"UnknownPass", {"opt", "m.json", "--passes=simplfy"}, 2, {"--passes", "simplfy", "simplify"}},
    {"SetNothing", {"check", "m.json", "--set", "train"}, 2, {"--set train", "NAME=VALUE"}},
    {"SetUnknownKey",
     {"check", "m.json", "--set", "train.epoch=3"},
     3,
     {"unknown key 'epoch'", "did you mean 'epochs'?"}},
    {"RequireNothing", {"train", "m.json", "--require", "accuracy"}, 2, {"'accuracy'", "comparison"}},
    {"UnknownTarget", {"m.json", "-o", "m.so", "--march", "i386"}, 2, {"unknown target 'i386'", "x86-64-v3"}},
    {"PartNoWord", {"eval", "m.json", "--weights", "x", "--on", "foo"}, 2, {"--on", "'foo', expected one of test, train"}},
    {"BenchNegative", {"bench", "m.json", "--steps", "-3"}, 2, {"--steps", "'-3'"}},
    {"SeedNegative", {"train", "m.json", "--seed", "-1"}, 2, {"--seed", "'-1'", "a whole number >= 0"}},
    {"SeedTooLarge", {"train", "m.json", "--seed", "18446744073709551616"}, 2, {"--seed", "a whole number >= 0"}},
    {"KeepNothing", {"train", "m.json", "--keep", "0"}, 2, {"--keep", "'0'", "a whole number >= 1"}},
    {"LogEveryNegative", {"train", "m.json", "--log-every", "-2"}, 2, {"--log-every", "'-2'"}},
    {"PatienceNegative", {"train", "m.json", "--patience", "-3"}, 2, {"--patience", "'-3'"}},
    {"GradcheckNothing", {"gradcheck", "m.json", "--samples", "0"}, 2, {"--samples", "'0'"}},
    {"FolderOutside",
     {"train", "m.json", "--set", "train.checkpoint={\"dir\": \"a/../../b\"}"},
     3,
     {"'train.checkpoint.dir' is 'a/../../b'", "below the current one", "--out"}},
    {"FolderAbsolute",
     {"train", "m.json", "--set", "train.checkpoint={\"dir\": \"/tmp/b\"}"},
     3,
     {"'train.checkpoint.dir' is '/tmp/b'"}},
    {"ResumeLeavesTheModel", {"train", "--resume", "m.json"}, 5, {"no run of 'tiny' in 'runs' to resume"}},
    {"SymbolNoNumber", {"check", "m.json", "-D", "T=0"}, 2, {"-D T=0", "a positive integer"}},
    {"ShapeOfNothing", {"check", "m.json", "--shape", "y=3,4"}, 3, {"--shape of 'y'", "no such input"}},
    {"ShapeOfAnotherRank", {"check", "m.json", "--shape", "x=3"}, 3, {"--shape of 'x'", "1 dimensions, expected 2"}},
    {"ShapeDiffers", {"check", "m.json", "--shape", "x=3,5"}, 3, {"--shape of 'x'", "5 on axis 1, expected 4"}},
    {"NoText", {"opt", "m.json"}, 3, {"m.json:1:1:", "expected 'module' or 'program'"}},
    {"WeightsAreNoCheckpoint", {"eval", "m.json", "--weights", "m.json"}, 5, {"'m.json': corrupt"}},
    {"K3_missing", {"nope.json", "-o", "m.so"}, 6, {"nope.json: ", "No such file or directory"}},
    {"K3_folder", {"folder/", "-o", "m.so"}, 6, {"folder/: ", "is a directory"}},
    {"K3_escape", {"a\n\x1b[2Jb.json", "-o", "m.so"}, 6, {"a\\x0a\\x1b[2Jb.json: ", "No such file"}},
    {"K4_no_folder", {"m.json", "-o", "no/m.so"}, 6, {"'no/m.so'", "No such file or directory"}},
    {"K4_folder", {"m.json", "-o", "folder"}, 6, {"folder: ", "is a directory"}},
    {"K4_input", {"m.json", "-o", "m.json"}, 6, {"m.json: ", "is the input file"}},
    {"K4_input_by_another_name", {"m.json", "-o", "./folder/../m.json"}, 6, {"is the input file"}},
    {"K4_full_device", {"m.json", "-o", "/dev/full"}, 6, {"/dev/full"}},
    {"K4_unwritable", {"m.json", "-o", "/proc/m.so"}, 6, {"'/proc/m.so'"}},
    {"TooMuchMemory", {"m.json", "-o", "m.so", "--memory-limit", "1K"}, 7, {"KiB, expected at most 1 KiB", "--memory-limit"}},
};
INSTANTIATE_TEST_SUITE_P(Words, BadCommand, testing::ValuesIn(words), name_of);

class Environment : public testing::Test {
protected:
  void SetUp() override { folder.write("m.json", tiny); }
  Result train(const std::string& out, const RunOptions& options) {
    return folder.run({"train", "m.json", "-q", "--out", out}, options);
  }
  std::string plain() {
    EXPECT_EQ(train("plain", {}).exit_code, 0);
    return folder.read("plain/last.safetensors");
  }
  mode_t mode(const std::string& name) {
    struct stat info{};
    EXPECT_EQ(stat(folder.path(name).c_str(), &info), 0) << name;
    return info.st_mode & 0777;
  }
  Folder folder;
};

// C8: only training needs something to train.
TEST_F(Environment, NothingToTrain) {
  folder.write("m.json", std::regex_replace(tiny, std::regex("\"units\""), "\"trainable\": false, \"units\""));
  expect_fault(folder.run({"train", "m.json", "--out", "run"}), 3, {"m.json:", "no trainable parameter"});
  EXPECT_FALSE(folder.has("run"));
  EXPECT_EQ(folder.run({"m.json", "-o", "m.so"}).exit_code, 0);
}

TEST_F(Environment, NoOptimizerNoTraining) {
  folder.write("m.json", replaced(tiny, R"("optimizer": { "type": "adam", "learning_rate": 0.01 },)", ""));
  expect_fault(folder.run({"train", "m.json", "--out", "run"}), 3, {"m.json: ", "'optimizer'"});
}

// Sent while it waits for its model on standard input, as soon as it ignores the signal.
TEST_F(Environment, AWishForACheckpointBeforeTrainingKillsNothing) {
  Running run(folder, {"train", "-", "--out", "run"}, {.input = tiny});
  auto ignores = [&](int signal) {
    std::ifstream status("/proc/" + std::to_string(run.pid()) + "/status");
    for (std::string line; std::getline(status, line);)
      if (line.starts_with("SigIgn:")) return (std::stoull(line.substr(7), nullptr, 16) >> (signal - 1) & 1) != 0;
    return false;
  };
  for (int i = 0; i < 1000 && !ignores(SIGUSR1); ++i) usleep(10'000);
  run.send(SIGUSR1);
  Result r = run.finish();
  EXPECT_EQ(r.exit_code, 0) << r.signal << r.err;
}

// What is written to descriptors 1 and 2 must not land in a file of the run that got their numbers.
TEST_F(Environment, K6ClosedDescriptors) {
  std::string expected = plain();
  for (const char* closed : {">&-", "2>&-", "<&- >&- 2>&-"}) {
    std::string out = std::string("run") + std::to_string(strlen(closed));
    Result r = train(out, {.redirections = closed});
    EXPECT_EQ(r.exit_code, 0) << closed << r.err;
    EXPECT_TRUE(folder.read(out + "/last.safetensors") == expected) << closed;
    EXPECT_EQ(lines_of(folder.read(out + "/history.jsonl")).size(), 3u) << closed;
  }
}

TEST_F(Environment, K6OutputThatCannotBeWritten) {
  Result full = folder.run({"check", "m.json"}, {.redirections = ">/dev/full"});
  expect_fault(full, 6, {"<stdout>", "No space left on device"});
  EXPECT_EQ(folder.run({"check", "m.json"}, {.redirections = "> >(true)"}).exit_code, 0) << "a closed pipe is no fault";
}

TEST_F(Environment, K6HelpAndListsThatCannotBeWritten) {
  for (const std::vector<std::string>& args : {std::vector<std::string>{"--help"}, {"--version"}, {"ops"}, {"gradcheck", "m.json"}})
    EXPECT_EQ(folder.run(args, {.redirections = ">/dev/full"}).exit_code, 6) << args[0];
}

// C9: there is no training without a loss, and several are added.
TEST_F(Environment, C9NoLossOrTwo) {
  folder.write("m.json", replaced(tiny, R"("loss": "binary_crossentropy", "metrics": ["accuracy"],)", R"("loss": [],)"));
  expect_fault(folder.run({"train", "m.json", "--out", "run"}), 3, {"m.json: ", "no training without 'loss'"});
  folder.write("m.json", replaced(tiny, R"("loss": "binary_crossentropy")",
                                  R"("loss": ["binary_crossentropy", {"type": "mean_squared_error", "weight": 0.5}])"));
  EXPECT_EQ(folder.run({"train", "m.json", "--out", "run"}).exit_code, 0);
}

// A limit of the file size is a fault of the system, and nothing is left half-written.
TEST_F(Environment, FilesThatMayNotGrow) {
  Result r = folder.run({"m.json", "-o", "m.so"}, {.limits = {"-f 4"}});
  EXPECT_EQ(r.exit_code, 6) << r.err;
  EXPECT_FALSE(folder.has("m.so"));
}

TEST_F(Environment, K7NoHomeNoTemporaryFolder) {
  RunOptions bare;
  bare.env = {{"HOME", ""}, {"TMPDIR", "/nonexistent"}};
  EXPECT_EQ(train("run", bare).exit_code, 0);
  EXPECT_EQ(folder.run({"m.json", "-o", "m.so"}, bare).exit_code, 0);
}

TEST_F(Environment, K9BadThreadNumbersAreIgnoredWithOneWarning) {
  std::string expected = plain();
  for (const char* value : {"0", "-3", "abc", "99999999999", "40000"}) {
    RunOptions options;
    options.env["OMP_NUM_THREADS"] = value;
    std::string out = std::string("run") + value;
    Result r = train(out, options);
    EXPECT_EQ(r.exit_code, 0) << value;
    ASSERT_EQ(lines_of(r.err).size(), 1u) << r.err;
    EXPECT_NE(r.err.find(std::string("warning: OMP_NUM_THREADS is '") + value + "'"), std::string::npos) << r.err;
    EXPECT_TRUE(folder.read(out + "/last.safetensors") == expected) << value;
  }
}

TEST_F(Environment, K9GoodThreadNumbersAreSilent) {
  for (const char* value : {"1", "2,4", "1000"}) {
    RunOptions options;
    options.env = {{"OMP_NUM_THREADS", value}, {"OMP_STACKSIZE", "1"}}; // K11: kilobytes
    Result r = train(std::string("run") + value, options);
    EXPECT_EQ(r.exit_code, 0) << value << r.err;
    EXPECT_EQ(r.err, "") << value;
  }
}

// Address sanitizer takes terabytes of addresses and much stack.
#ifdef __SANITIZE_ADDRESS__
constexpr bool limits_tell = false;
#else
constexpr bool limits_tell = true;
#endif

// From the least address space in which the program starts upwards, something else is lacking each time: a fault of the
// environment, never a crash.
TEST_F(Environment, K13AddressSpace) {
  if (!limits_tell) GTEST_SKIP();
  int kib = 40000;
  while (folder.run({"--version"}, {.limits = {"-v " + std::to_string(kib)}}).exit_code != 0 && kib < 4000000)
    kib += 4000;
  for (int more : {0, 4000, 8000, 16000, 32000, 64000, 128000}) {
    std::string limit = "-v " + std::to_string(kib + more);
    Result r = train("run", {.limits = {limit}});
    EXPECT_EQ(r.signal, 0) << limit << r.err;
    EXPECT_TRUE(r.exit_code == 0 || r.exit_code == 7) << limit << ": " << r.exit_code << r.err;
    EXPECT_LE(lines_of(r.err).size(), 1u) << r.err;
    fs::remove_all(folder.path("run"));
  }
}

TEST_F(Environment, K13Descriptors) {
  EXPECT_EQ(train("ten", {.limits = {"-n 10"}}).exit_code, 0);
  Result r = train("four", {.limits = {"-n 4"}});
  expect_fault(r, 6, {"'four'", "Too many open files"});
}

TEST_F(Environment, K13SmallStack) {
  if (!limits_tell) GTEST_SKIP();
  expect_fault(train("run", {.limits = {"-s 64"}}), 7, {"stack", "64 KiB", "ulimit -s"});
}

// 400 MB of parameters, and as much again for their gradients, in an address space of 500 MB.
TEST_F(Environment, K13AnArrayLargerThanTheAddressSpace) {
  if (!limits_tell) GTEST_SKIP();
  folder.write("m.json", graph_model(R"({"op":"matvec","inputs":["x","w"],"output":"p"})", "p",
                                     R"("w": { "shape": [3] }, "u": { "shape": [100000000] })"));
  folder.write("d.json", R"({ "train": { "format": "synthetic", "generator": "random_uniform", "samples": 9 } })");
  Result r = folder.run({"train", "m.json", "--data", "d.json", "--out", "run", "-q"}, {.limits = {"-v 500000"}});
  EXPECT_EQ(r.signal, 0) << r.err;
  EXPECT_EQ(r.exit_code, 7) << r.err;
}

TEST_F(Environment, K22ModesFollowTheMask) {
  ASSERT_EQ(train("private", {.umask = "077"}).exit_code, 0);
  ASSERT_EQ(train("open", {.umask = "000"}).exit_code, 0);
  EXPECT_EQ(mode("private/last.safetensors"), 0600u);
  EXPECT_EQ(mode("private/history.jsonl"), 0600u);
  EXPECT_EQ(mode("open/last.safetensors"), 0666u);
  folder.run({"m.json", "-o", "m.so"}, {.umask = "022"});
  EXPECT_EQ(mode("m.so"), 0755u);
}

TEST_F(Environment, M9AWorldWritableStepIsRefused) {
  folder.run({"m.json", "-o", "m.so"}, {.umask = "000"});
  Result r = folder.run({"train", "m.so", "--out", "run"});
  expect_fault(r, 5, {"world-writable", "refused"});
  RunOptions trusting;
  trusting.env["DLCC_TRUST_ANY"] = "1";
  EXPECT_EQ(folder.run({"train", "m.so", "--out", "run"}, trusting).exit_code, 0);
}

} // namespace
} // namespace dlcc::cli_tests

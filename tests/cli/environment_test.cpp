// Row K of the list of bad inputs, M9 and M12: what the machine, its variables and limits, its file systems and other
// users do to a run.
#include "tests/cli/models.h"
#include "tests/cli/program.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <regex>
#include <sys/stat.h>
#include <unistd.h>

namespace dlcc::cli_tests {
namespace {

namespace fs = std::filesystem;

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
  expect_refused(folder, {"train", "m.json", "--out", "run"}, 3,
                 "m.json:6:11: error: nothing to train: the model has no trainable parameter [nothing-to-train]");
  EXPECT_FALSE(folder.has("run"));
  EXPECT_EQ(folder.run({"m.json", "-o", "m.so"}).exit_code, 0);
}

const std::string no_training =
    "m.json: error: no training without 'loss' and 'optimizer', expected both [nothing-to-train]";

TEST_F(Environment, NoOptimizerNoTraining) {
  folder.write("m.json", replaced(tiny, R"("optimizer": { "type": "adam", "learning_rate": 0.01 },)", ""));
  expect_refused(folder, {"train", "m.json", "--out", "run"}, 3, no_training);
}

// Sent while it waits for its model on standard input, as soon as it ignores the signal.
TEST_F(Environment, AWishForACheckpointBeforeTrainingKillsNothing) {
  Running run(folder, {"train", "-", "--out", "run"}, {.input = tiny});
  ASSERT_TRUE(run.wait_for_signal_set("SigIgn", SIGUSR1, true));
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
  expect_refused(folder, {"check", "m.json"}, 6,
                 "<stdout>: error: cannot write: No space left on device [cannot-write]",
                 {.redirections = ">/dev/full"});
  EXPECT_EQ(folder.run({"check", "m.json"}, {.redirections = "> >(true)"}).exit_code, 0) << "a closed pipe is no fault";
}

TEST_F(Environment, K6HelpAndListsThatCannotBeWritten) {
  for (const std::vector<std::string>& args :
       {std::vector<std::string>{"--help"}, {"--version"}, {"ops"}, {"gradcheck", "m.json"}})
    EXPECT_EQ(folder.run(args, {.redirections = ">/dev/full"}).exit_code, 6) << args[0];
}

// C9: there is no training without a loss, and several are added.
TEST_F(Environment, C9NoLossOrTwo) {
  folder.write("m.json",
               replaced(tiny, R"("loss": "binary_crossentropy", "metrics": ["accuracy"],)", R"("loss": [],)"));
  expect_refused(folder, {"train", "m.json", "--out", "run"}, 3, no_training);
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
    EXPECT_EQ(r.err, std::string("dlcc: warning: OMP_NUM_THREADS is '") + value +
                         "', expected a number of threads from 1 to 1000; ignored [environment]\n");
    EXPECT_TRUE(folder.read(out + "/last.safetensors") == expected) << value;
  }
}

TEST_F(Environment, K9AnEmptyThreadNumberIsIgnoredWithOneWarning) {
  Result r = train("run", {.launcher = {"/usr/bin/env", "OMP_NUM_THREADS="}});
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.err, "dlcc: warning: OMP_NUM_THREADS is '', expected a number of threads from 1 to 1000; ignored "
                   "[environment]\n");
}

TEST_F(Environment, K9GoodThreadNumbersAreSilent) {
  for (const char* value : {"1", "2,4", "1000"}) {
    Result r = train(std::string("run") + value, {.env = {{"OMP_NUM_THREADS", value}}});
    EXPECT_EQ(r.exit_code, 0) << value << r.err;
    EXPECT_EQ(r.err, "") << value;
  }
}

// From the least address space in which the program starts upwards, something else is lacking each time: a fault of the
// environment, never a crash.
TEST_F(Environment, K13AddressSpace) {
  if (sanitized) GTEST_SKIP() << "sanitizers need more than the limits leave";
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

// Ten descriptors are enough. Where they are not, no file is at fault.
TEST_F(Environment, K13Descriptors) {
  if (sanitized) GTEST_SKIP() << "a sanitizer looks at memory through a pipe";
  folder.run({"m.json", "-o", "m.so"});
  EXPECT_EQ(train("ten", {.limits = {"-n 10"}}).exit_code, 0);
  const RunOptions one_free{.limits = {"-n 4"}};
  expect_fault(train("run", one_free), 7, "dlcc: error: cannot read the folder 'run': Too many open files [resources]");
  expect_refused(folder, {"m.json", "-o", "n.so"}, 7,
                 "dlcc: error: cannot create a temporary file for 'n.so': Too many open files [cannot-write]",
                 one_free);
  expect_refused(folder, {"inspect", "m.so"}, 7,
                 "dlcc: error: cannot load '" + folder.path("m.so").string() + "': Too many open files [DLCC_E_NOMEM]",
                 one_free);
}

TEST_F(Environment, K13DescriptorsForData) {
  if (sanitized) GTEST_SKIP() << "a sanitizer looks at memory through a pipe";
  folder.write("c.json", from_csv);
  folder.write("t.csv", "a,b,y\n1,2,3\n4,5,6\n");
  ASSERT_EQ(folder.run({"train", "c.json", "--out", "run"}).exit_code, 0);
  expect_refused(folder, {"eval", "c.json", "-q", "--weights", "run/last.safetensors"}, 7,
                 "t.csv: error: cannot open: Too many open files [open]", {.limits = {"-n 4"}});
}

// The run goes on as with a full disk, and ends with what it lacked.
TEST_F(Environment, K13DescriptorsForSaving) {
  if (sanitized) GTEST_SKIP() << "a sanitizer looks at memory through a pipe";
  for (const char* limit : {"-n 6", "-n 7"}) {
    Result r = train(std::string("run") + limit, {.limits = {limit}});
    EXPECT_EQ(r.exit_code, 7) << limit << r.err;
    EXPECT_NE(r.err.find("Too many open files"), std::string::npos) << r.err;
  }
}

TEST_F(Environment, K13SmallStack) {
  if (sanitized) GTEST_SKIP() << "sanitizers need more than the limits leave";
  expect_refused(folder, {"train", "m.json", "--out", "run"}, 7,
                 "dlcc: error: the stack is limited to 64 KiB, expected at least 512 KiB (ulimit -s) [stack-limit]",
                 {.limits = {"-s 64"}});
}

// 400 MB of parameters, and as much again for their gradients, in an address space of 500 MB.
TEST_F(Environment, K13AnArrayLargerThanTheAddressSpace) {
  if (sanitized) GTEST_SKIP() << "sanitizers need more than the limits leave";
  folder.write("m.json", graph_model(R"({"op":"matvec","inputs":["x","w"],"output":"p"})", "p",
                                     R"("w": { "shape": [3] }, "u": { "shape": [100000000] })"));
  folder.write("d.json", R"({ "train": { "format": "synthetic", "generator": "random_uniform", "samples": 9 } })");
  Result r = folder.run({"train", "m.json", "--data", "d.json", "--out", "run", "-q"}, {.limits = {"-v 500000"}});
  EXPECT_EQ(r.signal, 0) << r.err;
  EXPECT_EQ(r.exit_code, 7) << r.err;
}

// A control group for the test, with that much memory, where this user and machine allow it; removed at the end.
class MemoryGroup {
public:
  explicit MemoryGroup(int64_t bytes) {
    for (const auto& [root, limit] :
         {std::pair{"/sys/fs/cgroup/memory", "memory.limit_in_bytes"}, {"/sys/fs/cgroup", "memory.max"}}) {
      path_ = std::string(root) + "/dlcc-test-" + std::to_string(getpid());
      if (mkdir(path_.c_str(), 0755) != 0) continue;
      std::ofstream file(path_ + "/" + limit, std::ios::in);
      if (file << bytes << std::flush) return;
      rmdir(path_.c_str());
    }
    path_.clear();
  }
  ~MemoryGroup() { rmdir(path_.c_str()); }
  MemoryGroup(const MemoryGroup&) = delete;
  MemoryGroup& operator=(const MemoryGroup&) = delete;

  bool there() const { return !path_.empty(); }
  RunOptions options() const {
    const std::string enter = "echo $$ > " + path_ + "/cgroup.procs && exec \"$0\" \"$@\"";
    return {.launcher = {"/bin/sh", "-c", enter}};
  }

private:
  std::string path_;
};

// Without a limit of its own, dlcc takes that of its control group for one, before the system ends it.
TEST_F(Environment, K13AControlGroup) {
  MemoryGroup group(256 << 20);
  if (!group.there()) GTEST_SKIP() << "no control group of memory can be made here";
  if (sanitized) GTEST_SKIP() << "sanitizers need more than the limit leaves";
  EXPECT_EQ(train("small", group.options()).exit_code, 0);
  folder.write("m.json", graph_model(R"({"op":"matvec","inputs":["x","w"],"output":"p"})", "p",
                                     R"("w": { "shape": [3] }, "u": { "shape": [100000000], "trainable": false })"));
  expect_fault_with(folder.run({"m.json", "-o", "m.so"}, group.options()), 7,
                    {"m.json: error: the model needs 381 MiB, expected at most ",
                     " MiB; see --memory-limit; largest: 'u' 381 MiB, '"});
  EXPECT_FALSE(folder.has("m.so"));
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
  expect_refused(folder, {"train", "m.so", "--out", "run"}, 5,
                 "dlcc: error: '" + folder.path("m.so").string() +
                     "' is world-writable, refused (DLCC_TRUST_ANY=1 loads it anyway) [DLCC_E_TRUST]");
  RunOptions trusting;
  trusting.env["DLCC_TRUST_ANY"] = "1";
  EXPECT_EQ(folder.run({"train", "m.so", "--out", "run"}, trusting).exit_code, 0);
}

// K11: generated code leaves the little stack that OMP_STACKSIZE may give a thread to the OpenMP runtime.
TEST_F(Environment, K11GeneratedCodeNeedsLittleStack) {
  const std::regex frame(R"(subq\s+\$(\d+), %rsp)");
  for (const char* example : {"binary_regularized", "mnist_mlp", "sklearn_mlp"}) {
    const std::string text = folder.run({std::string(DLCC_EXAMPLES "/") + example + ".json", "-S"}).out;
    int largest = 0;
    for (std::sregex_iterator i(text.begin(), text.end(), frame), end; i != end; ++i)
      largest = std::max(largest, std::stoi((*i)[1]));
    EXPECT_GT(largest, 0) << example;
    EXPECT_LT(largest, 8192) << example;
  }
}

// The OpenMP runtime would say that a kilobyte is too little.
TEST_F(Environment, K11StackSizesAreNotPassedOn) {
  const std::string expected = plain();
  Result r = train("run", {.env = {{"OMP_STACKSIZE", "1"}, {"OMP_NUM_THREADS", "4"}}}); // kilobytes
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.err, "");
  EXPECT_TRUE(folder.read("run/last.safetensors") == expected);
}

// Code is made by the threads that can start, and by this one; it is the same code.
TEST_F(Environment, ThreadsThatCannotStartAreNotMissed) {
  if (sanitized) GTEST_SKIP() << "a sanitizer's runtime must be loaded first";
  ASSERT_EQ(folder.run({"m.json", "-o", "m.so"}).exit_code, 0);
  for (int from : {1, 2, 3}) {
    const Result r = folder.run({"m.json", "-o", "few.so"}, {.env = at_call(from, "no-thread")});
    EXPECT_EQ(r.exit_code, 0) << r.err;
    EXPECT_TRUE(folder.read("few.so") == folder.read("m.so")) << "from thread " << from;
  }
}

// Large enough for threads.
const std::string wide =
    replaced(replaced(tiny, "\"units\": 8", "\"units\": 512"), "\"batch_size\": 16", "\"batch_size\": 54");

TEST_F(Environment, K15AnOpenMpRuntimeThatCannotBeLoaded) {
  folder.write("m.json", wide);
  ASSERT_EQ(folder.run({"m.json", "-o", "m.so"}).exit_code, 0);
  ASSERT_EQ(folder.run({"m.json", "-o", "host.so", "--openmp-from-host"}).exit_code, 0);
  fs::create_directory(folder.path("lib"));
  for (const char* name : {"libgomp.so.1", "libomp.so.5", "libomp.so"})
    folder.write(std::string("lib/") + name, "no library");
  const RunOptions broken{.env = {{"LD_LIBRARY_PATH", folder.path("lib").string()}}};
  const std::string here = folder.path().string(), what = "it needs an OpenMP runtime, libgomp.so.1 or libomp.so.5: ";
  expect_refused(folder, {"train", "m.json", "--out", "run"}, 7,
                 "dlcc: error: no OpenMP runtime has GOMP_parallel, expected libgomp.so.1 or libomp.so [no-openmp]",
                 broken);
  expect_refused(folder, {"train", "m.so", "--out", "run"}, 7,
                 "dlcc: error: cannot load '" + here + "/m.so': " + what + here +
                     "/lib/libgomp.so.1: file too short [DLCC_E_CPU]",
                 broken);
  expect_fault_with(
      folder.run({"train", "host.so", "--out", "run"}, broken), 7,
      {"dlcc: error: cannot load '" + here + "/host.so': " + what, "undefined symbol: GOMP_", "[DLCC_E_CPU]"});
}

TEST_F(Environment, K15TwoOpenMpRuntimes) {
  if (sanitized) GTEST_SKIP() << "a sanitizer's runtime must be loaded first";
  Result r = train("run", {.env = {{"LD_PRELOAD", OTHER_OPENMP}}});
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.err, "dlcc: warning: two OpenMP runtimes (libgomp and libomp) are in this process; their threads may "
                   "oversubscribe the CPUs [session]\n");
}

TEST_F(Environment, M12AFileSystemMountedNoexec) {
  if (std::system("unshare -m true 2>/dev/null") != 0) GTEST_SKIP() << "this user may not mount";
  ASSERT_EQ(folder.run({"m.json", "-o", "m.so"}).exit_code, 0);
  fs::create_directory(folder.path("noexec"));
  const std::string mount = "mount -t tmpfs -o noexec,mode=755 none noexec && cp m.so noexec && exec \"$0\" \"$@\"";
  expect_refused(folder, {"train", "noexec/m.so", "--out", "run"}, 5,
                 "dlcc: error: cannot load '" + folder.path("noexec/m.so").string() +
                     "': its file system is mounted noexec: Operation not permitted [DLCC_E_CORRUPT]",
                 {.launcher = {"/usr/bin/unshare", "-m", "/bin/sh", "-c", mount}});
}

// dlcc run by a user who owns nothing in a folder of root's. Only root can start it so.
class AnotherUser : public Environment {
protected:
  void SetUp() override {
    Environment::SetUp();
    chmod(folder.path().c_str(), 0755);
    if (folder.run({"--version"}, nobody).exit_code != 0) GTEST_SKIP() << "cannot run dlcc as user 65534";
  }
  void refused(const std::vector<std::string>& args, int exit_code, const std::string& line) {
    expect_refused(folder, args, exit_code, line, nobody);
  }
  const RunOptions nobody{
      .launcher = {"/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs"}};
};

TEST_F(AnotherUser, K22CannotWriteWhereRootMay) {
  refused({"m.json", "-o", "m.so"}, 6,
          "dlcc: error: cannot create a temporary file for 'm.so': Permission denied [cannot-write]");
  refused({"train", "m.json", "--out", "run"}, 6, "dlcc: error: cannot make the folder 'run': Permission denied [io]");
  ASSERT_EQ(train("run", {}).exit_code, 0);
  refused({"train", "m.json", "--out", "run", "--resume"}, 6,
          "dlcc: error: cannot open 'run/.lock': Permission denied [io]");
}

TEST_F(AnotherUser, K22CannotReadWhatRootKeepsSecret) {
  folder.write("c.json", from_csv);
  folder.write("t.csv", "a,b,y\n1,2,3\n4,5,6\n");
  ASSERT_EQ(folder.run({"train", "c.json", "--out", "run"}, {.umask = "077"}).exit_code, 0);
  chmod(folder.path("run").c_str(), 0755);
  refused({"predict", "c.json", "--weights", "run/last.safetensors"}, 6,
          "dlcc: error: cannot open 'run/last.safetensors': Permission denied [io]");
  chmod(folder.path("run/last.safetensors").c_str(), 0644);
  EXPECT_EQ(folder.run({"predict", "c.json", "--weights", "run/last.safetensors"}, nobody).exit_code, 0);
  chmod(folder.path("t.csv").c_str(), 0);
  refused({"predict", "c.json", "-q", "--weights", "run/last.safetensors"}, 6,
          "t.csv: error: cannot open: Permission denied [open]");
  chmod(folder.path("m.json").c_str(), 0);
  refused({"check", "m.json"}, 6, "m.json: error: cannot open: Permission denied [cannot-read]");
}

// M9: code that root put there is trusted, code of somebody else's is not.
TEST_F(AnotherUser, M9StepsOfOthers) {
  ASSERT_EQ(folder.run({"m.json", "-o", "m.so"}, {.umask = "022"}).exit_code, 0);
  EXPECT_EQ(folder.run({"inspect", "m.so"}, nobody).exit_code, 0);
  ASSERT_EQ(chown(folder.path("m.so").c_str(), 12345, static_cast<gid_t>(-1)), 0);
  const std::string line = "dlcc: error: '" + folder.path("m.so").string() +
                           "' belongs to user 12345, refused (DLCC_TRUST_ANY=1 loads it anyway) [DLCC_E_TRUST]";
  refused({"inspect", "m.so"}, 5, line);
  expect_refused(folder, {"inspect", "m.so"}, 5, line);
}

} // namespace
} // namespace dlcc::cli_tests

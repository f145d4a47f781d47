// Row J and signals: what a run leaves behind when it is stopped, killed or damaged, and how the next one goes on.
#include "tests/cli/models.h"
#include "tests/cli/program.h"

#include <gtest/gtest.h>

#include <csignal>

namespace dlcc::cli_tests {
namespace {

namespace fs = std::filesystem;

class Interrupted : public testing::Test {
protected:
  void SetUp() override { folder.write("m.json", tiny); }
  Result train(const std::string& out, const std::vector<std::string>& more = {}) {
    std::vector<std::string> args = {"train", "m.json", "-q", "--out", out};
    args.insert(args.end(), more.begin(), more.end());
    return folder.run(args);
  }
  std::string history(const std::string& out) { return without_seconds(folder.read(out + "/history.jsonl")); }
  std::string last(const std::string& out) { return folder.read(out + "/last.safetensors"); }
  Folder folder;
};

// Killed where it happens to be, again and again, until it is through: every bit and every line as if never stopped.
TEST_F(Interrupted, KilledAndResumedIsAsUninterrupted) {
  const std::vector<std::string> more = {"--epochs", "300", "--checkpoint-every", "7steps"};
  ASSERT_EQ(train("whole", more).exit_code, 0);
  int killed = 0;
  for (int attempt = 0; attempt < 8; ++attempt) {
    std::vector<std::string> args = {"train", "m.json", "-q", "--out", "pieces"};
    args.insert(args.end(), more.begin(), more.end());
    bool there = folder.has("pieces/last.safetensors") || folder.has("pieces/ckpt-00000007.safetensors");
    for (const auto& entry : folder.snapshot()) there = there || entry.first.starts_with("pieces/ckpt-");
    if (there) args.push_back("--resume");
    std::string reached = "\"epoch\":" + std::to_string(20 + 35 * attempt) + ",";
    Running run(folder, args);
    ASSERT_TRUE(run.wait_for_file("pieces/history.jsonl", reached)) << reached;
    run.send(SIGKILL);
    Result r = run.finish();
    killed += r.signal == SIGKILL;
    if (r.exit_code == 0) break;
  }
  EXPECT_GT(killed, 0) << "the run was always through before it was killed";
  if (Result r = train("pieces", {"--epochs", "300", "--checkpoint-every", "7steps", "--resume"}); r.exit_code != 0)
    ADD_FAILURE() << r.err;
  EXPECT_TRUE(last("pieces") == last("whole")) << "checkpoints differ";
  EXPECT_EQ(history("pieces"), history("whole"));
  for (const auto& entry : folder.snapshot()) EXPECT_EQ(entry.first.find(".tmp."), std::string::npos) << entry.first;
}

TEST_F(Interrupted, K18ASignalSavesAndSaysHowToGoOn) {
  for (auto [signal, code, name] :
       {std::tuple{SIGINT, 130, "SIGINT"}, {SIGTERM, 143, "SIGTERM"}, {SIGHUP, 129, "SIGHUP"}}) {
    std::string out = std::string("run-") + name;
    Running run(folder, {"train", "m.json", "--epochs", "100000000", "--out", out});
    ASSERT_TRUE(run.wait_for_file(out + "/history.jsonl", "\"epoch\":2,"));
    run.send(signal);
    Result r = run.finish();
    EXPECT_EQ(r.exit_code, code) << name;
    std::vector<std::string> lines = lines_of(r.err);
    ASSERT_GE(lines.size(), 2u);
    EXPECT_NE(lines[lines.size() - 2].find(std::string("stopped by ") + name), std::string::npos)
        << lines[lines.size() - 2];
    EXPECT_NE(lines.back().find(" train m.json --epochs 100000000 --out " + out + " --resume"), std::string::npos)
        << lines.back();
    Result inspected = folder.run({"inspect", out + "/last.safetensors"});
    EXPECT_EQ(inspected.exit_code, 0) << inspected.err;
    EXPECT_EQ(folder.run({"train", "m.json", "-q", "--steps", "1", "--out", out, "--resume"}).exit_code, 0);
  }
}

TEST_F(Interrupted, J1ACheckpointOfAnotherModelIsRefused) {
  ASSERT_EQ(train("run").exit_code, 0);
  folder.write("m.json", replaced(tiny, "\"units\": 8", "\"units\": 9"));
  auto before = folder.snapshot();
  expect_fault(
      train("run", {"--resume"}), 5,
      {"checkpoint of another model", "fingerprint", "'param/hidden/kernel' is f32 [4, 8] there and f32 [4, 9] here"});
  auto after = folder.snapshot();
  before.erase("run/.lock"), after.erase("run/.lock"); // says who was last
  EXPECT_TRUE(after == before);
}

TEST_F(Interrupted, J3EvalUsesTheNewestWhereTheBestIsDamaged) {
  ASSERT_EQ(train("run").exit_code, 0);
  folder.write("run/best.safetensors", folder.read("run/best.safetensors").substr(0, 700));
  Result r = folder.run({"eval", "m.json", "--weights", "run", "--on", "train"});
  EXPECT_EQ(r.exit_code, 0) << r.err;
  EXPECT_NE(r.err.find("warning: 'run/best.safetensors': corrupt"), std::string::npos) << r.err;
  EXPECT_NE(r.err.find("weights of 'run/last.safetensors'"), std::string::npos) << r.err;
}

TEST_F(Interrupted, J3DamageIsSeenAndTheGoodOneBeforeIsUsed) {
  ASSERT_EQ(train("run", {"--checkpoint-every", "1epochs"}).exit_code, 0);
  const std::string good = last("run");
  for (size_t size = 0; size < good.size(); size += 512) {
    folder.write("run/last.safetensors", good.substr(0, size));
    Result r = train("run", {"--resume", "--epochs", "3"});
    EXPECT_EQ(r.exit_code, 0) << size << ": " << r.err;
    EXPECT_NE(r.err.find("warning: 'run/last.safetensors': corrupt"), std::string::npos) << size << ": " << r.err;
    EXPECT_NE(r.err.find("using 'run/ckpt-00000012.safetensors' instead"), std::string::npos) << size << ": " << r.err;
    folder.write("torn.safetensors", good.substr(0, size));
    expect_fault(folder.run({"inspect", "torn.safetensors"}), 5, {"corrupt"});
  }
}

TEST_F(Interrupted, J11TwoTrainersDoNotShareAFolder) {
  Running first(folder, {"train", "m.json", "-q", "--epochs", "100000000", "--out", "run"});
  ASSERT_TRUE(first.wait_for_file("run/history.jsonl", "\"epoch\":2,"));
  expect_fault(train("run", {"--resume"}), 5, {"'run' is in use by pid " + std::to_string(first.pid())});
  first.send(SIGTERM);
  EXPECT_EQ(first.finish().exit_code, 143);
}

TEST_F(Interrupted, NothingIsOverwrittenNorInvented) {
  ASSERT_EQ(train("run").exit_code, 0);
  auto before = folder.snapshot();
  expect_fault(train("run"), 5, {"'run' holds checkpoints already", "--resume"});
  expect_fault(train("nothing", {"--resume"}), 5, {"'nothing'", "to resume from"});
  EXPECT_TRUE(folder.snapshot() == before);
}

TEST_F(Interrupted, J13TemporaryFilesOfTheDeadAreRemoved) {
  ASSERT_EQ(train("run").exit_code, 0);
  folder.write("run/.last.safetensors.tmp.999999999.1", "half");
  folder.write("run/notes.tmp", "mine");
  ASSERT_EQ(train("run", {"--resume", "--epochs", "4"}).exit_code, 0);
  EXPECT_FALSE(folder.has("run/.last.safetensors.tmp.999999999.1"));
  EXPECT_TRUE(folder.has("run/notes.tmp"));
}

TEST_F(Interrupted, J15OtherDataAreRefusedUnlessForced) {
  ASSERT_EQ(train("run").exit_code, 0);
  folder.write("m.json", replaced(tiny, "\"seed\": 3", "\"seed\": 4"));
  Result r = train("run", {"--resume", "--epochs", "4"});
  EXPECT_EQ(r.exit_code, 5) << r.err;
  std::string line = lines_of(r.err).empty() ? "" : lines_of(r.err).back();
  for (const char* word : {"error: ", "data differ", "--force-data"})
    EXPECT_NE(line.find(word), std::string::npos) << r.err;
  EXPECT_EQ(train("run", {"--resume", "--epochs", "4", "--force-data"}).exit_code, 0);
}

} // namespace
} // namespace dlcc::cli_tests

// Row J and signals: what a run leaves behind when it is stopped, killed or damaged, and how the next one goes on.
#include "runtime/core/checkpoint.h"
#include "tests/cli/models.h"
#include "tests/cli/program.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
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
  std::string step_of(const std::string& file) {
    return *runtime::CheckpointFile(folder.path(file)).meta("dlcc.batches");
  }
  // The bytes of all tensors, one after the other.
  std::string state_of(const std::string& name) {
    runtime::CheckpointFile file(folder.path(name));
    std::string all;
    for (const runtime::StoredTensor& t : file.tensors()) {
      std::string bytes(t.bytes(), '\0');
      file.read(t, bytes.data());
      all += t.name + bytes;
    }
    return all;
  }
  Folder folder;
};

// Killed at one moment after the other, until it is through: every bit and every line as if never stopped.
TEST_F(Interrupted, KilledAndResumedIsAsUninterrupted) {
  const std::vector<std::string> more = {"--epochs", "60", "--checkpoint-every", "7steps"};
  ASSERT_EQ(train("whole", more).exit_code, 0);
  std::vector<std::string> args = {"train", "m.json", "-q", "--out", "pieces"};
  args.insert(args.end(), more.begin(), more.end());
  int killed = 0;
  Result r;
  for (int moment = 40; moment < 1000; moment += 61) {
    std::vector<std::string> now = args;
    const auto files = folder.snapshot();
    if (std::any_of(files.begin(), files.end(),
                    [](const auto& f) { return f.first.starts_with("pieces/") && f.first.ends_with(".safetensors"); }))
      now.push_back("--resume");
    r = folder.run(now, {.env = at_call(moment, "signal 9")});
    if (r.signal != SIGKILL) break;
    ++killed;
  }
  EXPECT_EQ(r.exit_code, 0) << r.signal << r.err;
  EXPECT_GT(killed, 4);
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

// At any moment: while it loads, trains, saves or ends. Nothing is lost that was saved, and what is saved goes on.
TEST_F(Interrupted, K18SignalsAtEveryMoment) {
  ASSERT_EQ(folder.run({"m.json", "-o", "m.so"}).exit_code, 0);
  const std::vector<std::string> args = {"train", "m.so", "-q", "--out", "run", "--checkpoint-every", "7steps"};
  ASSERT_EQ(folder.run(args).exit_code, 0);
  std::vector<std::string> endless = args; // a line of the log every step: calls between the steps
  endless.insert(endless.end(), {"--resume", "--epochs", "100000000", "--log-every", "1"});
  int saved = 0, unheard = 0;
  for (int moment = 1; moment <= 100; ++moment) {
    const int signal = std::array{SIGINT, SIGTERM, SIGHUP}[static_cast<size_t>(moment % 3)];
    const std::string before = last("run");
    Result r = folder.run(endless, {.env = at_call(moment, "signal " + std::to_string(signal))});
    EXPECT_TRUE(r.exit_code == 128 + signal || r.signal == signal) << r.exit_code << " " << r.signal << r.err;
    EXPECT_TRUE(r.signal == 0 || last("run") == before) << "it ended before it listened";
    saved += r.exit_code == 128 + signal;
    unheard += r.signal == signal;
  }
  EXPECT_GT(saved, 50);
  EXPECT_GT(unheard, 0);
  for (const auto& [name, bytes] : folder.snapshot()) {
    if (!name.ends_with(".safetensors")) continue;
    EXPECT_EQ(folder.run({"inspect", name}).exit_code, 0) << name;
  }
  // Up to the middle of an epoch: at its end, a signal in the validation comes before the metrics are reset.
  const std::string goal = std::to_string(std::stoi(step_of("run/last.safetensors")) / 4 * 4 + 6);
  ASSERT_EQ(train("run", {"--resume", "--steps", goal}).exit_code, 0);
  ASSERT_EQ(train("whole", {"--steps", goal}).exit_code, 0);
  EXPECT_EQ(step_of("run/last.safetensors"), goal);
  EXPECT_TRUE(state_of("run/last.safetensors") == state_of("whole/last.safetensors")) << "another state after " << goal;
}

// The first signal waits for the step and saves. The second one, which comes before the step is over, does not.
TEST_F(Interrupted, K18ASecondSignalEndsAtOnce) {
  const std::vector<std::string> args = {"train", "m.json", "-q", "--out", "run", "--log-every", "1"};
  ASSERT_EQ(folder.run(args).exit_code, 0);
  std::vector<std::string> endless = args;
  endless.insert(endless.end(), {"--resume", "--epochs", "100000000"});
  int ended = 0;
  for (int moment = 20; moment < 80; moment += 7) {
    const std::string before = last("run");
    Result r = folder.run(endless, {.env = at_call(moment, "signal 2 15")});
    ended += r.exit_code == 143;
    EXPECT_TRUE(r.exit_code == 143 || r.signal == SIGINT) << r.exit_code << r.err;
    EXPECT_EQ(r.err, "") << moment;
    EXPECT_TRUE(last("run") == before) << "the step was waited for";
  }
  EXPECT_GT(ended, 4);
}

// J7: the folder goes away under the run. (Moved, not deleted: that would race with files being made.)
TEST_F(Interrupted, J7AFolderDeletedDuringTraining) {
  Running run(folder, {"train", "m.json", "-q", "--epochs", "100000000", "--out", "run"});
  ASSERT_TRUE(run.wait_for_file("run/history.jsonl", "\"epoch\":2,"));
  fs::rename(folder.path("run"), folder.path("gone"));
  run.send(SIGTERM);
  Result r = run.finish();
  EXPECT_EQ(r.exit_code, 6);
  for (const char* word : {"No such file or directory [io]", "safetensors' was not saved; training goes on [save]",
                           "stopped by SIGTERM after step ", "; nothing was saved\n"})
    EXPECT_NE(r.err.find(word), std::string::npos) << r.err;
}

TEST_F(Interrupted, J1ACheckpointOfAnotherModelIsRefused) {
  ASSERT_EQ(train("run").exit_code, 0);
  folder.write("m.json", replaced(tiny, "\"units\": 8", "\"units\": 9"));
  auto before = folder.snapshot();
  expect_fault_with(
      train("run", {"--resume"}), 5,
      {"checkpoint of another model", "fingerprint",
       "'param/hidden/kernel' is f32 [4, 8] there and f32 [4, 9] here; layers.0.units is 8 there and 9 here"});
  auto after = folder.snapshot();
  before.erase("run/.lock"), after.erase("run/.lock"); // says who was last
  EXPECT_TRUE(after == before);
}

// The tensors may agree: then it is a key, and there may be an option for it.
TEST_F(Interrupted, AChangedKeyIsNamed) {
  ASSERT_EQ(train("run").exit_code, 0);
  const std::string again = "; --init-weights begins anew from its weights [checkpoint]\n";
  const std::pair<std::vector<std::string>, std::string> changes[] = {
      {{"--set", "optimizer.learning_rate=0.1"},
       "optimizer.learning_rate.initial is 0.01 there and 0.1 here; --learning-rate sets it for a run [checkpoint]\n"},
      {{"--batch-size", "8"}, "train.batch_size is 16 there and 8 here" + again},
      {{"--set", "loss.label_smoothing=0.1"}, "loss.0.label_smoothing is 0.0 there and 0.1 here" + again}};
  for (const auto& [change, said] : changes) {
    std::vector<std::string> args = {"--resume", "--epochs", "4"};
    args.insert(args.end(), change.begin(), change.end());
    const Result r = train("run", args);
    EXPECT_EQ(r.exit_code, 5) << r.err;
    EXPECT_TRUE(r.err.ends_with(said)) << r.err;
  }
  EXPECT_EQ(train("run", {"--resume", "--epochs", "5", "--learning-rate", "0.1"}).exit_code, 0);
}

// One warning: that file is corrupt, and that one is used instead.
void expect_instead(const Result& r, const std::string& damaged, const std::string& used) {
  EXPECT_EQ(r.exit_code, 0) << r.err;
  EXPECT_EQ(lines_of(r.err).size(), 1u) << r.err;
  EXPECT_TRUE(r.err.starts_with("dlcc: warning: '" + damaged + "': corrupt: ")) << r.err;
  EXPECT_TRUE(r.err.ends_with("; using '" + used + "' instead [checkpoint]\n")) << r.err;
}

TEST_F(Interrupted, J3EvalUsesTheNewestWhereTheBestIsDamaged) {
  ASSERT_EQ(train("run").exit_code, 0);
  const std::string good = folder.read("run/best.safetensors");
  std::string flipped = good;
  flipped[good.size() / 2] ^= 1;
  for (const std::string& bad : {good.substr(0, 700), flipped}) {
    folder.write("run/best.safetensors", bad);
    expect_instead(folder.run({"eval", "m.json", "-q", "--weights", "run", "--on", "train"}), "run/best.safetensors",
                   "run/last.safetensors");
  }
}

TEST_F(Interrupted, J3DamageIsSeenAndTheGoodOneBeforeIsUsed) {
  ASSERT_EQ(train("run", {"--checkpoint-every", "1epochs"}).exit_code, 0);
  const std::string good = last("run");
  for (size_t size = 0; size < good.size(); size += 512) {
    folder.write("run/last.safetensors", good.substr(0, size));
    expect_instead(train("run", {"--resume", "--epochs", "3"}), "run/last.safetensors",
                   "run/ckpt-00000012.safetensors");
    folder.write("torn.safetensors", good.substr(0, size));
    expect_fault_with(folder.run({"inspect", "torn.safetensors"}), 5, {"'torn.safetensors': corrupt: "});
  }
}

TEST_F(Interrupted, J11TwoTrainersDoNotShareAFolder) {
  Running first(folder, {"train", "m.json", "-q", "--epochs", "100000000", "--out", "run"});
  ASSERT_TRUE(first.wait_for_file("run/history.jsonl", "\"epoch\":2,"));
  expect_fault(train("run", {"--resume"}), 5,
               "dlcc: error: 'run' is in use by pid " + std::to_string(first.pid()) + " [checkpoint]");
  first.send(SIGTERM);
  EXPECT_EQ(first.finish().exit_code, 143);
}

TEST_F(Interrupted, NothingIsOverwrittenNorInvented) {
  ASSERT_EQ(train("run").exit_code, 0);
  expect_refused(folder, {"train", "m.json", "--out", "run"}, 5,
                 "dlcc: error: 'run' holds checkpoints already; give --resume to go on, or another --out [out]");
  expect_refused(folder, {"train", "m.json", "--out", "nothing", "--resume"}, 5,
                 "dlcc: error: there is no folder 'nothing' to resume from [resume]");
  EXPECT_FALSE(folder.has("nothing"));
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
  expect_fault_with(train("run", {"--resume", "--epochs", "4"}), 5,
                    {"dlcc: error: the training data differ from those of the checkpoint (hash ",
                     " there); --force-data goes on all the same [data-changed]"});
  EXPECT_EQ(train("run", {"--resume", "--epochs", "4", "--force-data"}).exit_code, 0);
}

} // namespace
} // namespace dlcc::cli_tests

// A run that is stopped anywhere and resumed leaves the same bytes as one that was not.
#include "tests/train/run.h"

#include "tools/train/run_folder.h"
#include "tools/train/runner.h"

#include <csignal>
#include <sys/wait.h>

namespace dlcc::training::test {

class Resume : public Train {
protected:
  void compare(const std::string& a, const std::string& b) {
    EXPECT_FALSE(read(a + "/last.safetensors").empty());
    EXPECT_EQ(read(a + "/last.safetensors"), read(b + "/last.safetensors"));
    EXPECT_EQ(read(a + "/best.safetensors"), read(b + "/best.safetensors"));
    EXPECT_EQ(read(a + "/history.csv"), read(b + "/history.csv"));
    EXPECT_EQ(log(a + "/history.jsonl"), log(b + "/history.jsonl"));
  }
};

// 22 samples in batches of 4: 6 steps an epoch, 18 in all, the last batch of an epoch short.
TEST_F(Resume, AfterEveryStepOfARun) {
  options_.log_every = 1;
  job_.train.early_stopping.emplace();
  job_.train.early_stopping->patience = 50;
  job_.train.early_stopping->restore_best = true;
  job_.schedule = ReactiveSchedule::plateau(0.05);
  job_.schedule.patience = 1;
  job_.schedule.min_delta = 10; // so that it falls
  ASSERT_EQ(run(), 0) << err_;
  EXPECT_EQ(lines("out/history.csv").size(), 4u);
  for (int64_t k = 0; k <= 18; ++k) {
    SCOPED_TRACE(k);
    RunOptions first = options_, second = options_;
    first.out = second.out = path("cut" + std::to_string(k));
    first.steps = k;
    ASSERT_EQ(run(first), 0) << err_;
    second.resume = "latest";
    ASSERT_EQ(run(second), 0) << err_;
    compare("out", "cut" + std::to_string(k));
  }
}

TEST_F(Resume, AfterASignalAtEveryStepAndInEveryValidation) {
  options_.log_every = 1;
  ASSERT_EQ(run(), 0) << err_;
  for (int at = 0; at < 18 + 9; ++at) {
    SCOPED_TRACE(at);
    RunOptions o = options_;
    o.out = path("cut" + std::to_string(at));
    int evaluations = 0;
    before_step = [&](uint64_t batch) {
      if (static_cast<int>(batch) == at) raise(SIGTERM);
    };
    before_evaluation = [&] {
      if (evaluations++ == at - 18) raise(SIGTERM);
    };
    ASSERT_EQ(run(o), 143) << err_;
    EXPECT_HAS(err_, "dlcc train tiny.json --out " + o.out + " --resume");
    before_step = nullptr;
    before_evaluation = nullptr;
    o.resume = "latest";
    ASSERT_EQ(run(o), 0) << err_;
    compare("out", "cut" + std::to_string(at));
  }
}

TEST_F(Resume, AfterBeingKilled) {
  options_.checkpoint_every = parse_checkpoint_every("5steps");
  ASSERT_EQ(run(), 0) << err_;
  RunOptions o = options_;
  o.out = path("killed");
  const pid_t child = fork();
  if (child == 0) {
    before_step = [](uint64_t batch) {
      if (batch == 13) kill(getpid(), SIGKILL);
    };
    train(job_, o);
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  // A line that was only half written, and what a run of other steps left.
  std::ofstream(path("killed/history.jsonl"), std::ios::app) << "{\"epoch\":9}\n{\"epo";
  std::ofstream(path("killed/history.csv"), std::ios::app) << "9,1,2,3,4,5\n3,";
  o.resume = "latest";
  ASSERT_EQ(run(o), 0) << err_;
  EXPECT_HAS(err_, "resuming at step 10 in");
  compare("out", "killed");
}

TEST_F(Resume, WithMoreEpochsEqualsALongerRun) {
  job_.schedule = ReactiveSchedule::adaptive(0.05);
  job_.schedule.min_delta = 1e6;
  job_.schedule.patience = 1;
  options_.epochs = 7;
  ASSERT_EQ(run(), 0) << err_;
  RunOptions o = options_;
  o.out = path("two");
  o.epochs = 4;
  ASSERT_EQ(run(o), 0) << err_;
  o.epochs = 7;
  o.resume = "latest";
  ASSERT_EQ(run(o), 0) << err_;
  compare("out", "two");
}

TEST_F(Resume, FallsBackFromADamagedCheckpoint) {
  options_.checkpoint_every = parse_checkpoint_every("1epochs");
  ASSERT_EQ(run(), 0) << err_;
  const std::string good = read("out/last.safetensors");
  std::ofstream(path("out/last.safetensors"), std::ios::binary) << good.substr(0, good.size() / 2);
  options_.resume = "latest";
  ASSERT_EQ(run(), 0) << err_;
  EXPECT_HAS(err_, "corrupt");
  EXPECT_HAS(err_, "using '" + path("out") + "/ckpt-00000018.safetensors' instead");
  EXPECT_EQ(read("out/last.safetensors"), good);
}

TEST_F(Resume, RefusesEmptyFoldersOtherDataAndForeignCheckpoints) {
  options_.resume = "latest";
  EXPECT_EQ(run(), 5);
  EXPECT_HAS(err_, "dlcc: error: there is no folder '");
  std::filesystem::create_directory(path("out"));
  EXPECT_EQ(run(), 5);
  EXPECT_HAS(err_, "holds no valid checkpoint to resume from [resume]");
  options_.resume = "best";
  EXPECT_EQ(run(), 5);
  options_.resume = "";
  ASSERT_EQ(run(), 0) << err_;
  options_.resume = "latest";
  std::ofstream(path("train.csv"), std::ios::app) << "1,1,1.5\n";
  EXPECT_EQ(run(), 5);
  EXPECT_HAS(err_, "the training data differ from those of the checkpoint (hash ");
  options_.force_data = true;
  options_.epochs = 4;
  EXPECT_EQ(run(), 0) << err_;
}

TEST_F(Resume, KeepsTheSeedOfTheRun) {
  options_.seed = 11;
  ASSERT_EQ(run(), 0) << err_;
  RunOptions o = options_;
  o.out = path("two");
  o.steps = 4;
  ASSERT_EQ(run(o), 0) << err_;
  o.steps.reset();
  o.resume = "latest";
  o.seed = 12;
  ASSERT_EQ(run(o), 0) << err_;
  EXPECT_HAS(err_, "--seed is ignored: the run that is resumed has the seed 11");
  compare("out", "two");
}

// Epochs after the checkpoint that a run goes on from are not there any more: not in the history, not in the folder.
TEST_F(Resume, FromAnEarlierCheckpointGivesUpWhatCameAfterIt) {
  options_.checkpoint_every = parse_checkpoint_every("1epochs");
  ASSERT_EQ(run(), 0) << err_;
  EXPECT_TRUE(exists("out/ckpt-00000018.safetensors"));
  options_.resume = path("out/ckpt-00000006.safetensors");
  options_.epochs = 2;
  ASSERT_EQ(run(), 0) << err_;
  EXPECT_FALSE(exists("out/ckpt-00000018.safetensors"));
  EXPECT_TRUE(exists("out/ckpt-00000012.safetensors"));
  EXPECT_TRUE(exists("out/best.safetensors"));
  RunOptions whole = options_;
  whole.resume = "";
  whole.out = path("whole");
  ASSERT_EQ(run(whole), 0) << err_;
  compare("out", "whole");
}

TEST_F(Resume, FromTheFolderOfARunOrIntoAnother) {
  options_.model_json = "{\"dlcc\": 1}\n";
  RunOptions o = options_;
  o.steps = 4;
  ASSERT_EQ(run(o), 0) << err_;
  o = options_;
  o.resume = path("out");
  o.out = path("moved");
  ASSERT_EQ(run(o), 0) << err_;
  EXPECT_HAS(err_, "resuming at step 4 in '" + path("moved"));
  EXPECT_EQ(read("moved/model.json"), options_.model_json);
  o.out = "";
  ASSERT_EQ(run(o), 0) << err_;
  EXPECT_HAS(err_, "resuming at step 4 in '" + path("out"));
  EXPECT_EQ(read("moved/last.safetensors"), read("out/last.safetensors"));
}

TEST_F(Resume, FromNothingMakesNothing) {
  options_.resume = path("out/none.safetensors");
  EXPECT_EQ(run(), 6);
  EXPECT_HAS(err_, "there is no '" + options_.resume + "' [resume]");
  EXPECT_FALSE(exists("out"));
}

TEST_F(Resume, TheCommandLeavesOutItsOwnValueOnly) {
  EXPECT_EQ(resume_command({"dlcc", "train", "--resume", "model.json", "--seed", "1"}, "out"),
            "dlcc train model.json --seed 1 --out out --resume");
  EXPECT_EQ(resume_command({"dlcc", "train", "m.json", "--resume", "a/last.safetensors", "--resume=b"}, "d"),
            "dlcc train m.json --out d --resume");
}

// The weights of the best epoch are in the session then, which are not those to go on from.
TEST_F(Resume, ASignalInTheFinalTestLeavesTheSavedStateAlone) {
  job_.train.early_stopping.emplace();
  job_.train.early_stopping->patience = 50;
  job_.train.early_stopping->restore_best = true;
  ASSERT_EQ(run(), 0) << err_;
  EXPECT_HAS(err_, "the weights are those of epoch 1 ");
  RunOptions o = options_;
  o.out = path("cut");
  int evaluations = 0;
  before_evaluation = [&] {
    if (evaluations++ == 3 * 3 + 3) raise(SIGINT); // after the epochs' validations and that of the best weights
  };
  EXPECT_EQ(run(o), 130) << err_;
  EXPECT_EQ(read("cut/last.safetensors"), read("out/last.safetensors"));
}

TEST_F(Resume, SeedsUseAll64Bits) {
  Runner runner(module_, 1, 0, {});
  runner.init(0);
  runner.set_meta("dlcc.data_seed", "18446744073709551615");
  EXPECT_EQ(data_seed(runner, 1), UINT64_MAX);
}

} // namespace dlcc::training::test

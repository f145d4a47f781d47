// A gradient that is not finite where the loss is: what it does to the state is never saved, nor called the best.
#include "tests/train/run.h"

#include "tools/train/runner.h"

#include <algorithm>

namespace dlcc::training::test {

class Poisoned : public Train {
protected:
  /// The checkpoints of a run by name.
  std::vector<std::string> checkpoints(const std::string& run) const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path(run)))
      if (entry.path().extension() == ".safetensors") names.push_back(entry.path().filename());
    return names;
  }
  bool is_finite(const std::string& file) const {
    Runner runner(module_, 1, 0, {});
    runner.load(path(file), DLCC_SAVE_ALL);
    dlcc_error e{};
    return dlcc_check_finite(runner.session(), &e) == DLCC_OK;
  }
  RunOptions into(const std::string& folder) const {
    RunOptions o = options_;
    o.out = path(folder);
    return o;
  }
};

// Wherever it happens and however often is saved: exit code 8, nothing but good states on the disk, and a run that goes
// on from the last of them ends with the bytes of one that never was poisoned.
TEST_F(Poisoned, IsNeverSaved) {
  job_.train.early_stopping.emplace();
  job_.train.early_stopping->patience = 50;
  job_.train.early_stopping->restore_best = true;
  for (const char* every : {"", "1steps", "4steps", "1epochs"}) {
    options_.checkpoint_every = parse_checkpoint_every(every);
    const std::string whole = std::string("whole") + every;
    ASSERT_EQ(run(into(whole)), 0) << err_;
    for (uint64_t at : {0, 3, 5, 6, 11, 16, 17}) {
      SCOPED_TRACE(std::string(every) + " at " + std::to_string(at));
      RunOptions o = into("run" + std::string(every) + std::to_string(at));
      poisoned_batch = at;
      ASSERT_EQ(run(o), 8) << err_;
      EXPECT_HAS(err_, "'param/dense/kernel' is not finite from element 1 on");
      EXPECT_EQ(err_.find("unchanged"), std::string::npos) << err_;
      const std::string folder = o.out.substr(folder_.size() + 1);
      const std::vector<std::string> saved = checkpoints(folder);
      for (const std::string& name : saved) EXPECT_TRUE(is_finite(folder + "/" + name)) << name;
      poisoned_batch.reset();
      const bool can_go_on = std::any_of(saved.begin(), saved.end(), [](auto& n) { return n != "best.safetensors"; });
      EXPECT_EQ(err_.find("no good state is saved") == std::string::npos, can_go_on) << err_;
      if (!can_go_on) continue;
      o.resume = "latest";
      ASSERT_EQ(run(o), 0) << err_;
      EXPECT_EQ(read(folder + "/last.safetensors"), read(whole + "/last.safetensors"));
      EXPECT_EQ(read(folder + "/history.csv"), read(whole + "/history.csv"));
    }
  }
}

TEST_F(Poisoned, SaysWhatIsBadAndWhereToGoOn) {
  poisoned_batch = 3;
  options_.checkpoint_every = parse_checkpoint_every("3steps");
  EXPECT_EQ(run(), 8);
  EXPECT_HAS(err_, "dlcc: error: step 5 (epoch 1, batch 5): non-finite value nan of 'loss' in the train step; "
                   "'param/dense/kernel' is not finite from element 1 on, since an earlier step; the last good state "
                   "is that of step 3 in '" +
                       path("out") + "/ckpt-00000003.safet");
  options_.checkpoint_every = parse_checkpoint_every("1steps");
  poisoned_batch = 0;
  EXPECT_EQ(run(into("at-once")), 8);
  EXPECT_HAS(err_, "dlcc: error: after step 1: 'param/dense/kernel' is not finite from element 1 on, so a gradient was "
                   "not; no good state is saved; --check-nan stops before such an update [non-finite]\n");
}

TEST_F(Poisoned, IsSavedWhereTheModelSaysSo) {
  job_.train.terminate_on_nan = false;
  poisoned_batch = 17;
  ASSERT_EQ(run(), 0) << err_;
  EXPECT_FALSE(is_finite("out/last.safetensors"));
  // Such a state is nothing to start from, unless the model says so.
  RunOptions on = options_, from = into("from");
  on.resume = "latest";
  on.epochs = 4;
  from.init_weights = path("out/last.safetensors");
  EXPECT_NE(run(from), 0) << "the module's own check of the loss";
  from.out = path("other");
  job_.train.terminate_on_nan = true;
  for (const RunOptions& o : {on, from}) {
    EXPECT_EQ(run(o), 8);
    EXPECT_HAS(err_, "dlcc: error: the state to start from: 'param/dense/kernel' is not finite from element 1 on "
                     "[non-finite]\n");
  }
  EXPECT_FALSE(exists("other"));
}

} // namespace dlcc::training::test

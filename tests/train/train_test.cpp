// Whole runs on a little model: results, logs, folders, stopping, saving.
#include "tests/train/bench_json.h"
#include "tests/train/run.h"

#include "tools/train/failure.h"

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstring>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

namespace dlcc::training::test {

TEST_F(Train, LearnsAndLeavesTheFilesOfARun) {
  options_.epochs = 30;
  options_.model_json = "{\"dlcc\": 1}\n";
  options_.version = "0.1";
  ASSERT_EQ(run(), 0) << err_;
  double loss = 1;
  ASSERT_EQ(std::sscanf(out_.c_str(), "test_loss %lf", &loss), 1) << out_;
  EXPECT_LT(loss, 0.01); // the noise alone has variance 0.2^2 / 12
  EXPECT_HAS(out_, "\ntest_mae ");
  const auto csv = lines("out/history.csv");
  ASSERT_EQ(csv.size(), 31u);
  EXPECT_EQ(csv[0], "epoch,step,loss,mae,val_loss,val_mae,learning_rate");
  EXPECT_EQ(csv[30].substr(0, 7), "30,180,");
  EXPECT_EQ(lines("out/history.jsonl").size(), 30u);
  EXPECT_EQ(read("out/model.json"), "{\"dlcc\": 1}\n");
  EXPECT_HAS(read("out/run.json"), "\"command\": [\n    \"dlcc\",");
  EXPECT_HAS(read("out/history.svg"), "<svg");
  EXPECT_TRUE(exists("out/last.safetensors"));
  EXPECT_HAS(err_, "epoch 30/30: loss ");
  EXPECT_HAS(err_, "180 steps in ");
}

// One epoch by hand: the mean over samples, the short batch with its own weight.
TEST_F(Train, AveragesTheLossOverSamples) {
  options_.epochs = 1;
  options_.log_every = 1;
  job_.train.shuffle = false;
  ASSERT_EQ(run(), 0) << err_;
  double sum = 0, loss = 0;
  int step = 0;
  for (const std::string& line : lines("out/history.jsonl"))
    if (std::sscanf(line.c_str(), "{\"step\":%d,\"loss\":%lf}", &step, &loss) == 2) sum += loss * (step == 6 ? 2 : 4);
  EXPECT_EQ(step, 6);
  std::sscanf(lines("out/history.csv")[1].c_str(), "1,6,%lf", &loss);
  EXPECT_NEAR(loss, sum / 22, 1e-12);
}

TEST_F(Train, StepsWrapOverEpochsAndOverrideThem) {
  options_.epochs = 1;
  options_.steps = 8;
  ASSERT_EQ(run(), 0) << err_;
  const auto csv = lines("out/history.csv");
  ASSERT_EQ(csv.size(), 3u);
  EXPECT_EQ(csv[1].substr(0, 4), "1,6,");
  EXPECT_EQ(csv[2].substr(0, 4), "2,8,");
}

TEST_F(Train, SeedsDecideEverything) {
  RunOptions other = options_, same = options_;
  other.out = path("other");
  other.seed = 6;
  same.out = path("same");
  ASSERT_EQ(run(), 0);
  ASSERT_EQ(run(other), 0);
  ASSERT_EQ(run(same), 0);
  EXPECT_NE(read("out/history.csv"), read("other/history.csv"));
  EXPECT_EQ(read("out/last.safetensors"), read("same/last.safetensors"));
}

TEST_F(Train, EarlyStoppingStopsAndRestoresTheBest) {
  job_.train.epochs = 200;
  job_.train.early_stopping.emplace();
  job_.train.early_stopping->patience = 3;
  job_.train.early_stopping->restore_best = true;
  ASSERT_EQ(run(), 0) << err_;
  const auto csv = lines("out/history.csv");
  ASSERT_LT(csv.size(), 200u);
  // The fourth last epoch has the least val_loss.
  std::vector<double> val;
  for (size_t i = 1; i < csv.size(); ++i) {
    double v = 0;
    std::sscanf(csv[i].c_str(), "%*[^,],%*[^,],%*[^,],%*[^,],%lf", &v);
    val.push_back(v);
  }
  const auto best = std::min_element(val.begin(), val.end()) - val.begin();
  EXPECT_EQ(best, static_cast<long>(val.size()) - 4);
  EXPECT_HAS(err_, "early stopping: no better val_loss than ");
  EXPECT_HAS(err_, "the weights are those of epoch " + std::to_string(best + 1));

  EvaluateOptions e;
  e.weights = path("out");
  e.json = true;
  e.part = Part::validation;
  ASSERT_EQ(captured([&] { return evaluate(job_, e); }), 0) << err_;
  double loss = 0;
  std::sscanf(out_.substr(out_.find("\"loss\":")).c_str(), "\"loss\":%lf", &loss);
  EXPECT_EQ(loss, val[static_cast<size_t>(best)]);
}

TEST_F(Train, ThePresetStopsWhenTheLossGainsTooLittle) {
  job_.train.epochs = 100;
  job_.train.n_iter_no_change = 2;
  job_.train.tol = 1e6; // nothing is gain enough, but the first
  ASSERT_EQ(run(), 0) << err_;
  EXPECT_EQ(lines("out/history.csv").size(), 1u + 1 + 3);
  EXPECT_HAS(err_, "stopping: loss gained less than ");
}

TEST_F(Train, TheAdaptiveRateFallsBeforeItStops) {
  job_.train.epochs = 100;
  job_.train.n_iter_no_change = 1;
  job_.train.tol = 1e6;
  job_.schedule = ReactiveSchedule::adaptive(0.05);
  job_.schedule.minimum = 0.001;
  ASSERT_EQ(run(), 0) << err_;
  std::vector<std::string> rates;
  for (const std::string& line : lines("out/history.csv")) rates.push_back(line.substr(line.rfind(',') + 1));
  // Falls after two epochs each without gain: 0.05, 0.01, 0.002, 0.0004, which is below the least.
  const std::vector<std::string> expected{"learning_rate", "0.05",  "0.05",  "0.05",   "0.01",
                                          "0.01",          "0.002", "0.002", "0.0004", "0.0004"};
  ASSERT_EQ(rates.size(), expected.size());
  for (size_t i = 1; i < rates.size(); ++i) EXPECT_NEAR(std::stod(rates[i]), std::stod(expected[i]), 1e-12) << i;
}

TEST_F(Train, ALossThatIsNotFiniteStopsWithTheStateBefore) {
  options_.learning_rate = 1e100;
  EXPECT_EQ(run(), 8);
  EXPECT_HAS(err_, "dlcc: error: step 3 (epoch 1, batch 3): ");
  EXPECT_HAS(err_, "the state of step 2 is saved");
  EXPECT_HAS(read("out/last.safetensors"), "\"dlcc.step\":\"2\"");
}

TEST_F(Train, RequirementsDecideTheExitCode) {
  options_.require = {"val_mae<1e9", "test_loss >= 1e9"};
  EXPECT_EQ(run(), 9);
  EXPECT_HAS(err_, "dlcc: error: required test_loss >= 1e9, got ");
  EXPECT_EQ(err_.find("val_mae<1e9"), std::string::npos);
  options_.out = path("other");
  for (const char* bad : {"accuracy>=0.9", "loss", "loss=1", "loss>=x", ">=1", "loss>=nan"}) {
    options_.require = {bad};
    EXPECT_EQ(run(), 2) << bad;
    EXPECT_HAS(err_, "[require]");
  }
  EXPECT_FALSE(exists("other"));
}

TEST_F(Train, AFolderWithCheckpointsIsRefusedUntouched) {
  ASSERT_EQ(run(), 0) << err_;
  const std::string before = read("out/last.safetensors"), history = read("out/history.csv");
  EXPECT_EQ(run(), 5);
  EXPECT_HAS(err_, "holds checkpoints already; give --resume to go on");
  EXPECT_EQ(read("out/last.safetensors"), before);
  EXPECT_EQ(read("out/history.csv"), history);
}

TEST_F(Train, TwoRunsDoNotShareAFolder) {
  RunOptions second = options_;
  int code = 0;
  std::string error;
  std::function<void(uint64_t)> in_the_middle = [&](uint64_t batch) {
    if (batch != 3 || code != 0) return;
    // In a process of its own: flock is per open file, and the capture of stderr is the parent's.
    const pid_t child = fork();
    if (child == 0) {
      code = 1; // its own steps start nothing
      if (!freopen(path("stderr").c_str(), "w", stderr)) _exit(99);
      const int result = train(job_, second);
      std::fflush(stderr);
      _exit(result);
    }
    int status = 0;
    waitpid(child, &status, 0);
    code = WEXITSTATUS(status);
  };
  before_step = in_the_middle;
  ASSERT_EQ(run(), 0) << err_;
  EXPECT_EQ(code, 5);
  EXPECT_HAS(read("stderr"), "is in use by pid " + std::to_string(getpid()));
}

TEST_F(Train, FoldersAreNumberedAndTheNewestIsResumed) {
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder_);
  job_.files.directory = folder_;
  options_.out = "";
  EXPECT_EQ(run(), 0) << err_;
  EXPECT_EQ(run(), 0) << err_;
  EXPECT_TRUE(exists("runs/tiny-1/last.safetensors"));
  EXPECT_TRUE(exists("runs/tiny-2/last.safetensors"));
  options_.resume = "latest";
  options_.epochs = 4;
  EXPECT_EQ(run(), 0) << err_;
  EXPECT_EQ(lines("runs/tiny-1/history.csv").size(), 4u);
  EXPECT_EQ(lines("runs/tiny-2/history.csv").size(), 5u);
  std::filesystem::current_path(before);
}

TEST_F(Train, MistakesLeaveNoFolder) {
  job_.data->train->file = "missing.csv";
  EXPECT_EQ(run(), 6);
  EXPECT_HAS(err_, "missing.csv");
  job_.data.reset();
  EXPECT_EQ(run(), 4);
  EXPECT_HAS(err_, "tiny.json: error: no data to train on");
  EXPECT_FALSE(exists("out"));
}

TEST_F(Train, MonitorsMustExist) {
  job_.data->validation.reset();
  job_.train.early_stopping.emplace();
  EXPECT_EQ(run(), 4);
  EXPECT_HAS(err_, "early stopping follows 'val_loss', but an epoch gives only loss, mae [monitor]");
}

TEST_F(Train, KeepsTheNewestNumberedCheckpoints) {
  options_.checkpoint_every = parse_checkpoint_every("4steps");
  options_.keep = 2;
  ASSERT_EQ(run(), 0) << err_;
  std::vector<std::string> found;
  for (const auto& e : std::filesystem::directory_iterator(path("out")))
    if (e.path().filename().string().starts_with("ckpt-")) found.push_back(e.path().filename());
  std::sort(found.begin(), found.end());
  EXPECT_EQ(found, (std::vector<std::string>{"ckpt-00000012.safetensors", "ckpt-00000016.safetensors"}));
}

TEST_F(Train, ASaveThatFailsIsReportedAndTrainingGoesOn) {
  // The folder disappears under the run.
  before_step = [&](uint64_t batch) {
    if (batch == 5) std::filesystem::remove_all(path("out"));
  };
  options_.checkpoint_every = parse_checkpoint_every("1epochs");
  EXPECT_EQ(run(), 6);
  const std::string warning = "was not saved; training goes on [save]";
  EXPECT_HAS(err_, warning);
  EXPECT_EQ(err_.find(warning), err_.rfind(warning)) << err_;
  EXPECT_HAS(err_, "epoch 3/3: ");
  EXPECT_HAS(out_, "test_loss");
}

TEST_F(Train, CheapSavesComeWithTheEpochs) {
  bool saved = false;
  before_step = [&](uint64_t batch) {
    if (batch == 6) saved = exists("out/last.safetensors");
  };
  ASSERT_EQ(run(), 0) << err_;
  EXPECT_TRUE(saved);
}

// A file that may not grow stands for a full disk; it is large, so that no other file meets the limit.
TEST_F(Train, AFullDiskTearsNoLineAndIsReportedOnce) {
  constexpr uint64_t size = 1 << 20;
  rlimit old{};
  getrlimit(RLIMIT_FSIZE, &old);
  signal(SIGXFSZ, SIG_IGN);
  before_step = [&](uint64_t batch) {
    if (batch != 6) return;
    std::filesystem::resize_file(path("out/history.csv"), size);
    rlimit small = old;
    small.rlim_cur = size + 10;
    setrlimit(RLIMIT_FSIZE, &small);
  };
  const int code = run();
  setrlimit(RLIMIT_FSIZE, &old);
  EXPECT_EQ(code, 6);
  EXPECT_EQ(read("out/history.csv").size(), size);
  const std::string warning = "history.csv': File too large; training goes on";
  EXPECT_HAS(err_, warning);
  EXPECT_EQ(err_.find(warning), err_.rfind(warning)) << err_;
}

TEST_F(Train, UserSignalSavesAndGoesOn) {
  before_step = [](uint64_t batch) {
    if (batch == 7) raise(SIGUSR1);
  };
  ASSERT_EQ(run(), 0) << err_;
  EXPECT_TRUE(exists("out/ckpt-00000008.safetensors"));
}

TEST_F(Train, SignalsHaveTheirExitCodesAndASecondOneEndsAtOnce) {
  for (auto [signal, code] : {std::pair{SIGINT, 130}, {SIGTERM, 143}, {SIGHUP, 129}}) {
    options_.out = path("out" + std::to_string(signal));
    before_step = [signal = signal](uint64_t batch) {
      if (batch == 4) raise(signal);
    };
    EXPECT_EQ(run(), code) << err_;
    EXPECT_HAS(read("out" + std::to_string(signal) + "/last.safetensors"), "\"dlcc.step\":\"5\"");
  }
  const pid_t child = fork();
  if (child == 0) {
    options_.out = path("twice");
    before_step = [](uint64_t batch) {
      if (batch != 4) return;
      raise(SIGINT);
      raise(SIGINT);
    };
    train(job_, options_);
    _exit(99);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 130);
  EXPECT_FALSE(exists("twice/last.safetensors"));
}

TEST_F(Train, ResumeCommandsAreQuotedForTheShell) {
  options_.command = {"dlcc", "train", "--resume", "best", "my model.json", "--out", "x", "--resume", "--set", "a='b'"};
  options_.out = path("a b");
  before_step = [](uint64_t) { raise(SIGINT); };
  EXPECT_EQ(run(), 130);
  EXPECT_HAS(err_, "  dlcc train 'my model.json' --set 'a='\\''b'\\''' --out '" + path("a b") + "' --resume\n");
}

TEST_F(Train, EvaluatesAndPredictsWithTheWeightsOfARun) {
  options_.epochs = 20;
  ASSERT_EQ(run(), 0) << err_;
  const std::string tested = out_;
  EvaluateOptions e;
  e.weights = path("out/last.safetensors");
  ASSERT_EQ(captured([&] { return evaluate(job_, e); }), 0) << err_;
  EXPECT_EQ("test_" + out_.substr(0, out_.find('\n')), tested.substr(0, tested.find('\n')));
  e.require = {"loss<=0"};
  EXPECT_EQ(captured([&] { return evaluate(job_, e); }), 9);
  e.weights = "";
  EXPECT_EQ(captured([&] { return evaluate(job_, e); }), 2);
  e.weights = path("nothing");
  EXPECT_EQ(captured([&] { return evaluate(job_, e); }), 6);

  PredictOptions p;
  p.weights = path("out/last.safetensors");
  ASSERT_EQ(captured([&] { return predict(job_, p); }), 0) << err_;
  EXPECT_EQ(std::count(out_.begin(), out_.end(), '\n'), 12);
  EXPECT_EQ(out_.substr(0, out_.find('\n')), "prediction");
  float first = 0;
  std::sscanf(out_.c_str() + out_.find('\n'), "%f", &first);
  p.out = path("p.npy");
  ASSERT_EQ(captured([&] { return predict(job_, p); }), 0) << err_;
  const std::string npy = read("p.npy");
  EXPECT_EQ(npy.substr(0, 6), "\x93NUMPY");
  EXPECT_HAS(npy, "'shape': (11, )");
  ASSERT_EQ(npy.size() % 64, 11 * 4 % 64u);
  float stored = 0;
  std::memcpy(&stored, npy.data() + npy.size() - 44, 4);
  EXPECT_EQ(stored, first);
  // The data: y = 2 a - b + 0.5 + noise of at most 0.1.
  std::ifstream test(path("test.csv"));
  std::string header;
  double a = 0, b = 0;
  char comma = 0;
  std::getline(test, header);
  test >> a >> comma >> b;
  EXPECT_NEAR(first, 2 * a - b + 0.5, 0.15);
}

TEST_F(Train, PredictionsReplaceNothingTheyComeFrom) {
  ASSERT_EQ(run(), 0) << err_;
  std::ofstream(path("origin.json")) << "{}\n";
  job_.origins = {path("origin.json")};
  PredictOptions p;
  p.weights = path("out/last.safetensors");
  std::filesystem::create_hard_link(p.weights, path("again.csv"));
  for (const char* input : {"origin.json", "test.csv", "out/last.safetensors", "again.csv"}) {
    const std::string before = read(input);
    p.out = path(input);
    EXPECT_EQ(captured([&] { return predict(job_, p); }), 6) << input;
    EXPECT_HAS(err_, std::string(input) + "' is the input file; it is never overwritten [output]");
    EXPECT_EQ(read(input), before) << input;
  }
  p.out = "/dev/null";
  EXPECT_EQ(captured([&] { return predict(job_, p); }), 6);
  EXPECT_HAS(err_, "cannot write '/dev/null': it is not a regular file");
  p.out = "-";
  ASSERT_EQ(captured([&] { return predict(job_, p); }), 0) << err_;
  EXPECT_EQ(std::count(out_.begin(), out_.end(), '\n'), 12);
  EXPECT_FALSE(std::filesystem::exists("-"));
}

TEST_F(Train, MeasuresItsSteps) {
  BenchOptions b;
  b.steps = 5;
  b.json = true;
  ASSERT_EQ(captured([&] { return bench(job_, b); }), 0) << err_;
  expect_bench_json(out_, 4, 5);
}

} // namespace dlcc::training::test

// Settings that could be read and forgotten: each changes what a run does.
#include "tests/train/run.h"

#include "tools/train/text.h"
#include "tools/train/watch.h"

#include <algorithm>
#include <cmath>

namespace dlcc::training::test {

class Effects : public Train {
protected:
  /// A column of a run's history.csv.
  std::vector<double> column(const std::string& run, const std::string& name) const {
    const auto csv = lines(run + "/history.csv");
    const auto names = split(csv.at(0), ',');
    const auto at = static_cast<size_t>(std::find(names.begin(), names.end(), name) - names.begin());
    std::vector<double> values;
    for (size_t i = 1; i < csv.size(); ++i) values.push_back(std::stod(split(csv[i], ',').at(at)));
    return values;
  }
  double first_loss(const std::string& run) const {
    double loss = std::nan("");
    std::sscanf(lines(run + "/history.jsonl").at(0).c_str(), "{\"step\":1,\"loss\":%lf", &loss);
    return loss;
  }
};

// The rates are those that the named result asks for, whichever it is.
TEST_F(Effects, ThePlateauFollowsItsMonitor) {
  job_.schedule = ReactiveSchedule::plateau(0.05);
  job_.schedule.patience = 1;
  job_.schedule.min_delta = 0.02;
  job_.train.epochs = 12;
  std::vector<std::vector<double>> rates;
  for (const char* monitor : {"loss", "val_mae", ""}) {
    options_.out = path("run-" + std::string(monitor));
    job_.schedule.monitor = monitor;
    ASSERT_EQ(run(), 0) << err_;
    const std::string folder = options_.out.substr(folder_.size() + 1);
    const auto values = column(folder, *monitor ? monitor : "val_loss");
    Watch watch;
    watch.min_delta = 0.02;
    std::vector<double> expected;
    double rate = 0.05;
    for (size_t i = 0; i < values.size(); ++i) {
      expected.push_back(rate);
      rate = plateau_rate(job_.schedule, watch, values[i], static_cast<int64_t>(i) + 1, rate).value_or(rate);
    }
    rates.push_back(column(folder, "learning_rate"));
    EXPECT_EQ(rates.back(), expected) << monitor;
  }
  EXPECT_NE(rates[0], rates[1]);
}

// scikit-learn: the first epoch has the initial rate, later ones initial / (samples + 1)^power.
TEST_F(Effects, InverseScalingBeginsWithTheInitialRate) {
  job_.schedule = ReactiveSchedule::inv_scaling(0.05, 0.5);
  ASSERT_EQ(run(), 0) << err_;
  EXPECT_EQ(column("out", "learning_rate"), (std::vector<double>{0.05, 0.05 / std::sqrt(23), 0.05 / std::sqrt(45)}));
}

// From equal weights the first loss depends on which samples come first.
TEST_F(Effects, TheSeedDecidesTheOrderOfSamples) {
  ASSERT_EQ(run(), 0) << err_;
  options_.log_every = 1;
  options_.init_weights = path("out/last.safetensors");
  auto first = [&](const std::string& name, uint64_t seed, bool shuffle) {
    options_.out = path(name);
    options_.seed = seed;
    job_.train.shuffle = shuffle;
    EXPECT_EQ(run(), 0) << err_;
    return first_loss(name);
  };
  EXPECT_EQ(first("a", 1, true), first("b", 1, true));
  EXPECT_NE(first("c", 1, true), first("d", 2, true));
  EXPECT_EQ(first("e", 1, false), first("f", 2, false));
}

TEST_F(Effects, EpochsOnTheCommandLineGoBeforeTheModelsSteps) {
  job_.train.steps = 8;
  ASSERT_EQ(run(), 0) << err_;
  EXPECT_EQ(lines("out/history.csv").back().substr(0, 4), "2,8,");
  options_.out = path("epochs");
  options_.epochs = 3;
  ASSERT_EQ(run(), 0) << err_;
  EXPECT_EQ(lines("epochs/history.csv").back().substr(0, 5), "3,18,");
}

// What is required holds for the weights that are kept.
TEST_F(Effects, RequirementsAreOfTheBestEpochWhereItIsRestored) {
  job_.train.epochs = 60;
  job_.train.early_stopping.emplace();
  job_.train.early_stopping->patience = 3;
  job_.train.early_stopping->restore_best = true;
  ASSERT_EQ(run(), 0) << err_;
  const auto losses = column("out", "val_loss");
  const double best = *std::min_element(losses.begin(), losses.end());
  ASSERT_LT(best, losses.back());
  options_.out = path("required");
  options_.require = {"val_loss<=" + exact(best)};
  EXPECT_EQ(run(), 0) << err_;
  options_.out = path("kept");
  job_.train.early_stopping->restore_best = false;
  EXPECT_EQ(run(), 9) << "the last epoch's is larger";
}

} // namespace dlcc::training::test

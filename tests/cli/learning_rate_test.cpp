// The learning rate in the logs of a run: that of the last update of each epoch, for every schedule, from its formula.
#include "tests/cli/models.h"
#include "tests/cli/program.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <gtest/gtest.h>
#include <numbers>
#include <regex>
#include <set>
#include <sstream>

namespace dlcc::cli_tests {
namespace {

using Numbers = std::vector<double>;

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream in(line);
  for (std::string cell; std::getline(in, cell, ',');) cells.push_back(cell);
  return cells;
}

// 54 samples to train on: 4 steps an epoch.
class LearningRate : public testing::Test {
protected:
  /// Trains `tiny` with the optimizer; what its history has in the column of the learning rate.
  Numbers history(const std::string& optimizer, const std::vector<std::string>& options = {"--epochs", "5"}) {
    const bool resumes = std::find(options.begin(), options.end(), "--resume") != options.end();
    if (!resumes) std::filesystem::remove_all(folder.path("run"));
    std::string model = replaced(tiny, R"({ "type": "adam", "learning_rate": 0.01 })", optimizer);
    folder.write("m.json", replaced(model, R"({ "type": "Dropout", "rate": 0.25 },)", ""));
    std::vector<std::string> args = {"train", "m.json", "--out", "run", "--progress", "lines"};
    args.insert(args.end(), options.begin(), options.end());
    const Result r = folder.run(args);
    EXPECT_EQ(r.exit_code, 0) << r.err;
    shown = r.err;
    std::istringstream csv(folder.read("run/history.csv"));
    std::string line;
    std::getline(csv, line);
    const std::vector<std::string> names = split(line);
    const auto column = std::find(names.begin(), names.end(), "learning_rate") - names.begin();
    Numbers rates;
    while (std::getline(csv, line)) rates.push_back(std::stod(split(line).at(static_cast<size_t>(column))));
    return rates;
  }
  Numbers scheduled(const std::string& schedule) {
    return history(R"({ "type": "sgd", "learning_rate": { "schedule": )" + schedule + " } }");
  }
  static void expect_near(const Numbers& rates, const Numbers& expected) {
    ASSERT_EQ(rates.size(), expected.size());
    for (size_t i = 0; i < rates.size(); ++i) EXPECT_NEAR(rates[i], expected[i], 1e-12 * expected[i]) << "line " << i;
  }
  Folder folder;
  std::string shown; ///< on stderr
};

// The update after t others, at the end of epochs of 4.
Numbers at_ends(const std::function<double(double)>& rate) {
  Numbers rates;
  for (double t : {3, 7, 11, 15, 19}) rates.push_back(rate(t));
  return rates;
}
double half_cosine(double fraction) { return 0.5 + 0.5 * std::cos(std::numbers::pi * fraction); }

TEST_F(LearningRate, IsThatOfTheLastUpdateForEverySchedule) {
  struct Case {
    std::string schedule;
    Numbers expected;
  };
  const Case cases[] = {
      {R"("constant", "initial": 0.02)", Numbers(5, 0.02)},
      {R"("exponential", "initial": 0.02, "decay_rate": 0.5, "decay_steps": 6)",
       at_ends([](double t) { return 0.02 * std::exp2(-t / 6); })},
      {R"("exponential", "initial": 0.02, "decay_rate": 0.5, "decay_steps": 6, "staircase": true)",
       {0.02, 0.01, 0.01, 0.005, 0.0025}},
      {R"("inverse_time", "initial": 0.02, "decay_rate": 0.5, "decay_epochs": 2)",
       at_ends([](double t) { return 0.02 / (1 + 0.5 * t / 8); })},
      {R"("piecewise", "boundaries": [7, 18], "values": [0.03, 0.02, 0.01])", {0.03, 0.03, 0.02, 0.02, 0.01}},
      {R"("polynomial", "initial": 0.02, "end": 0.01, "power": 2, "decay_steps": 16)",
       at_ends([](double t) { return 0.01 * std::pow(1 - std::min(t, 16.0) / 16, 2) + 0.01; })},
      {R"("cosine", "initial": 0.02, "alpha": 0.1, "decay_steps": 20)",
       at_ends([](double t) { return 0.02 * (0.9 * half_cosine(t / 20) + 0.1); })},
      {R"("cosine", "initial": 0.01, "warmup_target": 0.03, "warmup_epochs": 2, "decay_epochs": 3)",
       at_ends([](double t) { return t < 8 ? 0.01 + 0.02 * t / 8 : 0.03 * half_cosine((t - 8) / 12); })},
      {R"("cosine_restarts", "initial": 0.02, "first_decay_steps": 5, "t_mul": 2, "m_mul": 0.5)",
       at_ends([](double t) { // 5 steps, 10 steps, 20 steps
         return t < 5    ? 0.02 * half_cosine(t / 5)
                : t < 15 ? 0.01 * half_cosine((t - 5) / 10)
                         : 0.005 * half_cosine((t - 15) / 20);
       })},
      {R"("plateau", "initial": 0.02, "factor": 0.5, "patience": 1, "min_delta": 1000)",
       {0.02, 0.02, 0.01, 0.005, 0.0025}},
      {R"("inv_scaling", "initial": 0.02, "power": 0.5)",
       {0.02, 0.02 / std::sqrt(55.0), 0.02 / std::sqrt(109.0), 0.02 / std::sqrt(163.0), 0.02 / std::sqrt(217.0)}},
  };
  std::set<std::string> tried{"adaptive"}; // below
  for (const Case& c : cases) {
    SCOPED_TRACE(c.schedule);
    expect_near(scheduled(c.schedule), c.expected);
    tried.insert(c.schedule.substr(1, c.schedule.find('"', 1) - 1));
  }
  expect_near(history(R"({ "type": "sgd", "preset": "sklearn", "momentum": 0, "n_iter_no_change": 1,
                           "learning_rate": { "schedule": "adaptive", "initial": 4e-6 } })",
                      {"--epochs", "6"}),
              {4e-6, 4e-6, 4e-6, 8e-7, 8e-7});
  EXPECT_NE(shown.find(", learning_rate 8.000e-07  ("), std::string::npos) << shown;
  // "unknown schedule 'x', expected one of ..." lists them all.
  folder.write("m.json", replaced(tiny, "0.01 }", R"({ "schedule": "x" } })"));
  const std::string answer = folder.run({"check", "m.json"}).err;
  const std::string list = answer.substr(answer.find("expected one of ") + 16);
  const std::regex word("[a-z_]+(?=,| or | \\[)|[a-z_]+ \\[");
  for (std::sregex_iterator at(list.begin(), list.end(), word), end; at != end; ++at)
    EXPECT_TRUE(tried.contains(std::regex_replace(at->str(), std::regex(" \\["), ""))) << at->str();
}

// Batches are counted, updates count.
TEST_F(LearningRate, CountsUpdatesWhereGradientsAreAccumulated) {
  const std::string optimizer = R"({ "type": "sgd", "accumulate_steps": 3, "learning_rate": { "schedule": "polynomial",
                                     "initial": 0.02, "end": 0.01, "decay_steps": 10 } })";
  // After 4, 8, ... batches 1, 2, 4, 5 and 6 updates were made.
  expect_near(history(optimizer), {0.02, 0.019, 0.017, 0.016, 0.015});
}

TEST_F(LearningRate, OfARunThatIsResumedOrOverridden) {
  const std::string cosine = R"({ "type": "adam", "learning_rate": { "schedule": "cosine", "initial": 0.02,
                                  "decay_steps": 20 } })";
  const Numbers whole = history(cosine);
  expect_near(whole, at_ends([](double t) { return 0.02 * half_cosine(t / 20); }));
  const std::string expected = folder.read("run/history.csv");
  expect_near(history(cosine, {"--steps", "10"}), {whole[0], whole[1], 0.02 * half_cosine(9 / 20.0)});
  EXPECT_EQ(history(cosine, {"--resume", "latest", "--epochs", "5"}), whole);
  EXPECT_EQ(folder.read("run/history.csv"), expected);
  EXPECT_EQ(history(cosine, {"--epochs", "3", "--learning-rate", "0.5"}), Numbers(3, 0.5));
  history(cosine, {"--epochs", "2"});
  EXPECT_EQ(history(cosine, {"--resume", "latest", "--epochs", "3", "--learning-rate", "0.25"}),
            (Numbers{whole[0], whole[1], 0.25}));
}

} // namespace
} // namespace dlcc::cli_tests

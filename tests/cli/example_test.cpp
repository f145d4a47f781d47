// The small examples learn what they promise. The bounds are the promises, not what they happened to reach.
#include "runtime/core/checkpoint.h"
#include "tests/cli/program.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <regex>

namespace dlcc::cli_tests {
namespace {

class Example : public testing::Test {
protected:
  static std::string file(const std::string& name) { return DLCC_EXAMPLES "/" + name + ".json"; }

  // One thread: these steps are too short for two, and tests run side by side.
  std::string train(const std::string& name, const std::vector<std::string>& more = {}) {
    std::vector<std::string> args = {"train", file(name), "--out", "run", "--threads", "1"};
    args.insert(args.end(), more.begin(), more.end());
    Result r = folder.run(args);
    EXPECT_EQ(r.exit_code, 0) << r.err;
    return r.err;
  }

  // A result in evaluation mode: of the weights that training ended with, or of the run's best.
  double evaluated(const std::string& name, const std::string& part, const std::string& what,
                   const std::string& weights = "run/last.safetensors") {
    Result r = folder.run({"eval", file(name), "--weights", weights, "--on", part, "--json", "--threads", "1"});
    EXPECT_EQ(r.exit_code, 0) << r.err;
    std::smatch found;
    if (!std::regex_search(r.out, found, std::regex("\"" + what + "\":([-+.e0-9]+)"))) {
      ADD_FAILURE() << "no " << what << " in " << r.out;
      return NAN;
    }
    return std::stod(found[1]);
  }

  std::vector<float> tensor(const std::string& name) {
    runtime::CheckpointFile checkpoint(folder.path("run/last.safetensors").string());
    const runtime::StoredTensor* t = checkpoint.find(name);
    if (!t) {
      ADD_FAILURE() << "no tensor " << name;
      return {};
    }
    std::vector<float> values(t->bytes() / sizeof(float));
    checkpoint.read(*t, values.data());
    return values;
  }

  size_t epochs() { return lines_of(folder.read("run/history.jsonl")).size(); }

  Folder folder;
};

TEST_F(Example, LinearRegressionFindsThePlantedCoefficients) {
  train("linear_regression");
  const double planted[] = {1.5, -2, 0.5, 3, -1, 0, 2.5, -0.5, 1, -3, 0.25, 2, -1.5};
  std::vector<float> kernel = tensor("param/line/kernel"), bias = tensor("param/line/bias");
  ASSERT_EQ(kernel.size(), std::size(planted));
  for (size_t i = 0; i < kernel.size(); ++i) EXPECT_NEAR(kernel[i], planted[i], 1e-2) << i;
  ASSERT_EQ(bias.size(), 1u);
  EXPECT_NEAR(bias[0], 0.75, 1e-2);
}

// The loss of a constant offset from the planted line is least where 0.9 of the noise, which is normal, lies below it:
// 1.2816 deviations up. The share on 1000 samples that it never saw has a standard deviation of 0.0095.
TEST_F(Example, QuantileRegressionCoversNineLabelsInTen) {
  const std::string warnings = train("quantile_regression", {"-q"});
  EXPECT_EQ(warnings, "");
  EXPECT_NEAR(evaluated("quantile_regression", "train", "coverage"), 0.9, 0.02);
  EXPECT_NEAR(evaluated("quantile_regression", "validation", "coverage"), 0.9, 0.02);
  EXPECT_NEAR(tensor("param/quantile/bias").at(0), 0.25 + 1.2816, 0.15);
}

// The two classes are clusters on corners of a hypercube of two informative dimensions and overlap: no line separates
// them. Coin flips would reach 0.5 +- 0.018 (one standard deviation of 800 of them); 0.6 is beyond five of those.
TEST_F(Example, LogisticRegressionBeatsChance) {
  train("logistic_regression");
  EXPECT_GE(evaluated("logistic_regression", "train", "accuracy"), 0.6);
  EXPECT_GE(evaluated("logistic_regression", "validation", "auc"), 0.6);
  EXPECT_LT(evaluated("logistic_regression", "train", "loss"), std::log(2.0)); // that of answering 0.5
}

TEST_F(Example, BinaryClassifierFitsItsTrainingPart) {
  train("binary_classifier");
  EXPECT_EQ(epochs(), 100u);
  EXPECT_GE(evaluated("binary_classifier", "train", "accuracy"), 0.97);
}

TEST_F(Example, BinaryRegularizedStopsEarlyAndRestoresTheBest) {
  std::string said = train("binary_regularized");
  EXPECT_GT(epochs(), 10u); // the patience
  EXPECT_GE(evaluated("binary_regularized", "validation", "accuracy", "run"), 0.85);
  if (epochs() < 50) {
    EXPECT_NE(said.find("the weights are those of epoch"), std::string::npos) << said;
  }
  // The weights of the run have the best validation loss of all epochs.
  double best = INFINITY;
  for (const std::string& line : lines_of(folder.read("run/history.jsonl"))) {
    std::smatch found;
    ASSERT_TRUE(std::regex_search(line, found, std::regex("\"val_loss\":([-+.e0-9]+)"))) << line;
    best = std::min(best, std::stod(found[1]));
  }
  EXPECT_EQ(evaluated("binary_regularized", "validation", "loss", "run"), best);
}

TEST_F(Example, SklearnMlpStopsWhenNothingChanges) {
  std::string said = train("sklearn_mlp");
  EXPECT_LT(epochs(), 1000u);
  EXPECT_NE(said.find("stopping: loss gained less than"), std::string::npos) << said;
  EXPECT_GE(evaluated("sklearn_mlp", "train", "accuracy"), 0.95);
}

// The standard output of a program.
std::string output_of(const std::string& command) {
  std::string out;
  FILE* pipe = popen(command.c_str(), "r");
  if (!pipe) return out;
  for (int c; (c = getc(pipe)) != EOF;) out += static_cast<char>(c);
  EXPECT_EQ(pclose(pipe), 0) << command;
  return out;
}

TEST_F(Example, HousesArePricedFromATable) {
  train("houses");
  EXPECT_GE(evaluated("houses", "validation", "r2"), 0.9);
  // The three houses of predict_houses.c, and the training file is not asked for.
  folder.write("houses.json", replaced(folder.read("run/model.json"), "houses.csv", "gone.csv"));
  folder.write("new.csv", "condition,city,area,rooms,year,number,garden\nnew,Neustadt,140,5,2015,a,yes\n"
                          "good,Kirchheim,82.5,3,,b,no\ngood,Atlantis,82.5,3,1970,c,no\n");
  Result r = folder.run(
      {"predict", "houses.json", "--weights", "run/last.safetensors", "--data", "new.csv", "--id", "number"});
  ASSERT_EQ(r.exit_code, 0) << r.err;
  const std::vector<std::string> lines = lines_of(r.out);
  ASSERT_EQ(lines.size(), 4u) << r.out;
  EXPECT_EQ(lines[0], "number,price");
  // What the script that made the data says of the first: 40000 + 140 * 2600 * 1.5 * 1.2 + 45000 + 19250 + 45000.
  EXPECT_NEAR(std::stod(lines[1].substr(2)), 804450, 80000);
  ASSERT_EQ(folder.run({file("houses"), "-o", "houses.so"}).exit_code, 0);
  const std::string from_c =
      output_of("cd '" + folder.path().string() + "' && " PREDICT_HOUSES " ./houses.so run/last.safetensors");
  ASSERT_EQ(lines_of(from_c).size(), 3u);
  for (size_t i = 0; i < 3; ++i) EXPECT_NEAR(std::stod(lines_of(from_c)[i]), std::stod(lines[i + 1].substr(2)), 1) << i;
}

TEST_F(Example, GradientsOfTheSmallOnesAgreeWithNumericOnes) {
  for (const char* name :
       {"linear_regression", "logistic_regression", "binary_classifier", "binary_regularized", "sklearn_mlp"}) {
    Result r = folder.run({"gradcheck", file(name)});
    EXPECT_EQ(r.exit_code, 0) << name << "\n" << r.out << r.err;
  }
}

// 200 of 2345 steps: far from its promise, but ten classes are learned (chance is 0.1).
TEST_F(Example, MnistMlpLearnsAtOnce) {
  train("mnist_mlp", {"--steps", "200"});
  EXPECT_GE(evaluated("mnist_mlp", "test", "accuracy"), 0.9);
}

TEST_F(Example, EveryOtherOneTrainsAStep) {
  for (const char* name : {"mnist_softmax", "mnist_onehot", "mnist_regularized", "mnist_tutorial"}) {
    Result r = folder.run({"train", file(name), "--steps", "3", "--out", name, "--threads", "1"});
    EXPECT_EQ(r.exit_code, 0) << name << r.err;
  }
}

// The promises of the examples on MNIST: the label `quality`.
class Quality : public Example {};

TEST_F(Quality, MnistSoftmax) {
  train("mnist_softmax");
  EXPECT_GE(evaluated("mnist_softmax", "test", "accuracy"), 0.915);
}

TEST_F(Quality, MnistMlp) {
  train("mnist_mlp");
  EXPECT_EQ(epochs(), 5u);
  EXPECT_GE(evaluated("mnist_mlp", "test", "accuracy"), 0.975);
}

TEST_F(Quality, MnistTutorialAfterFiveAndTenEpochs) {
  train("mnist_tutorial", {"--epochs", "5"});
  EXPECT_GE(evaluated("mnist_tutorial", "test", "accuracy"), 0.968);
  train("mnist_tutorial", {"--epochs", "10", "--resume"});
  EXPECT_EQ(epochs(), 10u);
  EXPECT_GE(evaluated("mnist_tutorial", "test", "accuracy"), 0.975);
}

TEST_F(Quality, MnistOnehot) {
  train("mnist_onehot");
  EXPECT_GE(evaluated("mnist_onehot", "test", "accuracy"), 0.968);
}

TEST_F(Quality, MnistRegularized) {
  train("mnist_regularized");
  EXPECT_GE(evaluated("mnist_regularized", "test", "accuracy"), 0.96);
}

} // namespace
} // namespace dlcc::cli_tests

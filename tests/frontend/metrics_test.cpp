// Every metric of the table against scikit-learn (make_metrics.py), in batches of every size; what is not a number
// makes a metric NaN, and only where it counts.
#include "building.h"

#include "frontend/table/schema.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <set>
#include <sstream>

namespace dlcc::frontend::testing {
namespace {

using Row = std::vector<double>;
constexpr double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();

struct Case {
  std::string name, loss, metric;
  std::vector<Row> prediction, label;
  double expected = 0;
};

std::vector<Row> read_rows(const std::string& text) {
  std::vector<Row> rows;
  std::istringstream in(text);
  for (std::string word; in >> word;) {
    rows.emplace_back();
    std::istringstream numbers(word);
    for (std::string number; std::getline(numbers, number, ',');) rows.back().push_back(std::stod(number));
  }
  return rows;
}

std::vector<Case> read_cases() {
  std::ifstream file(std::string(DLCC_GOLDEN_DIR) + "/metrics.txt");
  std::vector<Case> cases;
  Case c;
  std::string prediction, label, expected, blank;
  while (std::getline(file, c.name) && std::getline(file, c.loss) && std::getline(file, c.metric) &&
         std::getline(file, prediction) && std::getline(file, label) && std::getline(file, expected) &&
         std::getline(file, blank)) {
    c.prediction = read_rows(prediction), c.label = read_rows(label), c.expected = std::stod(expected);
    cases.push_back(c);
  }
  return cases;
}

std::string type_of(const Case& c) {
  if (c.metric[0] == '"') return c.metric.substr(1, c.metric.size() - 2);
  const size_t from = c.metric.find(R"("type": ")") + 9;
  return c.metric.substr(from, c.metric.find('"', from) - from);
}

// The predictions are the input itself.
std::string model_of_case(const Case& c, size_t batch) {
  const std::string columns = std::to_string(c.prediction[0].size());
  return R"({"dlcc": 1, "dtype": "f64", "inputs": {"x": {"shape": ["N", )" + columns +
         R"(]}}, "train": {"batch_size": )" + std::to_string(batch) +
         R"(}, "layers": [{"type": "Rescale", "scale": 1}], "loss": )" + c.loss + R"(, "metrics": [)" + c.metric + "]}";
}

// The metric after all rows in batches of that size; short ones are filled with the last row again.
double metric_of(const Case& c, size_t batch, const char* function) {
  Model m(model_of_case(c, batch));
  for (size_t from = 0; from < c.prediction.size(); from += batch) {
    const size_t to = std::min(c.prediction.size(), from + batch);
    std::vector<double> x, y;
    for (size_t r = 0; r < batch; ++r) {
      const size_t row = std::min(from + r, to - 1);
      x.insert(x.end(), c.prediction[row].begin(), c.prediction[row].end());
      y.insert(y.end(), c.label[row].begin(), c.label[row].end());
    }
    m.feed("x", x).feed("label", y).feed("n_valid", {static_cast<double>(to - from)}).run(function);
  }
  return m.run("metrics_result")[0].data[0];
}

void expect_metric(const Case& c, size_t batch, const char* function = "eval_step") {
  const double got = metric_of(c, batch, function);
  const std::string what = c.name + " in batches of " + std::to_string(batch) + " by " + function;
  if (std::isnan(c.expected))
    EXPECT_TRUE(std::isnan(got)) << what << ": " << got;
  else if (std::isinf(c.expected))
    EXPECT_EQ(got, c.expected) << what;
  else
    EXPECT_NEAR(got, c.expected, 1e-12 * std::fabs(c.expected)) << what;
}
void expect_metric(const Case& c) {
  for (size_t batch = 1; batch <= c.prediction.size() + 1; ++batch) expect_metric(c, batch);
  expect_metric(c, 4, "loss");
}

TEST(Metrics, equal_scikit_learn_in_batches_of_every_size) {
  for (const Case& c : read_cases()) expect_metric(c);
}

TEST(Metrics, each_has_a_case) {
  std::set<std::string> seen{"loss"}; // data_loss_test.cpp
  for (const Case& c : read_cases()) seen.insert(type_of(c));
  const std::vector<GroupDef> groups = loss_groups();
  for (const RecordDef& metric : groups[1].records) EXPECT_TRUE(seen.contains(metric.name)) << metric.name;
}

// A NaN among the predictions, or the labels where those are numbers.
TEST(Metrics, a_nan_makes_them_nan) {
  for (Case c : read_cases()) {
    c.expected = nan;
    c.prediction[0].back() = nan;
    c.name += ", a prediction is NaN";
    expect_metric(c, 3);
    if (c.loss.find("sparse") != std::string::npos) continue;
    c.prediction[0].back() = 0.25;
    c.label[0].back() = nan;
    c.name += ", a label is NaN";
    expect_metric(c, 3);
  }
}

TEST(Metrics, what_is_ignored_may_be_nan) {
  int seen = 0;
  for (Case c : read_cases()) {
    if (c.label[1] != Row{-1} || c.loss.find("ignore") == std::string::npos) continue;
    c.prediction[1].front() = nan;
    expect_metric(c);
    ++seen;
  }
  EXPECT_GE(seen, 6);
}

// Infinities are large numbers.
TEST(Metrics, infinite_predictions) {
  const std::vector<Row> signs = {{-1}, {-1}, {1}, {1}}, classes = {{0}, {1}, {1}};
  const std::string hinge = R"({"type": "hinge"})", mse = R"({"type": "mean_squared_error"})",
                    logits = R"({"type": "sparse_categorical_crossentropy", "from_logits": true})",
                    binary = R"({"type": "binary_crossentropy", "from_logits": true})";
  const std::vector<Row> ranked = {{-infinity}, {-3}, {5}, {infinity}},
                         of_classes = {{infinity, 1}, {-infinity, 0}, {2, 1}};
  for (const Case& c : std::vector<Case>{
           {"auc", hinge, R"("auc")", ranked, signs, 1},
           {"auc of logits", binary, R"("auc")", ranked, {{0}, {0}, {1}, {1}}, 1},
           {"accuracy", hinge, R"("accuracy")", ranked, signs, 1},
           {"precision", hinge, R"("precision")", ranked, signs, 1},
           {"recall", hinge, R"("recall")", ranked, signs, 1},
           {"f1", hinge, R"("f1")", ranked, signs, 1},
           {"accuracy of classes", logits, R"("accuracy")", of_classes, classes, 2.0 / 3},
           {"top 1", logits, R"({"type": "top_k", "k": 1})", of_classes, classes, 2.0 / 3},
           {"mse", mse, R"("mse")", ranked, signs, infinity},
           {"rmse", mse, R"("rmse")", ranked, signs, infinity},
           {"mae", mse, R"("mae")", ranked, signs, infinity},
           {"r2", mse, R"("r2")", ranked, signs, -infinity},
       })
    expect_metric(c);
}

TEST(Metrics, of_one_class) {
  const std::string binary = R"({"type": "binary_crossentropy"})";
  const std::vector<Row> p = {{0.2}, {0.7}, {0.4}}, ones = {{1}, {1}, {1}}, zeros = {{0}, {0}, {0}};
  expect_metric({"auc, all true", binary, R"("auc")", p, ones, nan});
  expect_metric({"auc, all false", binary, R"("auc")", p, zeros, nan});
}

} // namespace
} // namespace dlcc::frontend::testing

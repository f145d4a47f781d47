// The loss of a data set is that of one batch with all of its samples, whatever the batches are: every loss, with every
// option, in batches of every size, against formulas written here.
#include "building.h"

#include "frontend/table/schema.h"

#include <algorithm>

namespace dlcc::frontend::testing {
namespace {

constexpr int rows = 5;
using Row = std::vector<double>;

// What the test knows of a loss: two numbers a sample, the label of one, and the formula.
struct Formula {
  std::string name, keys; ///< keys that hold in every case
  std::vector<Row> x, y;
  double (*of)(const Row& x, const Row& y);
};

// The mean over the elements of a sample.
template <class F> double mean(const Row& x, const Row& y, F f) {
  double total = 0;
  for (size_t i = 0; i < x.size(); ++i) total += f(x[i], y[i]) / static_cast<double>(x.size());
  return total;
}
double hinge(double x, double y) { return std::max(0.0, 1 - (y == 0 ? -1 : y) * x); }
double log_softmax(const Row& x, size_t k) { return x[k] - std::log(std::exp(x[0]) + std::exp(x[1])); }

const std::vector<Row> any = {{0.3, -1.2}, {2.5, 0.1}, {-0.4, 0.8}, {1.1, -0.7}, {-2.2, 0.9}};
const std::vector<Row> other = {{1.0, 0.5}, {-0.3, 0.2}, {0.7, -1.9}, {0.0, 0.4}, {-0.6, 1.3}};
const std::vector<Row> shares = {{0.3, 0.7}, {0.9, 0.1}, {0.45, 0.55}, {0.2, 0.8}, {0.65, 0.35}};
const std::vector<Row> other_shares = {{0.5, 0.5}, {0.2, 0.8}, {0.75, 0.25}, {0.1, 0.9}, {0.6, 0.4}};
const std::vector<Row> signs = {{1, 0}, {0, 0}, {1, 1}, {0, 1}, {1, 0}};
const std::vector<Row> one_hot = {{1, 0}, {0, 1}, {0, 1}, {1, 0}, {0, 1}};
const std::vector<Row> classes = {{0}, {1}, {1}, {0}, {1}};

const Formula formulas[] = {
    {"mean_squared_error", "", any, other,
     [](const Row& x, const Row& y) { return mean(x, y, [](double p, double t) { return (p - t) * (p - t); }); }},
    {"mean_absolute_error", "", any, other,
     [](const Row& x, const Row& y) { return mean(x, y, [](double p, double t) { return std::fabs(p - t); }); }},
    {"huber", "", any, other,
     [](const Row& x, const Row& y) {
       return mean(x, y, [](double p, double t) {
         const double e = std::fabs(p - t);
         return e <= 1 ? e * e / 2 : e - 0.5;
       });
     }},
    {"log_cosh", "", any, other,
     [](const Row& x, const Row& y) {
       return mean(x, y, [](double p, double t) { return std::log(std::cosh(p - t)); });
     }},
    {"poisson", "", shares, other_shares,
     [](const Row& x, const Row& y) {
       return mean(x, y, [](double p, double t) { return p - t * std::log(p + 1e-7); });
     }},
    {"hinge", "", any, signs, [](const Row& x, const Row& y) { return mean(x, y, hinge); }},
    {"squared_hinge", "", any, signs,
     [](const Row& x, const Row& y) {
       return mean(x, y, [](double p, double t) { return std::pow(hinge(p, t), 2); });
     }},
    {"kl_divergence", "", shares, other_shares,
     [](const Row& x, const Row& y) { return y[0] * std::log(y[0] / x[0]) + y[1] * std::log(y[1] / x[1]); }},
    {"binary_crossentropy", R"("from_logits": true)", any, signs,
     [](const Row& x, const Row& y) {
       return mean(x, y, [](double z, double t) { return std::log1p(std::exp(z)) - t * z; });
     }},
    {"categorical_crossentropy", R"("from_logits": true)", any, one_hot,
     [](const Row& x, const Row& y) { return -y[0] * log_softmax(x, 0) - y[1] * log_softmax(x, 1); }},
    {"sparse_categorical_crossentropy", R"("from_logits": true)", any, classes,
     [](const Row& x, const Row& y) { return -log_softmax(x, y[0] == 1); }},
};
const Formula& formula(const std::string& name) {
  for (const Formula& f : formulas)
    if (f.name == name) return f;
  throw std::runtime_error("no formula for the loss " + name);
}

// An option, and how it changes what a sample adds and whether the sum is divided.
struct Option {
  std::string keys;
  double (*factor)(size_t row, const Row& y) = [](size_t, const Row&) { return 1.0; };
  bool (*counts)(size_t row) = [](size_t) { return true; };
  bool is_sum = false;
};
constexpr double sample_weights[rows] = {0.5, 2, 0, 1.25, 3};
bool is_first_class(const Row& y) { return y.size() > 1 ? y[0] == 1 : y[0] == 0; }
bool not_ignored(size_t row) { return row != 1 && row != 2; }

const std::vector<Option> for_all = {
    {""},
    {R"("weight": 0.3)", [](size_t, const Row&) { return 0.3; }},
    {R"("reduction": "sum")", [](size_t, const Row&) { return 1.0; }, [](size_t) { return true; }, true},
    {R"("sample_weight": "sw")", [](size_t row, const Row&) { return sample_weights[row]; }},
    {R"("sample_weight": "sw", "reduction": "sum", "weight": 2)",
     [](size_t row, const Row&) { return 2 * sample_weights[row]; }, [](size_t) { return true; }, true},
};
const std::vector<Option> for_classes = {
    {R"("class_weight": {"0": 4})", [](size_t, const Row& y) { return is_first_class(y) ? 4.0 : 1.0; }}};
// Rows 1 and 2 have the label -1.
const std::vector<Option> for_ignored = {
    {R"("ignore_index": -1)", [](size_t, const Row&) { return 1.0; }, not_ignored},
    {R"("ignore_index": -1, "reduction": "sum")", [](size_t, const Row&) { return 1.0; }, not_ignored, true},
    {R"("ignore_index": -1, "sample_weight": "sw", "class_weight": {"0": 4})",
     [](size_t row, const Row& y) { return sample_weights[row] * (is_first_class(y) ? 4.0 : 1.0); }, not_ignored},
};

double expected(const Formula& f, const Option& option) {
  double total = 0, count = 0;
  for (size_t i = 0; i < rows; ++i)
    if (option.counts(i)) total += option.factor(i, f.y[i]) * f.of(f.x[i], f.y[i]), count += 1;
  return option.is_sum ? total : total / count;
}

std::string joined(std::initializer_list<std::string> keys) {
  std::string out;
  for (const std::string& k : keys)
    if (!k.empty()) out += (out.empty() ? "" : ", ") + k;
  return out;
}

// Feeds rows [from, to); the rest of the batch is the last of them again, as the runtime fills it.
void feed(Model& m, const std::string& name, size_t batch, size_t from, size_t to, const std::vector<Row>& values) {
  std::vector<double> flat;
  for (size_t r = 0; r < batch; ++r)
    for (double v : values[std::min(from + r, to - 1)]) flat.push_back(v);
  m.feed(name, flat);
}

// The loss that the results say after all rows went through `function` in batches of that size.
double loss_of_data(Model& m, const std::string& function, size_t batch,
                    const std::map<std::string, std::vector<Row>>& data) {
  m.run("metrics_reset");
  for (size_t from = 0; from < rows; from += batch) {
    const size_t to = std::min<size_t>(rows, from + batch);
    for (const auto& [name, values] : data) feed(m, name, batch, from, to, values);
    m.feed("n_valid", {static_cast<double>(to - from)}).run(function);
  }
  return m.run("metrics_result").back().data[0];
}

std::vector<Row> column(const double* values) {
  std::vector<Row> out;
  for (size_t i = 0; i < rows; ++i) out.push_back({values[i]});
  return out;
}

std::string model(size_t batch, const std::string& rest) {
  return R"({"dlcc": 1, "dtype": "f64", "inputs": {"x": {"shape": ["N", 2]}, "sw": {"shape": ["N"]}},
    "train": {"batch_size": )" +
         std::to_string(batch) + "}, " + rest + "}";
}

void sweep(const Formula& f, const Option& option) {
  std::map<std::string, std::vector<Row>> data = {{"x", f.x}, {"label", f.y}, {"sw", column(sample_weights)}};
  for (size_t i = 0; i < rows; ++i)
    if (!option.counts(i)) data["label"][i] = {-1};
  const std::string loss = joined({R"({"type": ")" + f.name + '"', f.keys, option.keys});
  const bool has_weights = option.keys.find("sw") != std::string::npos;
  for (size_t batch = 1; batch <= rows + 1; ++batch) {
    std::string text =
        model(batch, R"("layers": [{"type": "Rescale", "name": "p", "scale": 1}], "loss": )" + loss + "}");
    if (!has_weights) text.replace(text.find(R"(, "sw": {"shape": ["N"]})"), 24, "");
    Model m(text);
    for (const char* function : {"loss", "eval_step"})
      EXPECT_NEAR(loss_of_data(m, function, batch, data), expected(f, option), 1e-13)
          << loss << " in batches of " << batch << " by " << function;
  }
}

TEST(DataLoss, every_loss_and_option_in_batches_of_every_size) {
  const std::vector<GroupDef> groups = loss_groups();
  for (const RecordDef& record : groups[0].records) {
    const Formula& f = formula(record.name);
    auto takes = [&](const char* key) {
      return std::any_of(record.keys.begin(), record.keys.end(), [&](const Key& k) { return k.name == key; });
    };
    for (const Option& o : for_all) sweep(f, o);
    if (takes("class_weight"))
      for (const Option& o : for_classes)
        if (f.name != "binary_crossentropy") sweep(f, o); // which has several labels a sample here
    if (takes("ignore_index"))
      for (const Option& o : for_ignored) sweep(f, o);
  }
}

// A data set of which nothing counts has the loss 0; so has every batch of it.
TEST(DataLoss, nothing_counts) {
  for (size_t batch : {1, 2, 5}) {
    Model m(R"({"dlcc": 1, "inputs": {"x": {"shape": ["N", 2]}}, "train": {"batch_size": )" + std::to_string(batch) +
            R"(}, "layers": [{"type": "Rescale", "scale": 1}],
      "loss": {"type": "sparse_categorical_crossentropy", "from_logits": true, "ignore_index": -1}})");
    EXPECT_EQ(loss_of_data(m, "eval_step", batch, {{"x", any}, {"label", std::vector<Row>(rows, {-1})}}), 0);
  }
}

// Several losses, each with a count of its own, and penalties, which count once.
TEST(DataLoss, sums_of_losses_and_penalties) {
  std::map<std::string, std::vector<Row>> data = {{"x", any}, {"label", classes}, {"t", other}};
  data["label"][3] = {-1};
  double a = 0, b = 0, activity = 0;
  for (size_t i = 0; i < rows; ++i) {
    const Row p = {2 * any[i][0], 2 * any[i][1]}; // kernel: twice the identity
    if (i != 3) a -= log_softmax(p, classes[i][0] == 1) / 4;
    b += (std::pow(p[0] - other[i][0], 2) + std::pow(p[1] - other[i][1], 2)) / 2;
    activity += (std::fabs(p[0]) + std::fabs(p[1])) / rows;
  }
  const double expected = a + 0.5 * b + 0.25 * 8 + 0.125 * activity;
  for (size_t batch = 1; batch <= rows + 1; ++batch)
    for (const char* optimizer : {R"("sgd")", R"({"type": "sgd", "accumulate_steps": 3})"}) {
      Model m(R"({"dlcc": 1, "dtype": "f64", "inputs": {"x": {"shape": ["N", 2]}}, "train": {"batch_size": )" +
              std::to_string(batch) + R"(}, "layers": [{"type": "Dense", "name": "p", "units": 2, "use_bias": false,
          "kernel_regularizer": {"l2": 0.25}, "activity_regularizer": {"l1": 0.125}}], "optimizer": )" +
              optimizer + R"(,
        "loss": [{"type": "sparse_categorical_crossentropy", "from_logits": true, "ignore_index": -1},
                 {"type": "mean_squared_error", "label": "t", "reduction": "sum", "weight": 0.5}],
        "metrics": [{"type": "loss", "name": "again"}]})");
      m.set("p/kernel", {2, 0, 0, 2});
      for (const char* function : {"loss", "eval_step"}) {
        EXPECT_NEAR(loss_of_data(m, function, batch, data), expected, 1e-13) << batch << function;
        EXPECT_EQ(m.run("metrics_result")[0].data[0], m.run("metrics_result")[1].data[0]);
      }
    }
}

// scikit-learn divides its penalty by the rows of a batch: in evaluation all samples are one batch; in training its
// loss_ weighs the batches by their rows.
TEST(DataLoss, the_penalty_of_scikit_learn) {
  double squares = 0;
  for (size_t i = 0; i < rows; ++i)
    squares += mean(any[i], other[i], [](double x, double t) { return std::pow(2 * x - t, 2); }) / rows;
  for (size_t batch = 1; batch <= rows + 1; ++batch) {
    Model m(R"({"dlcc": 1, "dtype": "f64", "inputs": {"x": {"shape": ["N", 2]}}, "train": {"batch_size": )" +
            std::to_string(batch) + R"(}, "layers": [{"type": "Dense", "name": "p", "units": 2, "use_bias": false}],
      "optimizer": {"type": "sgd", "preset": "sklearn", "alpha": 0.5}, "loss": "mean_squared_error"})");
    m.set("p/kernel", {2, 0, 0, 2});
    const std::map<std::string, std::vector<Row>> data = {{"x", any}, {"label", other}};
    const double fit = loss_of_data(m, "eval_step", batch, data) - 0.25 * 8 / rows;
    const double batches = std::ceil(static_cast<double>(rows) / static_cast<double>(batch));
    EXPECT_NEAR(loss_of_data(m, "loss", batch, data) - batches * 0.25 * 8 / rows, fit, 1e-13) << batch;
    EXPECT_NEAR(fit, squares, 1e-13) << batch;
  }
}

TEST(DataLoss, no_other_result_is_called_loss) {
  EXPECT_EQ(
      build(R"({"dlcc": 1, "inputs": {"x": {"shape": ["N", 1]}}, "layers": ["Flatten"],
"loss": "huber", "metrics": [{"type": "mse", "name": "loss"}]})")
          .lines,
      std::vector<std::string>{
          "m.json:2:30: error: metric 'mse' is called 'loss' as the loss itself, expected another name [bad-name]"});
}

} // namespace
} // namespace dlcc::frontend::testing

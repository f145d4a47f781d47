// The graph that a model becomes: its text, its names, and its values against numbers computed here.
#include "building.h"
#include "models.h"

#include "ir/graph/parse.h"
#include "ir/graph/print.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace dlcc::frontend::testing {
namespace {

using Names = std::vector<std::string>;

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// DLCC_BLESS=1 writes the text instead of comparing it; read the difference before committing it.
TEST(BuildModule, tiny_model_as_text) {
  const std::string dir = DLCC_GOLDEN_DIR;
  Model m(read_file(dir + "/tiny.json"));
  std::string text = graph::print(m.module());
  if (std::getenv("DLCC_BLESS")) std::ofstream(dir + "/tiny_source.txt") << text;
  EXPECT_EQ(text, read_file(dir + "/tiny_source.txt"));
  EXPECT_EQ(graph::print(graph::parse_module(text, ops::all_ops())), text);
}

// A model of 3 rows and 2 features; `rest` follows the inputs.
std::string small(const std::string& rest) {
  return R"({"dlcc": 1, "inputs": {"x": {"shape": ["N", 2]}}, "train": {"batch_size": 3}, )" + rest + "}";
}
const std::string one_sigmoid = R"("layers": [{"type": "Dense", "name": "p", "units": 1, "activation": "sigmoid"}])";
const std::vector<double> x = {1, 2, -1, 0.5, 3, -2}, w = {0.5, -0.25};
constexpr double b = 0.125;
double logit(size_t row) { return x[2 * row] * w[0] + x[2 * row + 1] * w[1] + b; }
double crossentropy(double p, double y) { return -(y * std::log(p) + (1 - y) * std::log(1 - p)); }

Model& filled(Model& m, std::vector<double> label, double n_valid = 3) {
  return m.set("p/kernel", w)
      .set("p/bias", {b})
      .feed("x", x)
      .feed("label", std::move(label))
      .feed("n_valid", {n_valid});
}

TEST(BuildModule, dense_and_binary_crossentropy) {
  Model m(small(one_sigmoid + R"(, "loss": "binary_crossentropy")"));
  filled(m, {1, 0, 1}, 2);
  std::vector<double> p = m.run("predict")[0].data;
  for (size_t i = 0; i < 3; ++i) EXPECT_NEAR(p[i], sigmoid(logit(i)), 1e-15);
  double expected =
      (crossentropy(sigmoid(logit(0)), 1) + crossentropy(sigmoid(logit(1)), 0)) / 2; // the third is padding
  EXPECT_NEAR(m.number("loss"), expected, 1e-14);
  EXPECT_NEAR(m.number("eval_step"), expected, 1e-14);
}

TEST(BuildModule, logits_smoothing_weights_and_reduction) {
  Model m(R"({"dlcc": 1, "inputs": {"x": {"shape": ["N", 2]}, "sw": {"shape": ["N", 1]}}, "train": {"batch_size": 3},
    "layers": [{"type": "Dense", "name": "p", "units": 1}],
    "loss": {"type": "binary_crossentropy", "from_logits": true, "label_smoothing": 0.2, "class_weight": {"1": 3},
             "sample_weight": "sw", "reduction": "sum", "weight": 0.5}})");
  filled(m, {1, 0, 1}, 2).feed("sw", {0.7, 2, 5});
  double first = crossentropy(sigmoid(logit(0)), 0.9) * 3 * 0.7, second = crossentropy(sigmoid(logit(1)), 0.1) * 2;
  EXPECT_NEAR(m.number("loss"), 0.5 * (first + second), 1e-14);
  EXPECT_EQ(m.module().functions[*m.module().find_function("predict")].parameters.size(), 1u); // no weights
}

TEST(BuildModule, sparse_crossentropy_ignores) {
  Model m(small(R"("layers": [{"type": "Activation", "name": "p", "activation": "softmax"}],
    "loss": {"type": "sparse_categorical_crossentropy", "ignore_index": -1, "class_weight": {"0": 2}}, "metrics": ["accuracy", "precision"])"));
  m.feed("x", x).feed("label", {0, -1, 1}).feed("n_valid", {3});
  auto softmax = [](double own, double other) { return 1 / (1 + std::exp(other - own)); };
  double expected = (-2 * std::log(softmax(1, 2)) - std::log(softmax(-2, 3))) / 2;
  EXPECT_NEAR(m.number("loss"), expected, 1e-14);
  EXPECT_EQ(m.run("metrics_result")[0].data[0], 0.0); // both of the two that count are wrong
  EXPECT_EQ(m.run("metrics_result")[1].data[0], 0.0);
}

TEST(BuildModule, categorical_class_weights_follow_the_largest_label) {
  Model m(small(R"("layers": [{"type": "Activation", "activation": "softmax"}],
    "loss": {"type": "categorical_crossentropy", "class_weight": {"1": 4}})"));
  m.feed("x", {0, 0, 0, 0, 0, 0}).feed("label", {0.2, 0.8, 1, 0, 0, 1}).feed("n_valid", {2});
  EXPECT_NEAR(m.number("loss"), std::log(2) * (4 + 1) / 2, 1e-14);
}

TEST(BuildModule, several_losses) {
  Model m(small(
      R"("layers": [{"type": "Dense", "name": "p", "units": 1}, {"type": "Rescale", "name": "q", "scale": 2}], "outputs": ["q"],
    "loss": ["mean_absolute_error", {"type": "mean_squared_error", "prediction": "p", "label": "t", "weight": 0.3}])"));
  filled(m, {1, 1, 1}).feed("t", {0, 0, 0});
  double expected = 0;
  for (size_t i = 0; i < 3; ++i) expected += (std::fabs(2 * logit(i) - 1) + 0.3 * logit(i) * logit(i)) / 3;
  EXPECT_NEAR(m.number("loss"), expected, 1e-14);
  EXPECT_EQ(m.run("predict").size(), 1u);
  EXPECT_NEAR(m.run("predict")[0].data[1], 2 * logit(1), 1e-15);
}

TEST(BuildModule, penalties) {
  Model m(small(R"("layers": [{"type": "Dense", "name": "p", "units": 1, "kernel_regularizer": {"l1": 0.1, "l2": 0.2},
      "bias_regularizer": {"l2": 10}, "activity_regularizer": {"l1": 0.5}},
      {"type": "Dense", "name": "frozen", "units": 1, "trainable": false, "kernel_regularizer": {"l2": 100}}],
    "loss": "mean_squared_error")"));
  filled(m, {0, 0, 0}, 2).set("frozen/kernel", {0});
  double expected =
      0.1 * 0.75 + 0.2 * (0.25 + 0.0625) + 10 * b * b + 0.5 * (std::fabs(logit(0)) + std::fabs(logit(1))) / 2;
  EXPECT_NEAR(m.number("loss"), expected, 1e-14);
  EXPECT_FALSE(m.state("frozen/bias").trainable());
}

// Two batches, the second with two rows; every metric against its definition over the five rows.
TEST(BuildModule, metrics_over_batches) {
  Model m(small(one_sigmoid + R"(, "loss": "binary_crossentropy",
    "metrics": ["accuracy", "precision", "recall", "f1", "auc", "mse", "mae", "rmse", "r2", {"type": "loss", "name": "mean_loss"}])"));
  const std::vector<double> first = {1, 0, 1}, second = {0, 1, 1};
  double losses = 0;
  losses += 3 * filled(m, first).number("loss");
  m.feed("x", {2, 1, 4, 4, 9, 9}).feed("label", second).feed("n_valid", {2});
  losses += 2 * m.number("eval_step");
  auto p_of = [&](double u, double v) { return sigmoid(u * w[0] + v * w[1] + b); };
  std::vector<double> p = {p_of(1, 2), p_of(-1, 0.5), p_of(3, -2), p_of(2, 1), p_of(4, 4)}, y = {1, 0, 1, 0, 1};
  double right = 0, tp = 0, predicted = 0, actual = 0, square = 0, absolute = 0, mean = 0, spread = 0, pairs = 0,
         won = 0;
  for (size_t i = 0; i < 5; ++i) {
    bool positive = p[i] > 0.5;
    right += positive == (y[i] > 0.5), predicted += positive, actual += y[i], tp += positive && y[i] > 0.5;
    square += (p[i] - y[i]) * (p[i] - y[i]), absolute += std::fabs(p[i] - y[i]), mean += y[i] / 5;
    for (size_t k = 0; k < 5; ++k)
      if (y[i] > y[k]) pairs += 1, won += p[i] > p[k];
  }
  for (double v : y) spread += (v - mean) * (v - mean);
  std::vector<double> expected = {right / 5,           tp / predicted, tp / actual,  2 * tp / (predicted + actual),
                                  won / pairs,         square / 5,     absolute / 5, std::sqrt(square / 5),
                                  1 - square / spread, losses / 5,     losses / 5};
  auto expect_result = [&](const std::vector<double>& wanted) {
    std::vector<Tensor> result = m.run("metrics_result");
    ASSERT_EQ(result.size(), wanted.size());
    for (size_t i = 0; i < wanted.size(); ++i)
      if (std::isnan(wanted[i]))
        EXPECT_TRUE(std::isnan(result[i].data[0])) << i;
      else
        EXPECT_NEAR(result[i].data[0], wanted[i], 1e-12) << i;
  };
  expect_result(expected);
  m.run("metrics_reset");
  std::vector<double> of_nothing(11, 0.0);
  of_nothing[4] = std::nan(""); // auc: of one class
  expect_result(of_nothing);
}

TEST(BuildModule, accuracy_and_top_k_of_classes) {
  Model m(
      R"({"dlcc": 1, "inputs": {"x": {"shape": ["N", 3]}}, "train": {"batch_size": 3}, "layers": [{"type": "Rescale", "scale": 1}],
    "loss": {"type": "sparse_categorical_crossentropy", "from_logits": true}, "metrics": ["accuracy", {"type": "top_k", "k": 2}]})");
  m.feed("x", {1, 3, 2, 0, 1, 2, 5, 4, 3}).feed("label", {1, 1, 2}).feed("n_valid", {3}).run("eval_step");
  std::vector<Tensor> result = m.run("metrics_result");
  EXPECT_NEAR(result[0].data[0], 1.0 / 3, 1e-15);
  EXPECT_NEAR(result[1].data[0], 2.0 / 3, 1e-15);
}

TEST(BuildModule, dense_works_on_the_last_axis) {
  Model m(R"({"dlcc": 1, "inputs": {"x": {"shape": ["N", 2, 2]}}, "train": {"batch_size": 1},
    "layers": [{"type": "Dense", "name": "p", "units": 1}]})");
  m.set("p/kernel", {10, 1}).set("p/bias", {100}).feed("x", {1, 2, 3, 4});
  Tensor y = m.run("predict")[0];
  EXPECT_EQ(y.type.shape, (Shape{1, 2, 1}));
  EXPECT_EQ(y.data, (std::vector<double>{112, 134}));
}

TEST(BuildModule, names_of_nested_layers) {
  Model m(model_of(R"({"type": "Dense", "units": 4}, {"type": "Repeat", "name": "h", "times": 2, "layers": [
    {"type": "Residual", "layers": [{"type": "Dense", "units": 4}, {"type": "Dense", "name": "ln", "units": 4}], "shortcut": [{"type": "Dense", "units": 4}]}]},
    {"type": "Dense", "units": 4}, {"type": "Add", "from": ["h", "dense_1", "h_0/ln"]})"));
  Names names;
  for (const char* layer :
       {"dense", "h_0/dense", "h_0/ln", "h_0/dense_1", "h_1/dense", "h_1/ln", "h_1/dense_1", "dense_1"})
    for (const char* part : {"/kernel", "/bias"}) names.push_back(std::string(layer) + part);
  EXPECT_EQ(m.state_names(), names);
}

TEST(BuildModule, merging_layers) {
  auto run = [](const std::string& type) {
    Model m(small(
        R"("layers": [{"type": "Rescale", "name": "a", "scale": 2, "offset": 1}, {"type": "Normalize", "name": "n", "mean": [1, 2], "variance": 4, "from": ["x"]}, )" +
        type + "]"));
    return m.feed("x", x).run("predict")[0].data;
  };
  auto expect_each = [&](const std::string& type, double (*f)(double a, double n)) {
    std::vector<double> y = run(R"({"type": ")" + type + R"(", "from": ["a", "n"]})");
    for (size_t i = 0; i < 6; ++i) EXPECT_NEAR(y[i], f(2 * x[i] + 1, (x[i] - (i % 2 ? 2 : 1)) / 2), 1e-15) << type;
  };
  expect_each("Add", [](double a, double n) { return a + n; });
  expect_each("Subtract", [](double a, double n) { return a - n; });
  expect_each("Multiply", [](double a, double n) { return a * n; });
  expect_each("Average", [](double a, double n) { return (a + n) / 2; });
  expect_each("Maximum", [](double a, double n) { return std::max(a, n); });
}

TEST(BuildModule, moving_layers) {
  Model m(small(
      R"("layers": [{"type": "Rescale", "name": "a", "scale": 2, "offset": 1}, {"type": "Concat", "from": ["x", "a"]},
    {"type": "Reshape", "target_shape": [2, -1]}, "Flatten"])"));
  Tensor y = m.feed("x", x).run("predict")[0];
  EXPECT_EQ(y.type.shape, (Shape{3, 4}));
  EXPECT_EQ(y.data, (std::vector<double>{1, 2, 3, 5, -1, 0.5, -1, 2, 3, -2, 7, -3}));
}

TEST(BuildModule, dropout_only_in_training) {
  Model m(small(R"("layers": [{"type": "Dropout", "name": "d", "rate": 0.5}], "loss": "mean_squared_error")"));
  m.feed("x", x).feed("seed", {7}).feed("batch", {0});
  EXPECT_EQ(m.run("predict")[0].data, x);
  std::vector<double> y = m.run("forward_train")[0].data;
  for (size_t i = 0; i < 6; ++i) EXPECT_TRUE(y[i] == 0 || y[i] == 2 * x[i]);
}

TEST(BuildModule, tied_parameters) {
  Model m(small(R"("layers": [{"type": "Dense", "name": "a", "units": 2, "use_bias": false, "kernel": "@b/kernel^T"},
    {"type": "Dense", "name": "b", "units": 2, "use_bias": false, "kernel_initializer": "ones"}])"));
  EXPECT_EQ(m.state_names(), Names{"b/kernel"});
  EXPECT_EQ(m.state("b/kernel").initializer, "ones");
  m.set("b/kernel", {1, 2, 3, 4}).feed("x", {1, 0, 0, 1, 0, 0});
  EXPECT_EQ(m.run("predict")[0].data,
            (std::vector<double>{1 * 1 + 3 * 3, 1 * 2 + 3 * 4, 2 * 1 + 4 * 3, 2 * 2 + 4 * 4, 0, 0}));
}

TEST(BuildModule, sklearn_preset) {
  Model m(
      R"({"dlcc": 1, "inputs": {"x": {"shape": ["N", 2]}}, "layers": [{"type": "Dense", "name": "a", "units": 4, "activation": "sigmoid"},
    {"type": "Dense", "name": "b", "units": 1}], "loss": "mean_squared_error", "optimizer": {"type": "sgd", "preset": "sklearn", "alpha": 0.5}})");
  EXPECT_EQ(m.module().batch, 200);
  for (const char* name : {"a/kernel", "a/bias"}) {
    EXPECT_EQ(m.state(name).initializer, "random_uniform");
    EXPECT_DOUBLE_EQ(m.state(name).initializer_attributes.number("maxval"),
                     std::sqrt(2.0 / 6)); // 2: hidden is logistic
    EXPECT_DOUBLE_EQ(m.state(name).initializer_attributes.number("minval"), -std::sqrt(2.0 / 6));
  }
  EXPECT_DOUBLE_EQ(m.state("b/bias").initializer_attributes.number("maxval"), std::sqrt(2.0 / 5));
  m.set("a/kernel", {1, 2, 3, 4, 0, 0, 0, 0}).set("a/bias", {9, 9, 9, 9}).feed("n_valid", {10});
  EXPECT_NEAR(m.number("loss"), 0.5 * 0.5 * 30 / 10, 1e-14); // kernels only
}

// What scikit-learn's MLPClassifier and MLPRegressor take for what is not said; what is said stays.
TEST(BuildModule, sklearn_defaults) {
  auto with = [](const std::string& optimizer, const std::string& rest = {}) {
    return build(R"({"dlcc": 1, "inputs": {"x": {"shape": ["N", 2]}}, "layers": [{"type": "Dense", "units": 1}],
      "loss": "mean_squared_error", "optimizer": {"preset": "sklearn", )" +
                 optimizer + "}" + rest + "}");
  };
  auto attributes = [](const Built& b, const char* kind) { return b.module->find_directive(kind)->attributes; };
  Built sgd = with(R"("type": "sgd")"), adam = with(R"("type": "adam")");
  EXPECT_EQ(attributes(sgd, "optimizer"), (Attributes{{"momentum", 0.9}, {"nesterov", true}, {"weight_decay", 0.0}}));
  EXPECT_EQ(attributes(adam, "optimizer").number("epsilon"), 1e-8);
  for (const Built* b : {&sgd, &adam}) {
    EXPECT_EQ(attributes(*b, "schedule").number("initial"), 0.001);
    EXPECT_EQ(b->spec->train.batch_size, 200);
    EXPECT_EQ(b->spec->train.epochs, 200);
    EXPECT_TRUE(b->spec->train.shuffle);
    EXPECT_EQ(b->spec->train.n_iter_no_change, 10);
    EXPECT_EQ(b->spec->train.tol, 1e-4);
    EXPECT_FALSE(b->spec->train.stratified);
  }
  Built own = with(R"("type": "sgd", "momentum": 0, "learning_rate": 0.5, "early_stopping": true)",
                   R"(, "train": {"batch_size": 7, "epochs": 3, "validation_split": 0.25})");
  EXPECT_EQ(attributes(own, "optimizer").number("momentum"), 0);
  EXPECT_EQ(attributes(own, "schedule").number("initial"), 0.5);
  EXPECT_EQ(own.spec->train.batch_size, 7);
  EXPECT_EQ(own.spec->train.epochs, 3);
  EXPECT_EQ(own.spec->train.validation_split, 0.25);
  EXPECT_TRUE(own.spec->train.stratified);
  EXPECT_EQ(with(R"("type": "sgd", "early_stopping": true)").spec->train.validation_split, 0.1);
  const Built keras = build(R"({"dlcc": 1, "inputs": {"x": {"shape": ["N", 2]}}, "layers": ["Flatten"],
    "loss": "mean_squared_error", "optimizer": "sgd"})");
  EXPECT_EQ(keras.spec->train.batch_size, 32);
}

TEST(BuildModule, directives) {
  Model m(binary_classifier);
  const graph::Directive* optimizer = m.module().find_directive("optimizer");
  EXPECT_EQ(optimizer->name, "sgd");
  EXPECT_EQ(optimizer->attributes, (Attributes{{"momentum", 0.9}, {"nesterov", true}, {"weight_decay", 0.0}}));
  EXPECT_EQ(m.module().find_directive("schedule")->attributes, (Attributes{{"initial", 0.05},
                                                                           {"decay_steps", 500.0},
                                                                           {"alpha", 0.01},
                                                                           {"warmup_target", 0.05},
                                                                           {"warmup_steps", 25.0}}));
  EXPECT_EQ(m.module().find_directive("clip")->name, "global_norm");
  EXPECT_EQ(m.module().find_directive("clip")->attributes.number("value"), 5.0);
  EXPECT_EQ(m.module().hypers.at(0).name, "learning_rate");
  int64_t elements = 0;
  for (const graph::State& s : m.module().states)
    if (s.role == graph::StateRole::parameter) elements += element_count(s.type.shape);
  EXPECT_EQ(elements, 5569); // as the format's example says
}

TEST(BuildModule, free_dataflow) {
  Model m(logistic_regression);
  std::vector<double> rows(32 * 20), weights(20), labels(32);
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = std::sin(static_cast<double>(i));
  for (size_t i = 0; i < 20; ++i) weights[i] = 0.1 * static_cast<double>(i) - 1;
  double expected = 0, squares = 0;
  for (size_t r = 0; r < 32; ++r) {
    double z = 0.25;
    for (size_t i = 0; i < 20; ++i) z += rows[r * 20 + i] * weights[i];
    labels[r] = r % 3 == 0;
    expected += crossentropy(sigmoid(z), labels[r]) / 32;
  }
  for (double v : weights) squares += v * v;
  m.set("w", weights).set("b", {0.25}).feed("x", rows).feed("y", labels).feed("n_valid", {32});
  EXPECT_NEAR(m.number("loss"), expected + 0.01 * squares, 1e-12);
  EXPECT_EQ(m.module().functions[*m.module().find_function("predict")].results.size(), 1u);
}

TEST(BuildModule, functions_are_inlined_or_called) {
  Model m(small(R"("functions": {
      "affine": {"inputs": ["u"], "outputs": ["v"], "nodes": [{"op": "add", "inputs": ["t", "c"], "output": "v"},
        {"op": "constant", "inputs": [], "output": "c", "attrs": {"value": [10, 20]}}, {"op": "twice", "inputs": ["u"], "output": "t"}]},
      "twice": {"inputs": ["u"], "outputs": ["v"], "nodes": [{"op": "add", "inputs": ["u", "u"], "output": "v"}],
        "gradient": {"nodes": [{"op": "add", "inputs": ["d.v", "d.v"], "output": "d.u"}]}}},
    "nodes": [{"op": "affine", "inputs": ["x"], "output": "y"}, {"op": "twice", "inputs": ["y"], "output": "z"}])"));
  EXPECT_EQ(m.feed("x", x).run("predict")[0].data, (std::vector<double>{24, 48, 16, 42, 32, 32}));
  const graph::Function& twice = m.module().functions[*m.module().find_function("function/twice")];
  EXPECT_EQ(twice.gradient, "function/twice/gradient");
  EXPECT_FALSE(m.module().find_function("function/affine"));
  graph::Environment env;
  Type type{DType::f32, {3, 2}};
  env.inputs = {{"u", Tensor(type)}, {"v", Tensor(type)}, {"d.v", Tensor(type, x)}};
  const graph::Function& gradient = m.module().functions[*m.module().find_function(twice.gradient)];
  EXPECT_EQ(graph::evaluate(m.module(), gradient, ops::all_ops(), env)[0].data,
            (std::vector<double>{2, 4, -2, 1, 6, -4}));
}

TEST(BuildModule, C16_no_nodes) {
  Model m(small(R"("nodes": [])"));
  EXPECT_EQ(m.feed("x", x).run("predict")[0].data, x);
}

TEST(BuildModule, C14_long_chain) {
  std::string nodes;
  for (int i = 0; i < 100'000; ++i)
    nodes += (i ? ", " : "") +
             (R"({"op": "relu", "inputs": [")" + (i ? "n" + std::to_string(i - 1) : std::string("x"))) +
             R"("], "output": "n)" + std::to_string(i) + "\"}";
  Built out = build(nodes_of(nodes));
  ASSERT_TRUE(out.module.has_value());
  EXPECT_EQ(out.module->functions[*out.module->find_function("predict")].nodes.size(), 100'000u);
}

TEST(TensorSpecs, inputs_labels_and_weights) {
  Model m(
      R"({"dlcc": 1, "inputs": {"x": {"shape": ["N", 5, 4]}, "sw": {"shape": ["N"]}}, "layers": [{"type": "Dense", "units": 3, "name": "c"},
    {"type": "Dense", "units": 1, "name": "p", "activation": "sigmoid"}], "outputs": ["c", "p"],
    "loss": [{"type": "sparse_categorical_crossentropy", "prediction": "c", "label": "k", "ignore_index": 9, "sample_weight": "sw"}, "binary_crossentropy"]})");
  std::vector<data::TensorSpec> specs = tensor_specs(*m.built.spec, m.module());
  auto text = [](const data::TensorSpec& t) {
    std::string out =
        t.name + " " + to_string(Type{static_cast<DType>(t.dtype), t.shape}) + (t.is_label ? " label" : "");
    if (t.classes >= 0) out += " classes " + std::to_string(t.classes);
    if (t.ignore_index) out += " ignore " + std::to_string(*t.ignore_index);
    if (t.low || t.high) out += " in " + std::to_string(*t.low) + ".." + std::to_string(*t.high);
    return out;
  };
  Names lines;
  for (const data::TensorSpec& t : specs) lines.push_back(text(t));
  EXPECT_EQ(lines, (Names{"x f32[5,4]", "k i32[5] label classes 3 ignore 9",
                          "label f32[5,1] label in 0.000000..1.000000", "sw f32[] label"}));
}

} // namespace
} // namespace dlcc::frontend::testing

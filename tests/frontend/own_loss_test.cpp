// Nodes beside layers, and losses and metrics of the model's own: values and functions, against closed forms.
#include "building.h"

#include "frontend/build/print_config.h"

#include <algorithm>

namespace dlcc::frontend::testing {
namespace {

using Lines = std::vector<std::string>;
using Numbers = std::vector<double>;

constexpr const char* pinball = R"("functions": {"pinball": {"inputs": ["p", "y"], "nodes": [
  {"op": "subtract", "inputs": ["y", "p"], "output": "e"},
  {"op": "constant", "inputs": [], "output": "q", "attrs": {"value": 0.75, "dtype": "f64"}},
  {"op": "constant", "inputs": [], "output": "r", "attrs": {"value": -0.25, "dtype": "f64"}},
  {"op": "multiply", "inputs": ["e", "q"], "output": "above"},
  {"op": "multiply", "inputs": ["e", "r"], "output": "below"},
  {"op": "maximum", "inputs": ["above", "below"], "output": "rows"}], "outputs": ["rows"]}})";

double pinball_of(double p, double y) { return std::max(0.75 * (y - p), -0.25 * (y - p)); }

// Four rows; x is the prediction, so that its numbers are the test's.
std::string model(const std::string& rest, const std::string& inputs = R"("x": {"shape": ["N", 1]})",
                  const std::string& network = R"("layers": [{"type": "Flatten", "name": "p"}])") {
  return R"({"dlcc": 1, "dtype": "f64", "inputs": {)" + inputs + "}, " + network + R"(, "train": {"batch_size": 4}, )" +
         rest + "}";
}

const Numbers predictions{1, 2, -1, 5}, labels{2, 0, -1.5, 7};

Model fed(const std::string& text, double rows = 4) {
  Model m(text);
  m.feed("x", predictions).feed("label", labels).feed("y", labels).feed("n_valid", {rows});
  return m;
}

double mean_pinball(int rows) {
  double sum = 0;
  for (int i = 0; i < rows; ++i) sum += pinball_of(predictions[i], labels[i]);
  return sum / rows;
}

Lines names_of_inputs(const Model& m, const std::string& function) {
  Lines names;
  const graph::Function& f = m.module().functions[*m.module().find_function(function)];
  for (graph::ValueId p : f.parameters)
    if (f.values[p].role != graph::ParameterRole::call) names.push_back(f.values[p].name);
  return names;
}

// ---- functions ------------------------------------------------------------------------------------------------------

TEST(OwnLoss, AFunctionIsAveragedOverTheRowsThatAreThere) {
  const std::string text = model(std::string(pinball) + R"(, "loss": "pinball")");
  EXPECT_NEAR(fed(text).number("loss"), mean_pinball(4), 1e-15);
  EXPECT_NEAR(fed(text, 3).number("loss"), mean_pinball(3), 1e-15);
  EXPECT_NEAR(fed(text, 3).number("eval_step"), mean_pinball(3), 1e-15);
  EXPECT_EQ(names_of_inputs(fed(text), "predict"), Lines{"x"});
}

// What other libraries call a loss, or mean by several, is a name like any other.
TEST(OwnLoss, AFunctionMayBeCalledLikeAnAlias) {
  for (const std::string name : {R"("mse")", R"("MSELoss")", R"("cross_entropy")"}) {
    Model m = fed(model(R"("functions": {)" + name + R"(: {"inputs": ["p", "y"], "nodes": [
      {"op": "subtract", "inputs": ["p", "y"], "output": "r"}], "outputs": ["r"]}}, "loss": )" +
                        name));
    EXPECT_NEAR(m.number("loss"), (-1 + 2 + 0.5 - 2) / 4, 1e-15) << name;
  }
}

TEST(OwnLoss, WeightAndReductionOfAFunction) {
  const std::string text =
      model(std::string(pinball) + R"(, "loss": {"type": "pinball", "weight": 0.5, "reduction": "sum"})");
  EXPECT_NEAR(fed(text).number("loss"), 0.5 * 4 * mean_pinball(4), 1e-15);
  EXPECT_NEAR(fed(text, 3).number("loss"), 0.5 * 3 * mean_pinball(3), 1e-15);
}

const std::string weighted = R"("x": {"shape": ["N", 1]}, "w": {"shape": ["N"]})";

TEST(OwnLoss, SampleWeightsMultiplyAFunctionOfTwo) {
  Model m = fed(model(std::string(pinball) + R"(, "loss": {"type": "pinball", "sample_weight": "w"})", weighted));
  m.feed("w", {1, 2, 3, 4});
  double sum = 0;
  for (int i = 0; i < 4; ++i) sum += (i + 1) * pinball_of(predictions[i], labels[i]);
  EXPECT_NEAR(m.number("loss"), sum / 4, 1e-15);
}

TEST(OwnLoss, AFunctionOfThreeTakesTheSampleWeightItself) {
  Model m = fed(model(R"("functions": {"f": {"inputs": ["p", "y", "w"], "nodes": [
    {"op": "multiply", "inputs": ["p", "y"], "output": "a"}, {"op": "reshape", "inputs": ["a"], "output": "b",
     "attrs": {"shape": ["N"]}}, {"op": "add", "inputs": ["b", "w"], "output": "r"}], "outputs": ["r"]}},
    "loss": {"type": "f", "sample_weight": "w"}, "metrics": ["f"])",
                      weighted));
  m.feed("w", {1, 2, 3, 4});
  EXPECT_NEAR(m.number("loss"), (1 * 2 + 1 + 0 + 2 + 1.5 + 3 + 35 + 4) / 4, 1e-14); // mean of p y + w
  m.run("eval_step");
  EXPECT_NEAR(m.number("metrics_result"), m.number("loss"), 1e-14);
}

// ---- values ---------------------------------------------------------------------------------------------------------

// A contrastive loss on two layers and a label: rows of y d^2 + (1 - y) max(1 - d, 0)^2.
const std::string contrastive = model(
    R"("labels": {"y": {"shape": ["N"]}}, "outputs": ["a"], "loss": {"value": "rows", "weight": 2},
       "metrics": [{"value": "d", "name": "distance"}])",
    R"("x": {"shape": ["N", 1]}, "z": {"shape": ["N", 1]}, "margin": {"shape": ["N"]})",
    R"("layers": [{"type": "Rescale", "name": "a", "scale": 2, "from": ["x"]},
                  {"type": "Rescale", "name": "b", "scale": 3, "from": ["z"]}],
       "nodes": [{"op": "subtract", "inputs": ["a", "b"], "output": "gap"},
                 {"op": "abs", "inputs": ["gap"], "output": "wide"},
                 {"op": "reshape", "inputs": ["wide"], "output": "d", "attrs": {"shape": ["N"]}},
                 {"op": "subtract", "inputs": ["margin", "d"], "output": "left"},
                 {"op": "relu", "inputs": ["left"], "output": "short"},
                 {"op": "square", "inputs": ["short"], "output": "apart"},
                 {"op": "square", "inputs": ["d"], "output": "together"},
                 {"op": "where", "inputs": ["same", "together", "apart"], "output": "rows"},
                 {"op": "constant", "inputs": [], "output": "half", "attrs": {"value": 0.5, "dtype": "f64"}},
                 {"op": "greater", "inputs": ["y", "half"], "output": "same"}])");

TEST(OwnLoss, AValueOfTwoLayersAndALabel) {
  Model m(contrastive);
  m.feed("x", {1, 2, 3, 4}).feed("z", {1, 1, 1, 1}).feed("y", {1, 0, 1, 0}).feed("margin", {9, 9, 9, 9});
  const Numbers d{1, 1, 3, 5}, rows{1, 64, 9, 16};
  m.feed("n_valid", {4});
  EXPECT_NEAR(m.number("loss"), 2 * (1 + 64 + 9 + 16) / 4.0, 1e-14);
  m.run("eval_step");
  m.feed("n_valid", {2}).run("eval_step");
  EXPECT_NEAR(m.number("loss"), 2 * (1 + 64) / 2.0, 1e-14);
  EXPECT_NEAR(m.number("metrics_result"), (1 + 1 + 3 + 5 + 1 + 1) / 6.0, 1e-14); // by rows, not by batches
}

TEST(OwnLoss, PredictAsksForTheInputsOfTheOutputsAlone) {
  Model m(contrastive);
  EXPECT_EQ(names_of_inputs(m, "predict"), Lines{"x"});
  EXPECT_EQ(names_of_inputs(m, "loss"), (Lines{"x", "z", "margin", "y"}));
  EXPECT_EQ(m.feed("x", {1, 2, 3, 4}).run("predict").at(0).data, (Numbers{2, 4, 6, 8}));
}

TEST(OwnLoss, AScalarValueWeighsAMetricByRows) {
  const std::string text = model(
      R"("loss": {"value": "s"}, "metrics": [{"value": "s", "name": "m"}], "outputs": ["p"])", weighted,
      R"("layers": [{"type": "Flatten", "name": "p", "from": ["x"]}], "params": {"k": {"shape": [], "init": "ones"}},
         "nodes": [{"op": "square", "inputs": ["k"], "output": "s"}])");
  Model m = fed(text);
  EXPECT_EQ(m.set("k", {3}).number("eval_step"), 9);
  m.set("k", {1}).feed("n_valid", {2}).run("eval_step");
  EXPECT_NEAR(m.number("metrics_result"), (9 * 4 + 1 * 2) / 6.0, 1e-14);
}

TEST(OwnLoss, NoLabelIsNeeded) { // an autoencoder
  const std::string text = model(R"("loss": {"value": "rows"})", R"("x": {"shape": ["N", 1]})",
                                 R"("layers": [{"type": "Rescale", "name": "p", "scale": 0.5}],
    "nodes": [{"op": "subtract", "inputs": ["p", "x"], "output": "e"}, {"op": "square", "inputs": ["e"], "output": "rows"}])");
  Model m(text);
  m.feed("x", {2, 4, 6, 8}).feed("n_valid", {3});
  EXPECT_NEAR(m.number("loss"), (1 + 4 + 9) / 3.0, 1e-14);
  EXPECT_EQ(names_of_inputs(m, "loss"), Lines{"x"});
  ASSERT_EQ(tensor_specs(*m.built.spec, m.module()).size(), 1u);
}

TEST(OwnLoss, OwnAndBuiltInLossesAddUp) {
  const std::string text = model(std::string(pinball) + R"(, "labels": {"y": {"shape": ["N", 1]}}, "outputs": ["p"],
    "loss": [{"type": "mean_squared_error", "weight": 0.25}, {"type": "pinball", "weight": 3}, {"value": "r", "weight": 10}],
    "metrics": ["mae", "pinball", {"value": "r"}])",
                                 R"("x": {"shape": ["N", 1]})",
                                 R"("layers": [{"type": "Flatten", "name": "p"}],
         "nodes": [{"op": "multiply", "inputs": ["p", "y"], "output": "r"}])");
  Model m = fed(text, 3);
  double squares = 0, products = 0, errors = 0;
  for (int i = 0; i < 3; ++i) {
    squares += (predictions[i] - labels[i]) * (predictions[i] - labels[i]), products += predictions[i] * labels[i];
    errors += std::abs(predictions[i] - labels[i]);
  }
  EXPECT_NEAR(m.number("loss"), 0.25 * squares / 3 + 3 * mean_pinball(3) + 10 * products / 3, 1e-13);
  m.run("eval_step");
  const std::vector<Tensor> metrics = m.run("metrics_result");
  EXPECT_NEAR(metrics.at(0).data.at(0), errors / 3, 1e-14);
  EXPECT_NEAR(metrics.at(1).data.at(0), mean_pinball(3), 1e-14);
  EXPECT_NEAR(metrics.at(2).data.at(0), products / 3, 1e-14);
}

// A label of class numbers that a function reads makes the accuracy a sparse one.
TEST(OwnLoss, MetricsGoByTheTypeOfTheLabel) {
  const std::string text = model(R"("labels": {"y": {"shape": ["N"], "dtype": "i32"}}, "functions": {"own_nll": {
      "inputs": ["z", "y"], "nodes": [{"op": "sparse_softmax_crossentropy", "inputs": ["z", "y"], "output": "r"}],
      "outputs": ["r"]}}, "loss": "own_nll", "metrics": ["accuracy"])",
                                 R"("x": {"shape": ["N", 2]})");
  Model m(text);
  m.feed("x", {1, 2, 2, 1, 0, 1, 1, 0}).feed("y", {1, 1, 1, 0}).feed("n_valid", {4}).run("eval_step");
  EXPECT_EQ(m.number("metrics_result"), 0.75);
}

// ---- nodes beside layers --------------------------------------------------------------------------------------------

TEST(NodesBesideLayers, ReadEachOther) {
  const std::string text = model(R"("outputs": ["c"])", R"("x": {"shape": ["N", 1]})",
                                 R"("layers": [{"type": "Rescale", "name": "a", "scale": 2},
      {"type": "Rescale", "name": "c", "scale": 10, "from": ["b"]}],
    "nodes": [{"op": "add", "inputs": ["a", "x"], "output": "b"}])");
  EXPECT_EQ(Model(text).feed("x", {1, 2, 3, 4}).run("predict").at(0).data, (Numbers{30, 60, 90, 120}));
}

TEST(NodesBesideLayers, TheLastLayerIsTheOutput) {
  Model m(contrastive.substr(0, contrastive.find(R"("outputs")")) + R"("loss": {"value": "rows"}})");
  const graph::Function& predict = m.module().functions[*m.module().find_function("predict")];
  EXPECT_EQ(predict.values[predict.results.at(0)].name, "b");
}

TEST(NodesBesideLayers, LoweringKeepsTheNodesAsTheyAre) {
  for (const std::string& text :
       {contrastive, model(R"("outputs": ["flat"], "loss": {"value": "r"})", R"("x": {"shape": ["N", 1]})",
                           R"("layers": [{"type": "Dense", "name": "d", "units": 3},
        {"type": "Flatten", "name": "flat"}, {"type": "Dropout", "name": "e", "rate": 0.5, "from": ["b"]}],
      "nodes": [{"op": "relu", "inputs": ["flat"], "output": "b"},
                {"op": "mean", "inputs": ["e"], "output": "r", "attrs": {"axes": [1]}}])")}) {
    Model layers(text);
    const std::string config = print_lowered_config(*layers.built.spec, ops::all_ops());
    EXPECT_EQ(config.find("\"layers\""), std::string::npos);
    Model nodes(config);
    EXPECT_EQ(print_lowered_config(*nodes.built.spec, ops::all_ops()), config);
    for (Model* m : {&layers, &nodes}) {
      for (const std::string& name : m->state_names()) m->set(name, Numbers(m->env.states.at(name).size(), 0.0));
      if (m->env.states.count("d/kernel")) m->set("d/kernel", {1, -2, 3});
      m->feed("x", {1, 2, 3, 4}).feed("z", {5, 6, 1, 2}).feed("y", {0, 1, 1, 0}).feed("margin", {9, 8, 7, 6});
      m->feed("n_valid", {3}).feed("seed", {7});
    }
    EXPECT_EQ(layers.number("loss"), nodes.number("loss"));
    EXPECT_EQ(layers.run("predict").at(0).data, nodes.run("predict").at(0).data);
  }
}

// ---- mistakes -------------------------------------------------------------------------------------------------------

// The messages, without their places.
Lines mistakes(const std::string& text) {
  Built out = build(text);
  EXPECT_FALSE(out.module.has_value()) << text;
  Lines lines;
  for (const std::string& line : out.lines) {
    EXPECT_TRUE(line.starts_with("m.json:") && line[7] >= '1' && line[7] <= '9') << line; // every one has a place
    lines.push_back(line.substr(line.find("error: ")));
  }
  return lines;
}

std::string with_node(const std::string& node, const std::string& rest) {
  return model(rest, R"("x": {"shape": ["N", 1]})",
               R"("layers": [{"type": "Flatten", "name": "p"}], "nodes": [)" + node + "]");
}

TEST(OwnLossMistake, Values) {
  const std::string label = R"("labels": {"y": {"shape": ["N"]}}, )";
  EXPECT_EQ(mistakes(model(R"("loss": {"value": "l"})")),
            Lines{"error: 'value' names 'l', which is no value of the model [unknown-name]"});
  EXPECT_EQ(
      mistakes(with_node(R"({"op": "concat", "inputs": ["p", "p"], "output": "l", "attrs": {"axis": 1}})",
                         R"("loss": {"value": "l"})")),
      Lines{"error: loss value 'l' is f64[4,2], expected a float: a scalar or one number a row, [4] [shape-mismatch]"});
  EXPECT_EQ(mistakes(with_node(R"({"op": "cast", "inputs": ["p"], "output": "l", "attrs": {"dtype": "i32"}})",
                               R"("loss": {"value": "l"})")),
            Lines{"error: loss value 'l' is i32[4,1], expected a float: a scalar or one number a row, [4] "
                  "[shape-mismatch]"});
  EXPECT_EQ(mistakes(with_node(R"({"op": "concat", "inputs": ["p", "p"], "output": "l", "attrs": {"axis": 1}})",
                               R"("loss": "huber", "metrics": [{"value": "l"}])")),
            Lines{"error: metric value 'l' is f64[4,2], expected a float: a scalar or one number a row, [4] "
                  "[shape-mismatch]"});
  EXPECT_EQ(mistakes(model(R"("loss": {"value": "p"}, "metrics": ["mae"])")),
            Lines{"error: metric 'mae' needs a label and the loss has none, expected 'label' to name one "
                  "[missing-key]"});
  EXPECT_EQ(mistakes(with_node(R"({"op": "relu", "inputs": ["label"], "output": "l"})",
                               R"("loss": ["huber", {"value": "l"}])")),
            Lines{"error: value 'label' is a label that the model does not declare, expected it in 'labels' with its "
                  "shape [unknown-name]"});
  EXPECT_EQ(mistakes(with_node(R"({"op": "relu", "inputs": ["y"], "output": "l"})",
                               label + R"("outputs": ["p", "l"], "loss": {"value": "l"})")),
            Lines{"error: output 'l' depends on label 'y', which predict does without, expected 'outputs' of inputs "
                  "alone [label-in-output]"});
  EXPECT_EQ(mistakes(model(label + R"("outputs": ["y"], "loss": {"value": "p"})")),
            Lines{"error: output 'y' depends on label 'y', which predict does without, expected 'outputs' of inputs "
                  "alone [label-in-output]"});
  EXPECT_EQ(mistakes(model(R"("outputs": ["l"], "loss": {"type": "huber", "sample_weight": "w"})", weighted,
                           R"("nodes": [{"op": "relu", "inputs": ["w"], "output": "l"}])")),
            Lines{"error: output 'l' depends on sample weight 'w', which predict does without, expected 'outputs' of "
                  "inputs alone [label-in-output]"});
}

std::string with_function(const std::string& inputs, const std::string& outputs, const std::string& rest) {
  return model(R"("functions": {"f": {"inputs": [)" + inputs +
               R"(], "nodes": [{"op": "relu", "inputs": ["p"], "output": "r"}], "outputs": [)" + outputs + "]}}, " +
               rest);
}

TEST(OwnLossMistake, Functions) {
  EXPECT_EQ(mistakes(with_function(R"("p")", R"("r")", R"("loss": "f")")),
            Lines{"error: function 'f' takes 1 input, expected 2 or 3 as a loss: prediction, label and sample weight "
                  "[wrong-count]"});
  EXPECT_EQ(mistakes(with_function(R"("p", "y")", R"("r", "p")", R"("loss": "f")")),
            Lines{"error: function 'f' gives 2 values, expected 1 as a loss: one number a row [wrong-count]"});
  EXPECT_EQ(
      mistakes(with_function(R"("p", "y", "w")", R"("r")", R"("loss": "f")")),
      Lines{"error: function 'f' takes a sample weight, expected 'sample_weight' to name an input [missing-key]"});
  EXPECT_EQ(mistakes(with_function(R"("p", "y")", R"("r")", R"("loss": "f", "metrics": ["f", {"type": "f"}])")),
            Lines{"error: two metrics are called 'f', expected names that differ [duplicate-name]"});
  EXPECT_EQ(mistakes(model(R"("functions": {"accuracy": {"inputs": ["p", "y"], "nodes": [], "outputs": ["p"]}},
    "loss": "huber", "metrics": ["accuracy"])")),
            Lines{"error: 'accuracy' is a metric, expected another name for the function [bad-name]"});
  EXPECT_EQ(mistakes(model(R"("functions": {"f": {"inputs": ["p", "y"], "nodes": [
    {"op": "concat", "inputs": ["p", "y"], "output": "r", "attrs": {"axis": 1}}], "outputs": ["r"]}}, "loss": "f")")),
            Lines{"error: the result of function 'f' is f64[4,2], expected a float: a scalar or one number a row, [4] "
                  "[shape-mismatch]"});
  EXPECT_EQ(mistakes(with_function(R"("p", "y")", R"("r")", R"("loss": {"type": "f", "from_logits": true})")),
            Lines{"error: 'from_logits' belongs in loss 'binary_crossentropy', 'categorical_crossentropy' or "
                  "'sparse_categorical_crossentropy', not in loss 'f' [misplaced-key]"});
}

TEST(OwnLossMistake, NamesAndCycles) {
  EXPECT_EQ(mistakes(with_node(R"({"op": "relu", "inputs": ["p"], "output": "p"})", R"("loss": "huber")")),
            Lines{"error: layer 'p' has the name of the node at 1:165, expected names that differ [duplicate-name]"});
  EXPECT_EQ(mistakes(with_node(R"({"op": "relu", "inputs": ["p"], "output": "y"})",
                               R"("labels": {"y": {"shape": ["N"]}}, "loss": "huber")")),
            Lines{"error: node 'y' has the name of the label at 1:211, expected names that differ [duplicate-name]"});
  EXPECT_EQ(mistakes(model(R"("loss": "huber")", R"("x": {"shape": ["N", 1]})",
                           R"("layers": [{"type": "Flatten", "name": "a", "from": ["b"]}],
                              "nodes": [{"op": "relu", "inputs": ["a"], "output": "b"}])")),
            Lines{"error: layers and nodes form a cycle: 'a' -> 'b' -> 'a', expected none [cycle]"});
  EXPECT_EQ(mistakes(model(R"("loss": "huber")", R"("x": {"shape": ["N", 1]})",
                           R"("layers": [{"type": "Dense", "name": "a", "units": 1}],
                              "nodes": [{"op": "relu", "inputs": ["a"], "output": "a/kernel"}], "outputs": ["a/kernel"])")),
            Lines{"error: node 'a/kernel' has the name of a parameter, expected another [duplicate-name]"});
}

} // namespace
} // namespace dlcc::frontend::testing

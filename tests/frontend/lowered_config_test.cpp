// A model of layers and the nodes that it is lowered to are the same graph, name by name.
#include "building.h"
#include "models.h"

#include "frontend/build/print_config.h"
#include "ir/graph/print.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace dlcc::frontend::testing {
namespace {

std::string lowered(const Model& m) { return print_lowered_config(*m.built.spec, ops::all_ops()); }

// A function as text, without the places in the file.
std::string text_of(const graph::Module& module, const std::string& function) {
  graph::Module alone;
  alone.states = module.states;
  for (graph::State& s : alone.states) s.where = {};
  for (graph::Function f : module.functions) {
    if (f.name != function) continue;
    f.where = {};
    for (graph::Node& n : f.nodes) n.where = {};
    for (graph::Update& u : f.updates) u.where = {};
    alone.functions.push(std::move(f));
  }
  EXPECT_EQ(alone.functions.size(), 1u) << function;
  return graph::print(alone);
}

void expect_same_graph(const std::string& text) {
  Model layers(text);
  const std::string config = lowered(layers);
  EXPECT_EQ(config.find("\"layers\""), std::string::npos);
  Model nodes(config);
  EXPECT_EQ(lowered(nodes), config);
  for (const char* function : {"forward_train", "loss"})
    EXPECT_EQ(text_of(layers.module(), function), text_of(nodes.module(), function)) << config;
}

std::string with_layers(const std::string& layers, const std::string& rest = {}) {
  return R"({"dlcc": 1, "inputs": {"x": {"shape": ["N", 4]}}, "layers": [)" + layers +
         R"(], "loss": "mean_squared_error", "optimizer": "sgd")" + rest + "}";
}

TEST(LoweredConfig, TheFormatsExample) { expect_same_graph(binary_classifier); }

TEST(LoweredConfig, PenaltiesFrozenAndTiedParametersAndRates) {
  expect_same_graph(with_layers(
      R"({"type": "Dense", "name": "a", "units": 3, "activation": "tanh", "lr_mult": 0.5, "use_bias": false,
          "activity_regularizer": {"l1": 0.25}, "kernel_initializer": {"type": "random_uniform", "maxval": 0.25}},
         {"type": "Dense", "name": "b", "units": 4, "kernel": "@a/kernel^T", "trainable": false,
          "bias_regularizer": {"l2": 0.5}, "kernel_regularizer": {"l1": 0.125}})"));
}

TEST(LoweredConfig, ConstantsDropoutResidualAndRepeat) {
  expect_same_graph(with_layers(
      R"({"type": "Normalize", "mean": [0.1, 2, 3, 4], "variance": [1, 2.5, 3, 4]}, {"type": "Rescale", "scale": 0.3},
         {"type": "Repeat", "name": "h", "times": 2, "layers": [
           {"type": "Residual", "layers": [{"type": "Dense", "units": 4, "activation": "gelu"},
                                           {"type": "Dropout", "rate": 0.25}]}]},
         {"type": "Reshape", "target_shape": [2, -1]}, "Flatten")"));
}

// What leaves no value of its own gets one that is called like the layer.
TEST(LoweredConfig, OutputsOfLayersThatChangeNothing) {
  const std::string config =
      lowered(Model(with_layers(R"({"type": "Dense", "name": "d", "units": 4}, {"type": "Flatten", "name": "flat"})",
                                R"(, "outputs": ["flat"])")));
  EXPECT_NE(config.find(R"({"op": "linear", "inputs": ["d"], "output": "flat"})"), std::string::npos) << config;
  Model nodes(config);
  EXPECT_EQ(lowered(nodes), config);
}

class LoweredGolden : public ::testing::TestWithParam<std::string> {};

TEST_P(LoweredGolden, IsTheSameGraph) {
  std::ifstream file(std::filesystem::path(DLCC_MODELS_DIR) / GetParam());
  std::ostringstream text;
  text << file.rdbuf();
  expect_same_graph(text.str());
}

std::vector<std::string> golden_models() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(DLCC_MODELS_DIR))
    if (entry.path().extension() == ".json" && entry.path().stem() != "free_nodes")
      names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

INSTANTIATE_TEST_SUITE_P(Models, LoweredGolden, ::testing::ValuesIn(golden_models()),
                         [](const auto& info) { return info.param.substr(0, info.param.find('.')); });

} // namespace
} // namespace dlcc::frontend::testing

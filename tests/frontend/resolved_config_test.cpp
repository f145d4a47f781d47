// A resolved document is the same model: it reads to the same graph, name by name, and to the same training.
#include "building.h"
#include "models.h"

#include "frontend/build/print_config.h"
#include "ir/graph/print.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <tuple>

namespace dlcc::frontend::testing {
namespace {

// The source stage, without the places in the file.
std::string source_text(graph::Module m) {
  m.file.clear();
  for (graph::State& s : m.states) s.where = {};
  for (graph::Directive& d : m.directives) d.where = {};
  for (graph::Function& f : m.functions) {
    f.where = {};
    for (graph::Node& n : f.nodes) n.where = {};
    for (graph::Update& u : f.updates) u.where = {};
  }
  return graph::print(m);
}

auto values_of(const data::TrainSpec& t) {
  using Stopping = std::tuple<std::string, int64_t, double, std::string, bool>;
  using Saving = std::tuple<std::string, int64_t, int64_t, std::string>;
  std::optional<Stopping> stopping;
  if (const auto& e = t.early_stopping) stopping = {e->monitor, e->patience, e->min_delta, e->mode, e->restore_best};
  std::optional<Saving> saving;
  if (const auto& c = t.checkpoint) saving = {c->dir, c->every_epochs, c->keep, c->best_of};
  return std::tuple(t.batch_size, t.epochs, t.validation_split, t.shuffle, t.last_batch, t.steps_per_epoch,
                    t.terminate_on_nan, t.n_iter_no_change, t.tol, t.stratified, stopping, saving);
}

void expect_same_model(const std::string& text) {
  Built first = build(text);
  ASSERT_TRUE(first.module) << text;
  const std::string config = print_config(*first.spec);
  Built second = build(config);
  ASSERT_TRUE(second.module) << config;
  EXPECT_EQ(source_text(*second.module), source_text(*first.module)) << config;
  EXPECT_TRUE(values_of(second.spec->train) == values_of(first.spec->train)) << config;
  EXPECT_EQ(print_config(*second.spec), config);
}

std::vector<std::string> model_files() {
  std::vector<std::string> files;
  for (const char* folder : {DLCC_MODELS_DIR, DLCC_EXAMPLES_DIR, DLCC_GOLDEN_DIR})
    for (const auto& entry : std::filesystem::directory_iterator(folder))
      if (entry.path().extension() == ".json") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

class ResolvedConfig : public ::testing::TestWithParam<std::string> {};

TEST_P(ResolvedConfig, IsTheSameModel) {
  std::ostringstream text;
  text << std::ifstream(GetParam()).rdbuf();
  expect_same_model(text.str());
}

INSTANTIATE_TEST_SUITE_P(Models, ResolvedConfig, ::testing::ValuesIn(model_files()), [](const auto& info) {
  return std::filesystem::path(info.param).stem().string() + "_" + std::to_string(info.index);
});

// One model for each default that depends on another key.
TEST(ResolvedConfigOf, DefaultsThatDependOnAnotherKey) {
  const std::string head = R"({"dlcc": 1, "inputs": {"x": {"shape": ["N", 3]}}, "layers": [
    {"type": "Dense", "units": 4, "activation": "sigmoid"}, {"type": "Dense", "units": 1}],
    "loss": "mean_squared_error", "optimizer": )";
  for (const char* optimizer :
       {R"({"type": "sgd", "preset": "sklearn"})", R"({"type": "adam", "preset": "sklearn", "early_stopping": true})",
        R"({"type": "rmsprop", "preset": "sklearn", "learning_rate": 0.5})", R"({"type": "sgd", "clip_value": 2})",
        R"({"type": "sgd", "learning_rate": {"schedule": "cosine", "initial": 0, "decay_epochs": 3, "warmup_epochs": 1,
                                            "warmup_target": 0.5}})",
        R"({"type": "sgd", "learning_rate": {"schedule": "cosine_restarts", "initial": 1, "first_decay_epochs": 3}})"})
    expect_same_model(head + optimizer + "}");
  expect_same_model(binary_classifier);
  expect_same_model(logistic_regression);
}

TEST(ResolvedConfigOf, LossesAndMetricsOfTheModelsOwn) {
  expect_same_model(R"({"dlcc": 1, "inputs": {"x": {"shape": ["N", 3]}, "w": {"shape": ["N"]}},
    "functions": {"f": {"inputs": ["p", "y"], "nodes": [{"op": "mean_squared_error", "inputs": ["p", "y"], "output": "r"}],
                        "outputs": ["r"]}},
    "layers": [{"type": "Dense", "name": "p", "units": 2}],
    "nodes": [{"op": "mean", "inputs": ["p"], "output": "m", "attrs": {"axes": [1]}}], "outputs": ["p"],
    "loss": ["f", {"value": "m", "weight": 0.5}, {"type": "f", "sample_weight": "w"}],
    "metrics": ["f", {"value": "m", "name": "mean"}]})");
}

} // namespace
} // namespace dlcc::frontend::testing

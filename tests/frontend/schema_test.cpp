// The generated JSON Schema against the compiler, and the table against its own rules.
#include "mini_schema.h"
#include "models.h"
#include "reading.h"
#include "samples.h"

#include "frontend/table/json_schema.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

namespace dlcc::frontend::testing {
namespace {

const nlohmann::json& schema() {
  static const nlohmann::json parsed = nlohmann::json::parse(json_schema());
  return parsed;
}

// What both must refuse: one per kind of rule.
const std::vector<std::string> bad = {
    "[]",
    "{}",
    R"({"dlcc": 2, "inputs": {}, "nodes": []})",
    R"({"dlcc": 1, "nodes": []})",
    R"({"dlcc": 1, "inputs": {}})",
    R"({"dlcc": 1, "inputs": {"d.x": {"shape": []}}, "nodes": []})",
    R"({"dlcc": 1, "inputs": {"": {"shape": []}}, "nodes": []})",
    R"({"dlcc": 1, "inputs": {"x": {"shape": [0]}}, "nodes": []})",
    R"({"dlcc": 1, "inputs": {"x": {"shape": ["n"]}}, "nodes": []})",
    R"({"dlcc": 1, "inputs": {"x": {}}, "nodes": []})",
    R"({"dlcc": 1, "inputs": {"x": {"shape": [1], "dtype": "float"}}, "nodes": []})",
    R"({"dlcc": 1, "name": "a b", "inputs": {}, "nodes": []})",
    R"({"dlcc": 1, "name": "a\u0001", "inputs": {}, "nodes": []})",
    model_of(R"("Dropout")"),
    model_of(R"("Conv3D")"),
    model_of("3"),
    model_of(R"({"units": 3})"),
    model_of(R"({"type": "Dense"})"),
    model_of(R"({"type": "Dense", "units": 0})"),
    model_of(R"({"type": "Dense", "units": 2.5})"),
    model_of(R"({"type": "Dense", "units": "2"})"),
    model_of(R"({"type": "Dense", "units": 2, "rate": 0.5})"),
    model_of(R"({"type": "Dense", "units": 2, "use_bias": 1})"),
    model_of(R"({"type": "Dense", "units": 2, "activation": "relo"})"),
    model_of(R"({"type": "Dense", "units": 2, "activation": {"type": "relu", "alpha": 1}})"),
    model_of(R"({"type": "Dense", "units": 2, "kernel_regularizer": {"l2": -1}})"),
    model_of(R"({"type": "Dense", "units": 2, "kernel": "x/kernel"})"),
    model_of(R"({"type": "Dense", "units": 2, "from": []})"),
    model_of(R"({"type": "Dropout", "rate": 1.5})"),
    model_of(R"({"type": "Normalize", "mean": "a", "variance": 1})"),
    model_of(R"({"type": "Normalize", "mean": 0, "variance": [1, 0]})"),
    model_of(R"({"type": "Residual", "layers": ["Flat"]})"),
    model_of(R"({"type": "Repeat", "layers": ["Flatten"]})"),
    model_of(""),
    nodes_of(R"({"op": "relu", "inputs": ["x"]})"),
    nodes_of(R"({"op": "relu", "inputs": 3, "output": "y"})"),
    nodes_of(R"({"op": "relu", "inputs": ["x"], "output": "y", "attr": {}})"),
    nodes_of(R"({"op": "relu", "inputs": ["x"], "output": "y", "attrs": {"a": {}}})"),
    model_with(R"("loss": {"type": "BCEWithLogitsLoss", "from_logits": true})"),
    model_with(R"("loss": {"value": 3})"),
    model_with(R"("loss": {"value": "x", "delta": 3})"),
    model_with(R"("loss": {"type": "huber", "value": "x"})"),
    model_with(R"("loss": {})"),
    model_with(R"("loss": [{"type": "huber", "delta": 0}])"),
    model_with(R"("loss": {"type": "binary_crossentropy", "class_weight": {"a": 1}})"),
    model_with(R"("metrics": 3)"),
    model_with(R"("optimizer": {"type": "Nadam"})"),
    model_with(R"("epochs": 3)"),
    model_of(R"({"type": "ReLU", "activation": "relu"})"),
    model_of(R"({"type": "Dense", "units": 3, "kernel_regularizer": "l1_l2"})"),
    model_with(R"("optimizer": {"type": "adam", "beta_1": 1})"),
    model_with(R"("optimizer": {"type": "adam", "learning_rate": 0})"),
    model_with(R"("optimizer": {"type": "adam", "learning_rate": {"schedule": "cosine"}})"),
    model_with(R"("optimizer": {"type": "adam", "learning_rate": "constant"})"),
    model_with(
        R"("optimizer": {"type": "adam", "learning_rate": {"schedule": "cosine", "initial": 1, "decay_steps": 1, "decay_epochs": 1}})"),
    model_with(R"("optimizer": {"type": "sgd", "clip_norm": 1, "clip_value": 1})"),
    model_with(R"("train": {"batch_size": 0})"),
    model_with(R"("train": {"last_batch": "pad"})"),
    model_with(R"("data": {"train": {"format": "zip"}})"),
    model_with(R"("data": {"train": {"format": "npz"}})"),
    model_with(R"("data": {"train": {"format": "npy", "x": true}})"),
    model_with(R"("data": {"transforms": [{"type": "reshape", "input": "x"}]})"),
    model_with(R"("compile": {"threads": 0})"),
    model_with(R"("actvation": 1)"),
};

const std::vector<std::string> good = {
    binary_classifier,
    logistic_regression,
    everything,
    model_with(R"("data": "data.json", "x-anything": [null])"),
    model_with(R"("loss": "huber", "metrics": [], "optimizer": {"type": "rmsprop", "learning_rate": 1})"),
    R"({"dlcc": 1, "inputs": {}, "nodes": []})",
    model_with(R"("nodes": [])"),
    model_with(
        R"("optimizer": {"type": "adam", "learning_rate": {"schedule": "cosine", "initial": 1, "decay_epochs": 2.5, "warmup_epochs": 1, "warmup_target": 2}})"),
    model_with(R"("loss": {"value": "x", "weight": 2, "reduction": "sum"}, "metrics": [{"value": "x", "name": "m"}])"),
    model_with(
        R"("functions": {"f": {"inputs": ["p", "y"], "nodes": [], "outputs": ["p"]}}, "loss": ["f", {"type": "f", "label": "y", "weight": 2}], "metrics": ["f", {"type": "f", "name": "g"}])"),
};

TEST(Schema, agrees_with_the_compiler) {
  MiniSchema validator(schema());
  Overrides overrides;
  overrides.symbols = {{"T", 2}};
  for (const std::string& text : good) {
    EXPECT_TRUE(read(text, overrides).model.has_value()) << text;
    EXPECT_TRUE(validator.accepts(nlohmann::json::parse(text))) << text;
  }
  for (const std::string& text : bad) {
    EXPECT_FALSE(read(text, overrides).model.has_value()) << text;
    EXPECT_FALSE(validator.accepts(nlohmann::json::parse(text))) << text;
  }
}

// Draft-07 wants lists of alternatives that are not empty, and references that lead somewhere.
void expect_sound(const nlohmann::json& part) {
  for (const auto& [key, value] : part.items()) {
    if (key == "allOf" || key == "anyOf" || key == "oneOf" || key == "enum") {
      EXPECT_FALSE(value.empty()) << part.dump().substr(0, 200);
    }
    if (key == "$ref" && value.is_string()) {
      EXPECT_TRUE(schema().contains(nlohmann::json::json_pointer(value.get<std::string>().substr(1)))) << value;
    }
    if (value.is_structured()) expect_sound(value);
  }
}
TEST(Schema, is_sound) { expect_sound(schema()); }

// With DLCC_SCHEMA_CORPUS=folder the schema and the corpus are written there, for a validator from elsewhere.
TEST(Schema, corpus_can_be_written_out) {
  const char* folder = std::getenv("DLCC_SCHEMA_CORPUS");
  if (!folder) GTEST_SKIP() << "DLCC_SCHEMA_CORPUS is not set";
  auto write = [&](const std::string& name, const std::string& text) {
    std::ofstream(std::string(folder) + "/" + name) << text;
  };
  write("schema.json", json_schema());
  for (size_t i = 0; i < good.size(); ++i) write("good-" + std::to_string(i) + ".json", good[i]);
  for (size_t i = 0; i < bad.size(); ++i) write("bad-" + std::to_string(i) + ".json", bad[i]);
}

TEST(Schema, has_every_record_and_default) {
  const nlohmann::json& definitions = schema()["definitions"];
  for (const char* name :
       {"layer", "activation", "loss", "metric", "optimizer", "schedule", "initializer", "transform"})
    EXPECT_TRUE(definitions.contains(name)) << name;
  const nlohmann::json& adam = definitions.at("optimizer.adam").at("properties");
  EXPECT_EQ(adam.at("epsilon").at("default"), 1e-7); // Keras' value
  EXPECT_EQ(adam.at("learning_rate").at("default"), 0.001);
}

TEST(Table, is_sound) {
  for (const GroupDef& g : all_groups()) {
    if (g.id == Group::none) continue;
    EXPECT_FALSE(g.records.empty()) << static_cast<int>(g.id);
    std::set<std::string> records;
    for (const RecordDef& r : g.records) {
      EXPECT_TRUE(records.insert(r.name).second) << r.name;
      EXPECT_FALSE(r.summary.empty()) << r.name;
      std::set<std::string> keys;
      for (const Key& key : r.keys) {
        EXPECT_TRUE(keys.insert(key.name).second) << r.name << "." << key.name;
        EXPECT_FALSE(key.doc.empty()) << r.name << "." << key.name;
        EXPECT_NE(key.name, g.discriminator) << r.name;
        bool is_group = key.kind == KeyKind::record || key.kind == KeyKind::records ||
                        key.kind == KeyKind::one_or_more || key.kind == KeyKind::by_name;
        EXPECT_EQ(is_group, key.group != Group::none) << r.name << "." << key.name;
        if (const auto* choice = std::get_if<std::string>(&key.fallback); choice && key.kind == KeyKind::choice) {
          EXPECT_NE(std::find(key.options.begin(), key.options.end(), *choice), key.options.end())
              << r.name << "." << key.name;
        }
      }
      for (const Alternatives& alternatives : r.alternatives)
        for (const std::string& key : alternatives.keys) EXPECT_TRUE(keys.count(key)) << key;
    }
  }
}

// Every row of the reference is a key that the reader takes, and every key of the table has its row.
TEST(Table, reference_lists_what_is_accepted) {
  std::istringstream text(key_reference());
  const GroupDef* g = nullptr;
  const RecordDef* r = nullptr;
  std::set<std::string> rows, keys;
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with("## ")) {
      auto at = std::find_if(all_groups().begin(), all_groups().end(),
                             [&](const GroupDef& x) { return x.id != Group::none && x.noun == line.substr(3); });
      if (at == all_groups().end()) break; // other names of operators
      g = &*at, r = g->discriminator.empty() ? &g->records[0] : nullptr;
    } else if (line.starts_with("### ")) {
      r = g->find(line.substr(4));
      for (const auto* own : {&g->by_value, &g->by_function})
        if (*own && (*own)->name == line.substr(4)) r = &**own;
    } else if (line.starts_with("| `")) {
      ASSERT_TRUE(r) << line;
      const std::string name = line.substr(3, line.find('`', 3) - 3);
      auto key = std::find_if(r->keys.begin(), r->keys.end(), [&](const Key& k) { return k.name == name; });
      ASSERT_NE(key, r->keys.end()) << line;
      if (r->name == own_value || r->name == own_function) continue; // read by own_loss_test
      rows.insert(g->noun + "/" + r->name + "/" + name);
      Outcome out = read(model_around(g->id, instance(*g, *r, &*key)).text);
      EXPECT_EQ(out.lines, std::vector<std::string>()) << line;
    }
  }
  for (const GroupDef& group : all_groups())
    for (const RecordDef& record : group.records)
      for (const Key& key : record.keys) keys.insert(group.noun + "/" + record.name + "/" + key.name);
  EXPECT_EQ(rows, keys);
}

} // namespace
} // namespace dlcc::frontend::testing

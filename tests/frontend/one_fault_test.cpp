// One fault, one line: good models with a single value damaged give exactly one error, at that value.
#include "building.h"
#include "models.h"
#include "samples.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace dlcc::frontend::testing {
namespace {

using Json = nlohmann::ordered_json;

// Reads and builds; the errors with their JSON pointers.
std::vector<Diagnostic> errors_of(const std::string& text) {
  DiagnosticList diagnostics("m.json");
  Overrides overrides;
  overrides.symbols = {{"T", 2}};
  if (auto spec = read_model(text, overrides, diagnostics)) build_module(*spec, ops::all_ops(), diagnostics);
  std::vector<Diagnostic> out;
  for (const Diagnostic& d : diagnostics.all())
    if (d.severity == Severity::error) out.push_back(d);
  return out;
}

std::string all_of(const std::vector<Diagnostic>& errors) {
  std::string out;
  for (const Diagnostic& d : errors) out += format_short(d) + " (" + d.pointer + ")\n";
  return out;
}

void collect_pointers(const Json& value, const Json::json_pointer& at, std::vector<Json::json_pointer>& out) {
  if (!at.empty()) out.push_back(at);
  if (value.is_object())
    for (const auto& [key, member] : value.items()) collect_pointers(member, at / key, out);
  if (value.is_array())
    for (size_t i = 0; i < value.size(); ++i) collect_pointers(value[i], at / i, out);
}

/// Every value that is no note of the user's, with the model that has it replaced; `is_leaf`: only those of the lowest
/// level.
template <class Visit> void for_each_value(const char* text, const Json& replacement, bool is_leaf, Visit visit) {
  const Json model = Json::parse(text);
  ASSERT_EQ(all_of(errors_of(text)), "");
  std::vector<Json::json_pointer> pointers;
  collect_pointers(model, Json::json_pointer(), pointers);
  for (const Json::json_pointer& at : pointers) {
    if (at.to_string().find("/x-") != std::string::npos || (is_leaf && model[at].is_structured())) continue;
    Json damaged = model;
    damaged[at] = replacement;
    visit(at.to_string(), damaged.dump());
  }
}

inline constexpr const char* network_of_layers = R"({
  "dlcc": 1, "name": "n", "seed": 1, "dtype": "f64",
  "inputs": { "a": { "shape": ["N", 4, 3] }, "b": { "shape": ["N", 12], "dtype": "f64" }, "w": { "shape": ["N"] } },
  "labels": { "digit": { "shape": ["N"], "dtype": "i32" }, "y": { "shape": ["N", 3] } },
  "layers": [
    { "type": "Flatten", "from": ["a"] }, { "type": "Add", "name": "sum", "from": ["flatten", "b"] },
    { "type": "Repeat", "name": "h", "times": 2, "layers": [
      { "type": "Residual", "layers": [ { "type": "Dense", "units": 12, "activation": { "type": "leaky_relu", "negative_slope": 0.3 } } ] } ] },
    { "type": "Dropout", "rate": 0.5 },
    { "type": "Dense", "name": "z", "units": 3, "kernel_initializer": { "type": "variance_scaling", "mode": "fan_avg" },
      "kernel_regularizer": { "l2": 0.1 }, "use_bias": true, "trainable": true, "lr_mult": 1.5 },
    { "type": "Reshape", "target_shape": [3] }
  ],
  "outputs": ["z", "reshape"],
  "loss": [ { "type": "sparse_categorical_crossentropy", "prediction": "z", "label": "digit", "from_logits": true, "class_weight": { "0": 0.4 }, "weight": 0.3 },
            { "type": "huber", "prediction": "reshape", "label": "y", "sample_weight": "w", "delta": 2.0 } ],
  "metrics": [ { "type": "accuracy", "name": "acc", "prediction": "z", "label": "digit" } ],
  "optimizer": { "type": "adam", "learning_rate": { "schedule": "cosine", "initial": 0.1, "decay_steps": 5 }, "clip_norm": 1.0 },
  "train": { "batch_size": 8, "epochs": 2, "early_stopping": { "monitor": "val_loss", "patience": 2 }, "checkpoint": { "keep": 2 } },
  "data": { "train": { "format": "csv", "file": "t.csv", "separator": ";", "a": "c1:c12", "b": ["d", 3], "digit": 4, "y": "e:g", "w": "w" },
            "transforms": [ { "type": "divide", "input": "a", "by": [2] } ] },
  "compile": { "threads": 2 }
})";

const char* const models[] = {binary_classifier, logistic_regression, network_of_layers};

/// A name that nothing has any more is told at each place that refers to it.
bool are_references(const std::vector<Diagnostic>& errors) {
  return std::all_of(errors.begin(), errors.end(), [](const Diagnostic& d) {
    return d.text.starts_with("unknown ") || d.text.find("' names '") != std::string::npos;
  });
}

/// An empty object is told each key that it needs.
bool are_missing_keys(const std::vector<Diagnostic>& errors) {
  return std::all_of(errors.begin(), errors.end(), [&](const Diagnostic& d) {
    return d.name == std::string("missing-key") && d.pointer == errors[0].pointer;
  });
}

TEST(OneFault, a_value_of_a_wrong_type) {
  size_t tried = 0;
  for (const char* model : models)
    for_each_value(model, nullptr, false, [&](const std::string& at, const std::string& text) {
      std::vector<Diagnostic> errors = errors_of(text);
      ASSERT_EQ(errors.size(), 1u) << at << "\n" << all_of(errors);
      EXPECT_EQ(errors[0].pointer, at) << all_of(errors);
      EXPECT_NE(errors[0].text.find("null"), std::string::npos) << all_of(errors);
      EXPECT_NE(errors[0].text.find("expected"), std::string::npos) << all_of(errors);
      ++tried;
    });
  EXPECT_GT(tried, 200u);
}

// Of the right type, but a name that nothing has, a number that is too large or too small.
TEST(OneFault, a_value_that_nothing_has) {
  for (const char* model : models)
    for (const Json& replacement : {Json("qqqqqqqqq"), Json(-1e300), Json(1e300), Json(-7), Json::array(),
                                    Json::object(), Json::array({"qqqqqqqqq"})})
      for_each_value(model, replacement, true, [&](const std::string& at, const std::string& text) {
        std::vector<Diagnostic> errors = errors_of(text);
        if (errors.empty()) return; // a right value
        EXPECT_TRUE(errors.size() == 1 || are_references(errors) || are_missing_keys(errors))
            << at << " = " << replacement << "\n"
            << all_of(errors);
      });
}

// Without a member: it was optional, or one line says that it is missing (or what refers to it).
TEST(OneFault, a_member_that_is_missing) {
  for (const char* text : models) {
    const Json model = Json::parse(text);
    std::vector<Json::json_pointer> pointers;
    collect_pointers(model, Json::json_pointer(), pointers);
    for (const Json::json_pointer& at : pointers) {
      Json damaged = model;
      if (!damaged[at.parent_pointer()].is_object()) continue;
      damaged[at.parent_pointer()].erase(at.back());
      std::vector<Diagnostic> errors = errors_of(damaged.dump());
      EXPECT_TRUE(errors.size() <= 1 || are_references(errors)) << at << "\n" << all_of(errors);
    }
  }
}

// An input or label without its batch is told so at its shape, whatever reads it.
TEST(OneFault, a_shape_without_the_batch) {
  auto expect = [](const std::string& section, const std::string& shape, const std::string& line) {
    const std::string head =
        R"({"dlcc": 1, "inputs": {"x": {"shape": )" + (section == "input" ? shape : std::string(R"(["N", 4])"));
    const std::string text =
        head + R"(}}, "labels": {"y": {"shape": )" + (section == "label" ? shape : std::string(R"(["N", 4])")) +
        R"(}}, "layers": [{"type": "Dense", "units": 4}, "Flatten", {"type": "Add", "from": ["x", "x"]}], "loss": "mse"})";
    std::vector<Diagnostic> errors = errors_of(text);
    ASSERT_EQ(errors.size(), 1u) << all_of(errors);
    EXPECT_EQ(errors[0].text, line);
    EXPECT_EQ(errors[0].pointer, section == "input" ? "/inputs/x/shape" : "/labels/y/shape");
  };
  const std::string end = ": the first dimension is the batch";
  expect("input", "[4]", "input 'x' is [4], expected [\"N\", 4]" + end);
  expect("input", "[]", "input 'x' is [], expected [\"N\"]" + end);
  expect("input", "[28, 4]", "input 'x' is [28,4], expected [\"N\", 28, 4]" + end);
  expect("input", "[32, 4]", "input 'x' is [32,4], expected [\"N\", 4]" + end); // 32 is the batch size
  expect("label", "[4]", "label 'y' is [4], expected [\"N\", 4]" + end);
}

} // namespace
} // namespace dlcc::frontend::testing

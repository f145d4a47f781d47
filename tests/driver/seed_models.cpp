#include "tests/driver/seed_models.h"

#include "frontend/document/json_writer.h"
#include "ir/ops/ops.h"
#include "tests/cli/random_model.h"
#include "tests/frontend/models.h"
#include "tests/frontend/samples.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace dlcc::testing {

namespace {
void add_files(const char* folder, std::vector<std::string>& models) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    std::stringstream text;
    text << std::ifstream(file).rdbuf();
    models.push_back(text.str());
  }
}

// The model's own record needs no model around it.
void add_records(std::vector<std::string>& models) {
  using namespace frontend;
  for (const GroupDef& group : all_groups())
    for (const RecordDef& record : group.records)
      for (const Key& key : record.keys)
        models.push_back(
            frontend::testing::model_around(group.id, frontend::testing::instance(group, record, &key)).text);
}

template <class List> std::string list_of(const List& list, const auto& text) {
  std::string out;
  for (const auto& item : list) out += (out.empty() ? "" : ", ") + text(item);
  return "[" + out + "]";
}

std::string json_of(const AttributeValue& value) {
  struct Text {
    std::string operator()(bool v) const { return v ? "true" : "false"; }
    std::string operator()(int64_t v) const { return std::to_string(v); }
    std::string operator()(double v) const { return std::to_string(v); }
    std::string operator()(DType v) const { return frontend::json_string(name_of(v)); }
    std::string operator()(const std::string& v) const { return frontend::json_string(v); }
    std::string operator()(const std::vector<int64_t>& v) const { return list_of(v, *this); }
    std::string operator()(const std::vector<double>& v) const { return list_of(v, *this); }
  };
  return std::visit(Text(), value);
}

/// Operands of the model's type are parameters, others inputs.
std::string model_around(const graph::OpDef& op, const graph::Sample& sample) {
  std::string inputs = R"("x": { "shape": ["N", 4] })", params, operands, attributes;
  for (size_t k = 0; k < sample.operands.size(); ++k) {
    const Type& type = sample.operands[k];
    const std::string name = "\"a" + std::to_string(k) + "\"";
    const std::string shape = list_of(type.shape, [](int64_t n) { return std::to_string(n); });
    operands += (k ? ", " : "") + name;
    if (is_float(type.dtype))
      params += (params.empty() ? "" : ", ") + name + R"(: { "shape": )" + shape + " }";
    else
      inputs +=
          ", " + name + R"(: { "shape": )" + shape + R"(, "dtype": ")" + std::string(name_of(type.dtype)) + "\" }";
  }
  for (const auto& [name, value] : sample.attributes)
    attributes += (attributes.empty() ? "\"" : ", \"") + name + "\": " + json_of(value);
  return R"({ "dlcc": 1, "inputs": { )" + inputs + R"( }, "params": { )" + params + " },\n" +
         R"( "nodes": [ { "op": ")" + std::string(op.name) + R"(", "inputs": [)" + operands + R"(], "attrs": { )" +
         attributes + R"( }, "output": "y" } ], "outputs": ["y"] })";
}
} // namespace

std::vector<std::string> seed_models() {
  std::vector<std::string> models;
  for (int i = 0; i < 6; ++i) { // whole models are to be as frequent as fragments
    add_files(DLCC_MODELS_DIR, models);
    add_files(DLCC_EXAMPLES_DIR, models);
  }
  for (uint64_t seed = 1; seed <= 300; ++seed) models.push_back(cli_tests::random_model(seed));
  for (const char* text :
       {frontend::testing::binary_classifier, frontend::testing::logistic_regression, frontend::testing::everything})
    models.emplace_back(text);
  add_records(models);
  for (const graph::OpDef* op : ops::all_ops())
    for (const graph::Sample& sample : op->samples()) models.push_back(model_around(*op, sample));
  return models;
}

} // namespace dlcc::testing

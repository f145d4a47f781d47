// What every operator owes, checked over the whole table: a complete record, results of the inferred types, bodies that
// agree with their references, and text that reads back.
#include "samples.h"

#include "ir/graph/builder.h"
#include "ir/graph/evaluate.h"
#include "ir/graph/parse.h"
#include "ir/graph/print.h"
#include "ir/ops/reference.h"

#include <fstream>
#include <set>
#include <sstream>

namespace dlcc::testing {
namespace {

using graph::OpDef;
using graph::OpKind;
using graph::Sample;

TEST(AllOps, RecordsAreCompleteAndDocumented) {
  std::set<std::string_view> names;
  for (const OpDef* op : ops::all_ops()) {
    SCOPED_TRACE(op->name);
    EXPECT_TRUE(names.insert(op->name).second) << "the name is used twice";
    EXPECT_FALSE(op->samples().empty());
    EXPECT_TRUE(op->doc.ends_with('.'));
    EXPECT_EQ(graph::find_op(ops::all_ops(), op->name), op);
    for (const graph::AttributeDef& a : op->attributes) EXPECT_FALSE(a.doc.empty()) << a.name;
    for (const Sample& s : op->samples()) {
      EXPECT_GE(static_cast<int>(s.operands.size()), op->min_operands);
      EXPECT_TRUE(op->max_operands < 0 || static_cast<int>(s.operands.size()) <= op->max_operands);
      EXPECT_LE(s.ranges.size(), s.operands.size());
    }
  }
}

TEST(AllOps, AttributesAreUsedBySamples) {
  for (const OpDef* op : ops::all_ops())
    for (const graph::AttributeDef& a : op->attributes) {
      bool used = false;
      for (const Sample& s : op->samples()) used = used || s.attributes.has(a.name);
      EXPECT_TRUE(used) << op->name << " has no sample with " << a.name;
    }
}

TEST(AllOps, ReferencesFillTheInferredTypes) {
  for_each_sample([](const OpDef& op, const Sample& sample, const std::vector<Tensor>& operands) {
    auto results = graph::evaluate_op(op, operands, sample.attributes, ops::all_ops());
    graph::InferContext context(sample.operands, sample.attributes);
    auto types = op.infer(context);
    EXPECT_EQ(context.message(), "");
    ASSERT_EQ(results.size(), types.size());
    for (size_t k = 0; k < types.size(); ++k) {
      EXPECT_EQ(results[k].type, types[k]);
      EXPECT_EQ(static_cast<int64_t>(results[k].size()), element_count(types[k].shape));
    }
  });
}

// A function that is the operator's body, and its operands as inputs.
std::vector<Tensor> evaluate_body(const OpDef& op, const Sample& sample, const std::vector<Tensor>& operands) {
  graph::Module module;
  graph::Function f{.name = "body"};
  graph::Builder b(module, f, ops::all_ops());
  graph::Environment environment;
  std::vector<graph::ValueId> parameters;
  for (size_t k = 0; k < operands.size(); ++k) {
    std::string name = "x" + std::to_string(k);
    parameters.push_back(b.parameter(name, operands[k].type, graph::ParameterRole::input));
    environment.inputs[name] = operands[k];
  }
  f.results = op.body(b, parameters, sample.attributes);
  return graph::evaluate(module, f, ops::all_ops(), environment);
}

TEST(AllOps, BodiesAgreeWithReferences) {
  for_each_sample([](const OpDef& op, const Sample& sample, const std::vector<Tensor>& operands) {
    if (op.kind != OpKind::composite) return;
    auto expected = graph::evaluate_op(op, operands, sample.attributes, ops::all_ops());
    auto results = evaluate_body(op, sample, operands);
    ASSERT_EQ(results.size(), expected.size());
    for (size_t k = 0; k < results.size(); ++k) {
      EXPECT_EQ(results[k].type, expected[k].type);
      expect_close(results[k].data, expected[k].data, 1e-12);
    }
  });
}

TEST(AllOps, TextReadsBack) {
  for_each_sample([](const OpDef& op, const Sample& sample, const std::vector<Tensor>&) {
    graph::Module module;
    module.name = "m";
    auto id = module.functions.push({.name = "f"});
    graph::Builder b(module, module.functions[id], ops::all_ops());
    std::vector<graph::ValueId> operands;
    for (const Type& t : sample.operands)
      operands.push_back(b.parameter("x" + std::to_string(operands.size()), t, graph::ParameterRole::input));
    module.functions[id].results = b.add_all(op, operands, sample.attributes);
    std::string text = graph::print(module);
    EXPECT_NE(text.find(op.name), std::string::npos);
    EXPECT_EQ(graph::print(graph::parse_module(text, ops::all_ops())), text);
  });
}

TEST(AllOps, ReferenceOfOperatorsIsFresh) {
  const char* path = DLCC_SOURCE_DIR "/ir/ops/OPS.md";
  std::string text = ops::print_ops_reference(ops::all_ops());
  if (std::getenv("DLCC_BLESS")) std::ofstream(path) << text;
  std::ifstream file(path);
  std::stringstream present;
  present << file.rdbuf();
  EXPECT_EQ(present.str(), text) << "run this test with DLCC_BLESS=1";
}

} // namespace
} // namespace dlcc::testing

#include "frontend/network/nodes/node_builder.h"

#include "frontend/network/nodes/node_attributes.h"

#include "ir/graph/call.h"

#include <algorithm>

namespace dlcc::frontend {

// ---- nodes ----------------------------------------------------------------------------------------------------------

void NodeBuilder::build(const NodeBody& body, std::vector<graph::ValueId>& values, const std::string& prefix) {
  for (uint32_t node : body.order) build(*body.graph, node, values, prefix);
}

void NodeBuilder::build(const NodeGraph& graph, uint32_t index, std::vector<graph::ValueId>& values,
                        const std::string& prefix) {
  const NodeSpec& node = graph.nodes()[index];
  std::vector<graph::ValueId> operands;
  for (uint32_t value : graph.operands(index)) {
    if (!values[value].valid()) return; // reported where it failed
    operands.push_back(values[value]);
  }
  const std::string name = prefix + (node.outputs.empty() ? node.op.text : node.outputs[0].text);
  c_.report.guard([&] { return "node " + quoted(name); }, node.place,
                  [&] {
                    b_.where = node.place.where, b_.name_hint = name;
                    std::vector<graph::ValueId> results = apply(node, std::move(operands), name);
                    if (results.size() != node.outputs.size())
                      throw ModelError{"wrong-count",
                                       quoted(node.op.text) + " gives " + std::to_string(results.size()) +
                                           " values, got " + std::to_string(node.outputs.size()) + " names for them",
                                       node.place};
                    for (size_t k = 0; k < results.size(); ++k) {
                      values[graph.first_output(index) + k] = results[k];
                      give_name(results[k], prefix + node.outputs[k].text);
                    }
                  });
}

// A value keeps the name it had before this node: dropout in predict gives its operand.
void NodeBuilder::give_name(graph::ValueId v, const std::string& name) {
  const graph::Value& value = b_.function().values[v];
  if (value.kind == graph::ValueKind::result && !b_.reserved(name)) b_.take_name(v, name);
}

std::vector<graph::ValueId> NodeBuilder::apply(const NodeSpec& node, std::vector<graph::ValueId> operands,
                                               const std::string& name) {
  const UserFunction* function = c_.functions.find(node.op.text);
  if (!function) return apply_operator(node, std::move(operands), name);
  if (!node.attributes.empty())
    throw ModelError{"unknown-key", "function " + quoted(node.op.text) + " has no attributes",
                     node.attributes[0].place};
  return call(*function, operands, name, node.place);
}

// Operators that draw random numbers have a stream; their last two operands are the seed and the batch.
std::vector<graph::ValueId> NodeBuilder::apply_operator(const NodeSpec& node, std::vector<graph::ValueId> operands,
                                                        const std::string& name) {
  const graph::OpDef& op = *graph::find_op(c_.ops, node.op.text);
  Attributes attributes = node_attributes(node, op, c_.spec);
  const bool is_identity = op.name == "dropout" && mode_ == Mode::predict;
  for (const graph::AttributeDef& def : op.attributes) {
    if (def.name != "stream") continue;
    if (!attributes.has("stream")) attributes.set("stream", name);
    if (is_identity) continue;
    operands.push_back(b_.call_scalar("seed"));
    operands.push_back(b_.call_scalar("batch"));
  }
  if (is_identity) return {b_.add("linear", std::move(operands))}; // its attributes were checked in training
  return b_.add_all(op, std::move(operands), std::move(attributes));
}

// ---- functions ------------------------------------------------------------------------------------------------------

std::vector<graph::ValueId> NodeBuilder::call(const UserFunction& f, const std::vector<graph::ValueId>& operands,
                                              const std::string& name, const Place& place) {
  const size_t wanted = f.record->names("inputs").size();
  if (operands.size() != wanted)
    throw ModelError{"wrong-count",
                     "function " + quoted(f.record->entry.text) + " takes " + std::to_string(wanted) + " inputs, got " +
                         std::to_string(operands.size()),
                     place};
  if (f.gradient) return b_.add_all(graph::call_op, operands, {{"function", instance(f, operands)}});
  std::vector<graph::ValueId> values(f.body.names.size());
  std::copy(operands.begin(), operands.end(), values.begin());
  build(f.body, values, name + "/");
  return results_of(f, values);
}

std::vector<graph::ValueId> NodeBuilder::results_of(const UserFunction& f, const std::vector<graph::ValueId>& values) {
  std::vector<graph::ValueId> results;
  for (const Name& output : f.record->names("outputs")) {
    graph::ValueId v = values[*f.body.names.find(output.text)];
    if (!v.valid()) throw ModelError{}; // reported inside
    results.push_back(v);
  }
  return results;
}

// The function of the graph for these operand types, with its gradient.
std::string NodeBuilder::instance(const UserFunction& f, const std::vector<graph::ValueId>& operands) {
  std::vector<Type> types;
  for (graph::ValueId v : operands) types.push_back(b_.type(v));
  std::string key = f.record->entry.text;
  for (const Type& type : types) key += " " + to_string(type);
  if (auto known = c_.functions.instances.find(key); known != c_.functions.instances.end()) return known->second;
  const std::string first = "function/" + f.record->entry.text;
  std::string name = first;
  for (int k = 1; c_.module.find_function(name); ++k) name = first + "." + std::to_string(k);
  add_gradient(f, name, types, add_body(f, name, types));
  c_.functions.instances.emplace(std::move(key), name);
  return name;
}

std::vector<Type> NodeBuilder::add_body(const UserFunction& f, const std::string& name,
                                        const std::vector<Type>& types) {
  graph::Function function;
  function.name = name, function.where = f.record->entry.place.where, function.gradient = name + "/gradient";
  graph::Builder b(c_.module, function, c_.ops);
  std::vector<graph::ValueId> values(f.body.names.size());
  for (uint32_t i = 0; i < types.size(); ++i)
    values[i] = b.parameter(f.body.names.text(i), types[i], graph::ParameterRole::input);
  NodeBuilder(c_, b, mode_).build(f.body, values, "");
  std::vector<Type> results;
  for (graph::ValueId v : results_of(f, values)) {
    function.results.push_back(v);
    results.push_back(b.type(v));
  }
  if (function.parameters.size() != types.size())
    throw ModelError{"invalid-op",
                     "function " + quoted(f.record->entry.text) +
                         " draws random numbers and has a gradient of its own, expected only one of them",
                     f.record->entry.place};
  c_.module.functions.push(std::move(function));
  return results;
}

namespace {
// An output may be one of the inputs.
std::string parameter_name(graph::Builder& b, const std::string& name) {
  return b.reserved(name) ? name + ".out" : name;
}

graph::ValueId gradient_of(const UserFunction& f, uint32_t input, const Type& type, graph::Builder& b,
                           const std::vector<graph::ValueId>& values) {
  const std::string name = "d." + f.body.names.text(input);
  const Place& place = f.record->record("gradient")->place;
  std::optional<uint32_t> number = f.gradient->names.find(name);
  if (!number)
    throw ModelError{"missing-key",
                     "the gradient of function " + quoted(f.record->entry.text) + " does not define " + quoted(name),
                     place};
  graph::ValueId v = values[*number];
  if (!v.valid()) throw ModelError{}; // reported inside
  if (!(b.type(v) == type))
    throw ModelError{"shape-mismatch",
                     quoted(name) + " is " + to_string(b.type(v)) + ", expected " + to_string(type) + " as its input",
                     place};
  return v;
}
} // namespace

// (inputs, outputs, cotangents) -> a gradient for each float input; values inside the body are computed again.
void NodeBuilder::add_gradient(const UserFunction& f, const std::string& name, const std::vector<Type>& types,
                               const std::vector<Type>& results) {
  graph::Function function;
  function.name = name + "/gradient", function.where = f.record->record("gradient")->place.where;
  graph::Builder b(c_.module, function, c_.ops);
  const std::vector<Name>& outputs = f.record->names("outputs");
  std::vector<graph::ValueId> values(f.gradient->names.size());
  for (uint32_t i = 0; i < types.size(); ++i)
    values[i] = b.parameter(f.body.names.text(i), types[i], graph::ParameterRole::input);
  std::vector<graph::ValueId> given;
  for (size_t k = 0; k < outputs.size(); ++k)
    given.push_back(b.parameter(parameter_name(b, outputs[k].text), results[k], graph::ParameterRole::input));
  for (size_t k = 0; k < outputs.size(); ++k)
    values[f.body.names.size() + k] = b.parameter("d." + outputs[k].text, results[k], graph::ParameterRole::input);
  NodeBuilder inner(c_, b, mode_);
  inner.build(f.body, values, "");
  for (size_t k = 0; k < outputs.size(); ++k) values[*f.body.names.find(outputs[k].text)] = given[k];
  inner.build(*f.gradient, values, "");
  for (uint32_t i = 0; i < types.size(); ++i)
    if (is_float(types[i].dtype)) function.results.push_back(gradient_of(f, i, types[i], b, values));
  c_.module.functions.push(std::move(function));
}

} // namespace dlcc::frontend

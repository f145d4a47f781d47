// A network written as nodes: operators on named values, and functions of the model, inlined where they are called.
#include "frontend/network.h"
#include "frontend/node_attributes.h"
#include "frontend/node_graph.h"

#include "ir/graph/call.h"

#include <algorithm>

namespace dlcc::frontend {

namespace {
using graph::ValueId;

/// Functions with a gradient of their own that are in the module already, by name and operand types.
using Instances = std::map<std::string, std::string>;

/// Adds the nodes of one list to one function of the graph.
class NodeBuilder {
public:
  NodeBuilder(Construction& c, const UserFunctions& functions, Instances& instances, graph::Builder& b, Mode mode)
      : c_(c), functions_(functions), instances_(instances), b_(b), mode_(mode) {}

  /// `values` by number: those from outside are there. `needed`: flags by node, null for all. Names of results get the
  /// prefix.
  void build(const NodeGraph& g, std::vector<ValueId>& values, const std::vector<char>* needed,
             const std::string& prefix) {
    for (uint32_t i : g.order)
      if (!needed || (*needed)[i]) build_node(g, i, values, prefix);
  }

private:
  void build_node(const NodeGraph& g, uint32_t index, std::vector<ValueId>& values, const std::string& prefix) {
    const NodeSpec& node = (*g.nodes)[index];
    std::vector<ValueId> operands;
    for (uint32_t value : g.operands[index]) {
      if (!values[value].valid()) return; // reported where it failed
      operands.push_back(values[value]);
    }
    const std::string first = node.outputs.empty() ? node.op.text : node.outputs[0].text;
    auto what = [&] { return "node " + quoted(prefix + first); };
    c_.report.guard(what, node.place, [&] {
      b_.where = node.place.where, b_.name_hint = prefix + first;
      const UserFunction* function = functions_.find(node.op.text);
      std::vector<ValueId> results = function ? apply(*function, node, operands, prefix + first)
                                              : apply_operator(node, std::move(operands), prefix + first);
      if (results.size() != node.outputs.size())
        throw ModelError{"wrong-count",
                         quoted(node.op.text) + " gives " + std::to_string(results.size()) + " values, got " +
                             std::to_string(node.outputs.size()) + " names for them",
                         node.place};
      for (size_t k = 0; k < results.size(); ++k) {
        values[g.first_output[index] + k] = results[k];
        give_name(results[k], prefix + node.outputs[k].text);
      }
    });
  }

  // A value keeps the name it had before this node: dropout in predict gives its operand.
  void give_name(ValueId v, const std::string& name) {
    const graph::Value& value = b_.function().values[v];
    if (value.kind == graph::ValueKind::result && !b_.reserved(name)) b_.take_name(v, name);
  }

  // Operators that draw random numbers have a stream; their last two operands are the seed and the batch.
  std::vector<ValueId> apply_operator(const NodeSpec& node, std::vector<ValueId> operands, const std::string& name) {
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

  std::vector<ValueId> apply(const UserFunction& f, const NodeSpec& node, const std::vector<ValueId>& operands,
                             const std::string& name) {
    size_t wanted = f.record->names("inputs").size();
    if (operands.size() != wanted)
      throw ModelError{"wrong-count",
                       "function " + quoted(node.op.text) + " takes " + std::to_string(wanted) + " inputs, got " +
                           std::to_string(operands.size()),
                       node.place};
    if (!node.attributes.empty())
      throw ModelError{"unknown-key", "function " + quoted(node.op.text) + " has no attributes",
                       node.attributes[0].place};
    if (f.gradient) return b_.add_all(graph::call_op, operands, {{"function", instance(f, operands)}});
    std::vector<ValueId> values(f.body.values.size());
    std::copy(operands.begin(), operands.end(), values.begin());
    build(f.body, values, nullptr, name + "/");
    std::vector<ValueId> results;
    for (const Name& output : f.record->names("outputs")) {
      ValueId v = values[*f.body.find(output.text)];
      if (!v.valid()) throw ModelError{}; // reported inside
      results.push_back(v);
    }
    return results;
  }

  // The function of the graph for these operand types, with its gradient.
  std::string instance(const UserFunction& f, const std::vector<ValueId>& operands) {
    std::string key = f.record->entry.text;
    for (ValueId v : operands) key += " " + to_string(b_.type(v));
    if (auto known = instances_.find(key); known != instances_.end()) return known->second;
    const std::string first = "function/" + f.record->entry.text;
    std::string name = first;
    for (int k = 1; c_.module.find_function(name); ++k) name = first + "." + std::to_string(k);
    std::vector<Type> types;
    for (ValueId v : operands) types.push_back(b_.type(v));
    add_gradient(f, name, types, add_body(f, name, types));
    instances_.emplace(std::move(key), name);
    return name;
  }

  std::vector<Type> add_body(const UserFunction& f, const std::string& name, const std::vector<Type>& types) {
    graph::Function function;
    function.name = name, function.where = f.record->entry.place.where, function.gradient = name + "/gradient";
    graph::Builder b(c_.module, function, c_.ops);
    std::vector<ValueId> values(f.body.values.size());
    for (size_t i = 0; i < types.size(); ++i)
      values[i] = b.parameter(f.body.values[i].text, types[i], graph::ParameterRole::input);
    NodeBuilder(c_, functions_, instances_, b, mode_).build(f.body, values, nullptr, "");
    std::vector<Type> results;
    for (const Name& output : f.record->names("outputs")) {
      ValueId v = values[*f.body.find(output.text)];
      if (!v.valid()) throw ModelError{}; // reported inside
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

  // (inputs, outputs, cotangents) -> a gradient for each float input; values inside the body are computed again.
  void add_gradient(const UserFunction& f, const std::string& name, const std::vector<Type>& types,
                    const std::vector<Type>& results) {
    graph::Function function;
    function.name = name + "/gradient", function.where = f.record->record("gradient")->place.where;
    graph::Builder b(c_.module, function, c_.ops);
    const std::vector<Name>& outputs = f.record->names("outputs");
    std::vector<ValueId> values(f.gradient->values.size());
    for (size_t i = 0; i < types.size(); ++i)
      values[i] = b.parameter(f.body.values[i].text, types[i], graph::ParameterRole::input);
    std::vector<ValueId> given;
    for (size_t k = 0; k < outputs.size(); ++k)
      given.push_back(b.parameter(parameter_name(b, outputs[k].text), results[k], graph::ParameterRole::input));
    for (size_t k = 0; k < outputs.size(); ++k)
      values[f.body.values.size() + k] = b.parameter("d." + outputs[k].text, results[k], graph::ParameterRole::input);
    NodeBuilder inner(c_, functions_, instances_, b, mode_);
    inner.build(f.body, values, nullptr, "");
    for (size_t k = 0; k < outputs.size(); ++k) values[*f.body.find(outputs[k].text)] = given[k];
    inner.build(*f.gradient, values, nullptr, "");
    for (size_t i = 0; i < types.size(); ++i)
      if (is_float(types[i].dtype)) function.results.push_back(gradient_of(f, i, types[i], b, values));
    c_.module.functions.push(std::move(function));
  }

  // An output may be one of the inputs.
  static std::string parameter_name(graph::Builder& b, const std::string& name) {
    return b.reserved(name) ? name + ".out" : name;
  }

  ValueId gradient_of(const UserFunction& f, size_t input, const Type& type, graph::Builder& b,
                      const std::vector<ValueId>& values) {
    const std::string name = "d." + f.body.values[input].text;
    const Place& place = f.record->record("gradient")->place;
    std::optional<uint32_t> number = f.gradient->find(name);
    if (!number)
      throw ModelError{"missing-key",
                       "the gradient of function " + quoted(f.record->entry.text) + " does not define " + quoted(name),
                       place};
    ValueId v = values[*number];
    if (!v.valid()) throw ModelError{}; // reported inside
    if (!(b.type(v) == type))
      throw ModelError{"shape-mismatch",
                       quoted(name) + " is " + to_string(b.type(v)) + ", expected " + to_string(type) + " as its input",
                       place};
    return v;
  }

  Construction& c_;
  const UserFunctions& functions_;
  Instances& instances_;
  graph::Builder& b_;
  Mode mode_;
};

class NodeNetwork : public Network {
public:
  NodeNetwork(Construction& c, const std::vector<Name>& inputs)
      : c_(c), input_count_(inputs.size()), functions_(c.spec, c.ops, c.report) {
    if (c_.report.failed()) return;
    std::vector<Name> outside = inputs;
    for (const TensorSpec& p : c_.spec.params) outside.push_back(p.name);
    graph_ = resolve_nodes(c_.spec.nodes(), outside, c_.report);
    functions_.check_operators(c_.spec.nodes());
  }

  bool has(const std::string& name) const override { return graph_.find(name).has_value(); }
  std::vector<std::string> names() const override { return graph_.names(); }
  std::string last_name() const override {
    if (!c_.spec.nodes().empty()) return c_.spec.nodes().back().outputs.back().text;
    return input_count_ == 1 ? graph_.values[0].text : "";
  }
  void want(const std::vector<std::string>& names) override;
  NetworkValues build(graph::Builder& b, Mode mode, const std::vector<ValueId>& inputs) override;

private:
  uint32_t node_of(uint32_t value) const;
  void read_parameters(graph::Builder& b, std::vector<ValueId>& values) const;

  Construction& c_;
  size_t input_count_;
  UserFunctions functions_;
  Instances instances_;
  NodeGraph graph_;
  std::vector<uint32_t> wanted_;
  std::vector<char> needed_;
};

uint32_t NodeNetwork::node_of(uint32_t value) const {
  auto after = std::upper_bound(graph_.first_output.begin(), graph_.first_output.end(), value);
  return static_cast<uint32_t>(after - graph_.first_output.begin()) - 1;
}

void NodeNetwork::want(const std::vector<std::string>& names) {
  std::vector<uint32_t> nodes;
  const size_t outside = input_count_ + c_.spec.params.size();
  for (const std::string& name : names) {
    wanted_.push_back(*graph_.find(name));
    if (wanted_.back() >= outside) nodes.push_back(node_of(wanted_.back()));
  }
  needed_ = needed_by(nodes, graph_.needs, graph_.order);
  size_t unused = 0, first = 0;
  for (size_t i = 0; i < needed_.size(); ++i)
    if (!needed_[i] && unused++ == 0) first = i;
  if (!unused) return;
  const NodeSpec& node = c_.spec.nodes()[first];
  std::string others = unused == 1 ? " is" : " and " + std::to_string(unused - 1) + " more are";
  c_.report.warning("unused-node",
                    "node " + quoted(node.outputs[0].text) + others + " not used by any output or loss; left out",
                    node.place);
}

// Only those that are needed.
void NodeNetwork::read_parameters(graph::Builder& b, std::vector<ValueId>& values) const {
  auto read = [&](uint32_t value) {
    if (value < input_count_ || value >= input_count_ + c_.spec.params.size()) return;
    if (!values[value].valid())
      values[value] = b.state(graph::StateId(value - input_count_)); // declared first, in order
  };
  for (size_t i = 0; i < needed_.size(); ++i)
    if (needed_[i])
      for (uint32_t value : graph_.operands[i]) read(value);
  for (uint32_t value : wanted_) read(value);
}

NetworkValues NodeNetwork::build(graph::Builder& b, Mode mode, const std::vector<ValueId>& inputs) {
  std::vector<ValueId> values(graph_.values.size());
  std::copy(inputs.begin(), inputs.end(), values.begin());
  read_parameters(b, values);
  NodeBuilder(c_, functions_, instances_, b, mode).build(graph_, values, &needed_, "");
  b.where = {}, b.name_hint.clear();
  NetworkValues out;
  for (uint32_t value : wanted_) out.values.push_back(values[value]);
  for (size_t i = 0; i < needed_.size(); ++i)
    for (const Record& r : c_.spec.nodes()[i].activity_regularizer)
      if (ValueId v = values[graph_.first_output[i]]; needed_[i] && v.valid())
        out.penalties.push_back({v, r.number("l1"), r.number("l2"), r.place});
  return out;
}
} // namespace

std::unique_ptr<Network> node_network(Construction& construction, const std::vector<Name>& inputs) {
  auto network = std::make_unique<NodeNetwork>(construction, inputs);
  return construction.report.failed() ? nullptr : std::move(network);
}

} // namespace dlcc::frontend

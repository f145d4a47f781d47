#include "ir/graph/evaluate.h"

#include "ir/base/text.h"
#include "ir/graph/builder.h"
#include "ir/graph/call.h"

#include <cmath>

namespace dlcc::graph {

namespace {
constexpr int deepest_call = 256;

using Pointers = std::vector<const Tensor*>;

class Evaluator {
public:
  Evaluator(const Module& module, OpTable ops, const std::map<std::string, Tensor>& states)
      : module_(module), ops_(ops), states_(states) {
    scratch_.stage = module.stage, scratch_.dtype = module.dtype, scratch_.batch = module.batch;
  }

  std::vector<Tensor> run(const Function& f, const Pointers& arguments, int depth = 0);
  std::vector<Tensor> apply(const OpDef& op, const Attributes& attributes, const Pointers& operands,
                            std::vector<Type> types, int depth);

  /// The new values of all states updated so far, callees' included.
  std::map<StateId, Tensor> updates;

private:
  /// All values of one run: `at` points to what is owned elsewhere, or into `owned`.
  struct Frame {
    IdVector<ValueId, const Tensor*> at;
    IdVector<ValueId, Tensor> owned;
  };
  void bind(const Function& f, const Pointers& arguments, Frame& frame) const;
  void record_updates(const Function& f, const Frame& frame);
  const Function& body_of(const OpDef& op, const Attributes& attributes, const Pointers& operands);

  const Module& module_;
  OpTable ops_;
  const std::map<std::string, Tensor>& states_;
  Module scratch_; ///< where composite bodies are built
  std::map<std::string, Function> bodies_;
};

const Tensor& find_tensor(const std::map<std::string, Tensor>& tensors, const std::string& name, const Type& type) {
  auto at = tensors.find(name);
  DLCC_CHECK(at != tensors.end(), "no tensor for '" + name + "'");
  const Tensor& t = at->second;
  DLCC_CHECK(t.type == type && t.size() == static_cast<size_t>(element_count(type.shape)),
             "'" + name + "' is declared " + to_string(type) + ", given is " + to_string(t.type));
  return t;
}

/// One list a node: the values nobody reads after it.
IdVector<NodeId, std::vector<ValueId>> last_uses(const Function& f) {
  IdVector<ValueId, NodeId> last(f.values.size());
  for (NodeId n : f.nodes.ids()) {
    for (ValueId v : f.nodes[n].results) last[v] = n;
    for (ValueId v : f.nodes[n].operands) last[v] = n;
  }
  for (ValueId v : f.results) last[v] = {};
  for (const Update& u : f.updates) last[u.value] = {};
  IdVector<NodeId, std::vector<ValueId>> lists(f.nodes.size());
  for (ValueId v : f.values.ids())
    if (last[v].valid()) lists[last[v]].push_back(v);
  return lists;
}

void Evaluator::bind(const Function& f, const Pointers& arguments, Frame& frame) const {
  DLCC_CHECK(arguments.size() == f.parameters.size(), "wrong number of arguments for '" + f.name + "'");
  for (size_t k = 0; k < arguments.size(); ++k) frame.at[f.parameters[k]] = arguments[k];
  for (ValueId v : f.values.ids())
    if (f.values[v].kind == ValueKind::state) {
      const State& state = module_.states[f.values[v].state];
      frame.at[v] = &find_tensor(states_, state.name, state.type);
    }
}

void Evaluator::record_updates(const Function& f, const Frame& frame) {
  for (const Update& u : f.updates) {
    bool first = updates.emplace(u.state, *frame.at[u.value]).second;
    DLCC_CHECK(first, "the state '" + module_.states[u.state].name + "' is updated twice");
  }
}

std::vector<Tensor> Evaluator::run(const Function& f, const Pointers& arguments, int depth) {
  DLCC_CHECK(depth < deepest_call, "calls are nested too deep at '" + f.name + "'");
  Frame frame{IdVector<ValueId, const Tensor*>(f.values.size()), IdVector<ValueId, Tensor>(f.values.size())};
  bind(f, arguments, frame);
  IdVector<NodeId, std::vector<ValueId>> finished = last_uses(f);
  for (NodeId n : f.nodes.ids()) {
    const Node& node = f.nodes[n];
    Pointers operands;
    for (ValueId v : node.operands) operands.push_back(frame.at[v]);
    std::vector<Type> types;
    for (ValueId v : node.results) types.push_back(f.type(v));
    std::vector<Tensor> results = apply(*node.op, node.attributes, operands, std::move(types), depth);
    for (size_t k = 0; k < results.size(); ++k) {
      frame.owned[node.results[k]] = std::move(results[k]);
      frame.at[node.results[k]] = &frame.owned[node.results[k]];
    }
    for (ValueId v : finished[n]) frame.owned[v] = {};
  }
  record_updates(f, frame);
  std::vector<Tensor> results;
  for (ValueId v : f.results) results.push_back(*frame.at[v]);
  return results;
}

std::vector<Tensor> Evaluator::apply(const OpDef& op, const Attributes& attributes, const Pointers& operands,
                                     std::vector<Type> types, int depth) {
  if (op.reference) {
    std::vector<Tensor> results;
    for (Type& type : types) results.emplace_back(std::move(type));
    ReferenceContext context(operands, attributes, results);
    op.reference(context);
    return results;
  }
  DLCC_CHECK(op.body, "the operator '" + std::string(op.name) + "' has neither a reference nor a body");
  const Function* callee = &op == &call_op ? callee_of(module_, attributes) : &body_of(op, attributes, operands);
  DLCC_CHECK(callee, "call of an unknown function");
  std::vector<Tensor> results = run(*callee, operands, depth + 1);
  DLCC_CHECK(results.size() == types.size(), "the body of '" + std::string(op.name) + "' has other results");
  for (size_t k = 0; k < results.size(); ++k)
    DLCC_CHECK(results[k].type == types[k], "the body of '" + std::string(op.name) + "' gives " +
                                                to_string(results[k].type) + ", its rule " + to_string(types[k]));
  return results;
}

const Function& Evaluator::body_of(const OpDef& op, const Attributes& attributes, const Pointers& operands) {
  std::string key = std::string(op.name) + print_attributes(attributes);
  for (const Tensor* t : operands) key += " " + to_string(t->type);
  auto [at, is_new] = bodies_.try_emplace(key);
  Function& f = at->second;
  if (!is_new) return f;
  f.name = op.name;
  Builder b(scratch_, f, ops_);
  std::vector<ValueId> parameters;
  for (size_t k = 0; k < operands.size(); ++k)
    parameters.push_back(b.parameter("operand" + std::to_string(k), operands[k]->type, ParameterRole::input));
  f.results = op.body(b, parameters, attributes);
  DLCC_CHECK(f.parameters.size() == operands.size(), "the body of '" + std::string(op.name) + "' declares parameters");
  return f;
}
} // namespace

std::vector<Tensor> evaluate(const Module& module, const Function& function, OpTable ops, Environment& environment) {
  Tensor unset(Type{DType::f64, {}}, {NAN});
  Pointers arguments;
  for (ValueId p : function.parameters) {
    const Value& value = function.values[p];
    bool absent = value.role == ParameterRole::hyper && !environment.inputs.count(value.name);
    arguments.push_back(absent ? &unset : &find_tensor(environment.inputs, value.name, value.type));
  }
  Evaluator evaluator(module, ops, environment.states);
  std::vector<Tensor> results = evaluator.run(function, arguments);
  for (auto& [state, tensor] : evaluator.updates) environment.states[module.states[state].name] = std::move(tensor);
  return results;
}

std::vector<Tensor> evaluate_op(const OpDef& op, std::span<const Tensor> operands, const Attributes& attributes,
                                OpTable ops) {
  Module module;
  std::map<std::string, Tensor> states;
  Pointers pointers;
  std::vector<Type> types;
  for (const Tensor& t : operands) {
    pointers.push_back(&t);
    types.push_back(t.type);
  }
  Attributes checked = attributes;
  std::vector<Type> results = infer(module, op, types, checked);
  return Evaluator(module, ops, states).apply(op, checked, pointers, std::move(results), 0);
}

} // namespace dlcc::graph

#include "ir/graph/verify.h"

#include "ir/graph/builder.h"
#include "ir/graph/call.h"

#include <algorithm>

namespace dlcc::graph {

namespace {
// clang-format off
constexpr StageRules stage_rules[] = {
  // stage             calls  composites updates clusters
  {Stage::source,      true,  true,      true,   false, "a module as the frontend makes it has no clusters"},
  {Stage::stable,      true,  true,      true,   false, "fusion comes later"},
  {Stage::training,    false, true,      false,  false, "calls are inlined before differentiation, and only entries run"},
  {Stage::simplified,  false, true,      false,  false, "calls are inlined before differentiation, and only entries run"},
  {Stage::clustered,   false, false,     false,  true,  "only operators that lower to one kernel's expressions remain"},
};
// clang-format on

constexpr size_t most_messages = 20;

/// Maps and views may be computed anew wherever they are used; these may not.
bool computed_once(OpKind kind) {
  return kind == OpKind::reduction || kind == OpKind::contract || kind == OpKind::effect;
}

class Verifier {
public:
  explicit Verifier(const Module& module) : m_(module), rules_(rules_of(module.stage)) {}

  std::vector<std::string> run() {
    check_declarations();
    for (FunctionId id : m_.functions.ids()) check_function(id);
    return std::move(messages_);
  }

private:
  void require(bool condition, const auto& text) {
    if (!condition && messages_.size() < most_messages) messages_.push_back(where_ + text());
  }
  void illegal(bool condition, std::string_view what) {
    require(!condition, [&] {
      return std::string(what) + " in stage " + std::string(name_of(m_.stage)) + ": " + std::string(rules_.reason);
    });
  }

  void check_type(const Type& type, std::string_view name) {
    bool positive = std::all_of(type.shape.begin(), type.shape.end(), [](int64_t d) { return d >= 0; });
    require(positive && type.rank() <= max_rank && checked_bytes(type).has_value(),
            [&] { return "'" + std::string(name) + "' has the bad type " + to_string(type); });
  }

  void check_unique(std::unordered_set<std::string>& names, const std::string& name, std::string_view what) {
    require(names.insert(name).second, [&] { return std::string(what) + " '" + name + "' twice"; });
  }

  void check_declarations() {
    std::unordered_set<std::string> states, hypers, functions;
    for (const State& s : m_.states) {
      check_unique(states, s.name, "state");
      check_type(s.type, s.name);
    }
    for (const Hyper& h : m_.hypers) check_unique(hypers, h.name, "hyper");
    for (const Function& f : m_.functions) check_unique(functions, f.name, "function");
    require(m_.batch >= 0, [] { return std::string("negative batch"); });
  }

  void check_function(FunctionId id) {
    const Function& f = m_.functions[id];
    where_ = "function '" + f.name + "': ";
    size_t before = messages_.size();
    check_ids(f);
    // What follows follows ids.
    if (messages_.size() != before) return;
    check_values(f);
    for (NodeId n : f.nodes.ids()) check_node(id, n);
    check_updates(f);
    where_.clear();
  }

  void check_ids(const Function& f) {
    auto value = [&](ValueId v, std::string_view what) {
      require(v.index < f.values.size(), [&] { return std::string(what) + " is no value of the function"; });
    };
    for (ValueId v : f.parameters) value(v, "a parameter");
    for (ValueId v : f.results) value(v, "a result");
    for (const Update& u : f.updates) {
      value(u.value, "an update's value");
      require(u.state.index < m_.states.size(), [] { return std::string("an update of no state"); });
    }
    for (const Node& node : f.nodes) {
      for (ValueId v : node.operands) value(v, "an operand");
      for (ValueId v : node.results) value(v, "a node's result");
      require(node.op != nullptr, [] { return std::string("a node without an operator"); });
    }
    for (const Value& v : f.values) {
      require(v.kind != ValueKind::result || v.node.index < f.nodes.size(),
              [&] { return "'" + v.name + "' is the result of no node"; });
      require(v.kind != ValueKind::state || v.state.index < m_.states.size(),
              [&] { return "'" + v.name + "' is the value of no state"; });
    }
  }

  void check_values(const Function& f) {
    std::unordered_set<std::string> names;
    std::unordered_set<StateId> states;
    std::unordered_set<ValueId> parameters(f.parameters.begin(), f.parameters.end());
    require(parameters.size() == f.parameters.size(), [] { return std::string("a parameter twice"); });
    for (ValueId id : f.values.ids()) {
      const Value& v = f.values[id];
      check_unique(names, v.name, "value");
      check_type(v.type, v.name);
      require((v.kind == ValueKind::parameter) == (parameters.count(id) != 0),
              [&] { return "'" + v.name + "' and the list of parameters disagree"; });
      if (v.kind == ValueKind::state) check_state_read(v, states);
      if (v.kind == ValueKind::result) check_result(f, id);
    }
  }

  void check_state_read(const Value& v, std::unordered_set<StateId>& states) {
    const State& s = m_.states[v.state];
    require(v.name == s.name && v.type == s.type && states.insert(v.state).second,
            [&] { return "'" + v.name + "' is no single read of the state '" + s.name + "'"; });
  }

  void check_result(const Function& f, ValueId id) {
    const Value& v = f.values[id];
    const std::vector<ValueId>& results = f.nodes[v.node].results;
    require(v.result_index < results.size() && results[v.result_index] == id,
            [&] { return "'" + v.name + "' and its node disagree"; });
  }

  void check_node(FunctionId function, NodeId id) {
    const Function& f = m_.functions[function];
    const Node& node = f.nodes[id];
    for (ValueId v : node.operands)
      require(f.values[v].kind != ValueKind::result || f.values[v].node < id,
              [&] { return "'" + f.values[v].name + "' is used before it is there"; });
    for (size_t k = 0; k < node.results.size(); ++k) {
      const Value& v = f.values[node.results[k]];
      require(v.kind == ValueKind::result && v.node == id && v.result_index == k,
              [&] { return "'" + v.name + "' and its node disagree"; });
    }
    check_inference(f, node);
    check_legal(function, node);
  }

  void check_inference(const Function& f, const Node& node) {
    std::vector<Type> operands, results;
    for (ValueId v : node.operands) operands.push_back(f.type(v));
    for (ValueId v : node.results) results.push_back(f.type(v));
    try {
      Attributes attributes = node.attributes;
      std::vector<Type> inferred = infer(m_, *node.op, operands, attributes);
      require(inferred == results,
              [&] { return "the types of " + describe(f, node) + " are not those of its operator's rule"; });
    } catch (const InferError& e) {
      require(false, [&] { return describe(f, node) + ": " + e.what(); });
    }
  }

  void check_legal(FunctionId function, const Node& node) {
    const Function& f = m_.functions[function];
    bool is_call = node.op == &call_op;
    if (is_call) {
      auto callee = m_.find_function(node.attributes.string("function"));
      require(callee && *callee < function, [&] { return describe(f, node) + " calls a function behind its own"; });
      illegal(!rules_.calls, describe(f, node));
    } else if (node.op->kind == OpKind::composite)
      illegal(!rules_.composites, describe(f, node));
    require(node.cluster >= -1 && node.cluster < static_cast<int64_t>(f.clusters.size()), [&] {
      return describe(f, node) + " is in cluster " + std::to_string(node.cluster) + ", which is not there";
    });
    illegal(!rules_.clusters && node.cluster >= 0, describe(f, node) + " in a cluster");
    require(!rules_.clusters || !f.entry || node.cluster >= 0 || !computed_once(node.op->kind),
            [&] { return describe(f, node) + " is in no cluster"; });
  }

  void check_updates(const Function& f) {
    std::unordered_set<StateId> updated;
    for (const Update& u : f.updates) {
      const State& s = m_.states[u.state];
      require(updated.insert(u.state).second, [&] { return "the state '" + s.name + "' is updated twice"; });
      require(s.type == f.type(u.value), [&] {
        return "the update of '" + s.name + "' is " + to_string(f.type(u.value)) + ", the state " + to_string(s.type);
      });
    }
    illegal(!f.updates.empty() && !f.entry && !rules_.updates_everywhere, "an update outside an entry");
  }

  static std::string describe(const Function& f, const Node& node) {
    std::string name = node.results.empty() ? "" : " '" + f.values[node.results[0]].name + "'";
    return std::string(node.op->name) + name;
  }

  const Module& m_;
  const StageRules& rules_;
  std::string where_;
  std::vector<std::string> messages_;
};
} // namespace

const StageRules& rules_of(Stage stage) { return stage_rules[static_cast<size_t>(stage)]; }

std::vector<std::string> verify(const Module& module) { return Verifier(module).run(); }

void check(const Module& module, std::string_view after) {
  std::vector<std::string> messages = verify(module);
  if (messages.empty()) return;
  std::string text = "the graph is not well formed after " + std::string(after);
  for (const std::string& m : messages) text += "\n  " + m;
  throw InternalError(text);
}

} // namespace dlcc::graph

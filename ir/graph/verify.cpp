#include "ir/graph/verify.h"

#include "ir/graph/builder.h"
#include "ir/graph/call.h"

#include <algorithm>

namespace dlcc::graph {

namespace {
// clang-format off
constexpr StageRules stage_rules[] = {
  // stage             calls                composites updates clusters
  {Stage::source,      Calls::any,          true,  true,  false, "a module as the frontend makes it has no clusters"},
  {Stage::stable,      Calls::own_gradient, true,  true,  false, "calls are inlined, and fusion comes later"},
  {Stage::training,    Calls::none,         true,  false, false, "calls are inlined, and only entries run"},
  {Stage::simplified,  Calls::none,         false, false, false, "only operators with an element expression remain"},
  {Stage::clustered,   Calls::none,         false, false, true,  "only operators with an element expression remain"},
};
// clang-format on

constexpr size_t most_violations = 20;

/// Maps and views may be computed anew wherever they are used; these may not.
bool computed_once(OpKind kind) {
  return kind == OpKind::reduction || kind == OpKind::contract || kind == OpKind::effect;
}

class Verifier {
public:
  Verifier(const Module& module, Stage stage, const TextPlaces* places)
      : m_(module), rules_(rules_of(stage)), places_(places) {}

  std::vector<Violation> run() {
    check_declarations();
    for (FunctionId id : m_.functions.ids()) check_function(id);
    return std::move(violations_);
  }

  std::vector<Violation> check_legality() {
    for (FunctionId id : m_.functions.ids()) {
      for (const Node& node : m_.functions[id].nodes) check_legal(m_.functions[id], node);
      check_legal_updates(m_.functions[id]);
    }
    return std::move(violations_);
  }

private:
  void require(bool condition, const auto& text) {
    if (!condition && violations_.size() < most_violations) violations_.push_back({in_ + text(), place_});
  }
  void illegal(bool condition, const auto& what) {
    require(!condition, [&] {
      return what() + " in stage " + std::string(name_of(rules_.stage)) + ": " + std::string(rules_.reason);
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
    for (StateId id : m_.states.ids()) {
      if (places_) place_ = places_->states[id];
      check_unique(states, m_.states[id].name, "state");
      check_type(m_.states[id].type, m_.states[id].name);
    }
    if (places_) place_ = places_->stage;
    for (const Hyper& h : m_.hypers) check_unique(hypers, h.name, "hyper");
    for (const Function& f : m_.functions) check_unique(functions, f.name, "function");
    require(m_.batch >= 0, [] { return std::string("negative batch"); });
  }

  void check_function(FunctionId id) {
    const Function& f = m_.functions[id];
    in_ = "function '" + f.name + "': ";
    sizes_.push(static_cast<int64_t>(f.nodes.size()));
    const TextPlaces::FunctionPlaces* places = places_ ? &places_->functions[id] : nullptr;
    if (places) place_ = places->head;
    size_t before = violations_.size();
    check_ids(f);
    // What follows follows ids.
    if (violations_.size() != before) return;
    check_values(f);
    for (NodeId n : f.nodes.ids()) {
      if (places) place_ = places->nodes[n];
      check_node(id, n);
    }
    check_updates(f, places);
    check_legal_updates(f);
    in_.clear();
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
    if (node.op == &call_op) {
      auto callee = m_.find_function(node.attributes.string("function"));
      require(callee && *callee < function, [&] { return describe(f, node) + " calls a function behind its own"; });
      if (callee && *callee < function) check_size(function, *callee);
    }
    require(node.cluster >= -1 && node.cluster < static_cast<int64_t>(f.clusters.size()), [&] {
      return describe(f, node) + " is in cluster " + std::to_string(node.cluster) + ", which is not there";
    });
    check_legal(f, node);
  }

  // The gradient of a callee comes with it.
  void check_size(FunctionId caller, FunctionId callee) {
    auto gradient = m_.find_function(m_.functions[callee].gradient);
    const int64_t added = sizes_[callee] + (gradient && *gradient < caller ? sizes_[*gradient] : 0);
    const bool fits = inlined_ <= max_inlined_nodes;
    sizes_[caller] = std::min(sizes_[caller] + added, max_inlined_nodes + 1);
    inlined_ = std::min(inlined_ + added, max_inlined_nodes + 1);
    require(!fits || inlined_ <= max_inlined_nodes, [&] {
      return "with this call of '" + m_.functions[callee].name + "' the calls of the module stand for more than " +
             std::to_string(max_inlined_nodes) + " nodes";
    });
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

  void check_legal(const Function& f, const Node& node) {
    auto it = [&] { return describe(f, node); };
    if (node.op == &call_op) {
      const Function* callee = callee_of(m_, node.attributes);
      bool stays = callee && !callee->gradient.empty();
      illegal(rules_.calls == Calls::none || (rules_.calls == Calls::own_gradient && !stays), it);
    } else if (node.op->kind == OpKind::composite)
      illegal(!rules_.composites, it);
    illegal(!rules_.clusters && node.cluster >= 0, [&] { return it() + " in a cluster"; });
    require(!rules_.clusters || !f.entry || node.cluster >= 0 || !computed_once(node.op->kind),
            [&] { return describe(f, node) + " is in no cluster"; });
  }

  void check_updates(const Function& f, const TextPlaces::FunctionPlaces* places) {
    std::unordered_set<StateId> updated;
    for (size_t i = 0; i < f.updates.size(); ++i) {
      const Update& u = f.updates[i];
      if (places) place_ = places->updates[i];
      const State& s = m_.states[u.state];
      require(updated.insert(u.state).second, [&] { return "the state '" + s.name + "' is updated twice"; });
      require(s.type == f.type(u.value), [&] {
        return "the update of '" + s.name + "' is " + to_string(f.type(u.value)) + ", the state " + to_string(s.type);
      });
    }
  }

  void check_legal_updates(const Function& f) {
    illegal(!f.updates.empty() && !f.entry && !rules_.updates_everywhere,
            [] { return std::string("an update outside an entry"); });
  }

  static std::string describe(const Function& f, const Node& node) {
    std::string name = node.results.empty() ? "" : " '" + f.values[node.results[0]].name + "'";
    return std::string(node.op->name) + name;
  }

  const Module& m_;
  const StageRules& rules_;
  const TextPlaces* places_;
  std::string in_; ///< the function, for messages
  Location place_;
  IdVector<FunctionId, int64_t> sizes_; ///< nodes of each function when all calls are inlined
  int64_t inlined_ = 0;                 ///< nodes that calls stand for, of all functions
  std::vector<Violation> violations_;
};
} // namespace

const StageRules& rules_of(Stage stage) { return stage_rules[static_cast<size_t>(stage)]; }

std::vector<Violation> verify(const Module& module, const TextPlaces* places) {
  return Verifier(module, module.stage, places).run();
}

std::string obstacle_to(Stage stage, const Module& module) {
  std::vector<Violation> violations = Verifier(module, stage, nullptr).check_legality();
  return violations.empty() ? "" : violations[0].text;
}

void check(const Module& module, std::string_view after) {
  std::vector<Violation> violations = verify(module);
  if (violations.empty()) return;
  std::string text = "the graph is not well formed after " + std::string(after);
  for (const Violation& v : violations) text += "\n  " + v.text;
  throw InternalError(text);
}

} // namespace dlcc::graph

#include "ir/graph/rewrite.h"

#include "ir/graph/call.h"

namespace dlcc::graph {

namespace {
/// What the builder lends to the nodes it adds; put back when the scope ends.
class Labels {
public:
  explicit Labels(Builder& b) : b_(b), where_(b.where), name_hint_(b.name_hint), note_(b.note) {}
  Labels(const Labels&) = delete;
  Labels& operator=(const Labels&) = delete;
  ~Labels() {
    b_.where = where_;
    b_.name_hint = std::move(name_hint_);
    b_.note = std::move(note_);
  }
  void carry(const Function& from, const Node& node) {
    b_.where = node.where;
    b_.note = node.note;
    b_.name_hint = node.results.empty() ? std::string() : from.values[node.results[0]].name;
  }

private:
  Builder& b_;
  Location where_;
  std::string name_hint_, note_;
};

ValueId mapped(Builder& to, const Function& from, ValueMap& map, ValueId v) {
  ValueId& target = map[v];
  if (!target.valid() && from.values[v].kind == ValueKind::state) target = to.state(from.values[v].state);
  DLCC_CHECK(target.valid(), "value '" + from.values[v].name + "' is used before it is there");
  return target;
}

std::vector<ValueId> mapped(Builder& to, const Function& from, ValueMap& map, const std::vector<ValueId>& values) {
  std::vector<ValueId> out;
  out.reserve(values.size());
  for (ValueId v : values) out.push_back(mapped(to, from, map, v));
  return out;
}

void copy_updates(Builder& to, const Function& from, ValueMap& map) {
  Labels labels(to);
  for (const Update& u : from.updates) {
    to.where = u.where;
    to.update(u.state, mapped(to, from, map, u.value));
  }
}

/// The rule's values inherit the names of what they stand for, unless they were there before.
void inherit_names(Builder& to, const Function& from, const Node& node, const std::vector<ValueId>& values,
                   size_t values_before) {
  for (size_t k = 0; k < values.size(); ++k) {
    const std::string& name = from.values[node.results[k]].name;
    bool is_new = values[k].index >= values_before && to.function().values[values[k]].kind == ValueKind::result;
    if (is_new && !to.reserved(name)) to.take_name(values[k], name);
  }
}

std::vector<ValueId> transform(Builder& to, const Function& from, const Node& node, std::vector<ValueId> operands,
                               const NodeRule& rule) {
  Labels labels(to);
  labels.carry(from, node);
  size_t values_before = to.function().values.size();
  if (auto values = rule(to, node, operands)) {
    DLCC_CHECK(values->size() == node.results.size(),
               "a rule for '" + std::string(node.op->name) + "' returned the wrong number of values");
    inherit_names(to, from, node, *values, values_before);
    return *values;
  }
  return copy_node(to, from, node, std::move(operands));
}

Function empty_copy(const Function& function) {
  Function copy;
  copy.name = function.name;
  copy.entry = function.entry;
  copy.clusters = function.clusters;
  copy.gradient = function.gradient;
  copy.where = function.where;
  return copy;
}
} // namespace

IdVector<NodeId, bool> live_nodes(const Function& function) {
  std::vector<char> wanted(function.values.size());
  for (ValueId v : function.results) wanted[v.index] = 1;
  for (const Update& u : function.updates) wanted[u.value.index] = 1;
  IdVector<NodeId, bool> live(function.nodes.size());
  for (size_t i = function.nodes.size(); i-- > 0;) {
    const Node& node = function.nodes[NodeId(i)];
    bool needed = node.op->kind == OpKind::effect || node.op == &call_op;
    for (ValueId v : node.results) needed = needed || wanted[v.index];
    live[NodeId(i)] = needed;
    if (needed)
      for (ValueId v : node.operands) wanted[v.index] = 1;
  }
  return live;
}

Function without_dead_nodes(const Function& function) {
  IdVector<NodeId, bool> live = live_nodes(function);
  Function out = empty_copy(function);
  ValueMap map(function.values.size());
  IdVector<NodeId, NodeId> node_map(function.nodes.size());
  size_t kept = 0;
  for (NodeId n : function.nodes.ids())
    if (live[n]) node_map[n] = NodeId(kept++);
  for (ValueId v : function.values.ids()) {
    Value value = function.values[v];
    if (value.kind == ValueKind::result && !live[value.node]) continue;
    if (value.kind == ValueKind::result) value.node = node_map[value.node];
    map[v] = out.values.push(std::move(value));
  }
  auto renumber = [&](std::vector<ValueId>& values) {
    for (ValueId& v : values) v = map[v];
  };
  for (NodeId n : function.nodes.ids()) {
    if (!live[n]) continue;
    Node node = function.nodes[n];
    renumber(node.operands), renumber(node.results);
    out.nodes.push(std::move(node));
  }
  out.parameters = function.parameters, renumber(out.parameters);
  out.results = function.results, renumber(out.results);
  out.updates = function.updates;
  for (Update& u : out.updates) u.value = map[u.value];
  return out;
}

std::vector<ValueId> copy_node(Builder& to, const Function& from, const Node& node, std::vector<ValueId> operands) {
  Labels labels(to);
  labels.carry(from, node);
  NodeId copy = to.function().nodes.next();
  std::vector<ValueId> results = to.add_all(*node.op, std::move(operands), node.attributes);
  to.function().nodes[copy].cluster = node.cluster;
  for (size_t k = 1; k < results.size(); ++k) to.named(results[k], from.values[node.results[k]].name);
  return results;
}

void copy_nodes(Builder& to, const Function& from, ValueMap& map) {
  for (const Node& node : from.nodes) {
    std::vector<ValueId> results = copy_node(to, from, node, mapped(to, from, map, node.operands));
    for (size_t k = 0; k < results.size(); ++k) map[node.results[k]] = results[k];
  }
}

std::vector<ValueId> inline_function(Builder& to, const Function& callee, std::span<const ValueId> arguments) {
  DLCC_CHECK(&to.function() != &callee, "'" + callee.name + "' calls itself");
  DLCC_CHECK(arguments.size() == callee.parameters.size(), "'" + callee.name + "' takes another number of arguments");
  ValueMap map(callee.values.size());
  for (size_t k = 0; k < arguments.size(); ++k) map[callee.parameters[k]] = arguments[k];
  copy_nodes(to, callee, map);
  copy_updates(to, callee, map);
  return mapped(to, callee, map, callee.results);
}

Function rewrite(Module& module, const Function& function, OpTable ops, const NodeRule& rule) {
  Function out = empty_copy(function);
  Builder to(module, out, ops);
  ValueMap map(function.values.size());
  for (ValueId p : function.parameters) {
    const Value& value = function.values[p];
    map[p] = to.parameter(value.name, value.type, value.role);
  }
  IdVector<NodeId, bool> live = live_nodes(function);
  for (NodeId n : function.nodes.ids()) {
    if (!live[n]) continue;
    const Node& node = function.nodes[n];
    std::vector<ValueId> results = transform(to, function, node, mapped(to, function, map, node.operands), rule);
    for (size_t k = 0; k < results.size(); ++k) map[node.results[k]] = results[k];
  }
  copy_updates(to, function, map);
  out.results = mapped(to, function, map, function.results);
  return without_dead_nodes(out);
}

} // namespace dlcc::graph

#include "passes/fusion/effects.h"

#include "ir/graph/op.h"

#include <algorithm>
#include <queue>

namespace dlcc::passes {

using namespace graph;

FunctionFacts::FunctionFacts(const Function& f)
    : function(f), storage(classify_values(f)), access(f.nodes.size()), after(f.nodes.size()),
      in_place(f.updates.size(), false), updates_(f.nodes.size(), -1) {
  for (NodeId n : f.nodes.ids())
    if (computed(n)) access[n] = access_of(f, n, storage);
  find_in_place_updates();
  add_effect_edges();
  // A cycle means that some reader of a state needs the new value as well: that update becomes a copy at the end.
  while (!sort()) {
    std::vector<bool> sorted(f.nodes.size(), false);
    for (NodeId n : order) sorted[n.index] = true;
    bool changed = false;
    for (size_t u = 0; u < f.updates.size(); ++u) {
      const Value& v = f.values[f.updates[u].value];
      if (in_place[u] && !sorted[v.node.index]) in_place[u] = false, changed = true;
    }
    DLCC_CHECK(changed, "the nodes of '" + f.name + "' are not in topological order");
    add_effect_edges();
  }
  for (size_t u = 0; u < f.updates.size(); ++u)
    if (in_place[u]) updates_[f.values[f.updates[u].value].node] = static_cast<int32_t>(u);
}

NodeId FunctionFacts::producer(const Read& read) const {
  ValueId v = owner(read.value);
  return storage[v] == Storage::computed ? function.values[v].node : NodeId();
}

std::vector<ValueId> FunctionFacts::sources(ValueId v) const {
  v = owner(v);
  if (storage[v] != Storage::inlined) return {v};
  std::vector<ValueId> values;
  for (const Read& read : access_of(function, function.values[v].node, storage).reads)
    values.push_back(owner(read.value));
  return values;
}

bool FunctionFacts::reads_old(const Read& read, StateId state) const {
  const Value& source = function.values[owner(read.value)];
  return source.kind == ValueKind::state && source.state == state;
}

const Update* FunctionFacts::update_of(NodeId n) const {
  return updates_[n] < 0 ? nullptr : &function.updates[static_cast<size_t>(updates_[n])];
}

// Whether the node reads elements of the old version other than the one it is about to replace.
bool FunctionFacts::overwrites_what_it_reads(size_t update) const {
  ValueId v = function.updates[update].value;
  const Shape& shape = function.type(v).shape;
  const std::vector<Read>& reads = access[function.values[v].node].reads;
  return std::any_of(reads.begin(), reads.end(), [&](const Read& read) {
    return reads_old(read, function.updates[update].state) && identity_prefix(function, read, shape) != shape.size();
  });
}

void FunctionFacts::find_in_place_updates() {
  std::vector<bool> taken(function.values.size(), false);
  for (size_t u = 0; u < function.updates.size(); ++u) {
    ValueId v = function.updates[u].value;
    in_place[u] = storage[v] == Storage::computed && !taken[v.index] && !overwrites_what_it_reads(u);
    taken[v.index] = true;
  }
  // Copies come after everything else; what they read of old versions must still be there.
  std::vector<ValueId> copied = function.results;
  for (const Update& update : function.updates)
    if (storage[update.value] != Storage::computed) copied.push_back(update.value);
  std::vector<StateId> kept;
  for (ValueId v : copied)
    for (ValueId source : sources(v))
      if (function.values[source].kind == ValueKind::state) kept.push_back(function.values[source].state);
  for (size_t u = 0; u < function.updates.size(); ++u)
    if (std::find(kept.begin(), kept.end(), function.updates[u].state) != kept.end()) in_place[u] = false;
}

void FunctionFacts::add_effect_edges() {
  for (auto& edges : after) edges.clear();
  std::vector<std::pair<StateId, NodeId>> writers;
  for (size_t u = 0; u < function.updates.size(); ++u) {
    if (!in_place[u]) continue;
    NodeId writer = function.values[function.updates[u].value].node;
    writers.emplace_back(function.updates[u].state, writer);
  }
  std::sort(writers.begin(), writers.end());
  std::vector<NodeId> checks;
  for (NodeId n : function.nodes.ids()) {
    if (!computed(n)) continue;
    if (access[n].checks) checks.push_back(n);
    for (const Read& read : access[n].reads) {
      const Value& source = function.values[owner(read.value)];
      if (source.kind != ValueKind::state) continue;
      auto at = std::lower_bound(writers.begin(), writers.end(), std::pair(source.state, NodeId(0)));
      if (at != writers.end() && at->first == source.state && at->second != n) after[at->second].push_back(n);
    }
  }
  for (auto& [state, writer] : writers)
    for (NodeId check : checks)
      if (check != writer) after[writer].push_back(check);
}

// Kahn's algorithm, taking the earliest node of the text that is ready; false if some nodes are left over.
bool FunctionFacts::sort() {
  IdVector<NodeId, std::vector<NodeId>> users(function.nodes.size());
  IdVector<NodeId, int> waits(function.nodes.size(), 0);
  size_t count = 0;
  auto edge = [&](NodeId from, NodeId to) { users[from].push_back(to), ++waits[to]; };
  for (NodeId n : function.nodes.ids()) {
    if (!computed(n)) continue;
    ++count;
    for (const Read& read : access[n].reads)
      if (NodeId p = producer(read); p.valid()) edge(p, n);
    for (NodeId p : after[n]) edge(p, n);
  }
  std::priority_queue<NodeId, std::vector<NodeId>, std::greater<>> ready;
  for (NodeId n : function.nodes.ids())
    if (computed(n) && waits[n] == 0) ready.push(n);
  order.clear();
  while (!ready.empty()) {
    NodeId n = ready.top();
    ready.pop();
    order.push_back(n);
    for (NodeId u : users[n])
      if (--waits[u] == 0) ready.push(u);
  }
  return order.size() == count;
}

} // namespace dlcc::passes

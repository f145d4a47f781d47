#include "passes/simplify/probabilities.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <unordered_map>

namespace dlcc::passes {

using namespace graph;

namespace {
using Axis = std::optional<int64_t>;

bool is_activation(const Node& n) { return n.op == &ops::sigmoid_op || n.op == &ops::softmax_op; }

/// The operand is the scalar constant c.
bool is_constant(const Function& f, ValueId v, double c) {
  if (f.values[v].kind != ValueKind::result) return false;
  const Node& n = f.nodes[f.values[v].node];
  return n.op == &ops::constant_op && n.attributes.has("value") && n.attributes.number("value") == c;
}

/// Which operand an arithmetic node passes on unchanged: x * 1, x / 1, x + 0, x - 0.
std::optional<size_t> kept_operand(const Function& f, const Node& n) {
  const auto& o = n.operands;
  const Type& result = f.type(n.results[0]);
  auto keeps = [&](size_t k, double neutral) { return f.type(o[k]) == result && is_constant(f, o[1 - k], neutral); };
  bool multiplies = n.op == &ops::multiply_op, adds = n.op == &ops::add_op;
  if (multiplies || adds) {
    for (size_t k : {0, 1})
      if (keeps(k, multiplies)) return k;
  } else if (n.op == &ops::divide_op || n.op == &ops::subtract_op) {
    if (keeps(0, n.op == &ops::divide_op)) return 0;
  }
  return std::nullopt;
}

int64_t product(const Shape& shape, size_t first, size_t last) {
  return std::accumulate(shape.begin() + static_cast<ptrdiff_t>(first), shape.begin() + static_cast<ptrdiff_t>(last),
                         int64_t{1}, std::multiplies<>());
}

/// Where a row along `axis` lies after a reshape; nothing if the reshape cuts or joins it.
Axis after_reshape(const Shape& from, const Shape& to, int64_t axis) {
  auto a = static_cast<size_t>(axis);
  for (size_t b = 0; b < to.size(); ++b)
    if (to[b] == from[a] && product(to, 0, b) == product(from, 0, a) &&
        product(to, b + 1, to.size()) == product(from, a + 1, from.size()))
      return static_cast<int64_t>(b);
  return std::nullopt;
}

Axis after_transpose(const Node& n, size_t rank, int64_t axis) {
  if (!n.attributes.has("permutation")) return static_cast<int64_t>(rank) - 1 - axis;
  const auto& p = n.attributes.integers("permutation");
  return std::find(p.begin(), p.end(), axis) - p.begin();
}

/// Where the axis of operand k lies in the result; nothing if its rows are not whole there.
Axis moved_axis(const Function& f, const Node& n, size_t k, int64_t axis) {
  const Shape &from = f.type(n.operands[k]).shape, &to = f.type(n.results[0]).shape;
  auto a = static_cast<size_t>(axis);
  if (n.op == &ops::reshape_op) return after_reshape(from, to, axis);
  if (n.op == &ops::transpose_op) return after_transpose(n, from.size(), axis);
  if (n.op == &ops::broadcast_to_op) {
    size_t b = a + to.size() - from.size();
    return to[b] == from[a] ? Axis(static_cast<int64_t>(b)) : std::nullopt;
  }
  if (n.op == &ops::slice_op) return to[a] == from[a] ? Axis(axis) : std::nullopt;
  if (n.op == &ops::concat_op)
    return normalize_axis(n.attributes.integer("axis"), from.size()) != axis ? Axis(axis) : std::nullopt;
  return axis; // element by element
}

/// The operands whose elements are, moved or kept, the elements of the result; empty if it has others.
std::vector<size_t> moved_operands(const Function& f, const Node& n) {
  bool is_float_cast = n.op == &ops::cast_op && is_float(f.type(n.results[0]).dtype);
  for (const OpDef* op : {&ops::linear_op, &ops::reshape_op, &ops::transpose_op, &ops::broadcast_to_op, &ops::slice_op})
    if (n.op == op || is_float_cast) return {0};
  if (n.op == &ops::concat_op) {
    std::vector<size_t> all(n.operands.size());
    std::iota(all.begin(), all.end(), size_t{0});
    return all;
  }
  if (auto k = kept_operand(f, n)) return {*k};
  return {};
}
} // namespace

void Probabilities::catch_up(const Function& f) {
  known_.resize(f.values.size());
  derived_.resize(f.values.size(), false);
  for (; seen_nodes_ < f.nodes.size(); ++seen_nodes_) look_at(f, f.nodes[NodeId(seen_nodes_)]);
}

void Probabilities::look_at(const Function& f, const Node& n) {
  if (n.results.size() != 1) return;
  ValueId result = n.results[0];
  if (is_activation(n)) {
    size_t rank = f.type(result).rank();
    int64_t axis = n.op == &ops::softmax_op ? normalize_axis(n.attributes.integer("axis", -1), rank).value() : 0;
    known_[result] = Activated{n.op, axis}, derived_[result] = true;
    return;
  }
  bool elementwise = n.op->kind == OpKind::map || n.op->kind == OpKind::view;
  derived_[result] = elementwise && is_float(f.type(result).dtype) &&
                     std::any_of(n.operands.begin(), n.operands.end(), [&](ValueId o) { return derived_[o]; });
  std::optional<Activated> all;
  for (size_t k : moved_operands(f, n)) {
    const std::optional<Activated>& own = known_[n.operands[k]];
    if (!own) return;
    bool has_axis = own->activation == &ops::softmax_op;
    Axis axis = has_axis ? moved_axis(f, n, k, own->axis) : Axis(0);
    if (!axis || (all && (all->activation != own->activation || all->axis != *axis))) return;
    all = Activated{own->activation, *axis};
  }
  known_[result] = all;
}

ValueId Probabilities::logits(Builder& to, ValueId v) const {
  const Function& f = to.function();
  // The nodes between the activations and `v`, in order.
  std::set<NodeId> chain;
  std::vector<NodeId> open{f.values[v].node};
  while (!open.empty()) {
    const NodeId id = open.back();
    open.pop_back();
    if (!chain.insert(id).second || is_activation(f.nodes[id])) continue;
    for (size_t k : moved_operands(f, f.nodes[id])) open.push_back(f.values[f.nodes[id].operands[k]].node);
  }

  std::unordered_map<ValueId, ValueId> logits;
  for (NodeId id : chain) {
    const Node n = f.nodes[id]; // a copy: nodes are added
    std::vector<size_t> moved = moved_operands(f, n);
    if (is_activation(n)) {
      logits[n.results[0]] = n.operands[0];
    } else if (kept_operand(f, n)) {
      logits[n.results[0]] = logits.at(n.operands[moved[0]]);
    } else {
      std::vector<ValueId> operands;
      for (size_t k : moved) operands.push_back(logits.at(n.operands[k]));
      logits[n.results[0]] = to.add_all(*n.op, operands, n.attributes)[0];
    }
  }
  return logits.at(v);
}

} // namespace dlcc::passes

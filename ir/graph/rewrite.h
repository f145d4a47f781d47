// Rebuild instead of mutate: a function is copied node by node through a rule that may put something else in a node's
// place. What nobody needs afterwards is gone: only results, updates, effects and calls keep a node alive.
#pragma once

#include "ir/graph/builder.h"

#include <functional>

namespace dlcc::graph {

/// Old value -> new value; not valid() where there is none (yet).
using ValueMap = IdVector<ValueId, ValueId>;

/// Called for each node in order with its operands in the new function. Returns the values that stand for the node's
/// results, or nothing: the node is copied. The builder carries the node's place, note and name.
using NodeRule =
    std::function<std::optional<std::vector<ValueId>>(Builder&, const Node& node, std::span<const ValueId> operands)>;

/// The function rebuilt through the rule: same name, parameters, results and updates.
Function rewrite(Module& module, const Function& function, OpTable ops, const NodeRule& rule);

/// The function without its dead nodes; values that are left keep their names and order.
Function without_dead_nodes(const Function& function);

/// One flag a node: true if a result, an update, an effect or a call depends on it.
IdVector<NodeId, bool> live_nodes(const Function& function);

/// Copies one node with its name, place, note, cluster and attributes to `to`; returns its results there.
std::vector<ValueId> copy_node(Builder& to, const Function& from, const Node& node, std::vector<ValueId> operands);

/// Copies all nodes of `from`. The map must hold its parameters and receives everything else; a state read becomes the
/// state read of `to`, which must be in the same module.
void copy_nodes(Builder& to, const Function& from, ValueMap& map);

/// Copies the callee's nodes and updates into the builder's function, parameters bound to `arguments` (same count and
/// types); returns what stands for its results.
std::vector<ValueId> inline_function(Builder& to, const Function& callee, std::span<const ValueId> arguments);

} // namespace dlcc::graph

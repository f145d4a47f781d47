// The order that effects impose on a function's nodes, beyond its data flow: every reader of a state runs before the
// node that overwrites it, and every check before the first update.
#pragma once

#include "passes/fusion/accesses.h"

namespace dlcc::passes {

/// Everything fusion and lowering derive from one function.
struct FunctionFacts {
  explicit FunctionFacts(const graph::Function& f);

  const graph::Function& function;
  IdVector<graph::ValueId, Storage> storage;
  IdVector<graph::NodeId, NodeAccess> access;                ///< of computed nodes
  IdVector<graph::NodeId, std::vector<graph::NodeId>> after; ///< effect edges: the nodes that must run before this one
  std::vector<graph::NodeId> order;                          ///< computed nodes, data flow and effects respected
  std::vector<bool> in_place; ///< of function.updates: the value is computed into the state

  bool computed(graph::NodeId n) const { return storage[function.nodes[n].results[0]] == Storage::computed; }
  graph::ValueId owner(graph::ValueId v) const { return storage_of(function, storage, v); }
  /// The stored values that make v's elements, if no cluster computes v: what a copy of v reads. Else its owner.
  std::vector<graph::ValueId> sources(graph::ValueId v) const;
  /// The computed node whose result's storage this read touches; not valid() for external values.
  graph::NodeId producer(const Read& read) const;
  /// Whether the read sees the version of this state before the function's update.
  bool reads_old(const Read& read, graph::StateId state) const;
  /// The updates that may be made in place by this node, as indices into function.updates.
  const graph::Update* update_of(graph::NodeId n) const;

private:
  IdVector<graph::NodeId, int32_t> updates_; ///< of update_of; -1: none
  void find_in_place_updates();
  bool overwrites_what_it_reads(size_t update) const;
  void add_effect_edges();
  bool sort();
};

} // namespace dlcc::passes

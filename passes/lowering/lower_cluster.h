// One cluster of a function -> one kernel of the loop IR.
//
// A cluster of rows becomes loops over its outer axes with a sequence of inner nests; a value that a later nest needs
// stays in a scalar (one element a row), in its own tensor, or in a scratch row. A contraction becomes a `contract`
// region with its epilogue. Where a reduction's order of sums is decided: reduction_order().
#pragma once

#include "passes/fusion/effects.h"

#include <functional>
#include <set>

namespace dlcc::passes {

struct LoweredCluster {
  loops::Kernel kernel;
  std::vector<loops::BufferId> arguments; ///< one a parameter of the kernel
};

/// What the kernels of a function share.
struct LoweringContext {
  const FunctionFacts& facts;
  /// The buffer that holds a value: its own, a view, or the state that it updates in place.
  std::function<loops::BufferId(graph::ValueId)> buffer_of;
  /// The constant that holds a number which kernels take as an argument.
  std::function<loops::BufferId(const std::string& name, int64_t value)> argument;
  loops::BufferId fault;
};

/// Members in the order of facts.order. `stored`: values needed outside the cluster.
LoweredCluster lower_cluster(const LoweringContext& context, const std::vector<graph::NodeId>& members,
                             const std::set<graph::ValueId>& stored);

/// A kernel that computes v, which no cluster computes (a view, a constant, a state), into the buffer `target`, of that
/// name. A copy of the name, since the context may add buffers meanwhile.
LoweredCluster lower_copy(const LoweringContext& context, graph::ValueId v, loops::BufferId target, std::string name);
/// A kernel that moves a value from one buffer to another.
LoweredCluster lower_move(const LoweringContext& context, const graph::Value& value, loops::BufferId from,
                          loops::BufferId to);

} // namespace dlcc::passes

// Which values of a function are a sigmoid or a softmax, seen through whatever moves or keeps their elements, and the
// logits they come from.
#pragma once

#include "ir/ops/build.h"

#include <optional>

namespace dlcc::passes {

/// activation(logits), maybe moved since.
struct Activated {
  const graph::OpDef* activation = nullptr; ///< sigmoid or softmax
  int64_t axis = 0;                         ///< of softmax, where it lies in this value
};

class Probabilities {
public:
  /// Looks at the nodes that were added since the last call.
  void catch_up(const graph::Function& f);
  /// Null if it is none.
  const Activated* find(graph::ValueId v) const { return known_[v] ? &*known_[v] : nullptr; }
  /// True if a sigmoid or softmax reaches it element by element, changed on the way or not.
  bool derived(graph::ValueId v) const { return derived_[v]; }
  /// What the activation of `v` is applied to, moved as `v` is.
  graph::ValueId logits(graph::Builder& to, graph::ValueId v) const;

private:
  void look_at(const graph::Function& f, const graph::Node& node);

  IdVector<graph::ValueId, std::optional<Activated>> known_;
  IdVector<graph::ValueId, bool> derived_;
  size_t seen_nodes_ = 0;
};

} // namespace dlcc::passes

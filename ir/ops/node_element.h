// The facts of a node that its element hook asks for.
#pragma once

#include "ir/graph/graph.h"
#include "ir/loops/element.h"

namespace dlcc::ops {

class NodeElement : public loops::ElementContext {
public:
  /// `at`: the element of the result.
  NodeElement(const graph::Function& function, const graph::Node& node, std::vector<loops::Index> at)
      : function_(function), node_(node), at_(std::move(at)) {}

  const Attributes& attributes() const override { return node_.attributes; }
  size_t operand_count() const override { return node_.operands.size(); }
  const Type& operand_type(size_t k) const override { return function_.type(node_.operands[k]); }
  const Type& result_type() const override { return function_.type(node_.results[0]); }
  const std::vector<loops::Index>& at() const override { return at_; }

protected:
  const graph::Function& function_;
  const graph::Node& node_;
  std::vector<loops::Index> at_;
};

} // namespace dlcc::ops

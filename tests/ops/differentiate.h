// Reverse-mode differentiation of a few nodes, by itself: the oracle's side of the tests of gradient rules.
#pragma once

#include "ir/graph/builder.h"
#include "ir/ops/build.h"

#include <map>
#include <set>

namespace dlcc::testing {

class Reverse : public graph::GradientContext {
public:
  Reverse(graph::Builder& b, graph::ValueId result, graph::ValueId cotangent, std::set<graph::ValueId> unwanted = {})
      : b_(b), unwanted_(std::move(unwanted)) {
    gradients_[result] = cotangent;
  }

  /// Runs back over the nodes that were there when it is called.
  void run() {
    for (size_t n = b_.function().nodes.size(); n-- > 0;) {
      node_ = b_.function().nodes[graph::NodeId(n)];
      if (!gradients_.count(node_.results[0]) || !node_.op->no_gradient.empty()) continue;
      if (!node_.op->gradient) throw std::logic_error("a body has a composite without a gradient rule in it");
      node_.op->gradient(*this);
    }
  }
  /// Not valid() if nothing was contributed.
  graph::ValueId gradient(graph::ValueId v) const {
    auto at = gradients_.find(v);
    return at == gradients_.end() ? graph::ValueId() : at->second;
  }

  graph::Builder& build() override { return b_; }
  const graph::Node& node() const override { return node_; }
  graph::ValueId operand(size_t k) const override { return node_.operands[k]; }
  graph::ValueId result(size_t k) const override { return node_.results[k]; }
  graph::ValueId cotangent(size_t k) const override { return gradients_.at(node_.results[k]); }
  bool wanted(size_t k) const override { return is_float(b_.type(operand(k)).dtype) && !unwanted_.count(operand(k)); }
  void contribute(size_t k, graph::ValueId v) override {
    if (!wanted(k)) return;
    ops::Term term = sum_back({&b_, v}, b_.type(operand(k)).shape);
    auto [at, is_first] = gradients_.emplace(operand(k), term);
    if (!is_first) at->second = ops::add(b_, at->second, term);
  }

private:
  static ops::Term sum_back(ops::Term x, Shape shape) {
    std::vector<int64_t> axes;
    size_t extra = x.shape().size() - shape.size();
    for (size_t axis = 0; axis < x.shape().size(); ++axis)
      if (axis < extra || (shape[axis - extra] == 1 && x.shape()[axis] != 1))
        axes.push_back(static_cast<int64_t>(axis));
    return axes.empty() ? x : ops::reshape(ops::sum(x, axes), shape);
  }

  graph::Builder& b_;
  std::set<graph::ValueId> unwanted_;
  graph::Node node_;
  std::map<graph::ValueId, graph::ValueId> gradients_;
};

} // namespace dlcc::testing

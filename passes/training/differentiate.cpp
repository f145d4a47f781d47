#include "passes/training/differentiate.h"

#include "ir/graph/call.h"
#include "ir/ops/build.h"

#include <algorithm>
#include <set>

namespace dlcc::passes {

using namespace graph;

namespace {
class Reverse final : public GradientContext {
public:
  Reverse(Builder& builder, const std::vector<ValueId>& wanted) : b_(builder), f_(builder.function()) {
    reached_.resize(f_.values.size(), false);
    blocked_.resize(f_.values.size());
    for (ValueId v : wanted) reached_[v] = true;
    for (const Node& node : f_.nodes) spread(node);
    cotangents_.resize(f_.values.size());
  }

  void run(ValueId result, ValueId seed) {
    add(result, seed);
    for (size_t i = f_.nodes.size(); i-- > 0;) {
      // Nodes that rules append stand behind the ones that are walked.
      if (i >= first_new_) continue;
      node_ = f_.nodes[NodeId(i)];
      bool used =
          std::any_of(node_.results.begin(), node_.results.end(), [&](ValueId r) { return cotangents_[r].valid(); });
      bool wanted = std::any_of(node_.operands.begin(), node_.operands.end(), [&](ValueId o) { return reached_[o]; });
      if (!used || !wanted) continue;
      b_.where = node_.where;
      b_.note = "d " + std::string(node_.op->name);
      b_.name_hint = "d." + f_.values[node_.operands[0]].name;
      if (node_.op == &call_op)
        call_gradient();
      else
        node_.op->gradient(*this);
    }
    b_.note.clear(), b_.name_hint.clear(), b_.where = {};
  }

  Builder& build() override { return b_; }
  const Node& node() const override { return node_; }
  ValueId operand(size_t k) const override { return node_.operands[k]; }
  ValueId result(size_t k) const override { return node_.results[k]; }
  ValueId cotangent(size_t k) const override { return cotangents_[node_.results[k]]; }
  bool wanted(size_t k) const override { return reached_[node_.operands[k]]; }
  void contribute(size_t k, ValueId gradient) override {
    if (wanted(k)) add(node_.operands[k], summed_to(gradient, f_.type(node_.operands[k]).shape));
  }

  ValueId cotangent_of(ValueId v) const { return v.index < cotangents_.size() ? cotangents_[v] : ValueId(); }
  const std::string& blocked(ValueId v) const { return blocked_[v]; }
  bool reached(ValueId v) const { return reached_[v]; }

private:
  // A result is reached if it is a float that depends on a reached operand through an operator with a gradient.
  void spread(const Node& node) {
    bool from = std::any_of(node.operands.begin(), node.operands.end(), [&](ValueId o) { return reached_[o]; });
    const Function* callee = node.op == &call_op ? callee_of(b_.module(), node.attributes) : nullptr;
    bool has_rule = node.op->gradient || (callee && !callee->gradient.empty());
    for (ValueId r : node.results) {
      reached_[r] = from && has_rule && is_float(f_.type(r).dtype);
      if (from && !reached_[r]) blocked_[r] = node.op->name;
      for (ValueId o : node.operands)
        if (blocked_[r].empty()) blocked_[r] = blocked_[o];
    }
  }

  void add(ValueId v, ValueId gradient) {
    ValueId& total = cotangents_[v];
    total = total.valid() ? ops::add(b_, total, gradient) : gradient;
    const Value& value = f_.values[total];
    bool is_new = value.kind == ValueKind::result && value.node.index >= first_new_;
    std::string name = "d." + f_.values[v].name;
    // A value that is the gradient of several keeps the first name.
    if (is_new && named_.insert(total).second && !b_.reserved(name)) b_.take_name(total, name);
  }

  // Undoes broadcasting: sums over the axes that the operand does not have or has with extent 1.
  ValueId summed_to(ValueId gradient, const Shape& shape) {
    Shape from = f_.type(gradient).shape;
    if (from == shape) return gradient;
    std::vector<int64_t> axes;
    size_t extra = from.size() - std::min(from.size(), shape.size());
    for (size_t i = 0; i < from.size(); ++i)
      if (i < extra || (shape[i - extra] == 1 && from[i] != 1)) axes.push_back(static_cast<int64_t>(i));
    ops::Term t{&b_, gradient};
    if (!axes.empty()) t = ops::sum(t, axes);
    // A cotangent that is itself smaller than the operand stands for a broadcast one.
    return element_count(t.shape()) == element_count(shape) ? ops::reshape(t, shape) : ops::broadcast_to(t, shape);
  }

  // The user's own gradient: a function of the callee's operands, results and cotangents.
  void call_gradient() {
    const Function* callee = callee_of(b_.module(), node_.attributes);
    std::vector<ValueId> operands = node_.operands;
    operands.insert(operands.end(), node_.results.begin(), node_.results.end());
    for (ValueId r : node_.results) {
      ValueId c = cotangents_[r];
      operands.push_back(c.valid() ? c : ops::broadcast_to({&b_, b_.constant_like(0, r)}, f_.type(r).shape).id);
    }
    std::vector<ValueId> gradients = b_.add_all(call_op, operands, {{"function", callee->gradient}});
    size_t next = 0;
    for (size_t k = 0; k < node_.operands.size(); ++k)
      if (is_float(f_.type(node_.operands[k]).dtype)) contribute(k, gradients[next++]);
  }

  Builder& b_;
  Function& f_;
  size_t first_new_ = f_.nodes.size();
  IdVector<ValueId, bool> reached_;
  IdVector<ValueId, std::string> blocked_;
  IdVector<ValueId, ValueId> cotangents_;
  std::set<ValueId> named_;
  Node node_; ///< a copy: rules append to the function
};
} // namespace

Gradients differentiate(Builder& builder, ValueId result, const std::vector<ValueId>& wanted, ValueId seed) {
  Reverse reverse(builder, wanted);
  if (!seed.valid()) seed = builder.constant_like(1, result);
  Gradients gradients;
  if (reverse.reached(result)) reverse.run(result, seed);
  for (ValueId v : wanted) {
    ValueId g = reverse.cotangent_of(v);
    if (g.valid())
      gradients.of[v] = g;
    else
      gradients.blocked_by[v] = reverse.blocked(result);
  }
  return gradients;
}

} // namespace dlcc::passes

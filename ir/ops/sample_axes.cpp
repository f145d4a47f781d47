#include "ir/ops/sample_axes.h"

#include "ir/graph/builder.h"
#include "ir/graph/call.h"
#include "ir/ops/node_element.h"

#include <algorithm>

namespace dlcc::ops {

using namespace graph;
using loops::ExprId;
using loops::Index;
using loops::VarId;

namespace {
/// One element of an operand that one element of a node's result reads.
struct OperandRead {
  size_t operand;
  std::vector<Index> at; ///< VarId 0 .. rank - 1 are the indices of the result's element
};

// Runs an element hook for the indices of its reads; the expressions it builds are thrown away.
class ReadRecorder final : public NodeElement {
public:
  ReadRecorder(const Function& function, const Node& node) : NodeElement(function, node, {}), build_(kernel_) {
    for (size_t i = 0; i < result_type().rank(); ++i) at_.push_back(build_.var("i"));
  }

  ExprId operand(size_t k, std::vector<Index> indices, bool padded) override {
    reads.push_back({k, indices});
    return build_.load(build_.tensor({"t", operand_type(k), loops::Access::in}), std::move(indices), padded);
  }
  ExprId reduce(loops::Combine, const Shape& extents,
                const std::function<ExprId(std::span<const Index>)>& body) override {
    return body(variables(extents));
  }
  ExprId contract(const Shape& extents,
                  const std::function<std::pair<ExprId, ExprId>(std::span<const Index>)>& body) override {
    return body(variables(extents)).first;
  }
  void check(ExprId, ExprId, ExprId, loops::Fault) override {}
  loops::Builder& build() override { return build_; }
  ExprId argument(const std::string&, int64_t value) override {
    return build_.constant(static_cast<double>(value), DType::i64);
  }
  void set(ExprId) override {}

  std::vector<OperandRead> reads;

private:
  std::vector<Index> variables(const Shape& extents) {
    std::vector<Index> indices;
    for (size_t i = 0; i < extents.size(); ++i) indices.push_back(build_.var("k"));
    return indices;
  }

  loops::Kernel kernel_;
  loops::Builder build_;
};

// In row-major order the samples are `outer` runs; they stay on one axis if the result has one with as many before it.
SampleAxis reshaped(const SampleAxis& from, const Shape& old_shape, const Shape& shape, int64_t batch) {
  const Shape before(old_shape.begin(), old_shape.begin() + from.axis);
  int64_t left = element_count(before);
  for (size_t i = 0; i < shape.size(); ++i) {
    if (left == 1 && shape[i] > 0 && shape[i] % batch == 0) return {static_cast<int>(i), shape[i] / batch};
    if (shape[i] == 0 || left % shape[i] != 0) return {};
    left /= shape[i];
  }
  return {};
}

class SampleTracker {
public:
  SampleTracker(const Module& module, const Function& function, OpTable ops)
      : module_(module), f_(function), ops_(ops) {
    axes_.of = IdVector<ValueId, SampleAxis>(function.values.size());
  }

  SampleAxes run(const std::vector<SampleAxis>& parameters) {
    for (size_t i = 0; i < parameters.size(); ++i) axes_.of[f_.parameters[i]] = parameters[i];
    for (NodeId n : f_.nodes.ids()) {
      const Node& node = f_.nodes[n];
      const bool any =
          std::any_of(node.operands.begin(), node.operands.end(), [&](ValueId v) { return axes_.of[v].exists(); });
      if (any && !follow(node)) axes_.mixing.push_back(n);
    }
    return std::move(axes_);
  }

private:
  // False if the node mixes samples.
  bool follow(const Node& node) {
    if (node.op == &call_op) return follow_function(node, *callee_of(module_, node.attributes));
    if (node.op->kind == OpKind::composite) return follow_body(node);
    if (node.op->same_order) {
      const ValueId from = node.operands[0], to = node.results[0];
      axes_.of[to] = reshaped(axes_.of[from], f_.type(from).shape, f_.type(to).shape, module_.batch);
      return axes_.of[to].exists();
    }
    return follow_reads(node);
  }

  bool follow_function(const Node& node, const Function& callee) {
    std::vector<SampleAxis> operands;
    for (ValueId v : node.operands) operands.push_back(axes_.of[v]);
    const SampleAxes inside = SampleTracker(module_, callee, ops_).run(operands);
    for (size_t i = 0; i < node.results.size(); ++i) axes_.of[node.results[i]] = inside.of[callee.results[i]];
    return inside.mixing.empty();
  }

  bool follow_body(const Node& node) {
    Module scratch;
    scratch.dtype = module_.dtype, scratch.batch = module_.batch;
    Function body;
    Builder b(scratch, body, ops_);
    std::vector<ValueId> operands;
    for (size_t i = 0; i < node.operands.size(); ++i)
      operands.push_back(b.parameter("x" + std::to_string(i), f_.type(node.operands[i]), ParameterRole::input));
    body.results = node.op->body(b, operands, node.attributes);
    return follow_function(node, body);
  }

  // Every read must follow the samples one to one, along the same axis of the result.
  bool follow_reads(const Node& node) {
    ReadRecorder recorder(f_, node);
    node.op->element(recorder);
    bool apart = true, clash = false;
    SampleAxis result;
    for (const OperandRead& read : recorder.reads) {
      const SampleAxis& from = axes_.of[node.operands[read.operand]];
      if (!from.exists()) continue;
      const SampleAxis here{followed_axis(node, read, from.axis), from.per_sample};
      apart = apart && here.exists();
      clash = clash || (result.exists() && here.exists() && result != here);
      if (here.exists()) result = here;
    }
    if (!clash) axes_.of[node.results[0]] = result; // two axes of samples are none
    return apart && !clash;
  }

  int followed_axis(const Node& node, const OperandRead& read, int axis) const {
    const Shape& from = f_.type(node.operands[read.operand]).shape;
    const Shape& to = f_.type(node.results[0]).shape;
    const Index& at = read.at[static_cast<size_t>(axis)];
    const int64_t extent = from[static_cast<size_t>(axis)];
    for (size_t i = 0; i < to.size(); ++i)
      if (at == Index(VarId(i)) && to[i] == extent) return static_cast<int>(i);
    // Broadcasting reads an axis of extent 1, a batch of one sample, at 0.
    const int aligned = axis + static_cast<int>(to.size()) - static_cast<int>(from.size());
    const bool is_one = extent == 1 && at == Index(int64_t{0}) && aligned >= 0;
    return is_one && to[static_cast<size_t>(aligned)] == 1 ? aligned : -1;
  }

  const Module& module_;
  const Function& f_;
  OpTable ops_;
  SampleAxes axes_;
};
} // namespace

std::string to_string(const SampleAxis& samples) {
  if (!samples.exists()) return "no axis of samples";
  const std::string axis = " on axis " + std::to_string(samples.axis);
  if (samples.per_sample == 1) return "its samples" + axis;
  return std::to_string(samples.per_sample) + " indices a sample" + axis;
}

SampleAxes sample_axes(const Module& module, const Function& function, OpTable ops) {
  std::vector<SampleAxis> parameters;
  for (ValueId p : function.parameters) {
    const Value& v = function.values[p];
    const bool is_given = v.role == ParameterRole::input || v.role == ParameterRole::label;
    const bool has_batch = module.batch > 0 && !v.type.shape.empty() && v.type.shape[0] == module.batch;
    parameters.push_back({is_given && has_batch ? 0 : -1, 1});
  }
  return SampleTracker(module, function, ops).run(parameters);
}

} // namespace dlcc::ops

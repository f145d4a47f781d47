#include "passes/gradient/check_rows.h"

#include "ir/graph/rewrite.h"
#include "passes/fusion/accesses.h"
#include "passes/simplify/expand_composites.h"
#include "passes/simplify/inline_calls.h"

namespace dlcc::passes {

using namespace graph;

namespace {
/// Where the samples of a value are: along this axis, so many indices each; axis -1: it has none.
struct Rows {
  int axis = -1;
  int64_t per_sample = 1;
};

class RowTracker {
public:
  RowTracker(const Function& function, int64_t batch)
      : f_(function), batch_(batch), rows_(function.values.size()), apart_(function.values.size(), Storage::external) {}

  /// The first node that mixes rows, or none.
  const Node* find() {
    for (ValueId p : f_.parameters) {
      const Value& v = f_.values[p];
      const bool has_rows = v.role == ParameterRole::input && !v.type.shape.empty() && v.type.shape[0] == batch_;
      if (has_rows) rows_[p] = {0, 1};
    }
    for (NodeId n : f_.nodes.ids())
      if (!follow(n)) return &f_.nodes[n];
    return nullptr;
  }

private:
  // In row-major order the samples stay one after the other.
  bool follow_reshape(const Node& node) {
    const Rows& from = rows_[node.operands[0]];
    const Shape& shape = f_.type(node.results[0]).shape;
    if (from.axis < 0) return true;
    if (from.axis != 0 || shape.empty() || shape[0] % batch_ != 0) return false;
    rows_[node.results[0]] = {0, shape[0] / batch_};
    return true;
  }

  bool follow(NodeId n) {
    const Node& node = f_.nodes[n];
    if (node.op->same_order) return follow_reshape(node);
    Rows result;
    for (const Read& read : access_of(f_, n, apart_).reads) {
      const Rows& from = rows_[read.value];
      if (from.axis < 0) continue;
      const std::optional<int> axis = followed_axis(node, read, from.axis);
      if (!axis || (result.axis >= 0 && result.axis != *axis)) return false;
      result = {*axis, from.per_sample};
    }
    for (ValueId v : node.results) rows_[v] = result;
    return true;
  }

  // The axis of the result that the read follows along the operand's axis of samples, one to one.
  std::optional<int> followed_axis(const Node& node, const Read& read, int axis) const {
    const Shape& shape = f_.type(node.results[0]).shape;
    const auto at = static_cast<size_t>(axis);
    for (size_t i = 0; i < shape.size(); ++i)
      if (read.at[at] == loops::Index(loops::VarId(i)) && shape[i] == f_.type(read.value).shape[at])
        return static_cast<int>(i);
    return std::nullopt;
  }

  const Function& f_;
  int64_t batch_;
  IdVector<ValueId, Rows> rows_;
  IdVector<ValueId, Storage> apart_; ///< every operand is looked at by itself
};

void check(const Module& module, const Function& forward, PassContext& context) {
  Module scratch = module;
  scratch.functions = {};
  scratch.functions.push(inline_all_calls(scratch, forward, context.ops));
  scratch = expand_composites(std::move(scratch), context);
  const Function& f = scratch.functions[FunctionId(0)];
  const Node* node = RowTracker(f, module.batch).find();
  if (!node || !context.diagnostics) return;
  context.diagnostics->error("mixed-rows",
                             "this node mixes the rows of a batch, so it would count the rows that fill a short one, "
                             "expected \"last_batch\": \"drop\" in 'train'",
                             node->where);
}
} // namespace

Module check_rows(Module module, PassContext& context) {
  const Directive* train = module.find_directive("train");
  if (!train || train->attributes.string("last_batch") != "mask" || module.batch <= 1) return module;
  for (const char* name : {"forward_train", "predict"})
    if (auto forward = module.find_function(name)) {
      check(module, module.functions[*forward], context);
      break;
    }
  return module;
}

} // namespace dlcc::passes

#include "passes/fusion/accesses.h"

#include "ir/graph/op.h"
#include "ir/loops/walk.h"
#include "ir/ops/node_element.h"

#include <algorithm>

namespace dlcc::passes {

using namespace graph;
using loops::ExprId;
using loops::Index;
using loops::LoopVar;
using loops::VarId;

namespace {
// Chains of views longer than this are cut by a stored value, so that no expansion is deep.
constexpr int inline_depth_limit = 16;
// So are views that look at more stored values: each of a chain of concatenations doubles the expansion.
constexpr int64_t inline_leaf_limit = 64;

// What an element made of scalars alone may cost to be computed again wherever it is read.
constexpr double inline_cost_limit = 24;

bool is_constant_tensor(const Node& node) { return node.op->name == "constant" && node.attributes.has("values"); }
} // namespace

IdVector<ValueId, Storage> classify_values(const Function& function) {
  IdVector<ValueId, Storage> storage(function.values.size(), Storage::external);
  IdVector<ValueId, int> depth(function.values.size(), 0);
  IdVector<ValueId, int64_t> leaves(function.values.size(), 1);
  // What scalars and the element's index alone decide, such as 1/n for the rows that count and 0 for the others.
  IdVector<ValueId, bool> of_scalars(function.values.size(), false), read(function.values.size(), false);
  for (ValueId v : function.values.ids()) of_scalars[v] = function.type(v).rank() == 0;
  for (const Node& node : function.nodes)
    for (ValueId o : node.operands) read[o] = true;
  for (NodeId id : function.nodes.ids()) {
    const Node& node = function.nodes[id];
    const bool map = node.op->kind == OpKind::map || node.op->kind == OpKind::view;
    const bool from_scalars =
        map && std::all_of(node.operands.begin(), node.operands.end(), [&](ValueId o) { return of_scalars[o]; });
    Storage s = Storage::computed;
    if (is_constant_tensor(node))
      s = Storage::external;
    else if (node.op->same_order)
      s = Storage::alias;
    else if (node.op->kind == OpKind::view || node.operands.empty())
      s = Storage::inlined;
    else if (from_scalars && read[node.results[0]] && function.type(node.results[0]).rank() > 0 &&
             access_of(function, id, storage).cost <= inline_cost_limit)
      s = Storage::inlined;
    // An alias needs an operand that is stored; one that is computed in place is inlined instead.
    if (s == Storage::alias && storage[node.operands[0]] == Storage::inlined) s = Storage::inlined;
    int d = 0;
    int64_t seen = 0;
    for (ValueId o : node.operands) d = std::max(d, depth[o] + 1), seen += leaves[o];
    if (s == Storage::inlined && (d > inline_depth_limit || seen > inline_leaf_limit)) s = Storage::computed;
    const bool inlined = s == Storage::inlined;
    for (ValueId r : node.results) {
      storage[r] = s, depth[r] = inlined ? d : 0, leaves[r] = inlined ? seen : 1;
      of_scalars[r] = of_scalars[r] || (inlined && from_scalars);
    }
  }
  return storage;
}

ValueId storage_of(const Function& function, const IdVector<ValueId, Storage>& storage, ValueId v) {
  while (storage[v] == Storage::alias) v = function.nodes[function.values[v].node].operands[0];
  return v;
}

bool reads_through(const Function& function, const IdVector<ValueId, Storage>& storage, ValueId v) {
  if (storage[v] != Storage::alias) return storage[v] == Storage::inlined;
  auto wide = [&](ValueId x) {
    Shape shape = function.type(x).shape;
    std::erase(shape, 1);
    return shape;
  };
  return wide(v) == wide(function.nodes[function.values[v].node].operands[0]);
}

namespace {
class Expansion final : public ops::NodeElement {
public:
  Expansion(const Function& function, const Node& node, std::vector<Index> at, bool padded, loops::Builder& build,
            ElementSink& sink)
      : NodeElement(function, node, std::move(at)), padded_(padded), build_(build), sink_(sink) {}

  ExprId operand(size_t k, std::vector<Index> indices, bool padded) override {
    return expand_element(function_, node_.operands[k], indices, padded || padded_, build_, sink_);
  }
  ExprId reduce(loops::Combine combine, const Shape& extents,
                const std::function<ExprId(std::span<const Index>)>& body) override {
    auto [vars, indices] = reduction_vars(extents);
    ExprId value = body(indices);
    return vars.empty() ? value : sink_.reduce(combine, std::move(vars), value);
  }
  ExprId contract(const Shape& extents,
                  const std::function<std::pair<ExprId, ExprId>(std::span<const Index>)>& body) override {
    auto [vars, indices] = reduction_vars(extents);
    auto [a, b] = body(indices);
    return vars.empty() ? build_.multiply(a, b) : sink_.contract(std::move(vars), a, b);
  }
  void check(ExprId condition, ExprId sample, ExprId value, loops::Fault fault) override {
    sink_.check(condition, sample, value, std::move(fault));
  }
  loops::Builder& build() override { return build_; }
  ExprId argument(const std::string& name, int64_t value) override { return sink_.argument(name, value); }
  void set(ExprId value) override { result = value; }

  ExprId result;

private:
  // A reduced axis of extent 1 needs no loop.
  std::pair<std::vector<LoopVar>, std::vector<Index>> reduction_vars(const Shape& extents) {
    std::vector<LoopVar> vars;
    std::vector<Index> indices;
    for (int64_t extent : extents) {
      if (extent == 1) {
        indices.push_back(int64_t{0});
        continue;
      }
      vars.push_back({build_.var("k"), extent});
      indices.push_back(vars.back().var);
    }
    return {std::move(vars), std::move(indices)};
  }

  bool padded_;
  loops::Builder& build_;
  ElementSink& sink_;
};
} // namespace

ExprId is_inside(const Shape& shape, const std::vector<Index>& at, loops::Builder& build) {
  ExprId inside;
  auto require = [&](ExprId condition) {
    inside = inside.valid() ? build.op(loops::ScalarOp::logical_and, {inside, condition}) : condition;
  };
  for (size_t i = 0; i < shape.size(); ++i) {
    ExprId index = build.index(at[i]);
    require(build.op(loops::ScalarOp::less_equal, {build.constant(0, DType::i64), index}));
    require(build.less(index, build.constant(static_cast<double>(shape[i]), DType::i64)));
  }
  return inside;
}

ExprId expand_element(const Function& function, ValueId v, const std::vector<Index>& at, bool padded,
                      loops::Builder& build, ElementSink& sink) {
  if (auto leaf = sink.leaf(v, at, padded)) return *leaf;
  const Value& value = function.values[v];
  DLCC_CHECK(value.kind == ValueKind::result, "the value '" + value.name + "' has no storage");
  const Node& node = function.nodes[value.node];
  DLCC_CHECK(node.op->element, "the operator '" + std::string(node.op->name) + "' cannot be lowered");
  Expansion expansion(function, node, at, padded, build, sink);
  node.op->element(expansion);
  DLCC_CHECK(expansion.result.valid(), "the operator '" + std::string(node.op->name) + "' set no element");
  // Outside a view there may well be elements of what it looks at.
  ExprId inside = padded ? is_inside(value.type.shape, at, build) : ExprId();
  if (!inside.valid()) return expansion.result;
  return build.select(inside, expansion.result, build.constant(0, value.type.dtype));
}

namespace {
// Records the reads; the kernel it builds into is thrown away.
class Recorder final : public ElementSink {
public:
  Recorder(const Function& function, ValueId root, const IdVector<ValueId, Storage>& storage, loops::Builder& build)
      : function_(function), root_(root), storage_(storage), build_(build) {}

  std::optional<ExprId> leaf(ValueId v, const std::vector<Index>& at, bool padded) override {
    if (v == root_ || reads_through(function_, storage_, v)) return std::nullopt;
    access.reads.push_back({v, at, padded});
    const Type& type = function_.type(v);
    return build_.load(build_.tensor({"t", type, loops::Access::in}), at, padded);
  }
  ExprId reduce(loops::Combine, std::vector<LoopVar> vars, ExprId value) override {
    const int64_t extent = loops::extent_of(vars);
    access.reduced *= extent, access.longest = std::max(access.longest, extent);
    access.reduces = true;
    return build_.local(build_.local("s", build_.dtype(value)));
  }
  ExprId contract(std::vector<LoopVar> vars, ExprId a, ExprId b) override {
    mark_factor(a, 1), mark_factor(b, 2);
    access.contracts = true;
    return reduce(loops::Combine::sum, std::move(vars), build_.multiply(a, b));
  }
  void check(ExprId, ExprId, ExprId, loops::Fault) override { access.checks = true; }
  ExprId argument(const std::string&, int64_t value) override {
    return build_.constant(static_cast<double>(value), DType::i64);
  }

  NodeAccess access;

private:
  // Marks the reads that a factor's expression consists of; tensors were made in the order of the reads.
  void mark_factor(ExprId e, int factor) {
    loops::ExprWalk(build_.kernel()).from(e, [&](ExprId, const loops::Expr& x) {
      if (x.kind == loops::ExprKind::load) access.reads[x.tensor.index].factor |= factor;
    });
  }
  const Function& function_;
  ValueId root_;
  const IdVector<ValueId, Storage>& storage_;
  loops::Builder& build_;
};
} // namespace

namespace {
// Both factors have an axis of their own; otherwise the contraction is a plain reduction of a product.
bool is_matrix_product(const NodeAccess& access, const Shape& result) {
  bool own_a = false, own_b = false;
  for (size_t i = 0; i < result.size(); ++i) {
    if (result[i] == 1) continue;
    int factors = 0;
    for (const Read& read : access.reads)
      for (const Index& index : read.at)
        if (index.affine.coefficient(VarId(i)) != 0) factors |= read.factor;
    own_a |= factors == 1, own_b |= factors == 2;
  }
  return own_a && own_b;
}
} // namespace

NodeAccess access_of(const Function& function, NodeId id, const IdVector<ValueId, Storage>& storage) {
  const Node& node = function.nodes[id];
  loops::Kernel kernel;
  loops::Builder build(kernel);
  std::vector<Index> at;
  for (size_t i = 0; i < function.type(node.results[0]).rank(); ++i) at.push_back(build.var("i"));
  Recorder recorder(function, node.results[0], storage, build);
  expand_element(function, node.results[0], at, false, build, recorder);
  recorder.access.contracts =
      recorder.access.contracts && is_matrix_product(recorder.access, function.type(node.results[0]).shape);
  for (const loops::Expr& e : kernel.exprs) {
    if (e.kind != loops::ExprKind::op) continue;
    ++recorder.access.scalar_ops;
    recorder.access.cost += loops::facts_of(e.op).cost;
  }
  return std::move(recorder.access);
}

size_t identity_prefix(const Function& function, const Read& read, const Shape& result_shape) {
  const Shape& shape = function.type(read.value).shape;
  auto follows = [&](size_t i) {
    return read.at[i] == Index(VarId(i)) || (shape[i] == 1 && read.at[i] == Index(int64_t{0}));
  };
  size_t n = 0;
  while (n < read.at.size() && n < result_shape.size() && shape[n] == result_shape[n] && follows(n)) ++n;
  return n;
}

} // namespace dlcc::passes

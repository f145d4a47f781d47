#include "passes/lowering/lower_cluster.h"

#include "ir/loops/walk.h"
#include "passes/lowering/kernel_frame.h"
#include "passes/pass.h"

#include <algorithm>
#include <array>

namespace dlcc::passes {

using namespace graph;
using loops::Access;
using loops::ExprId;
using loops::Index;
using loops::LoopVar;
using loops::TensorId;

namespace {
Shape axes(const Shape& shape, size_t first, size_t last) {
  return Shape(shape.begin() + static_cast<std::ptrdiff_t>(first), shape.begin() + static_cast<std::ptrdiff_t>(last));
}

// Of a reduction, as text calls it: "max maximum over k in 10".
constexpr std::array result_names = {"sum", "product", "maximum", "minimum"};

// What both kinds of cluster do with the values that an element expression meets.
class ClusterSink : public ElementSink {
public:
  ClusterSink(const LoweringContext& context, KernelFrame& frame) : context_(context), frame_(frame) {}
  ExprId reduce(loops::Combine combine, std::vector<LoopVar> vars, ExprId value) override {
    return frame_.reduce(result_names[static_cast<size_t>(combine)], combine, std::move(vars), value);
  }
  ExprId contract(std::vector<LoopVar> vars, ExprId a, ExprId b) override {
    return reduce(loops::Combine::sum, std::move(vars), frame_.build().multiply(a, b));
  }
  void check(ExprId condition, ExprId sample, ExprId value, loops::Fault fault) override {
    frame_.emit(loops::Check{condition, sample, value, frame_.fault(), std::move(fault)});
  }
  ExprId argument(const std::string& name, int64_t value) override {
    loops::BufferId buffer = context_.argument(name, value);
    return frame_.build().load(frame_.parameter(buffer, name, {DType::i64, {}}, Access::in), {}, false);
  }

protected:
  std::optional<ExprId> external(ValueId v, const std::vector<Index>& at, bool padded) {
    const FunctionFacts& facts = context_.facts;
    if (reads_through(facts.function, facts.storage, v)) return std::nullopt;
    return frame_.build().load(frame_.parameter(v, Access::in), at, padded);
  }
  const LoweringContext& context_;
  KernelFrame& frame_;
};

// ---- rows -----------------------------------------------------------------------------------------------------------

struct Member {
  NodeId node;
  ValueId value;
  Shape shape;
  size_t nest = 0;
  bool stored = false; ///< to its own tensor
  bool kept = false;   ///< read by a later nest
  TensorId tensor;     ///< of its elements: its own, or a scratch row
  ExprId local;        ///< its element, while its nest is open; of one-element rows, for the rest of the row
};

class RowsLowering final : public ClusterSink {
public:
  RowsLowering(const LoweringContext& context, KernelFrame& frame, const std::vector<NodeId>& members,
               const std::set<ValueId>& stored)
      : ClusterSink(context, frame), f_(context.facts.function) {
    for (NodeId n : members) {
      ValueId v = f_.nodes[n].results[0];
      index_[v] = members_.size();
      members_.push_back({n, v, f_.type(v).shape, 0, stored.contains(v), false, {}, {}});
    }
    choose_outer_axes();
    assign_nests();
  }

  void run();

  std::optional<ExprId> leaf(ValueId v, const std::vector<Index>& at, bool padded) override {
    auto found = index_.find(v);
    if (found == index_.end()) return external(v, at, padded);
    Member& m = members_[found->second];
    if (&m == current_) return std::nullopt;
    if (m.local.valid() && (m.nest == nest_ || one_element(m))) {
      ExprId inside = padded ? is_inside(m.shape, at, frame_.build()) : ExprId();
      if (!inside.valid()) return m.local;
      return frame_.build().select(inside, m.local, frame_.build().constant(0, frame_.build().dtype(m.local)));
    }
    std::vector<Index> inner =
        m.stored ? at : std::vector<Index>(at.begin() + static_cast<std::ptrdiff_t>(outer_), at.end());
    return frame_.build().load(m.tensor, std::move(inner), padded);
  }

private:
  Shape inner(const Member& m) const { return axes(m.shape, outer_, m.shape.size()); }
  bool one_element(const Member& m) const { return element_count(inner(m)) == 1; }
  void choose_outer_axes();
  void assign_nests();
  void lower_nest(size_t first, size_t last);

  const Function& f_;
  std::vector<Member> members_;
  std::map<ValueId, size_t> index_;
  size_t outer_ = 0;
  std::vector<Index> outer_indices_;
  Member* current_ = nullptr;
  size_t nest_ = 0;
};

void RowsLowering::choose_outer_axes() {
  outer_ = members_[0].shape.size();
  bool elementwise = true; // every member has the same shape and follows it
  for (const Member& m : members_) {
    size_t common = 0;
    while (common < outer_ && common < m.shape.size() && m.shape[common] == members_[0].shape[common]) ++common;
    outer_ = common;
    for (const Read& read : context_.facts.access[m.node].reads)
      if (index_.contains(read.value)) outer_ = std::min(outer_, identity_prefix(f_, read, m.shape));
  }
  for (const Member& m : members_) elementwise = elementwise && m.shape.size() == outer_;
  // Element by element over a matrix: the last axis that has an extent becomes the inner loop, for the vector lanes.
  if (!elementwise) return;
  size_t last = outer_;
  while (last > 0 && members_[0].shape[last - 1] == 1) --last;
  if (last > 1) outer_ = last - 1;
}

// A value goes into the first nest that has its inner extents and comes late enough for everything it reads.
void RowsLowering::assign_nests() {
  std::vector<Shape> nests;
  for (Member& m : members_) {
    size_t earliest = 0;
    for (const Read& read : context_.facts.access[m.node].reads) {
      auto found = index_.find(read.value);
      if (found == index_.end()) continue;
      const Member& p = members_[found->second];
      bool together = inner(p) == inner(m) && identity_prefix(f_, read, m.shape) == m.shape.size();
      earliest = std::max(earliest, p.nest + (together ? 0 : 1));
    }
    // What overwrites a state comes no earlier than the readers of its old version; they precede it in the order.
    if (context_.facts.update_of(m.node))
      for (const Member& p : members_)
        if (&p < &m) earliest = std::max(earliest, p.nest);
    m.nest = earliest;
    while (m.nest < nests.size() && nests[m.nest] != inner(m)) ++m.nest;
    if (m.nest == nests.size()) nests.push_back(inner(m));
  }
  for (Member& m : members_)
    for (const Read& read : context_.facts.access[m.node].reads) {
      auto found = index_.find(read.value);
      if (found == index_.end()) continue;
      Member& p = members_[found->second];
      if (p.nest != m.nest && !one_element(p)) p.kept = true;
    }
  std::stable_sort(members_.begin(), members_.end(), [](const Member& a, const Member& b) { return a.nest < b.nest; });
  for (size_t i = 0; i < members_.size(); ++i) index_[members_[i].value] = i;
}

void RowsLowering::run() {
  size_t depth = frame_.depth();
  outer_indices_ = frame_.open_loops(axes(members_[0].shape, 0, outer_), "rst");
  // Scratch lives within an iteration of the outermost loop, so there has to be one.
  bool scratch = std::any_of(members_.begin(), members_.end(), [](const Member& m) { return m.kept && !m.stored; });
  if (scratch && frame_.depth() == depth) {
    frame_.open(loops::Loop{.range = {frame_.build().var("r"), 1}});
  }
  for (size_t first = 0; first < members_.size();) {
    size_t last = first;
    while (last < members_.size() && members_[last].nest == members_[first].nest) ++last;
    lower_nest(first, last);
    first = last;
  }
}

void RowsLowering::lower_nest(size_t first, size_t last) {
  nest_ = members_[first].nest;
  size_t depth = frame_.depth();
  std::vector<Index> inner_indices = frame_.open_loops(inner(members_[first]), "jlq");
  std::vector<Index> at = outer_indices_;
  at.insert(at.end(), inner_indices.begin(), inner_indices.end());
  for (size_t i = first; i < last; ++i) {
    Member& m = members_[i];
    current_ = &m;
    ExprId value = expand_element(f_, m.value, at, false, frame_.build(), *this);
    m.local = frame_.let(f_.values[m.value].name, value);
  }
  current_ = nullptr;
  // Stores come last, so that everything in this nest has read the old version of what it overwrites.
  for (size_t i = first; i < last; ++i) {
    Member& m = members_[i];
    if (m.stored) {
      m.tensor = frame_.parameter(m.value, Access::out);
      frame_.store(m.tensor, at, m.local);
    } else if (m.kept) {
      m.tensor = frame_.build().tensor(
          {f_.values[m.value].name + ".row", {f_.type(m.value).dtype, inner(m)}, Access::scratch});
      frame_.store(m.tensor, inner_indices, m.local);
    }
    if (!one_element(m)) m.local = {};
  }
  frame_.close_loops(depth);
}

// ---- contractions ---------------------------------------------------------------------------------------------------

class ContractionLowering final : public ClusterSink {
public:
  ContractionLowering(const LoweringContext& context, KernelFrame& frame, NodeId root,
                      const std::vector<NodeId>& members, const std::set<ValueId>& stored)
      : ClusterSink(context, frame), f_(context.facts.function), root_(f_.nodes[root].results[0]), members_(members),
        stored_(stored) {}

  void run();

  std::optional<ExprId> leaf(ValueId v, const std::vector<Index>& at, bool padded) override {
    if (auto found = values_.find(v); found != values_.end()) return found->second;
    if (v == current_) return std::nullopt;
    return external(v, at, padded);
  }
  ExprId contract(std::vector<LoopVar> vars, ExprId a, ExprId b) override {
    reduced_ = std::move(vars), a_ = a, b_ = b;
    loops::LocalId c = frame_.build().local("c", frame_.build().dtype(a));
    contraction_ = c;
    return frame_.build().local(c);
  }

private:
  // 0: used by no factor, 1: by factor a alone (m), 2: by factor b alone (n), 3: by both.
  int side(loops::VarId var) const;

  const Function& f_;
  const ValueId root_; ///< what is contracted; members before it do not depend on it, and run in its epilogue too
  const std::vector<NodeId>& members_;
  const std::set<ValueId>& stored_;
  std::map<ValueId, ExprId> values_;
  ValueId current_;
  std::vector<LoopVar> reduced_;
  ExprId a_, b_;
  loops::LocalId contraction_;
};

bool uses(const loops::Kernel& kernel, ExprId root, loops::VarId var) {
  bool found = false;
  loops::ExprWalk(kernel).from(root, [&](ExprId, const loops::Expr& e) {
    for (const Index& i : e.at) found |= i.affine.coefficient(var) != 0;
  });
  return found;
}

int ContractionLowering::side(loops::VarId var) const {
  const loops::Kernel& kernel = frame_.build().kernel();
  return (uses(kernel, a_, var) ? 1 : 0) | (uses(kernel, b_, var) ? 2 : 0);
}

void ContractionLowering::run() {
  const Shape& shape = f_.type(root_).shape;
  std::vector<Index> at;
  std::vector<LoopVar> vars;
  static const std::string letters = "mnopqrst";
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 1) {
      at.push_back(int64_t{0});
      continue;
    }
    vars.push_back({frame_.build().var(std::string(1, letters[i])), shape[i]});
    at.push_back(vars.back().var);
  }
  current_ = root_;
  values_[root_] = expand_element(f_, root_, at, false, frame_.build(), *this);
  DLCC_CHECK(contraction_.valid(), "a contraction without a contract region");

  std::vector<LoopVar> by_side[4];
  for (const LoopVar& v : vars) by_side[side(v.var)].push_back(v);
  // Axes that both factors have, or neither, are a batch of contractions.
  size_t depth = frame_.depth();
  for (const std::vector<LoopVar>* batch : {&by_side[0], &by_side[3]})
    for (const LoopVar& v : *batch) frame_.open(loops::Loop{.range = v});
  loops::Contract contract;
  contract.local = contraction_, contract.a = a_, contract.b = b_;
  contract.m = std::move(by_side[1]), contract.n = std::move(by_side[2]), contract.k = std::move(reduced_);
  frame_.open(std::move(contract));
  for (NodeId n : members_) {
    current_ = f_.nodes[n].results[0];
    if (current_ == root_) continue;
    ExprId value = expand_element(f_, current_, at, false, frame_.build(), *this);
    values_[current_] = frame_.let(f_.values[current_].name, value);
  }
  for (NodeId n : members_)
    if (ValueId v = f_.nodes[n].results[0]; stored_.contains(v))
      frame_.store(frame_.parameter(v, Access::out), at, values_[v]);
  frame_.close_loops(depth);
}
} // namespace

namespace {
// What a kernel relies on, whoever chose the cluster.
void require_lowerable(const FunctionFacts& facts, NodeId root, const std::vector<NodeId>& members) {
  const Function& f = facts.function;
  const bool contraction = facts.access[root].contracts;
  auto shape = [&](NodeId n) -> const Shape& { return f.type(f.nodes[n].results[0]).shape; };
  auto require = [&](bool condition, NodeId n, const char* why) {
    if (!condition) throw CannotBeDone("'" + f.values[f.nodes[n].results[0]].name + "' in its cluster: " + why);
  };
  for (NodeId n : members) {
    const NodeAccess& access = facts.access[n];
    const Update* update = facts.update_of(n);
    if (contraction && n != root)
      require(!access.contracts && !access.reduces && !access.checks && shape(n) == shape(root), n,
              "an epilogue follows the contraction element by element");
    for (const Read& read : access.reads) {
      NodeId p = facts.producer(read);
      if (!p.valid() || f.nodes[p].cluster != f.nodes[n].cluster) continue;
      require(facts.owner(read.value) == read.value, n, "it reads another shape of what its kernel computes");
      require(!contraction || (n != root && identity_prefix(f, read, shape(n)) == shape(n).size()), n,
              "it reads other elements than its own of what its kernel computes");
    }
    if (!update) continue;
    for (NodeId m : members)
      for (const Read& read : facts.access[m].reads)
        require(!facts.reads_old(read, update->state) || identity_prefix(f, read, shape(m)) == shape(n).size(), n,
                "it overwrites what its kernel reads elsewhere");
  }
}
} // namespace

LoweredCluster lower_cluster(const LoweringContext& context, const std::vector<NodeId>& members,
                             const std::set<ValueId>& stored) {
  const Function& f = context.facts.function;
  auto contraction =
      std::find_if(members.begin(), members.end(), [&](NodeId n) { return context.facts.access[n].contracts; });
  const NodeId root = contraction == members.end() ? members[0] : *contraction;
  require_lowerable(context.facts, root, members);
  KernelFrame frame(context, f.clusters[static_cast<size_t>(f.nodes[root].cluster)].name, f.nodes[root].where);
  if (context.facts.access[root].contracts)
    ContractionLowering(context, frame, root, members, stored).run();
  else
    RowsLowering(context, frame, members, stored).run();
  return frame.finish();
}

LoweredCluster lower_copy(const LoweringContext& context, ValueId v, loops::BufferId target, std::string name) {
  const Value& value = context.facts.function.values[v];
  KernelFrame frame(context, name + ".copy", {});
  struct Sink final : ClusterSink {
    using ClusterSink::ClusterSink;
    std::optional<ExprId> leaf(ValueId x, const std::vector<Index>& at, bool padded) override {
      return external(x, at, padded);
    }
  } sink(context, frame);
  std::vector<Index> at = frame.open_loops(value.type.shape, "rst");
  ExprId element = expand_element(context.facts.function, v, at, false, frame.build(), sink);
  frame.store(frame.parameter(target, name + ".out", value.type, Access::out), at, element);
  return frame.finish();
}

LoweredCluster lower_move(const LoweringContext& context, const Value& value, loops::BufferId from,
                          loops::BufferId to) {
  KernelFrame frame(context, value.name + ".copy", {});
  std::vector<Index> at = frame.open_loops(value.type.shape, "rst");
  ExprId element = frame.build().load(frame.parameter(from, value.name, value.type, Access::in), at, false);
  frame.store(frame.parameter(to, value.name + ".out", value.type, Access::out), at, element);
  return frame.finish();
}

} // namespace dlcc::passes

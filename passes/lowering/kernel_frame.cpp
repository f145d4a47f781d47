#include "passes/lowering/kernel_frame.h"

#include "ir/loops/walk.h"

#include <algorithm>

namespace dlcc::passes {

using namespace loops;

KernelFrame::KernelFrame(const LoweringContext& context, std::string name, Location where)
    : context_(context), build_(kernel_) {
  kernel_.name = std::move(name);
  kernel_.where = where;
  bodies_.emplace_back();
}

TensorId KernelFrame::parameter(BufferId buffer, const std::string& name, const Type& type, Access access) {
  auto [at, added] = parameters_.try_emplace(buffer);
  if (added) {
    at->second = build_.tensor({name, type, access});
    arguments_.push_back(buffer);
  } else if (Access& a = kernel_.tensors[at->second].access; a != access)
    a = Access::inout;
  return at->second;
}

TensorId KernelFrame::parameter(graph::ValueId v, Access access) {
  const graph::Value& value = context_.facts.function.values[v];
  return parameter(context_.buffer_of(v), value.name, value.type, access);
}

TensorId KernelFrame::fault() { return parameter(context_.fault, "fault", {DType::i32, {}}, Access::inout); }

std::vector<Index> KernelFrame::open_loops(const Shape& extents, const std::string& letters) {
  std::vector<Index> indices;
  for (size_t i = 0; i < extents.size(); ++i) {
    if (extents[i] == 1) {
      indices.push_back(int64_t{0});
      continue;
    }
    VarId var = build_.var(std::string(1, letters[std::min(i, letters.size() - 1)]));
    open(Loop{.range = {var, extents[i]}});
    indices.push_back(var);
  }
  return indices;
}

void KernelFrame::open(Stmt s) { bodies_.push_back({build_.stmt(std::move(s)), {}}); }

void KernelFrame::close_loops(size_t depth) {
  while (bodies_.size() > depth) {
    Open open = std::move(bodies_.back());
    bodies_.pop_back();
    Stmt& s = kernel_.stmts[open.statement];
    (std::holds_alternative<Loop>(s) ? std::get<Loop>(s).body : std::get<Contract>(s).body) = std::move(open.body);
    bodies_.back().body.push_back(open.statement);
  }
}

void KernelFrame::emit(Stmt s) { bodies_.back().body.push_back(build_.stmt(std::move(s))); }

void KernelFrame::store(TensorId tensor, std::vector<Index> at, ExprId value) {
  emit(Store{tensor, std::move(at), value});
}

ExprId KernelFrame::let(const std::string& name, ExprId value) {
  const Expr& e = kernel_.exprs[value];
  if (e.kind == ExprKind::local || e.kind == ExprKind::constant) return value;
  LocalId local = build_.local(name, e.dtype);
  emit(Let{local, value});
  return build_.local(local);
}

ExprId KernelFrame::reduce(const std::string& name, Combine combine, std::vector<LoopVar> vars, ExprId value) {
  const Order order = reduction_order(kernel_, combine, vars, value);
  LocalId local = build_.local(name, build_.dtype(value));
  emit(Reduce{.local = local,
              .combine = combine,
              .ranges = std::move(vars),
              .order = order,
              .mark = Mark::serial,
              .value = value});
  return build_.local(local);
}

LoweredCluster KernelFrame::finish() {
  close_loops(1);
  kernel_.body = std::move(bodies_[0].body);
  // Renumber the tensors so that scratch comes last.
  IdVector<TensorId, TensorId> moved(kernel_.tensors.size());
  IdVector<TensorId, KernelTensor> tensors;
  for (bool scratch : {false, true})
    for (TensorId t : kernel_.tensors.ids())
      if ((kernel_.tensors[t].access == Access::scratch) == scratch) moved[t] = tensors.push(kernel_.tensors[t]);
  kernel_.tensors = std::move(tensors);
  for (Expr& e : kernel_.exprs)
    if (e.tensor.valid()) e.tensor = moved[e.tensor];
  for (Stmt& s : kernel_.stmts) {
    if (auto* store = std::get_if<Store>(&s)) store->tensor = moved[store->tensor];
    if (auto* check = std::get_if<Check>(&s)) check->tensor = moved[check->tensor];
  }
  return {std::move(kernel_), std::move(arguments_)};
}

Order reduction_order(const Kernel& kernel, Combine combine, const std::vector<LoopVar>& vars, ExprId value) {
  if (extent_of(vars) < 32) return Order::sequential;
  bool strided = false;
  ExprWalk(kernel).from(value, [&](ExprId, const Expr& e) {
    if (e.kind != ExprKind::load) return;
    Shape strides = strides_of(kernel.tensors[e.tensor].type.shape);
    int64_t stride = 0;
    for (size_t i = 0; i < e.at.size(); ++i) stride += e.at[i].affine.coefficient(vars.back().var) * strides[i];
    strided |= stride != 0 && stride != 1;
  });
  if (!strided) return Order::lanes;
  // Blocks keep rounding errors small; the largest and the smallest have none.
  return combine == Combine::sum || combine == Combine::product ? Order::blocks : Order::sequential;
}

} // namespace dlcc::passes

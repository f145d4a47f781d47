#include "passes/schedule/mark_loops.h"

#include "ir/loops/tiling.h"
#include "ir/loops/walk.h"
#include "passes/schedule/cost_model.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace dlcc::passes {

using namespace loops;

namespace {
// A task should last a few times as long as a barrier; more tasks than this help no machine we know.
constexpr double task_nanoseconds = 600;
constexpr int64_t most_tasks = 64;
// Rows shorter than this leave most lanes idle: several rows run side by side instead.
constexpr int64_t short_row = 16;

class Marker {
public:
  Marker(Kernel& kernel, const Machine& machine) : kernel_(kernel), machine_(machine) {}

  void run() {
    for (StmtId id : kernel_.body) mark(id, true);
    choose_tasks();
  }

private:
  bool fits_lanes_of_rows(const std::vector<StmtId>& body) const;
  bool has_check(const std::vector<StmtId>& body) const;
  bool keeps_rows(const std::vector<StmtId>& body, VarId var) const;
  void mark(StmtId id, bool outermost);
  void mark_loop(Loop& loop, bool outermost);
  void tile(Contract& s);
  bool keeps_iterations_apart(const std::vector<LoopVar>& vars) const;
  void choose_tasks();

  Kernel& kernel_;
  const Machine& machine_;
  int64_t grid_ = 0; ///< tasks of the tiled contraction, if the kernel is one
};

// Whether 16 iterations of the enclosing loop can run side by side without giving up contiguous access inside.
bool Marker::fits_lanes_of_rows(const std::vector<StmtId>& body) const {
  auto fits = Overloaded{
      [&](const Loop& s) { return s.range.extent < short_row && fits_lanes_of_rows(s.body); },
      [](const Let&) { return true; },
      [](const Reduce& s) { return s.order != Order::lanes; },
      [](const Store&) { return true; },
      [](const Contract&) { return false; },
      [](const Check&) { return false; },
  };
  return std::all_of(body.begin(), body.end(), [&](StmtId id) { return std::visit(fits, kernel_.stmts[id]); });
}

bool Marker::has_check(const std::vector<StmtId>& body) const {
  return std::any_of(body.begin(), body.end(), [&](StmtId id) {
    auto* loop = std::get_if<Loop>(&kernel_.stmts[id]);
    return std::holds_alternative<Check>(kernel_.stmts[id]) || (loop && has_check(loop->body));
  });
}

// Whether the body stores a row of scratch for every iteration of the loop over var.
bool Marker::keeps_rows(const std::vector<StmtId>& body, VarId var) const {
  return std::any_of(body.begin(), body.end(), [&](StmtId id) {
    if (auto* loop = std::get_if<Loop>(&kernel_.stmts[id])) return keeps_rows(loop->body, var);
    auto* store = std::get_if<Store>(&kernel_.stmts[id]);
    return store && kernel_.tensors[store->tensor].access == Access::scratch &&
           std::all_of(store->at.begin(), store->at.end(),
                       [&](const Index& i) { return i.affine.coefficient(var) == 0; });
  });
}

void Marker::mark(StmtId id, bool outermost) {
  Stmt& s = kernel_.stmts[id];
  if (auto* reduce = std::get_if<Reduce>(&s); reduce && reduce->order == Order::lanes) reduce->mark = Mark::vector;
  if (auto* contract = std::get_if<Contract>(&s)) tile(*contract);
  if (auto* loop = std::get_if<Loop>(&s)) mark_loop(*loop, outermost);
}

void Marker::mark_loop(Loop& loop, bool outermost) {
  // Lanes have scratch of their own only where the outermost loop runs in them.
  bool private_rows = outermost || !keeps_rows(loop.body, loop.range.var);
  if (loop.range.extent > 1 && private_rows && fits_lanes_of_rows(loop.body)) {
    loop.mark = Mark::vector;
    return;
  }
  if (outermost) loop.mark = Mark::tasks;
  for (StmtId inner : loop.body) mark(inner, false);
}

void Marker::tile(Contract& s) {
  const int64_t m = extent_of(s.m), n = extent_of(s.n), k = extent_of(s.k);
  s.tiling = choose_tiling(m, n, k, kernel_.locals[s.local].dtype, machine_);
  auto pieces = [](int64_t extent, int64_t step) { return (extent + step - 1) / step; };
  grid_ = pieces(m, s.tiling.task_rows) * pieces(n, s.tiling.task_columns);
}

// Whether these variables of the kernel's one statement are, each by itself, an index of everything that the kernel
// stores, on the same axis wherever it touches that tensor. Kernels of clusters are like that; those written
// by hand need not be.
bool Marker::keeps_iterations_apart(const std::vector<LoopVar>& vars) const {
  std::map<std::pair<TensorId, VarId>, std::set<size_t>> axes; // that are this variable in every access so far
  bool apart = true;
  auto access = [&](TensorId t, const std::vector<Index>& at) {
    const Access how = kernel_.tensors[t].access;
    if (how == Access::in || how == Access::scratch) return;
    for (const LoopVar& v : vars) {
      if (v.extent == 1) continue;
      std::set<size_t> here;
      for (size_t axis = 0; axis < at.size(); ++axis)
        if (at[axis] == Index(v.var)) here.insert(axis);
      auto [known, added] = axes.try_emplace({t, v.var}, here);
      if (!added) std::erase_if(known->second, [&](size_t axis) { return !here.contains(axis); });
      apart = apart && !known->second.empty();
    }
  };
  for (const Stmt& s : kernel_.stmts)
    if (auto* store = std::get_if<Store>(&s)) access(store->tensor, store->at);
  for (const Expr& e : kernel_.exprs)
    if (e.kind == ExprKind::load) access(e.tensor, e.at);
  return apart;
}

void Marker::choose_tasks() {
  kernel_.tasks = 1;
  // Only a kernel that is one loop or contraction is cut: anything else would need a barrier inside.
  if (kernel_.body.size() != 1) return;
  const Stmt& s = kernel_.stmts[kernel_.body[0]];
  if (auto* contract = std::get_if<Contract>(&s)) {
    std::vector<LoopVar> vars = contract->m;
    vars.insert(vars.end(), contract->n.begin(), contract->n.end());
    if (keeps_iterations_apart(vars)) kernel_.tasks = grid_;
  }
  auto* loop = std::get_if<Loop>(&s);
  if (!loop || has_check(loop->body) || !keeps_iterations_apart({loop->range})) return;
  int64_t steps = loop->range.extent;
  if (loop->mark == Mark::vector) steps = (steps + 15) / 16;
  auto wanted = static_cast<int64_t>(std::floor(cost_of(kernel_).nanoseconds / task_nanoseconds));
  // A power of two divides evenly among the usual numbers of threads.
  int64_t tasks = 1;
  while (tasks * 2 <= std::min({wanted, steps, most_tasks})) tasks *= 2;
  kernel_.tasks = tasks;
}
} // namespace

Program mark_loops(Program program, PassContext& context) {
  for (Kernel& kernel : program.kernels) Marker(kernel, context.machine).run();
  return program;
}

} // namespace dlcc::passes

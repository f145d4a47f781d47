#include "passes/schedule/mark_loops.h"

#include "ir/loops/tiling.h"
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
  void tile(Stmt& s);
  bool keeps_iterations_apart(size_t count) const;
  void choose_tasks();

  Kernel& kernel_;
  const Machine& machine_;
  int64_t grid_ = 0; ///< tasks of the tiled contraction, if the kernel is one
};

// Whether 16 iterations of the enclosing loop can run side by side without giving up contiguous access inside.
bool Marker::fits_lanes_of_rows(const std::vector<StmtId>& body) const {
  return std::all_of(body.begin(), body.end(), [&](StmtId id) {
    const Stmt& s = kernel_.stmts[id];
    switch (s.kind) {
    case StmtKind::reduce:
      return s.order != Order::lanes;
    case StmtKind::loop:
      return s.vars[0].extent < short_row && fits_lanes_of_rows(s.body);
    case StmtKind::contract:
    case StmtKind::check:
      return false;
    default:
      return true;
    }
  });
}

bool Marker::has_check(const std::vector<StmtId>& body) const {
  return std::any_of(body.begin(), body.end(), [&](StmtId id) {
    const Stmt& s = kernel_.stmts[id];
    return s.kind == StmtKind::check || (s.kind == StmtKind::loop && has_check(s.body));
  });
}

// Whether the body stores a row of scratch for every iteration of the loop over var.
bool Marker::keeps_rows(const std::vector<StmtId>& body, VarId var) const {
  return std::any_of(body.begin(), body.end(), [&](StmtId id) {
    const Stmt& s = kernel_.stmts[id];
    if (s.kind == StmtKind::loop) return keeps_rows(s.body, var);
    return s.kind == StmtKind::store && kernel_.tensors[s.tensor].access == Access::scratch &&
           std::all_of(s.at.begin(), s.at.end(), [&](const Index& i) { return i.affine.coefficient(var) == 0; });
  });
}

void Marker::mark(StmtId id, bool outermost) {
  Stmt& s = kernel_.stmts[id];
  if (s.kind == StmtKind::reduce && s.order == Order::lanes) s.mark = Mark::vector;
  if (s.kind == StmtKind::contract) tile(s);
  if (s.kind != StmtKind::loop) return;
  // Lanes have scratch of their own only where the outermost loop runs in them.
  bool private_rows = outermost || !keeps_rows(s.body, s.vars[0].var);
  if (s.vars[0].extent > 1 && private_rows && fits_lanes_of_rows(s.body)) {
    s.mark = Mark::vector;
    return;
  }
  if (outermost) s.mark = Mark::tasks;
  for (StmtId inner : s.body) mark(inner, false);
}

void Marker::tile(Stmt& s) {
  int64_t m = 1, n = 1, k = 1;
  for (size_t i = 0; i < s.vars.size(); ++i)
    (i < s.m_count ? m : i < static_cast<size_t>(s.m_count) + s.n_count ? n : k) *= s.vars[i].extent;
  s.tiling = choose_tiling(m, n, k, kernel_.locals[s.local].dtype, machine_);
  auto pieces = [](int64_t extent, int64_t step) { return (extent + step - 1) / step; };
  grid_ = pieces(m, s.tiling.task_rows) * pieces(n, s.tiling.task_columns);
}

// Whether the first `count` variables of the kernel's one statement are, each by itself, an index of everything that
// the kernel stores, on the same axis wherever it touches that tensor. Kernels of clusters are like that; those written
// by hand need not be.
bool Marker::keeps_iterations_apart(size_t count) const {
  const std::vector<LoopVar>& vars = kernel_.stmts[kernel_.body[0]].vars;
  std::map<std::pair<TensorId, VarId>, std::set<size_t>> axes; // that are this variable in every access so far
  bool apart = true;
  auto access = [&](TensorId t, const std::vector<Index>& at) {
    const Access how = kernel_.tensors[t].access;
    if (how == Access::in || how == Access::scratch) return;
    for (size_t i = 0; i < count; ++i) {
      if (vars[i].extent == 1) continue;
      std::set<size_t> here;
      for (size_t axis = 0; axis < at.size(); ++axis)
        if (at[axis] == Index(vars[i].var)) here.insert(axis);
      auto [known, added] = axes.try_emplace({t, vars[i].var}, here);
      if (!added) std::erase_if(known->second, [&](size_t axis) { return !here.contains(axis); });
      apart = apart && !known->second.empty();
    }
  };
  for (const Stmt& s : kernel_.stmts)
    if (s.kind == StmtKind::store) access(s.tensor, s.at);
  for (const Expr& e : kernel_.exprs)
    if (e.kind == ExprKind::load) access(e.tensor, e.at);
  return apart;
}

void Marker::choose_tasks() {
  kernel_.tasks = 1;
  // Only a kernel that is one loop or contraction is cut: anything else would need a barrier inside.
  if (kernel_.body.size() != 1) return;
  const Stmt& loop = kernel_.stmts[kernel_.body[0]];
  if (loop.kind == StmtKind::contract && keeps_iterations_apart(size_t{loop.m_count} + loop.n_count))
    kernel_.tasks = grid_;
  if (loop.kind != StmtKind::loop || has_check(loop.body) || !keeps_iterations_apart(1)) return;
  int64_t steps = loop.vars[0].extent;
  if (loop.mark == Mark::vector) steps = (steps + 15) / 16;
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

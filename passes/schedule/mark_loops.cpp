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
  void mark(StmtId id, bool outermost);
  void mark_loop(Loop& loop, bool outermost);
  void tile(Contract& s);
  bool keeps_iterations_apart(const std::vector<LoopVar>& vars, const std::vector<StmtId>& body,
                              bool own_scratch) const;
  void choose_tasks();

  Kernel& kernel_;
  const Machine& machine_;
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

void Marker::mark(StmtId id, bool outermost) {
  Stmt& s = kernel_.stmts[id];
  if (auto* reduce = std::get_if<Reduce>(&s); reduce && reduce->order == Order::lanes) reduce->mark = Mark::vector;
  if (auto* contract = std::get_if<Contract>(&s)) tile(*contract);
  if (auto* loop = std::get_if<Loop>(&s)) mark_loop(*loop, outermost);
}

void Marker::mark_loop(Loop& loop, bool outermost) {
  const bool own_scratch = outermost; // of each iteration, and so of each lane
  if (loop.range.extent > 1 && fits_lanes_of_rows(loop.body) &&
      keeps_iterations_apart({loop.range}, loop.body, own_scratch)) {
    loop.mark = Mark::vector;
    return;
  }
  if (outermost) loop.mark = Mark::tasks;
  for (StmtId inner : loop.body) mark(inner, false);
}

void Marker::tile(Contract& s) {
  const int64_t m = extent_of(s.m), n = extent_of(s.n), k = extent_of(s.k);
  s.tiling = choose_tiling(m, n, k, kernel_.locals[s.local].dtype, machine_);
}

/// What statements store to and load from, those inside them included.
struct Touched {
  std::set<TensorId> stored;
  std::vector<std::pair<TensorId, const std::vector<Index>*>> accesses;

  Touched(const Kernel& kernel, const std::vector<StmtId>& body) : walk_(kernel) { add(kernel, body); }

private:
  void add(const Kernel& kernel, std::span<const StmtId> body) {
    for (StmtId id : body) {
      const Stmt& s = kernel.stmts[id];
      if (auto* store = std::get_if<Store>(&s)) {
        stored.insert(store->tensor);
        accesses.emplace_back(store->tensor, &store->at);
      }
      walk_.from(s, [&](ExprId, const Expr& e) {
        if (e.kind == ExprKind::load) accesses.emplace_back(e.tensor, &e.at);
      });
      add(kernel, body_of(s));
    }
  }
  ExprWalk walk_;
};

// Whether iterations of these variables touch nothing that another one stores: each of them is, by itself, an index of
// every tensor that the body stores to, on the same axis wherever it touches that tensor. Kernels of clusters are like
// that; those written by hand need not be. `own_scratch`: every iteration has its own.
bool Marker::keeps_iterations_apart(const std::vector<LoopVar>& vars, const std::vector<StmtId>& body,
                                    bool own_scratch) const {
  const Touched touched(kernel_, body);
  std::map<std::pair<TensorId, VarId>, std::set<size_t>> axes; // that are this variable in every access so far
  bool apart = true;
  for (const auto& [tensor, at] : touched.accesses) {
    const bool own = own_scratch && kernel_.tensors[tensor].access == Access::scratch;
    if (own || !touched.stored.contains(tensor)) continue;
    for (const LoopVar& v : vars) {
      if (v.extent == 1) continue;
      std::set<size_t> here;
      for (size_t axis = 0; axis < at->size(); ++axis)
        if ((*at)[axis] == Index(v.var)) here.insert(axis);
      auto [known, added] = axes.try_emplace({tensor, v.var}, here);
      if (!added) std::erase_if(known->second, [&](size_t axis) { return !here.contains(axis); });
      apart = apart && !known->second.empty();
    }
  }
  return apart;
}

void Marker::choose_tasks() {
  kernel_.tasks = 1;
  // Only a kernel that is one loop or contraction is cut: anything else would need a barrier inside.
  if (kernel_.body.size() != 1) return;
  const Stmt& s = kernel_.stmts[kernel_.body[0]];
  if (auto* contract = std::get_if<Contract>(&s)) {
    if (keeps_iterations_apart(outer_ranges(*contract), contract->body, false)) kernel_.tasks = task_count(*contract);
  }
  auto* loop = std::get_if<Loop>(&s);
  if (!loop || has_check(loop->body) || !keeps_iterations_apart({loop->range}, loop->body, true)) return;
  int64_t steps = loop->range.extent;
  if (loop->mark == Mark::vector) steps = pieces(steps, 16);
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

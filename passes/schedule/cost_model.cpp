#include "passes/schedule/cost_model.h"

#include "ir/loops/walk.h"
#include <algorithm>

namespace dlcc::passes {

using namespace loops;

namespace {
// Rates of one core, in operations a nanosecond: contractions near their peak, vector code bound by latency and memory.
constexpr double contraction_rate = 60, vector_rate = 8, bytes_rate = 16;

// Operations of one evaluation of an expression; shared parts count once a statement.
double operations(ExprWalk& walk, ExprId root) {
  double count = 0;
  walk.from(root, [&](ExprId, const Expr& e) {
    if (e.kind == ExprKind::op) count += facts_of(e.op).cost;
    if (e.kind == ExprKind::load) count += 0.5;
  });
  return count;
}

struct Walk {
  const Kernel& kernel;
  KernelCost cost;
  ExprWalk expressions{kernel};

  void body(const std::vector<StmtId>& stmts, double times) {
    for (StmtId id : stmts) std::visit([&](const auto& s) { statement(s, times); }, kernel.stmts[id]);
  }

  static double extent(const std::vector<LoopVar>& ranges) {
    double product = 1;
    for (const LoopVar& v : ranges) product *= static_cast<double>(v.extent);
    return product;
  }
  void statement(const Loop& s, double times) { body(s.body, times * static_cast<double>(s.range.extent)); }
  void statement(const Let& s, double times) { vector_work(times * operations(expressions, s.value)); }
  void statement(const Reduce& s, double times) {
    vector_work(times * extent(s.ranges) * (1 + operations(expressions, s.value)));
  }
  void statement(const Store&, double times) { vector_work(times); }
  void statement(const Contract& s, double times) {
    const double elements = times * extent(s.m) * extent(s.n), work = 2 * elements * extent(s.k);
    cost.flops += work;
    cost.nanoseconds += work / contraction_rate;
    body(s.body, elements);
  }
  void statement(const Check& s, double times) { vector_work(times * operations(expressions, s.condition)); }
  void vector_work(double work) {
    cost.flops += work;
    cost.nanoseconds += work / vector_rate;
  }
};
} // namespace

KernelCost cost_of(const Kernel& kernel) {
  Walk walk{kernel, {}};
  walk.body(kernel.body, 1);
  for (const KernelTensor& t : kernel.tensors)
    if (t.access != Access::scratch) walk.cost.bytes += static_cast<double>(byte_count(t.type));
  walk.cost.nanoseconds = std::max(walk.cost.nanoseconds, walk.cost.bytes / bytes_rate) + 5;
  return walk.cost;
}

} // namespace dlcc::passes

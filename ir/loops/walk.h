// What the statements of a kernel have in common, and walks over its expressions. Expressions are shared, so what many
// paths lead to is visited once: walking path by path would take time exponential in the depth.
#pragma once

#include "ir/loops/program.h"

#include <span>
#include <utility>
#include <vector>

namespace dlcc::loops {

/// visit(ExprId) for each operand of an expression, those of its indices included.
template <class F> void for_each_operand(const Expr& e, F visit) {
  for (ExprId o : e.operands) visit(o);
  for (const Index& i : e.at)
    if (i.indirect.valid()) visit(i.indirect);
}

/// One function of several, by the type of its argument: for std::visit.
template <class... F> struct Overloaded : F... {
  using F::operator()...;
};
template <class... F> Overloaded(F...) -> Overloaded<F...>;

/// visit(ExprId) for each expression that a statement names itself; not for those of its body.
template <class F> void for_each_root(const Stmt& statement, F visit) {
  auto all = [&](std::initializer_list<ExprId> roots) {
    for (ExprId e : roots)
      if (e.valid()) visit(e);
  };
  std::visit(Overloaded{
                 [](const Loop&) {},
                 [&](const Let& s) { all({s.value}); },
                 [&](const Reduce& s) { all({s.value}); },
                 [&](const Store& s) {
                   all({s.value});
                   for (const Index& i : s.at) all({i.indirect});
                 },
                 [&](const Contract& s) { all({s.a, s.b}); },
                 [&](const Check& s) { all({s.condition, s.sample, s.value}); },
             },
             statement);
}

/// visit(const LoopVar&) for each variable that a statement binds, outermost first.
template <class F> void for_each_range(const Stmt& statement, F visit) {
  if (auto* loop = std::get_if<Loop>(&statement)) visit(loop->range);
  if (auto* reduce = std::get_if<Reduce>(&statement))
    for (const LoopVar& v : reduce->ranges) visit(v);
  if (auto* contract = std::get_if<Contract>(&statement))
    for (auto* part : {&contract->m, &contract->n, &contract->k})
      for (const LoopVar& v : *part) visit(v);
}

/// The statements inside a loop or a contraction.
inline std::span<const StmtId> body_of(const Stmt& statement) {
  if (auto* loop = std::get_if<Loop>(&statement)) return loop->body;
  if (auto* contract = std::get_if<Contract>(&statement)) return contract->body;
  return {};
}

/// The local that a statement defines; not valid if it defines none.
inline LocalId local_of(const Stmt& statement) {
  if (auto* let = std::get_if<Let>(&statement)) return let->local;
  if (auto* reduce = std::get_if<Reduce>(&statement)) return reduce->local;
  if (auto* contract = std::get_if<Contract>(&statement)) return contract->local;
  return {};
}

/// Whether a statement evaluates its expressions for many values of variables of its own that are not its body's.
inline bool reduces(const Stmt& statement) {
  return std::holds_alternative<Reduce>(statement) || std::holds_alternative<Contract>(statement);
}

/// The variables that the body of a contraction sees: m, then n.
inline std::vector<LoopVar> outer_ranges(const Contract& s) {
  std::vector<LoopVar> outer = s.m;
  outer.insert(outer.end(), s.n.begin(), s.n.end());
  return outer;
}

/// The number of values that the variables take together.
inline int64_t extent_of(std::span<const LoopVar> ranges) {
  int64_t product = 1;
  for (const LoopVar& v : ranges) product *= v.extent;
  return product;
}

/// Visits an expression, or those of a statement, with all that they are made of. Users come before their operands
/// where only one path leads to them; no other order is promised. The kernel may grow between walks.
class ExprWalk {
public:
  explicit ExprWalk(const Kernel& kernel) : kernel_(kernel) {}

  /// visit(ExprId, const Expr&)
  template <class F> void from(ExprId root, F visit) {
    begin();
    want(root);
    run(visit);
  }
  template <class F> void from(const Stmt& s, F visit) {
    begin();
    for_each_root(s, [this](ExprId e) { want(e); });
    run(visit);
  }

private:
  void begin() {
    seen_.resize(kernel_.exprs.size(), 0);
    ++walk_;
  }
  void want(ExprId e) {
    if (std::exchange(seen_[e.index], walk_) != walk_) pending_.push_back(e);
  }
  template <class F> void run(F visit) {
    while (!pending_.empty()) {
      ExprId e = pending_.back();
      pending_.pop_back();
      visit(e, kernel_.exprs[e]);
      for_each_operand(kernel_.exprs[e], [this](ExprId o) { want(o); });
    }
  }

  const Kernel& kernel_;
  std::vector<uint32_t> seen_; ///< by expression: the last walk that saw it
  uint32_t walk_ = 0;
  std::vector<ExprId> pending_;
};

} // namespace dlcc::loops

// Walks over the expressions of a kernel. Expressions are shared, so what many paths lead to is visited once: walking
// path by path would take time exponential in the depth.
#pragma once

#include "ir/loops/program.h"

#include <utility>
#include <vector>

namespace dlcc::loops {

/// visit(ExprId) for each operand of an expression, those of its indices included.
template <class F> void for_each_operand(const Expr& e, F visit) {
  for (ExprId o : e.operands) visit(o);
  for (const Index& i : e.at)
    if (i.indirect.valid()) visit(i.indirect);
}

/// visit(ExprId) for each expression that a statement names itself; not for those of its body.
template <class F> void for_each_root(const Stmt& s, F visit) {
  for (ExprId e : {s.value, s.a, s.b})
    if (e.valid()) visit(e);
  for (const Index& i : s.at)
    if (i.indirect.valid()) visit(i.indirect);
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

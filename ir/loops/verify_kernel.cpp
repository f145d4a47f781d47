#include "ir/loops/text_form.h"
#include "ir/loops/tiling.h"
#include "ir/loops/verify_parts.h"
#include "ir/loops/walk.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <set>

namespace dlcc::loops {

namespace {

class KernelVerifier {
public:
  KernelVerifier(const Kernel& kernel, const StageRules& rules, const TextPlaces::KernelPlaces* places, Violations& out)
      : k_(kernel), rules_(rules), places_(places), out_(out), defined_(kernel.locals.size(), false),
        in_scope_(kernel.locals.size(), false), visited_(kernel.stmts.size(), false), walk_(kernel) {}

  void run() {
    size_t before = out_.size();
    names();
    for (ExprId e : k_.exprs.ids()) expression(e);
    if (out_.size() == before) body(k_.body, 0);
    if (out_.size() == before) accesses();
    if (out_.size() == before) scratch();
    if (out_.size() == before) tasks();
    if (out_.size() == before) side_by_side();
  }

private:
  void names();
  void expression(ExprId id);
  void operation(const Expr& e, const std::string& what);
  void body(std::span<const StmtId> list, int depth);
  void statement(StmtId id, int depth);
  void shape_of_statement(const Stmt& statement);
  void types(const Loop&) {}
  void types(const Let& s) { typed(s.local, s.value); }
  void types(const Reduce& s);
  void types(const Store& s);
  void types(const Contract& s);
  void types(const Check& s);
  void typed(LocalId local, ExprId value);
  void uses(const Stmt& s);
  void define(LocalId local);
  void accesses();
  void bounds(const AccessSite& a);
  void scratch();
  void side_by_side();
  void side_by_side(StmtId id, const std::vector<const AccessSite*>& inside, size_t count);
  void tasks();

  bool is(ExprId e, DType t) const { return e.valid() && k_.exprs[e].dtype == t; }
  const std::string& name(TensorId t) const { return k_.tensors[t].name; }

  const Kernel& k_;
  const StageRules& rules_;
  const TextPlaces::KernelPlaces* places_;
  Violations& out_;
  std::vector<bool> defined_, in_scope_; // locals
  std::vector<bool> visited_;            // statements
  std::vector<VarId> scope_;
  ExprWalk walk_;
};

void KernelVerifier::names() {
  std::set<std::string> tensors, locals;
  bool scratch = false;
  for (const KernelTensor& t : k_.tensors) {
    out_.require(tensors.insert(t.name).second, "names", "two tensors are called '" + t.name + "'");
    out_.require(!scratch || t.access == Access::scratch, "access", "parameter '" + t.name + "' comes after scratch");
    scratch = t.access == Access::scratch;
  }
  for (const Local& l : k_.locals)
    out_.require(locals.insert(l.name).second, "names", "two locals are called '" + l.name + "'");
  out_.require(k_.tasks >= 1, "tasks", "has " + std::to_string(k_.tasks) + " tasks, expected at least one");
}

// ---- expressions ----------------------------------------------------------------------------------------------------

void KernelVerifier::expression(ExprId id) {
  const Expr& e = k_.exprs[id];
  std::string what = "expression " + std::to_string(id.index);
  bool order = std::all_of(e.operands.begin(), e.operands.end(), [&](ExprId o) { return o < id; });
  for (const Index& i : e.at) {
    order = order && (!i.indirect.valid() || i.indirect < id);
    for (auto& [v, c] : i.affine.terms)
      out_.require(v.index < k_.vars.size() && c != 0, "expressions", what + " has a broken index");
  }
  if (!order) return out_.add("expressions", what + " has an operand that does not come before it");
  for (const Index& i : e.at)
    out_.require(!i.indirect.valid() || is_integer(k_.exprs[i.indirect].dtype), "types",
                 what + " has an index that is no integer");
  switch (e.kind) {
  case ExprKind::constant:
    return;
  case ExprKind::index:
    return out_.require(e.at.size() == 1 && e.dtype == DType::i64, "types", what + " is an index but no i64");
  case ExprKind::local:
    if (e.local.index >= k_.locals.size()) return out_.add("expressions", what + " names no local");
    return out_.require(k_.locals[e.local].dtype == e.dtype, "types", what + " has another type than its local");
  case ExprKind::load:
    if (e.tensor.index >= k_.tensors.size()) return out_.add("expressions", what + " loads no tensor");
    out_.require(k_.tensors[e.tensor].type.dtype == e.dtype, "types", what + " has another type than its tensor");
    return out_.require(e.at.size() == k_.tensors[e.tensor].type.rank(), "rank",
                        "a load of '" + name(e.tensor) + "' has " + std::to_string(e.at.size()) + " indices");
  case ExprKind::op:
    return operation(e, what);
  }
}

void KernelVerifier::operation(const Expr& e, const std::string& what) {
  if (static_cast<int>(e.operands.size()) != operand_count(e.op))
    return out_.add("expressions", what + " has a wrong number of operands");
  std::string says = what + ", " + std::string(name_of(e.op)) + ",";
  auto dtype = [&](size_t i) { return k_.exprs[e.operands[i]].dtype; };
  switch (e.op) {
  case ScalarOp::select:
    return out_.require(dtype(0) == DType::boolean && dtype(1) == e.dtype && dtype(2) == e.dtype, "types",
                        says + " has branches of another type, or a condition that is no bool");
  case ScalarOp::cast:
    return;
  case ScalarOp::random_uniform:
    for (size_t i = 0; i < 4; ++i)
      out_.require(dtype(i) == DType::i64, "types", says + " has an operand that is no i64");
    return out_.require(is_float(e.dtype), "types", says + " is no float");
  case ScalarOp::logical_and:
  case ScalarOp::logical_or:
  case ScalarOp::logical_not:
    for (size_t i = 0; i < e.operands.size(); ++i)
      out_.require(dtype(i) == DType::boolean, "types", says + " has an operand that is no bool");
    break;
  default:
    for (size_t i = 1; i < e.operands.size(); ++i)
      out_.require(dtype(i) == dtype(0), "types", says + " has operands of two types");
  }
  DType expected = facts_of(e.op).result == ResultRule::boolean ? DType::boolean : dtype(0);
  out_.require(e.dtype == expected, "types", says + " has the type " + std::string(name_of(e.dtype)));
  const Domain domain = facts_of(e.op).domain;
  out_.require(domain == Domain::any || is_float(e.dtype) || (domain == Domain::numbers && is_integer(e.dtype)),
               "types", says + " is not defined on " + std::string(name_of(e.dtype)));
}

// ---- statements -----------------------------------------------------------------------------------------------------

void KernelVerifier::body(std::span<const StmtId> list, int depth) {
  if (depth > max_statement_depth)
    return out_.add("nesting",
                    "statements inside each other more than " + std::to_string(max_statement_depth) + " deep");
  std::vector<LocalId> here;
  for (StmtId id : list) {
    if (id.index >= k_.stmts.size() || visited_[id.index])
      return out_.add("nesting", "a statement that is there twice, or not at all");
    visited_[id.index] = true;
    if (places_) out_.at(places_->statements[id]);
    size_t before = out_.size();
    statement(id, depth);
    if (out_.size() != before) return;
    const Stmt& s = k_.stmts[id];
    if (!std::holds_alternative<Contract>(s) && local_of(s).valid()) here.push_back(local_of(s));
  }
  for (LocalId l : here) in_scope_[l.index] = false;
}

void KernelVerifier::shape_of_statement(const Stmt& statement) {
  auto local = [&](LocalId l) { out_.require(l.index < k_.locals.size(), "locals", "a statement defines no local"); };
  auto value = [&](ExprId e) { out_.require(e.index < k_.exprs.size(), "expressions", "a statement without a value"); };
  std::visit(Overloaded{
                 [&](const Loop&) {},
                 [&](const Let& s) { local(s.local), value(s.value); },
                 [&](const Reduce& s) { local(s.local), value(s.value); },
                 [&](const Store& s) {
                   value(s.value);
                   out_.require(s.tensor.index < k_.tensors.size(), "access", "a store to no tensor");
                 },
                 [&](const Contract& s) { local(s.local), value(s.a), value(s.b); },
                 [&](const Check& s) { value(s.condition); },
             },
             statement);
  Shape extents;
  for_each_range(statement, [&](const LoopVar& v) {
    out_.require(v.var.index < k_.vars.size() && v.extent >= 0, "variables", "a range without a variable, or negative");
    extents.push_back(v.extent);
  });
  out_.require(checked_elements(extents).has_value(), "variables", "more iterations than an integer counts");
}

void KernelVerifier::typed(LocalId local, ExprId value) {
  out_.require(is(value, k_.locals[local].dtype), "types",
               "'" + k_.locals[local].name + "' has another type than its value");
}

void KernelVerifier::types(const Reduce& s) {
  typed(s.local, s.value);
  out_.require(s.mark != Mark::tasks, "tasks", "a reduction is marked 'tasks'");
  bool strict_order = s.combine != Combine::sum && s.combine != Combine::product;
  out_.require(!(strict_order && s.order == Order::blocks), "order", "blocks are for sums and products");
}

void KernelVerifier::types(const Store& s) {
  const KernelTensor& t = k_.tensors[s.tensor];
  out_.require(is(s.value, t.type.dtype), "types", "a value of another type is stored to '" + t.name + "'");
  out_.require(s.at.size() == t.type.rank(), "rank",
               "a store to '" + t.name + "' has " + std::to_string(s.at.size()) + " indices");
  for (const Index& i : s.at)
    out_.require(!i.indirect.valid() || (i.indirect.index < k_.exprs.size() && is_integer(k_.exprs[i.indirect].dtype)),
                 "types", "a store to '" + t.name + "' has an index that is no integer");
  out_.require(t.access != Access::in, "access", "a store to '" + t.name + "', which is only read");
}

void KernelVerifier::types(const Contract& s) {
  const Local& local = k_.locals[s.local];
  out_.require(is_float(local.dtype) && is(s.a, local.dtype) && is(s.b, local.dtype), "types",
               "contraction '" + local.name + "' has factors of another type");
  const Tiling& t = s.tiling;
  out_.require(!rules_.tiled || (t.rows > 0 && t.columns > 0 && t.task_rows > 0 && t.task_columns > 0), "tiling",
               "contraction '" + local.name + "' is not tiled: " + std::string(rules_.reason));
  const DType types[] = {local.dtype};
  out_.require(t.columns % lanes_for(types) == 0, "tiling",
               "the register tile of contraction '" + local.name + "' is no whole number of vectors");
}

void KernelVerifier::types(const Check& s) {
  out_.require(is(s.condition, DType::boolean) && (!s.sample.valid() || is(s.sample, DType::i64)), "types",
               "a check of what is no bool, or a sample that is no i64");
}

// Locals and variables that the expressions of a statement use.
void KernelVerifier::uses(const Stmt& s) {
  auto index = [&](const Index& i) {
    for (auto& term : i.affine.terms)
      out_.require(std::find(scope_.begin(), scope_.end(), term.first) != scope_.end(), "variables",
                   "'" + k_.vars[term.first] + "' is used outside its loop");
  };
  if (auto* store = std::get_if<Store>(&s))
    for (const Index& i : store->at) index(i);
  walk_.from(s, [&](ExprId, const Expr& e) {
    for (const Index& i : e.at) index(i);
    if (e.kind == ExprKind::local)
      out_.require(in_scope_[e.local.index], "locals",
                   "'" + k_.locals[e.local].name + "' is used where it is not defined");
  });
}

void KernelVerifier::define(LocalId local) {
  out_.require(!defined_[local.index], "locals", "'" + k_.locals[local].name + "' is defined twice");
  defined_[local.index] = in_scope_[local.index] = true;
}

void KernelVerifier::statement(StmtId id, int depth) {
  const Stmt& statement = k_.stmts[id];
  const size_t before = out_.size(), outer = scope_.size();
  shape_of_statement(statement);
  if (out_.size() != before) return;
  std::visit([&](const auto& s) { types(s); }, statement);
  for_each_range(statement, [&](const LoopVar& v) {
    out_.require(std::find(scope_.begin(), scope_.end(), v.var) == scope_.end(), "variables",
                 "'" + k_.vars[v.var] + "' is bound inside its own loop");
    scope_.push_back(v.var);
  });
  auto* loop = std::get_if<Loop>(&statement);
  out_.require(!loop || loop->mark != Mark::tasks || depth == 0, "tasks", "a loop inside another is marked 'tasks'");
  uses(statement);
  auto* contract = std::get_if<Contract>(&statement);
  if (contract) scope_.resize(outer + contract->m.size() + contract->n.size());
  if (local_of(statement).valid()) define(local_of(statement));
  if (loop || contract) body(body_of(statement), depth + 1);
  if (contract) in_scope_[contract->local.index] = false;
  scope_.resize(outer);
}

// ---- memory ---------------------------------------------------------------------------------------------------------

void KernelVerifier::bounds(const AccessSite& a) {
  for (const Bound& b : a.scope)
    if (b.extent <= 0) return; // never happens
  const Shape& shape = k_.tensors[a.tensor].type.shape;
  for (size_t d = 0; d < shape.size(); ++d) {
    const Index& i = (*a.at)[d];
    if (i.indirect.valid() || a.padded) continue; // data decides, after a check
    auto range = range_of(i.affine, a.scope);
    std::string found =
        range ? "[" + std::to_string(range->low) + ", " + std::to_string(range->high) + "]" : "overflow";
    out_.require(range && range->low >= 0 && range->high < shape[d], "bounds",
                 "index " + std::to_string(d) + " of a " + (a.store ? "store to '" : "load of '") + name(a.tensor) +
                     "' is in " + found + ", expected [0, " + std::to_string(shape[d]) + ")");
  }
}

void KernelVerifier::accesses() {
  std::vector<AccessSite> all = accesses_of(k_);
  std::set<std::pair<StmtId, TensorId>> stored_in_body;
  std::vector<bool> stored(k_.tensors.size());
  for (const AccessSite& a : all) {
    if (places_) out_.at(places_->statements[a.statement]);
    bounds(a);
    if (a.store) {
      stored[a.tensor.index] = true;
      for (const Bound& b : a.scope)
        if (std::holds_alternative<Contract>(k_.stmts[b.by])) stored_in_body.insert({b.by, a.tensor});
    }
    Access access = k_.tensors[a.tensor].access;
    out_.require(a.store || stored[a.tensor.index] || (access != Access::out && access != Access::scratch), "access",
                 "'" + name(a.tensor) + "' is read before anything is stored to it");
  }
  for (const AccessSite& a : all)
    if (!a.store && a.factor) {
      if (places_) out_.at(places_->statements[a.statement]);
      out_.require(!stored_in_body.contains({a.statement, a.tensor}), "contract",
                   "the factors of a contraction read '" + name(a.tensor) + "', which its body stores to");
    }
}

// Iterations of an outermost loop have scratch of their own: nothing is carried in it from one to the next, nor from
// the loop to another statement.
void KernelVerifier::scratch() {
  auto is_loop = [&](StmtId id) { return std::holds_alternative<Loop>(k_.stmts[id]); };
  std::map<TensorId, std::set<StmtId>> users; // outermost statements
  const std::vector<AccessSite> all = accesses_of(k_);
  for (const AccessSite& a : all) {
    if (k_.tensors[a.tensor].access != Access::scratch) continue;
    if (places_) out_.at(places_->statements[a.statement]);
    const StmtId top = a.scope.empty() ? a.statement : a.scope[0].by;
    std::set<StmtId>& of = users[a.tensor];
    of.insert(top);
    out_.require(of.size() == 1 || std::none_of(of.begin(), of.end(), is_loop), "scratch",
                 "'" + name(a.tensor) + "' is scratch of each iteration of a loop, but other statements use it too");
    if (!is_loop(top)) continue;
    for (const Index& i : *a.at)
      out_.require(i.affine.coefficient(a.scope[0].var) == 0, "scratch",
                   "'" + name(a.tensor) + "' is scratch of each iteration of '" + k_.vars[a.scope[0].var] +
                       "', which may not be an index of it");
  }
}

// Iterations of a loop in vector lanes, and elements of a contraction, take each statement of the body together: none
// may touch what another one stores.
void KernelVerifier::side_by_side() {
  const std::vector<AccessSite> all = accesses_of(k_);
  std::map<StmtId, std::vector<const AccessSite*>> inside;
  for (const AccessSite& a : all)
    for (size_t i = 0; i < a.scope.size(); ++i)
      if (i == 0 || a.scope[i].by != a.scope[i - 1].by) inside[a.scope[i].by].push_back(&a);
  for (const auto& [id, accesses] : inside) {
    if (places_) out_.at(places_->statements[id]);
    if (auto* loop = std::get_if<Loop>(&k_.stmts[id]); loop && loop->mark == Mark::vector)
      side_by_side(id, accesses, 1);
    if (auto* contract = std::get_if<Contract>(&k_.stmts[id]))
      side_by_side(id, accesses, contract->m.size() + contract->n.size());
  }
}

void KernelVerifier::side_by_side(StmtId id, const std::vector<const AccessSite*>& inside, size_t count) {
  const std::vector<Bound>& scope = inside[0]->scope;
  const auto first = std::find_if(scope.begin(), scope.end(), [&](const Bound& b) { return b.by == id; });
  const std::span<const Bound> shared(scope.begin(), first), vars(first, first + static_cast<std::ptrdiff_t>(count));
  for (TensorId t : k_.tensors.ids()) {
    // Lanes of the outermost loop have scratch of their own.
    if (k_.tensors[t].access == Access::scratch && shared.empty() && std::holds_alternative<Loop>(k_.stmts[id]))
      continue;
    std::vector<const AccessSite*> of;
    std::copy_if(inside.begin(), inside.end(), std::back_inserter(of),
                 [&](const AccessSite* a) { return a->tensor == t; });
    bool stores = std::any_of(of.begin(), of.end(), [](const AccessSite* a) { return a->store; });
    out_.require(!stores || separated(of, vars, shared), "side-by-side",
                 "iterations that run side by side may touch the same element of '" + name(t) + "'");
  }
}

// Tasks run in any order and at the same time, so they must not touch what another one stores.
void KernelVerifier::tasks() {
  if (k_.tasks == 1) return;
  if (places_) out_.at(places_->head);
  KernelAccesses facts = task_accesses_of(k_);
  if (facts.task_vars.empty())
    return out_.add("tasks", "has " + std::to_string(k_.tasks) + " tasks but is not one loop or contraction");
  for (const Stmt& s : k_.stmts)
    out_.require(!std::holds_alternative<Check>(s), "tasks", "a check in one of several tasks: which fault is first?");
  if (auto* contract = std::get_if<Contract>(&k_.stmts[k_.body[0]]); contract && contract->tiling != Tiling{})
    out_.require(k_.tasks == task_count(*contract), "tasks",
                 "has " + std::to_string(k_.tasks) + " tasks, but the tiling of its contraction makes " +
                     std::to_string(task_count(*contract)));
  for (TensorId t : k_.tensors.ids()) {
    if (k_.tensors[t].access == Access::in || k_.tensors[t].access == Access::scratch) continue;
    std::vector<const AccessSite*> of = facts.of(t);
    bool stores = std::any_of(of.begin(), of.end(), [](const AccessSite* a) { return a->store; });
    out_.require(!stores || separated(of, facts.task_vars), "tasks",
                 "two tasks may touch the same element of '" + name(t) + "'");
  }
}

} // namespace

void verify_kernel(const Kernel& kernel, const StageRules& rules, const TextPlaces::KernelPlaces* places,
                   Violations& out) {
  out.at("kernel " + kernel.name, places ? places->head : Location{});
  KernelVerifier(kernel, rules, places, out).run();
}

std::vector<const AccessSite*> KernelAccesses::of(TensorId t) const {
  std::vector<const AccessSite*> found;
  for (const AccessSite& a : accesses)
    if (a.tensor == t) found.push_back(&a);
  return found;
}

bool KernelAccesses::reads_first(TensorId t) const {
  std::vector<const AccessSite*> all = of(t);
  return all.empty() || !all[0]->store;
}

KernelAccesses task_accesses_of(const Kernel& kernel) {
  KernelAccesses facts;
  facts.accesses = accesses_of(kernel);
  if (kernel.tasks == 1 || kernel.body.size() != 1) return facts;
  std::vector<DType> accessed;
  for (const AccessSite& a : facts.accesses) accessed.push_back(kernel.tensors[a.tensor].type.dtype);
  facts.lanes = lanes_for(accessed);
  auto task = [&](const LoopVar& v) { facts.task_vars.push_back({v.var, v.extent, kernel.body[0]}); };
  const Stmt& s = kernel.stmts[kernel.body[0]];
  if (auto* loop = std::get_if<Loop>(&s)) {
    facts.mark = loop->mark;
    task(loop->range);
  }
  if (auto* contract = std::get_if<Contract>(&s))
    for (const LoopVar& v : outer_ranges(*contract)) task(v);
  return facts;
}

} // namespace dlcc::loops

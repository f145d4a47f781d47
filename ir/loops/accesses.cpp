#include "ir/loops/accesses.h"

#include "ir/loops/walk.h"

#include <algorithm>

namespace dlcc::loops {

namespace {

class Collector {
public:
  explicit Collector(const Kernel& kernel) : k_(kernel), walk_expressions_(kernel) {}

  std::vector<AccessSite> run() {
    walk(k_.body);
    return std::move(sites_);
  }

private:
  void walk(std::span<const StmtId> body) {
    for (StmtId id : body) {
      const Stmt& s = k_.stmts[id];
      ++order_;
      size_t outer = scope_.size();
      for_each_range(s, [&](const LoopVar& v) { scope_.push_back({v.var, v.extent, id}); });
      loads(id, s);
      if (auto* store = std::get_if<Store>(&s))
        sites_.push_back({store->tensor, &store->at, true, false, false, id, order_, scope_});
      if (auto* contract = std::get_if<Contract>(&s)) scope_.resize(outer + contract->m.size() + contract->n.size());
      walk(body_of(s));
      scope_.resize(outer);
    }
  }

  void loads(StmtId id, const Stmt& s) {
    walk_expressions_.from(s, [&](ExprId, const Expr& e) {
      if (e.kind == ExprKind::load)
        sites_.push_back({e.tensor, &e.at, false, e.padded, reduces(s), id, order_, scope_});
    });
  }

  const Kernel& k_;
  ExprWalk walk_expressions_;
  std::vector<AccessSite> sites_;
  std::vector<Bound> scope_;
  size_t order_ = 0;
};

const Bound* find(std::span<const Bound> scope, VarId v) {
  for (const Bound& b : scope)
    if (b.var == v) return &b;
  return nullptr;
}

// The variables that this axis tells apart, if it does so in every access.
std::vector<VarId> told_apart(std::span<const AccessSite* const> accesses, std::span<const Bound> vars,
                              std::span<const Bound> shared, size_t axis) {
  std::vector<VarId> names;
  for (const auto& list : {vars, shared})
    for (const Bound& v : list) names.push_back(v.var);
  const Index* first = nullptr;
  std::optional<Interval> rest;
  std::vector<std::pair<int64_t, Bound>> digits;
  for (const AccessSite* access : accesses) {
    if (axis >= access->at->size() || (*access->at)[axis].indirect.valid()) return {};
    const Affine& a = (*access->at)[axis].affine;
    if (!first) first = &(*access->at)[axis];
    for (const Bound& v : shared)
      if (a.coefficient(v.var) != first->affine.coefficient(v.var)) return {};
    auto range = range_of(a, access->scope, names);
    if (!range) return {};
    std::vector<std::pair<int64_t, Bound>> mine;
    for (const Bound& v : vars)
      if (int64_t c = a.coefficient(v.var)) mine.emplace_back(c, v);
    if (rest && mine != digits) return {};
    digits = std::move(mine);
    rest = rest ? Interval{std::min(rest->low, range->low), std::max(rest->high, range->high)} : range;
  }
  if (!rest) return {};
  std::sort(digits.begin(), digits.end(), [](auto& x, auto& y) { return std::abs(x.first) < std::abs(y.first); });
  int64_t below;
  if (__builtin_sub_overflow(rest->high, rest->low, &below)) return {};
  std::vector<VarId> told;
  for (auto& [c, v] : digits) {
    int64_t span;
    if (std::abs(c) <= below) return {};
    if (__builtin_mul_overflow(std::abs(c), v.extent - 1, &span) || __builtin_add_overflow(below, span, &below))
      return {};
    told.push_back(v.var);
  }
  return told;
}

} // namespace

std::vector<AccessSite> accesses_of(const Kernel& kernel) { return Collector(kernel).run(); }

std::optional<Interval> range_of(const Affine& a, std::span<const Bound> scope, std::span<const VarId> except) {
  Interval r{a.constant, a.constant};
  for (auto& [v, c] : a.terms) {
    if (std::find(except.begin(), except.end(), v) != except.end()) continue;
    const Bound* bound = find(scope, v);
    int64_t span;
    if (!bound || __builtin_mul_overflow(c, std::max<int64_t>(bound->extent - 1, 0), &span)) return std::nullopt;
    int64_t& end = span < 0 ? r.low : r.high;
    if (__builtin_add_overflow(end, span, &end)) return std::nullopt;
  }
  return r;
}

bool separated(std::span<const AccessSite* const> accesses, std::span<const Bound> vars,
               std::span<const Bound> shared) {
  std::vector<VarId> told;
  for (size_t axis = 0; axis < max_rank; ++axis)
    for (VarId v : told_apart(accesses, vars, shared, axis)) told.push_back(v);
  return std::all_of(vars.begin(), vars.end(), [&](const Bound& v) {
    return v.extent <= 1 || std::find(told.begin(), told.end(), v.var) != told.end();
  });
}

std::optional<Affine> flat_index(const AccessSite& access, const Shape& shape) {
  if (access.padded || access.at->size() != shape.size()) return std::nullopt;
  constexpr int64_t limit = int64_t{1} << 58; // max_rank numbers below it add up without overflow
  Affine flat;
  Shape strides = strides_of(shape);
  for (size_t d = 0; d < shape.size(); ++d) {
    const Index& i = (*access.at)[d];
    auto fits = [&](int64_t c) {
      auto product = checked_multiply(c, strides[d]);
      return product && *product < limit && *product > -limit;
    };
    bool fit = std::all_of(i.affine.terms.begin(), i.affine.terms.end(), [&](auto& t) { return fits(t.second); });
    if (i.indirect.valid() || !fit || !fits(i.affine.constant)) return std::nullopt;
    flat = flat + i.affine * strides[d];
  }
  return flat;
}

} // namespace dlcc::loops

#include "ir/loops/print_kernel.h"

#include "ir/loops/text_form.h"
#include "ir/loops/walk.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <unordered_set>

namespace dlcc::loops {

void TextWriter::line(const std::string& text) {
  text_.append(static_cast<size_t>(depth_) * 2, ' ');
  text_ += text;
  blank();
}

namespace {

template <class Vector> std::vector<std::string> names_in(const Vector& items) {
  std::vector<std::string> names;
  for (auto& item : items) names.push_back(item.name);
  return names;
}

class KernelPrinter {
public:
  KernelPrinter(const Kernel& kernel, TextWriter& out)
      : k_(kernel), out_(out), tensors_(unique_names(names_in(kernel.tensors))),
        locals_(unique_names(names_in(kernel.locals))), vars_(unique_names({kernel.vars.begin(), kernel.vars.end()})),
        rank_(kernel.vars.size(), UINT32_MAX), uses_(kernel.exprs.size()), depth_(kernel.exprs.size()),
        named_(kernel.exprs.size(), false), alias_(kernel.exprs.size()) {
    taken_.insert(locals_.begin(), locals_.end());
    walk(k_.body);
    choose_names();
  }
  void kernel(const std::string& name);

private:
  void walk(std::span<const StmtId> body);
  void count_uses(ExprId root);
  void choose_names();
  void define(ExprId root);
  bool leaf(ExprId e) const;
  bool untyped(ExprId e) const;

  std::string expression(ExprId e, bool type_known, int precedence = 0) const;
  std::string constant(const Expr& e, bool type_known) const;
  std::string operation(const Expr& e, bool type_known, int precedence) const;
  std::string arguments(const Expr& e, bool type_known) const;
  std::string index(const Index& i) const;
  std::string indices(const std::vector<Index>& at) const;
  std::string element(TensorId t, const std::vector<Index>& at, bool padded) const;

  void statement(StmtId id);
  void statements(const std::vector<StmtId>& body) {
    for (StmtId s : body) statement(s);
  }
  std::string ranges(std::span<const LoopVar> vars) const;
  std::string defined(LocalId local, ExprId value) const;
  std::string loop_head(const Loop& s) const;
  std::string reduction(const Reduce& s) const;
  std::string contract_head(const Contract& s) const;
  std::string check(const Check& s) const;

  const Kernel& k_;
  TextWriter& out_;
  std::vector<std::string> tensors_, locals_, vars_;
  std::vector<uint32_t> rank_; // of a variable: the order in which loops bind them
  uint32_t bound_ = 0;
  std::vector<uint32_t> uses_;
  std::vector<int> depth_;
  std::vector<bool> named_; // is printed through a def
  std::vector<std::string> alias_;
  std::unordered_set<std::string> taken_;
  int next_alias_ = 0;
};

// ---- what is printed through a def ----------------------------------------------------------------------------------

void KernelPrinter::walk(std::span<const StmtId> body) {
  for (StmtId id : body) {
    const Stmt& s = k_.stmts[id];
    for_each_range(s, [&](const LoopVar& v) {
      if (rank_[v.var.index] == UINT32_MAX) rank_[v.var.index] = bound_++;
    });
    for_each_root(s, [&](ExprId e) { count_uses(e); });
    walk(body_of(s));
  }
}

void KernelPrinter::count_uses(ExprId root) {
  std::vector<ExprId> work{root};
  while (!work.empty()) {
    ExprId e = work.back();
    work.pop_back();
    if (uses_[e.index]++) continue;
    for_each_operand(k_.exprs[e], [&](ExprId o) {
      DLCC_CHECK(o < e, "an operand comes after its user");
      work.push_back(o);
    });
  }
}

bool KernelPrinter::leaf(ExprId id) const {
  const Expr& e = k_.exprs[id];
  if (e.kind == ExprKind::op) return false;
  return std::none_of(e.at.begin(), e.at.end(), [](const Index& i) { return i.indirect.valid(); });
}

void KernelPrinter::choose_names() {
  for (ExprId e : k_.exprs.ids()) {
    if (!uses_[e.index]) continue;
    int depth = 1;
    for_each_operand(k_.exprs[e],
                     [&](ExprId o) { depth = std::max(depth, named_[o.index] ? 2 : depth_[o.index] + 1); });
    depth_[e.index] = depth;
    named_[e.index] = !leaf(e) && (uses_[e.index] > 1 || depth > max_printed_depth);
  }
}

// Prints the defs that the expression needs and that are not there yet, operands first.
void KernelPrinter::define(ExprId root) {
  std::vector<std::pair<ExprId, bool>> work{{root, false}};
  while (!work.empty()) {
    auto [e, ready] = work.back();
    work.pop_back();
    if (!alias_[e.index].empty()) continue;
    if (!ready) {
      work.push_back({e, true});
      std::vector<ExprId> operands;
      for_each_operand(k_.exprs[e], [&](ExprId o) { operands.push_back(o); });
      for (size_t i = operands.size(); i-- > 0;) work.push_back({operands[i], false});
      continue;
    }
    if (!named_[e.index]) continue;
    std::string type = untyped(e) ? ": " + std::string(name_of(k_.exprs[e].dtype)) : "";
    std::string text = expression(e, true);
    std::string name;
    do name = "e" + std::to_string(next_alias_++);
    while (taken_.contains(name));
    out_.line("def " + name + type + " = " + text);
    alias_[e.index] = name;
  }
}

// ---- expressions ----------------------------------------------------------------------------------------------------

// True if nothing in the text of the expression says its type.
bool KernelPrinter::untyped(ExprId id) const {
  if (!alias_[id.index].empty()) return false;
  const Expr& e = k_.exprs[id];
  if (e.kind == ExprKind::constant) return e.dtype != DType::boolean || (e.value != 0 && e.value != 1);
  if (e.kind != ExprKind::op) return false;
  if (e.op == ScalarOp::select) return untyped(e.operands[1]) && untyped(e.operands[2]);
  return facts_of(e.op).result == ResultRule::same &&
         std::all_of(e.operands.begin(), e.operands.end(), [&](ExprId o) { return untyped(o); });
}

std::string KernelPrinter::constant(const Expr& e, bool type_known) const {
  double v = e.value;
  if (e.dtype == DType::boolean && (v == 0 || v == 1)) return v == 1 ? "true" : "false";
  bool whole = is_integer(e.dtype) && std::nearbyint(v) == v && std::fabs(v) < 9e18 && !(v == 0 && std::signbit(v));
  std::string text = whole ? std::to_string(static_cast<int64_t>(v)) : print_double(v);
  return type_known ? text : text + ":" + std::string(name_of(e.dtype));
}

std::string KernelPrinter::expression(ExprId id, bool type_known, int precedence) const {
  if (!alias_[id.index].empty()) return alias_[id.index];
  const Expr& e = k_.exprs[id];
  switch (e.kind) {
  case ExprKind::constant:
    return constant(e, type_known);
  case ExprKind::index:
    return "index(" + index(e.at[0]) + ")";
  case ExprKind::local:
    return symbol(locals_[e.local.index]);
  case ExprKind::load:
    return element(e.tensor, e.at, e.padded);
  case ExprKind::op:
    return operation(e, type_known, precedence);
  }
  return {};
}

// Operands that must have one type: an untyped one takes it from a typed one, else from the context, else the first of
// them states it.
std::string KernelPrinter::arguments(const Expr& e, bool type_known) const {
  size_t first = e.op == ScalarOp::select ? 1 : 0;
  bool any_typed = std::any_of(e.operands.begin() + static_cast<std::ptrdiff_t>(first), e.operands.end(),
                               [&](ExprId o) { return !untyped(o); });
  std::string text = first ? expression(e.operands[0], true) : "";
  for (size_t i = first; i < e.operands.size(); ++i)
    text += (i ? ", " : "") + expression(e.operands[i], type_known || any_typed || i > first);
  return text;
}

std::string KernelPrinter::operation(const Expr& e, bool type_known, int precedence) const {
  if (facts_of(e.op).result == ResultRule::boolean) type_known = false;
  if (e.op == ScalarOp::cast) return std::string(name_of(e.dtype)) + "(" + expression(e.operands[0], false) + ")";
  if (e.op == ScalarOp::random_uniform)
    return "random_uniform(" + std::string(name_of(e.dtype)) + ", " + arguments(e, true) + ")";
  if (e.op == ScalarOp::negative) return "-(" + arguments(e, type_known) + ")";
  if (e.op == ScalarOp::logical_not) return "!(" + arguments(e, type_known) + ")";
  const Infix* infix = find_infix(e.op);
  if (!infix) return std::string(call_name(e.op)) + "(" + arguments(e, type_known) + ")";
  bool left_untyped = untyped(e.operands[0]), right_untyped = untyped(e.operands[1]);
  std::string text = expression(e.operands[0], type_known || (left_untyped && !right_untyped), infix->precedence) +
                     " " + std::string(infix->text) + " " + expression(e.operands[1], true, infix->precedence + 1);
  return infix->precedence < precedence ? "(" + text + ")" : text;
}

std::string KernelPrinter::index(const Index& i) const {
  std::string text;
  if (i.indirect.valid()) {
    bool bare = alias_[i.indirect.index].empty() && k_.exprs[i.indirect].kind == ExprKind::load;
    text = bare ? expression(i.indirect, true) : "(" + expression(i.indirect, untyped(i.indirect)) + ")";
  }
  auto append = [&](int64_t c, const std::string& var) {
    bool minus = c < 0 && c != INT64_MIN && !text.empty();
    if (!text.empty()) text += minus ? " - " : " + ";
    int64_t factor = minus ? -c : c;
    if (var.empty())
      text += std::to_string(factor);
    else
      text += (factor == 1 ? "" : std::to_string(factor) + "*") + var;
  };
  auto terms = i.affine.terms;
  auto key = [&](VarId v) { return std::make_pair(rank_[v.index], vars_[v.index]); };
  std::sort(terms.begin(), terms.end(), [&](auto& a, auto& b) { return key(a.first) < key(b.first); });
  for (auto& [v, c] : terms) append(c, symbol(vars_[v.index]));
  if (i.affine.constant != 0 || text.empty()) append(i.affine.constant, "");
  return text;
}

std::string KernelPrinter::indices(const std::vector<Index>& at) const {
  std::string text;
  for (const Index& i : at) text += (text.empty() ? "" : ", ") + index(i);
  return "[" + text + "]";
}

std::string KernelPrinter::element(TensorId t, const std::vector<Index>& at, bool padded) const {
  return symbol(tensors_[t.index]) + (padded ? "?" : "") + indices(at);
}

// ---- statements -----------------------------------------------------------------------------------------------------

std::string KernelPrinter::ranges(std::span<const LoopVar> vars) const {
  std::string text;
  for (const LoopVar& v : vars)
    text += (text.empty() ? "" : ", ") + symbol(vars_[v.var.index]) + " in " + std::to_string(v.extent);
  return text;
}

// The name a statement defines, with its type where the value does not say it.
std::string KernelPrinter::defined(LocalId id, ExprId value) const {
  const Local& local = k_.locals[id];
  bool says = !untyped(value) && k_.exprs[value].dtype == local.dtype;
  return symbol(locals_[id.index]) + (says ? "" : ": " + std::string(name_of(local.dtype)));
}

static std::string text_of(Mark mark) {
  return mark == Mark::serial ? "" : " " + std::string(mark_names[static_cast<size_t>(mark)]);
}

std::string KernelPrinter::loop_head(const Loop& s) const { return "for " + ranges({&s.range, 1}) + text_of(s.mark); }

std::string KernelPrinter::reduction(const Reduce& s) const {
  std::string order =
      s.order == Order::sequential ? "" : " order " + std::string(order_names[static_cast<size_t>(s.order)]);
  return std::string(combine_names[static_cast<size_t>(s.combine)]) + " " + defined(s.local, s.value) + " over " +
         ranges(s.ranges) + order + text_of(s.mark) + " = " + expression(s.value, true);
}

std::string KernelPrinter::contract_head(const Contract& s) const {
  std::string text =
      "contract " + defined(s.local, s.a) + " over " + ranges(s.m) + "; " + ranges(s.n) + "; " + ranges(s.k);
  if (!(s.tiling == Tiling{})) {
    const Tiling& t = s.tiling;
    text += " tile(rows = " + std::to_string(t.rows) + ", columns = " + std::to_string(t.columns) +
            ", task_rows = " + std::to_string(t.task_rows) + ", task_columns = " + std::to_string(t.task_columns) +
            (t.pack_a ? ", pack_a" : "") + (t.pack_b ? ", pack_b" : "") + ")";
  }
  return text + " = " + expression(s.a, true, primary_precedence) + " * " + expression(s.b, true, primary_precedence);
}

std::string KernelPrinter::check(const Check& s) const {
  std::string text = "check(" + expression(s.condition, true) + ")";
  if (s.sample.valid()) text += " sample " + expression(s.sample, false);
  if (s.value.valid()) text += " value " + expression(s.value, false);
  return text + " fault(" + std::to_string(s.fault.code) + ", " + print_string(s.fault.what) + ")";
}

void KernelPrinter::statement(StmtId id) {
  const Stmt& statement = k_.stmts[id];
  for_each_root(statement, [&](ExprId e) { define(e); });
  auto with_body = [&](const std::string& head, const std::vector<StmtId>& body) {
    out_.open(head);
    statements(body);
    out_.close();
  };
  std::visit(
      Overloaded{
          [&](const Loop& s) { with_body(loop_head(s), s.body); },
          [&](const Let& s) { out_.line("let " + defined(s.local, s.value) + " = " + expression(s.value, true)); },
          [&](const Reduce& s) { out_.line(reduction(s)); },
          [&](const Store& s) {
            out_.line("store " + element(s.tensor, s.at, false) + " = " + expression(s.value, true));
          },
          [&](const Contract& s) { with_body(contract_head(s), s.body); },
          [&](const Check& s) { out_.line(check(s)); },
      },
      statement);
}

void KernelPrinter::kernel(const std::string& name) {
  std::string head = "kernel @" + symbol(name) + "(";
  for (TensorId t : k_.tensors.ids()) {
    const KernelTensor& tensor = k_.tensors[t];
    head += t.index ? ", " : "";
    if (tensor.access != Access::in) head += std::string(access_names[static_cast<size_t>(tensor.access)]) + " ";
    head += symbol(tensors_[t.index]) + ": " + to_string(tensor.type);
  }
  head += ") tasks " + std::to_string(k_.tasks);
  if (k_.where.known()) head += " " + print_location(k_.where);
  out_.open(head);
  for (const std::string& note : k_.notes) out_.line("note " + print_string(note));
  statements(k_.body);
  out_.close();
}

} // namespace

void print_kernel(const Kernel& kernel, const std::string& name, TextWriter& out) {
  KernelPrinter(kernel, out).kernel(name);
}

std::string print(const Kernel& kernel) {
  TextWriter out;
  print_kernel(kernel, kernel.name, out);
  return out.take();
}

} // namespace dlcc::loops

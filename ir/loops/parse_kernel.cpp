#include "ir/loops/parse_kernel.h"

#include "ir/loops/builder.h"
#include "ir/loops/text_form.h"

#include <algorithm>
#include <unordered_map>

namespace dlcc::loops {

int64_t parse_integer(Lexer& lexer, int64_t low, int64_t high) {
  Location where = lexer.peek().where;
  int64_t value = lexer.integer();
  if (value < low || value > high)
    throw TextError(where, "expected an integer in [" + std::to_string(low) + ", " + std::to_string(high) +
                               "], found " + std::to_string(value));
  return value;
}

Type parse_tensor_type(Lexer& lexer) {
  Location where = lexer.peek().where;
  Type type = parse_type(lexer);
  bool negative = std::any_of(type.shape.begin(), type.shape.end(), [](int64_t d) { return d < 0; });
  if (negative || type.rank() > max_rank || !checked_bytes(type))
    throw TextError(where, "a tensor of " + std::to_string(type.rank()) + " dimensions that is too large, or negative");
  return type;
}

namespace {

// Bounds of a number in an index: 64 of them add up without overflow.
constexpr int64_t index_limit = int64_t{1} << 53;
constexpr int most_index_terms = 64;

class KernelParser {
public:
  KernelParser(Lexer& lexer, TextPlaces::KernelPlaces& places) : lex_(lexer), places_(places), build_(kernel_) {}
  Kernel run();

private:
  // Counts what is open around a place in the text, so that recursion is bounded.
  struct Nested {
    Nested(KernelParser& p) : p(p) {
      if (++p.depth_ > max_nesting) p.lex_.fail("nested more than " + std::to_string(max_nesting) + " deep");
    }
    ~Nested() { --p.depth_; }
    KernelParser& p;
  };

  void head();
  void parameter();
  std::vector<StmtId> body();
  void line(std::vector<StmtId>& out); ///< a statement or a def
  StmtId statement();
  StmtId loop();
  StmtId let();
  StmtId reduce(Combine combine);
  StmtId store();
  StmtId contract();
  StmtId check();
  void def();
  void ranges(std::vector<LoopVar>& vars);
  void tiling(Tiling& tiling);
  LocalId define(const std::pair<std::string, Location>& name, DType dtype);
  std::pair<std::string, Location> new_name();
  std::optional<DType> declared_type();
  LocalId defined_by(const std::pair<std::string, Location>& name, std::optional<DType> declared,
                     std::initializer_list<ExprId> values);

  ExprId expression(int precedence = 0);
  ExprId primary();
  ExprId literal();
  ExprId reference(const Token& name);
  ExprId call(const Token& name);
  ExprId load(const Token& name);
  std::vector<ExprId> arguments();
  ExprId operation(ScalarOp op, std::vector<ExprId> operands);
  const Infix* infix_here() const;
  Index index();
  void index_term(Index& i, bool minus);
  std::vector<Index> indices(TensorId t, const std::string& name);
  TensorId tensor(const std::string& name);
  VarId variable(const std::string& name);
  DType dtype();

  ExprId push(Expr e, bool untyped);
  bool untyped(ExprId e) const { return e.index < untyped_.size() && untyped_[e.index]; }
  void resolve(ExprId e, DType dtype);
  ExprId typed(ExprId e) {
    if (untyped(e))
      lex_.fail("nothing says the type of the constant before this place, expected for example '1.0:f32'");
    return e;
  }

  Lexer& lex_;
  TextPlaces::KernelPlaces& places_;
  Kernel kernel_;
  Builder build_; // shares equal loads and locals
  int depth_ = 0;
  std::unordered_map<std::string, TensorId> tensors_;
  std::unordered_map<std::string, VarId> vars_;
  std::unordered_map<std::string, LocalId> locals_;
  std::unordered_map<std::string, ExprId> defs_;
  std::vector<bool> untyped_; // expressions that take their type from where they stand
};

// ---- expressions ----------------------------------------------------------------------------------------------------

ExprId KernelParser::push(Expr e, bool untyped) {
  ExprId id = kernel_.exprs.push(std::move(e));
  untyped_.resize(kernel_.exprs.size());
  untyped_[id.index] = untyped;
  return id;
}

void KernelParser::resolve(ExprId root, DType dtype) {
  if (!untyped(root)) {
    DType found = kernel_.exprs[root].dtype;
    if (found != dtype)
      lex_.fail("expected an expression of type " + std::string(name_of(dtype)) + " before this place, found " +
                std::string(name_of(found)));
    return;
  }
  std::vector<ExprId> work{root};
  while (!work.empty()) {
    ExprId e = work.back();
    work.pop_back();
    if (!untyped(e)) continue;
    untyped_[e.index] = false;
    kernel_.exprs[e].dtype = dtype;
    work.insert(work.end(), kernel_.exprs[e].operands.begin(), kernel_.exprs[e].operands.end());
  }
}

DType KernelParser::dtype() {
  if (auto t = dtype_from_name(lex_.peek().text); t && lex_.peek().kind == TokenKind::name) {
    lex_.next();
    return *t;
  }
  lex_.fail("expected an element type, found '" + escape(lex_.peek().text, 40) + "'");
}

ExprId KernelParser::literal() {
  Expr e;
  if (lex_.is("true") || lex_.is("false")) {
    e.dtype = DType::boolean, e.value = lex_.next().text == "true";
    return push(std::move(e), false);
  }
  e.value = lex_.number();
  bool states_type = lex_.accept(":");
  if (states_type) e.dtype = dtype();
  return push(std::move(e), !states_type);
}

ExprId KernelParser::operation(ScalarOp op, std::vector<ExprId> operands) {
  if (static_cast<int>(operands.size()) != operand_count(op))
    lex_.fail(std::string(call_name(op)) + " takes " + std::to_string(operand_count(op)) + " operands, found " +
              std::to_string(operands.size()));
  size_t first = op == ScalarOp::select ? 1 : 0;
  if (first) resolve(operands[0], DType::boolean);
  std::optional<DType> type;
  for (size_t i = first; i < operands.size() && !type; ++i)
    if (!untyped(operands[i])) type = kernel_.exprs[operands[i]].dtype;
  if (type)
    for (size_t i = first; i < operands.size(); ++i) resolve(operands[i], *type);
  Expr e;
  e.kind = ExprKind::op, e.op = op, e.dtype = type.value_or(DType::f32), e.operands = std::move(operands);
  if (facts_of(op).result == ResultRule::boolean) {
    typed(e.operands[0]);
    e.dtype = DType::boolean;
    return push(std::move(e), false);
  }
  return push(std::move(e), !type);
}

const Infix* KernelParser::infix_here() const {
  for (const Infix& i : infix_ops) {
    bool two_tokens = i.text.size() == 2 && i.op != ScalarOp::less_equal;
    if (lex_.is(two_tokens ? i.text.substr(1) : i.text)) return &i;
  }
  return nullptr;
}

ExprId KernelParser::expression(int precedence) {
  Nested nested(*this);
  ExprId left = primary();
  for (;;) {
    const Infix* infix = infix_here();
    if (!infix || infix->precedence < precedence) return left;
    lex_.next();
    ScalarOp op = infix->op;
    if (op == ScalarOp::less && lex_.accept("=")) op = ScalarOp::less_equal;
    if (infix->text.size() == 2) lex_.expect(infix->text.substr(1));
    ExprId right = expression(infix->precedence + 1);
    left = operation(op, {left, right});
  }
}

ExprId KernelParser::primary() {
  if (lex_.accept("(")) {
    ExprId e = expression();
    lex_.expect(")");
    return e;
  }
  if (lex_.is("-") || lex_.is("!")) {
    ScalarOp op = lex_.next().text == "-" ? ScalarOp::negative : ScalarOp::logical_not;
    return operation(op, arguments());
  }
  TokenKind kind = lex_.peek().kind;
  bool word = lex_.is("inf") || lex_.is("-inf") || lex_.is("nan") || lex_.is("true") || lex_.is("false");
  if (kind == TokenKind::integer || kind == TokenKind::number || word) return literal();
  if (kind != TokenKind::name && kind != TokenKind::string)
    lex_.fail("expected an expression, found '" + escape(lex_.peek().text, 40) + "'");
  return reference(lex_.next());
}

// What a name means; it has been read.
ExprId KernelParser::reference(const Token& name) {
  if (lex_.is("[") || lex_.is("?")) return load(name);
  if (lex_.is("(") && name.kind == TokenKind::name) return call(name);
  if (auto def = defs_.find(name.text); def != defs_.end()) return def->second;
  if (auto local = locals_.find(name.text); local != locals_.end()) return build_.local(local->second);
  throw TextError(name.where, "unknown name '" + escape(name.text, 40) + "'");
}

std::vector<ExprId> KernelParser::arguments() {
  std::vector<ExprId> list;
  lex_.expect("(");
  do list.push_back(expression());
  while (lex_.accept(","));
  lex_.expect(")");
  return list;
}

ExprId KernelParser::call(const Token& name) {
  Expr e;
  if (name.text == "index") {
    lex_.expect("(");
    e.kind = ExprKind::index, e.dtype = DType::i64, e.at = {index()};
    lex_.expect(")");
    return push(std::move(e), false);
  }
  e.kind = ExprKind::op;
  if (auto to = dtype_from_name(name.text)) {
    e.op = ScalarOp::cast, e.dtype = *to, e.operands = arguments();
    if (e.operands.size() != 1) lex_.fail("a conversion takes one operand");
    typed(e.operands[0]);
    return push(std::move(e), false);
  }
  auto op = op_from_call_name(name.text);
  if (!op || *op == ScalarOp::cast) throw TextError(name.where, "unknown function '" + escape(name.text, 40) + "'");
  if (*op != ScalarOp::random_uniform) return operation(*op, arguments());
  lex_.expect("(");
  e.op = *op, e.dtype = dtype();
  while (lex_.accept(",")) e.operands.push_back(expression());
  lex_.expect(")");
  if (e.operands.size() != 4) lex_.fail("random_uniform takes a type and 4 operands");
  for (ExprId o : e.operands) resolve(o, DType::i64);
  return push(std::move(e), false);
}

ExprId KernelParser::load(const Token& name) {
  Nested nested(*this);
  Expr e;
  e.kind = ExprKind::load, e.tensor = tensor(name.text), e.padded = lex_.accept("?");
  e.at = indices(e.tensor, name.text);
  e.dtype = kernel_.tensors[e.tensor].type.dtype;
  bool direct = std::none_of(e.at.begin(), e.at.end(), [](const Index& i) { return i.indirect.valid(); });
  return direct ? build_.load(e.tensor, std::move(e.at), e.padded) : push(std::move(e), false);
}

TensorId KernelParser::tensor(const std::string& name) {
  auto at = tensors_.find(name);
  if (at == tensors_.end()) lex_.fail("unknown tensor '" + escape(name, 40) + "'");
  return at->second;
}

VarId KernelParser::variable(const std::string& name) {
  auto [at, fresh] = vars_.try_emplace(name, kernel_.vars.next());
  if (fresh) kernel_.vars.push(name);
  return at->second;
}

std::vector<Index> KernelParser::indices(TensorId t, const std::string& name) {
  std::vector<Index> at;
  lex_.expect("[");
  while (!lex_.is("]")) {
    at.push_back(index());
    if (!lex_.accept(",")) break;
  }
  lex_.expect("]");
  size_t rank = kernel_.tensors[t].type.rank();
  if (at.size() != rank)
    lex_.fail("expected " + std::to_string(rank) + " indices of '" + escape(name, 40) + "', found " +
              std::to_string(at.size()));
  return at;
}

Index KernelParser::index() {
  Index i;
  bool minus = false;
  for (int terms = 0;; ++terms) {
    if (terms == most_index_terms) lex_.fail("an index of more than " + std::to_string(most_index_terms) + " terms");
    index_term(i, minus);
    minus = lex_.is("-");
    if (!lex_.accept("+") && !lex_.accept("-")) return i;
  }
}

void KernelParser::index_term(Index& i, bool minus) {
  auto add = [&](Affine a, int64_t factor) { i.affine = i.affine + a * (minus ? -factor : factor); };
  auto add_value = [&](ExprId value) {
    if (i.indirect.valid() || minus) lex_.fail("an index has at most one expression, which is added");
    if (untyped(value)) resolve(value, DType::i64);
    if (!is_integer(kernel_.exprs[value].dtype)) lex_.fail("expected an integer expression as index");
    i.indirect = value;
  };
  if (lex_.accept("(")) {
    add_value(expression());
    return lex_.expect(")");
  }
  if (lex_.peek().kind == TokenKind::integer) {
    int64_t factor = parse_integer(lex_, -index_limit, index_limit);
    return lex_.accept("*") ? add(variable(lex_.name()), factor) : add(Affine(int64_t{1}), factor);
  }
  if (lex_.peek().kind != TokenKind::name && lex_.peek().kind != TokenKind::string) lex_.fail("expected an index");
  Token name = lex_.next();
  if (lex_.is("[") || lex_.is("?") || lex_.is("(")) return add_value(reference(name));
  add(variable(name.text), 1);
}

// ---- statements -----------------------------------------------------------------------------------------------------

void KernelParser::ranges(std::vector<LoopVar>& vars) {
  do {
    VarId var = variable(lex_.name());
    lex_.expect("in");
    vars.push_back({var, parse_integer(lex_, 0, INT64_MAX)});
  } while (lex_.accept(","));
}

std::pair<std::string, Location> KernelParser::new_name() {
  Location where = lex_.peek().where;
  return {lex_.name(), where};
}

LocalId KernelParser::define(const std::pair<std::string, Location>& name, DType dtype) {
  if (locals_.contains(name.first) || defs_.contains(name.first))
    throw TextError(name.second, "'" + escape(name.first, 40) + "' is defined twice");
  LocalId local = kernel_.locals.push({name.first, dtype});
  locals_.emplace(name.first, local);
  return local;
}

std::optional<DType> KernelParser::declared_type() { return lex_.accept(":") ? std::optional(dtype()) : std::nullopt; }

// The local whose type is the declared one or, where it is not declared, that of the values.
LocalId KernelParser::defined_by(const std::pair<std::string, Location>& name, std::optional<DType> declared,
                                 std::initializer_list<ExprId> values) {
  DType type = declared ? *declared : kernel_.exprs[typed(*values.begin())].dtype;
  for (ExprId value : values) resolve(value, type);
  return define(name, type);
}

StmtId KernelParser::loop() {
  Loop s;
  std::vector<LoopVar> vars;
  ranges(vars);
  if (vars.size() != 1) lex_.fail("a loop has one variable");
  s.range = vars[0];
  s.mark = static_cast<Mark>(std::max(0, accept_name(lex_, mark_names)));
  s.body = body();
  return kernel_.stmts.push(std::move(s));
}

StmtId KernelParser::let() {
  Let s;
  auto name = new_name();
  auto type = declared_type();
  lex_.expect("=");
  s.value = expression();
  s.local = defined_by(name, type, {s.value});
  return kernel_.stmts.push(std::move(s));
}

void KernelParser::def() {
  auto name = new_name();
  auto type = declared_type();
  lex_.expect("=");
  ExprId value = expression();
  if (type) resolve(value, *type);
  if (locals_.contains(name.first) || !defs_.emplace(name.first, typed(value)).second)
    throw TextError(name.second, "'" + escape(name.first, 40) + "' is defined twice");
}

StmtId KernelParser::reduce(Combine combine) {
  Reduce s;
  s.combine = combine;
  auto name = new_name();
  auto type = declared_type();
  lex_.expect("over");
  ranges(s.ranges);
  if (lex_.accept("order")) {
    int order = accept_name(lex_, order_names);
    if (order < 0) lex_.fail("expected the order of a reduction");
    s.order = static_cast<Order>(order);
  }
  s.mark = static_cast<Mark>(std::max(0, accept_name(lex_, mark_names)));
  lex_.expect("=");
  s.value = expression();
  s.local = defined_by(name, type, {s.value});
  return kernel_.stmts.push(std::move(s));
}

StmtId KernelParser::store() {
  Store s;
  std::string name = lex_.name();
  s.tensor = tensor(name);
  s.at = indices(s.tensor, name);
  lex_.expect("=");
  s.value = expression();
  resolve(s.value, kernel_.tensors[s.tensor].type.dtype);
  return kernel_.stmts.push(std::move(s));
}

void KernelParser::tiling(Tiling& t) {
  if (!lex_.accept("tile")) return;
  auto field = [&](std::string_view name, int64_t& value) {
    lex_.expect(name);
    lex_.expect("=");
    value = parse_integer(lex_, 0, INT64_MAX);
  };
  lex_.expect("(");
  field("rows", t.rows), lex_.expect(",");
  field("columns", t.columns), lex_.expect(",");
  field("task_rows", t.task_rows), lex_.expect(",");
  field("task_columns", t.task_columns);
  while (lex_.accept(",")) {
    bool a = lex_.accept("pack_a");
    if (!a) lex_.expect("pack_b");
    (a ? t.pack_a : t.pack_b) = true;
  }
  lex_.expect(")");
}

StmtId KernelParser::contract() {
  Contract s;
  auto name = new_name();
  auto type = declared_type();
  lex_.expect("over");
  if (!lex_.is(";")) ranges(s.m);
  lex_.expect(";");
  if (!lex_.is(";")) ranges(s.n);
  lex_.expect(";");
  if (!lex_.is("=") && !lex_.is("tile")) ranges(s.k);
  if (s.m.size() > UINT8_MAX || s.n.size() > UINT8_MAX) lex_.fail("too many variables of a contraction");
  tiling(s.tiling);
  lex_.expect("=");
  s.a = expression(primary_precedence);
  lex_.expect("*");
  s.b = expression(primary_precedence);
  s.local = defined_by(name, type, {s.a, s.b});
  s.body = body();
  return kernel_.stmts.push(std::move(s));
}

StmtId KernelParser::check() {
  Check s;
  lex_.expect("(");
  s.condition = expression();
  resolve(s.condition, DType::boolean);
  lex_.expect(")");
  if (lex_.accept("sample")) s.sample = typed(expression());
  if (lex_.accept("value")) s.value = typed(expression());
  lex_.expect("fault");
  lex_.expect("(");
  s.fault.code = static_cast<int32_t>(parse_integer(lex_, INT32_MIN, INT32_MAX));
  lex_.expect(",");
  s.fault.what = lex_.string();
  lex_.expect(")");
  return kernel_.stmts.push(std::move(s));
}

StmtId KernelParser::statement() {
  if (lex_.accept("for")) return loop();
  if (lex_.accept("let")) return let();
  if (lex_.accept("store")) return store();
  if (lex_.accept("contract")) return contract();
  if (lex_.accept("check")) return check();
  int combine = accept_name(lex_, combine_names);
  if (combine < 0) lex_.fail("expected a statement, found '" + escape(lex_.peek().text, 40) + "'");
  return reduce(static_cast<Combine>(combine));
}

void KernelParser::line(std::vector<StmtId>& out) {
  Location where = lex_.peek().where;
  if (lex_.accept("def")) return def();
  StmtId id = statement();
  places_.statements.resize(kernel_.stmts.size());
  places_.statements[id] = where;
  out.push_back(id);
}

std::vector<StmtId> KernelParser::body() {
  Nested nested(*this);
  std::vector<StmtId> list;
  lex_.expect("{");
  while (!lex_.accept("}")) line(list);
  return list;
}

// ---- the kernel -----------------------------------------------------------------------------------------------------

void KernelParser::parameter() {
  KernelTensor t;
  Token first = lex_.next();
  t.name = first.text;
  if (!lex_.is(":")) {
    auto at = std::find(access_names.begin(), access_names.end(), first.text);
    if (at == access_names.end())
      throw TextError(first.where, "expected in, out, inout or scratch, found '" + escape(first.text, 40) + "'");
    t.access = static_cast<Access>(at - access_names.begin());
    t.name = lex_.name();
  }
  lex_.expect(":");
  t.type = parse_tensor_type(lex_);
  bool after_scratch = !kernel_.tensors.empty() && t.access != Access::scratch &&
                       kernel_.tensors[TensorId(kernel_.tensors.size() - 1)].access == Access::scratch;
  if (after_scratch) throw TextError(first.where, "a parameter after a scratch tensor");
  if (!tensors_.emplace(t.name, kernel_.tensors.next()).second)
    throw TextError(first.where, "tensor '" + escape(t.name, 40) + "' is declared twice");
  kernel_.tensors.push(std::move(t));
}

void KernelParser::head() {
  lex_.expect("@");
  kernel_.name = lex_.name();
  lex_.expect("(");
  while (!lex_.is(")")) {
    parameter();
    if (!lex_.accept(",")) break;
  }
  lex_.expect(")");
  lex_.expect("tasks");
  kernel_.tasks = parse_integer(lex_, 0, INT64_MAX);
  kernel_.where = lex_.location();
}

Kernel KernelParser::run() {
  head();
  lex_.expect("{");
  while (lex_.accept("note")) kernel_.notes.push_back(lex_.string());
  while (!lex_.accept("}")) line(kernel_.body);
  return std::move(kernel_);
}

} // namespace

Kernel parse_kernel(Lexer& lexer, TextPlaces::KernelPlaces& places) { return KernelParser(lexer, places).run(); }

} // namespace dlcc::loops

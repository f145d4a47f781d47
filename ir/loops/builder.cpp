#include "ir/loops/builder.h"

#include <bit>

namespace dlcc::loops {

Builder::Builder(Kernel& kernel) : kernel_(kernel) {
  for (const std::string& name : kernel.vars) vars_.take(name, "");
  for (const Local& l : kernel.locals) locals_.take(l.name, ".");
  for (const KernelTensor& t : kernel.tensors) tensors_.take(t.name, ".");
}

std::string Builder::Names::take(const std::string& wanted, const char* separator) {
  std::string unique = wanted;
  for (int& suffix = last_[wanted]; !taken_.insert(unique).second;)
    unique = wanted + separator + std::to_string(++suffix);
  return unique;
}

VarId Builder::var(const std::string& name) { return kernel_.vars.push(vars_.take(name, "")); }

LocalId Builder::local(const std::string& name, DType dtype) {
  return kernel_.locals.push({locals_.take(name, "."), dtype});
}

TensorId Builder::tensor(KernelTensor t) {
  t.name = tensors_.take(t.name, ".");
  return kernel_.tensors.push(std::move(t));
}

namespace {
size_t hash_of(const Expr& e) {
  size_t h = static_cast<size_t>(e.kind) * 31 + static_cast<size_t>(e.dtype);
  auto mix = [&](size_t v) { h = (h ^ v) * 0x9E3779B97F4A7C15u; };
  mix(std::bit_cast<uint64_t>(e.value));
  mix(static_cast<size_t>(e.op) * 4 + e.padded);
  mix(e.tensor.index);
  mix(e.local.index);
  for (ExprId o : e.operands) mix(o.index);
  for (const Index& i : e.at) {
    mix(static_cast<size_t>(i.affine.constant));
    mix(i.indirect.index);
    for (auto& [v, c] : i.affine.terms) mix(v.index * 131u + static_cast<size_t>(c));
  }
  return h;
}
// NaN and -0 count as themselves, unlike with operator==.
bool same(const Expr& a, const Expr& b) {
  Expr x = a, y = b;
  if (std::bit_cast<uint64_t>(a.value) != std::bit_cast<uint64_t>(b.value)) return false;
  x.value = y.value = 0;
  return x == y;
}
} // namespace

ExprId Builder::intern(Expr e) {
  size_t h = hash_of(e);
  auto [first, last] = interned_.equal_range(h);
  for (auto it = first; it != last; ++it)
    if (same(kernel_.exprs[it->second], e)) return it->second;
  ExprId id = kernel_.exprs.push(std::move(e));
  interned_.emplace(h, id);
  return id;
}

ExprId Builder::constant(double value, DType dtype) {
  Expr e;
  e.kind = ExprKind::constant, e.dtype = dtype, e.value = value;
  return intern(std::move(e));
}

ExprId Builder::index(Index i) {
  if (i.indirect.valid() && i.affine.is_constant() && i.affine.constant == 0) return i.indirect;
  if (!i.indirect.valid() && i.affine.is_constant())
    return constant(static_cast<double>(i.affine.constant), DType::i64);
  Expr e;
  e.kind = ExprKind::index, e.dtype = DType::i64, e.at = {std::move(i)};
  return intern(std::move(e));
}

ExprId Builder::local(LocalId l) {
  Expr e;
  e.kind = ExprKind::local, e.dtype = kernel_.locals[l].dtype, e.local = l;
  return intern(std::move(e));
}

ExprId Builder::load(TensorId t, std::vector<Index> at, bool padded) {
  const KernelTensor& tensor = kernel_.tensors[t];
  DLCC_CHECK(at.size() == tensor.type.rank(), "a load of '" + tensor.name + "' has the wrong number of indices");
  Expr e;
  e.kind = ExprKind::load, e.dtype = tensor.type.dtype, e.tensor = t, e.at = std::move(at), e.padded = padded;
  return intern(std::move(e));
}

ExprId Builder::op(ScalarOp op, std::vector<ExprId> operands) {
  DLCC_CHECK(static_cast<int>(operands.size()) == operand_count(op),
             std::string("wrong number of operands of ") + std::string(name_of(op)));
  Expr e;
  e.kind = ExprKind::op, e.op = op, e.dtype = dtype(operands[0]);
  if (facts_of(op).result == ResultRule::boolean) e.dtype = DType::boolean;
  if (op == ScalarOp::select)
    e.dtype = dtype(operands[1]);
  else if (operands.size() == 2)
    DLCC_CHECK(dtype(operands[0]) == dtype(operands[1]), std::string(name_of(op)) + " of two different types");
  e.operands = std::move(operands);
  return intern(std::move(e));
}

ExprId Builder::select(ExprId condition, ExprId yes, ExprId no) {
  return yes == no ? yes : op(ScalarOp::select, {condition, yes, no});
}

ExprId Builder::cast(ExprId x, DType to) {
  if (dtype(x) == to) return x;
  Expr e;
  e.kind = ExprKind::op, e.op = ScalarOp::cast, e.dtype = to, e.operands = {x};
  return intern(std::move(e));
}

ExprId Builder::random_uniform(ExprId seed, ExprId batch, ExprId stream, ExprId element, DType dtype) {
  Expr e;
  e.kind = ExprKind::op, e.op = ScalarOp::random_uniform, e.dtype = dtype;
  e.operands = {seed, batch, stream, element};
  return intern(std::move(e));
}

StmtId Builder::stmt(Stmt s) { return kernel_.stmts.push(std::move(s)); }

} // namespace dlcc::loops

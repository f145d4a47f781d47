// Builds the expressions and statements of one kernel; equal expressions are shared, trivial ones simplified exactly.
#pragma once

#include "ir/loops/program.h"

#include <string>
#include <unordered_map>
#include <unordered_set>

namespace dlcc::loops {

class Builder {
public:
  explicit Builder(Kernel& kernel);
  Kernel& kernel() { return kernel_; }
  DType dtype(ExprId e) const { return kernel_.exprs[e].dtype; }

  // Names are made unique.
  VarId var(const std::string& name);
  LocalId local(const std::string& name, DType dtype);
  TensorId tensor(KernelTensor t);

  ExprId constant(double value, DType dtype);
  ExprId index(Index i); ///< the index as an i64
  ExprId local(LocalId l);
  ExprId load(TensorId t, std::vector<Index> at, bool padded = false);
  ExprId op(ScalarOp op, std::vector<ExprId> operands);
  ExprId select(ExprId condition, ExprId yes, ExprId no);
  ExprId cast(ExprId e, DType to); ///< e itself when it has that type
  /// Philox number in (0, 1) of an element (i64) of the stream with that name; seed and batch are i64.
  ExprId random_uniform(ExprId seed, ExprId batch, ExprId stream, ExprId element, DType dtype);

  // Shorthands; both operands have one type.
  ExprId add(ExprId a, ExprId b) { return op(ScalarOp::add, {a, b}); }
  ExprId subtract(ExprId a, ExprId b) { return op(ScalarOp::subtract, {a, b}); }
  ExprId multiply(ExprId a, ExprId b) { return op(ScalarOp::multiply, {a, b}); }
  ExprId divide(ExprId a, ExprId b) { return op(ScalarOp::divide, {a, b}); }
  ExprId less(ExprId a, ExprId b) { return op(ScalarOp::less, {a, b}); }

  /// Statements are created detached; the caller puts the id into a body.
  StmtId stmt(Stmt s);

private:
  /// The names of one kind, with the last suffix tried for each, so that n equal ones take linear time.
  class Names {
  public:
    std::string take(const std::string& wanted, const char* separator);

  private:
    std::unordered_set<std::string> taken_;
    std::unordered_map<std::string, int> last_;
  };

  ExprId intern(Expr e);
  Kernel& kernel_;
  Names vars_, locals_, tensors_;
  std::unordered_multimap<size_t, ExprId> interned_;
};

} // namespace dlcc::loops

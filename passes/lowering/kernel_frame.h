// What every kernel under construction has: its parameters by buffer, its loops, and where statements go.
#pragma once

#include "passes/lowering/lower_cluster.h"

#include <map>

namespace dlcc::passes {

class KernelFrame {
public:
  KernelFrame(const LoweringContext& context, std::string name, Location where);

  loops::Builder& build() { return build_; }
  /// The parameter for a buffer, made on first use under the name of the value.
  loops::TensorId parameter(loops::BufferId buffer, const std::string& name, const Type& type, loops::Access access);
  /// The parameter through which v is read or written.
  loops::TensorId parameter(graph::ValueId v, loops::Access access);
  loops::TensorId fault();

  /// Opens a loop for every axis whose extent is not 1 and gives the index of every axis.
  std::vector<loops::Index> open_loops(const Shape& extents, const std::string& letters);
  /// Opens a statement that has a body: a loop or a contraction.
  void open(loops::Stmt s);
  void close_loops(size_t depth);
  size_t depth() const { return bodies_.size(); }
  /// Appends to the innermost open loop.
  void emit(loops::Stmt s);
  void store(loops::TensorId tensor, std::vector<loops::Index> at, loops::ExprId value);
  loops::ExprId let(const std::string& name, loops::ExprId value);
  loops::ExprId reduce(const std::string& name, loops::Combine combine, std::vector<loops::LoopVar> vars,
                       loops::ExprId value);

  /// Parameters go first, scratch last.
  LoweredCluster finish();

private:
  const LoweringContext& context_;
  loops::Kernel kernel_;
  loops::Builder build_;
  std::map<loops::BufferId, loops::TensorId> parameters_;
  std::vector<loops::BufferId> arguments_;
  struct Open {
    loops::StmtId statement; ///< a loop or a contraction; not valid: the kernel's own body
    std::vector<loops::StmtId> body;
  };
  std::vector<Open> bodies_;
};

/// The order of sums: short ones in one chain; over contiguous elements in lanes; over strided ones in blocks, the
/// order a contraction has. A function of extents and layout alone.
loops::Order reduction_order(const loops::Kernel& kernel, loops::Combine combine,
                             const std::vector<loops::LoopVar>& vars, loops::ExprId value);

} // namespace dlcc::passes

// How a node reads its operands, derived from its element expression: which elements of which stored values make one
// element of its result. Everything fusion decides, it decides on these facts, never on operator names.
#pragma once

#include "ir/graph/graph.h"
#include "ir/loops/element.h"

#include <optional>

namespace dlcc::passes {

/// Where the value of a graph value comes from when a kernel needs it.
enum class Storage : uint8_t {
  external, ///< a parameter, a state, or a constant tensor
  alias,    ///< the same storage as its operand, under another shape
  inlined,  ///< computed where it is used: views and constants
  computed, ///< by the kernel of its cluster
};
IdVector<graph::ValueId, Storage> classify_values(const graph::Function& function);

/// Follows aliases to the value that owns the storage.
graph::ValueId storage_of(const graph::Function& function, const IdVector<graph::ValueId, Storage>& storage,
                          graph::ValueId v);

/// Whether who reads v reads what it is made of: it is inlined, or an alias whose elements are those of its operand at
/// the same indices, but for axes of extent 1.
bool reads_through(const graph::Function& function, const IdVector<graph::ValueId, Storage>& storage, graph::ValueId v);

/// Receives what the expansion of an element expression meets.
class ElementSink {
public:
  virtual ~ElementSink() = default;
  /// An element of a value that the expansion does not look into; nothing if it should.
  virtual std::optional<loops::ExprId> leaf(graph::ValueId v, const std::vector<loops::Index>& at, bool padded) = 0;
  virtual loops::ExprId reduce(loops::Combine combine, std::vector<loops::LoopVar> vars, loops::ExprId value) = 0;
  virtual loops::ExprId contract(std::vector<loops::LoopVar> vars, loops::ExprId a, loops::ExprId b) = 0;
  virtual void check(loops::ExprId condition, loops::ExprId sample, loops::ExprId value, loops::Fault fault) = 0;
  virtual loops::ExprId argument(const std::string& name, int64_t value) = 0;
};

/// Whether the indices lie within the shape, as a boolean; not valid for rank 0.
loops::ExprId is_inside(const Shape& shape, const std::vector<loops::Index>& at, loops::Builder& build);

/// The element of v at these indices as an expression of the kernel under construction.
loops::ExprId expand_element(const graph::Function& function, graph::ValueId v, const std::vector<loops::Index>& at,
                             bool padded, loops::Builder& build, ElementSink& sink);

/// One read of a stored value by one element of a node's result.
struct Read {
  graph::ValueId value;
  std::vector<loops::Index> at; ///< in the result's variables (VarId 0 .. rank-1) and those of reductions behind them
  bool padded = false;
  int factor = 0; ///< of a contraction: 1 = factor a, 2 = factor b
};

struct NodeAccess {
  std::vector<Read> reads;
  int scalar_ops = 0;  ///< of one element, reductions counted once
  double cost = 0;     ///< of them, in additions
  int64_t reduced = 1; ///< elements that reductions run over, those inside each other multiplied
  int64_t longest = 1; ///< elements of the longest reduction
  bool reduces = false, contracts = false, checks = false;
};
NodeAccess access_of(const graph::Function& function, graph::NodeId node,
                     const IdVector<graph::ValueId, Storage>& storage);

/// How many leading axes of the result the read follows one to one: at[i] = i-th variable, extents equal.
size_t identity_prefix(const graph::Function& function, const Read& read, const Shape& result_shape);

} // namespace dlcc::passes

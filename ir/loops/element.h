// What an operator's element hook sees: it says how one element of its result is computed from elements of its
// operands, and so fuses with everything around it, whatever that is.
#pragma once

#include "ir/loops/builder.h"

#include <functional>
#include <span>

namespace dlcc::loops {

class ElementContext {
public:
  virtual ~ElementContext() = default;
  virtual const Attributes& attributes() const = 0;
  virtual size_t operand_count() const = 0;
  virtual const Type& operand_type(size_t k) const = 0;
  virtual const Type& result_type() const = 0;
  /// The indices of the wanted element, one an axis of the result.
  virtual const std::vector<Index>& at() const = 0;
  /// The element of operand k at these indices. With `padded`, an index outside it reads as zero.
  virtual ExprId operand(size_t k, std::vector<Index> indices, bool padded = false) = 0;
  /// combine over all index tuples below `extents` of body(indices).
  virtual ExprId reduce(Combine combine, const Shape& extents,
                        const std::function<ExprId(std::span<const Index>)>& body) = 0;
  /// sum over all index tuples below `extents` of a * b, a and b being the pair that body(indices) returns; the
  /// generator of contractions takes it over.
  virtual ExprId contract(const Shape& extents,
                          const std::function<std::pair<ExprId, ExprId>(std::span<const Index>)>& body) = 0;
  /// Reports a fault when `condition` is true.
  virtual void check(ExprId condition, ExprId sample, ExprId value, Fault fault) = 0;
  /// An i64 that the kernel takes as an argument: kernels that differ in such numbers alone are one.
  virtual ExprId argument(const std::string& name, int64_t value) = 0;
  /// Scalar expressions of the kernel being built.
  virtual Builder& build() = 0;
  /// The wanted element; called once by every hook.
  virtual void set(ExprId value) = 0;

  /// The element of operand k that NumPy's broadcasting pairs with the wanted one.
  ExprId operand(size_t k);
};

} // namespace dlcc::loops

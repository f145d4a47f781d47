// The meaning of the graph IR: an interpreter over the operators' references, in double precision whatever the element
// types are. It is the oracle for tests and folds constants; it is never fast.
#pragma once

#include "ir/graph/op.h"

#include <map>

namespace dlcc::graph {

struct Environment {
  std::map<std::string, Tensor> states; ///< by state name; read, and replaced by updates
  std::map<std::string, Tensor> inputs; ///< by parameter name, scalars of the call included; an absent hyper is NaN
};

/// Runs a function of the module and returns its results. Updates take effect together at the end, so every read sees
/// the state as it was before. A composite without a reference is evaluated through its body. A tensor that is missing
/// or has another type than declared, and calls nested deeper than 256, are internal errors.
std::vector<Tensor> evaluate(const Module& module, const Function& function, OpTable ops, Environment& environment);

/// Applies one operator to tensors; throws InferError when its rules are violated.
std::vector<Tensor> evaluate_op(const OpDef& op, std::span<const Tensor> operands, const Attributes& attributes,
                                OpTable ops);

} // namespace dlcc::graph

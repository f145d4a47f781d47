// The only way to add a node to a function: infers, checks and names its results.
#pragma once

#include "ir/graph/op.h"

namespace dlcc::graph {

/// A rule of an operator was violated; the frontend turns it into a diagnostic at the node's place.
struct InferError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Builder {
public:
  Builder(Module& module, Function& function, OpTable ops) : module_(module), function_(function), ops_(ops) {}

  Module& module() { return module_; }
  Function& function() { return function_; }
  const Type& type(ValueId v) const { return function_.values[v].type; }

  ValueId parameter(std::string name, Type type, ParameterRole role);
  /// The scalar of the call with that name (n_valid, batch, update, seed), declared on first use.
  ValueId call_scalar(std::string_view name);
  /// The overridable number with that name, declared on first use; NaN when the caller did not set it.
  ValueId hyper(std::string_view name);
  /// The state's value before any update; one value per function.
  ValueId state(StateId id);

  /// Adds a node; throws InferError when the operator's rules are violated.
  ValueId add(std::string_view op, std::vector<ValueId> operands, Attributes attributes = {});
  std::vector<ValueId> add_all(const OpDef& op, std::vector<ValueId> operands, Attributes attributes = {});
  /// A rank-0 constant.
  ValueId constant(double value, DType dtype);
  /// A constant of the element type of `like`.
  ValueId constant_like(double value, ValueId like) { return constant(value, type(like).dtype); }

  void update(StateId state, ValueId value);

  /// Names the result (and keeps it unique by appending .1, .2, ...).
  ValueId named(ValueId v, std::string_view name);
  /// What nodes added from now on carry; restored by the caller.
  Location where;
  std::string name_hint; ///< results are called this, made unique; empty: after the operator
  std::string note;

private:
  std::string unique_name(std::string_view wanted);
  Module& module_;
  Function& function_;
  OpTable ops_;
};

} // namespace dlcc::graph

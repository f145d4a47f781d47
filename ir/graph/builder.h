// The only way to add a node to a function: infers, checks and names its results.
#pragma once

#include "ir/graph/op.h"

#include <unordered_map>
#include <unordered_set>

namespace dlcc::graph {

/// A rule of an operator was violated; the frontend turns it into a diagnostic at the node's place.
struct InferError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The result types of `op` in `module`. Checks arity and attributes against the record (an integer given where a
/// number is wanted becomes one), runs the shape rule, and checks that every type is static and of a countable size;
/// throws InferError "op: text (C2)".
std::vector<Type> infer(const Module& module, const OpDef& op, std::span<const Type> operands, Attributes& attributes);

class Builder {
public:
  Builder(Module& module, Function& function, OpTable ops) : module_(module), function_(function), ops_(ops) {}

  Module& module() { return module_; }
  Function& function() { return function_; }
  OpTable ops() const { return ops_; }
  const Type& type(ValueId v) const { return function_.values[v].type; }

  /// Throws InferError when another parameter has that name; other values make way.
  ValueId parameter(std::string name, Type type, ParameterRole role);
  /// The scalar of the call with that name (n_valid, batch, update, seed), declared on first use.
  ValueId call_scalar(std::string_view name);
  /// The overridable number with that name, declared on first use; NaN when the caller did not set it.
  ValueId hyper(std::string_view name);
  /// The state's value before any update; one value per function, called like the state.
  ValueId state(StateId id);

  /// Adds a node and returns its first result (not valid() if it has none); throws InferError when the operator's
  /// rules are violated.
  ValueId add(std::string_view op, std::vector<ValueId> operands, Attributes attributes = {});
  std::vector<ValueId> add_all(const OpDef& op, std::vector<ValueId> operands, Attributes attributes = {});
  /// A rank-0 constant.
  ValueId constant(double value, DType dtype);
  /// A constant of the element type of `like`.
  ValueId constant_like(double value, ValueId like) { return constant(value, type(like).dtype); }

  /// Throws InferError when the types differ or the state is already updated in this function.
  void update(StateId state, ValueId value);

  /// Names the result (and keeps it unique by appending .1, .2, ...).
  ValueId named(ValueId v, std::string_view name);
  /// Gives exactly this name; a result that has it is renamed. Throws InferError when a parameter or state has it.
  void take_name(ValueId v, std::string_view name);
  /// True if a parameter or state has this name, so that take_name would refuse it.
  bool reserved(std::string_view name);
  /// What nodes added from now on carry; restored by the caller.
  Location where;
  std::string name_hint; ///< results are called this, made unique; empty: after the operator
  std::string note;

private:
  /// Who has a name, and the last suffix tried for it, so that making names unique takes linear time in all.
  struct Name {
    ValueId holder;
    uint32_t suffix = 0;
  };
  void catch_up();
  std::string unique_name(std::string_view wanted);
  ValueId push(Value value);
  void make_room(const std::string& name);
  ValueId scalar_parameter(std::string_view name, DType dtype, ParameterRole role);

  Module& module_;
  Function& function_;
  OpTable ops_;
  size_t known_values_ = 0, known_updates_ = 0; ///< how much of the function the tables below have seen
  std::unordered_map<std::string, Name> names_;
  std::unordered_map<StateId, ValueId> states_;
  std::unordered_set<StateId> updated_;
};

} // namespace dlcc::graph

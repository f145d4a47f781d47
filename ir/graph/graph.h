// The graph IR: a module of functions over declared state. SSA and functional; an update of a state is an explicit
// effect of its function, so nothing can be moved across it by accident.
//
// Invariants (verify.h checks them): values of a function are in topological order (a node's operands come before its
// results); names are unique within a function; a state is updated at most once in a function; every type is static; a
// function calls only functions that come before it in the module, so calls never recur.
#pragma once

#include "ir/base/attributes.h"
#include "ir/base/diagnostics.h"
#include "ir/base/ids.h"
#include "ir/base/shape.h"

#include <optional>
#include <string>
#include <vector>

namespace dlcc::graph {

struct OpDef;

using ValueId = Id<struct ValueTag>;
using NodeId = Id<struct NodeTag>;
using StateId = Id<struct StateTag>;
using FunctionId = Id<struct FunctionTag>;

/// What a state is for; it decides the region the state lives in (runtime/abi.h).
enum class StateRole : uint8_t {
  parameter, ///< learned, or frozen when not trainable
  slot,      ///< belongs to the optimizer: moments, velocity
  buffer,    ///< running statistics
  metric,    ///< what a metric has added up since the last reset
  gradient,  ///< accumulated gradient of a parameter, for callers that apply gradients themselves
};

/// A tensor that outlives a step.
struct State {
  std::string name; ///< "hidden/kernel"
  Type type;
  StateRole role = StateRole::parameter;
  std::string initializer = "zeros"; ///< a rule of ir/ops/initializers
  Attributes initializer_attributes;
  Attributes attributes; ///< trainable, l1, l2, lr_mult, ...; absent means the default
  Location where;
  bool trainable() const { return role == StateRole::parameter && attributes.boolean("trainable", true); }
};

/// A number the caller may override between steps; NaN in the call means the value here, or the compiled schedule.
struct Hyper {
  std::string name;
  double value = 0;
};

/// What the frontend decided and a pass carries out: `optimizer adam {beta_1 = 0.9}`, `schedule cosine {...}`,
/// `clip global_norm {value = 5.0}`, `loss ...`, `compile ...`. Kept as text-like data so that every stage can be fed
/// back in.
struct Directive {
  std::string kind; ///< "optimizer", "schedule", "clip", ...
  std::string name; ///< "adam"
  Attributes attributes;
  Location where;
};

enum class ParameterRole : uint8_t {
  input, ///< a tensor of the batch
  label, ///< a label or sample weight of the batch
  call,  ///< a scalar of the call: n_valid, batch, update, seed (i64)
  hyper, ///< a number of the hyper table, as set by the caller: NaN when it is not overridden (f64)
};

enum class ValueKind : uint8_t { parameter, state, result };

struct Value {
  std::string name; ///< unique in its function
  Type type;
  ValueKind kind = ValueKind::result;
  ParameterRole role = ParameterRole::input; ///< of a parameter
  StateId state;                             ///< of a state read: the version before any update
  NodeId node;                               ///< of a result
  uint32_t result_index = 0;
};

/// One application of an operator.
struct Node {
  const OpDef* op = nullptr;
  std::vector<ValueId> operands;
  Attributes attributes;
  std::vector<ValueId> results;
  Location where;
  std::string note;     ///< which rule made it: "d relu", "rule sigmoid-crossentropy"; printed as commentary
  int32_t cluster = -1; ///< the cluster that computes it, from the fusion pass on; -1: none yet
};

/// The state's buffer holds `value` after the function has run.
struct Update {
  StateId state;
  ValueId value;
  Location where;
};

/// How the nodes of one cluster are computed together (passes/fusion).
struct Cluster {
  std::string name;
  std::vector<std::string> notes; ///< why a neighbour was refused; grammar, not commentary
};

struct Function {
  std::string name;
  bool entry = false;                    ///< becomes an entry of the artefact
  StableIdVector<ValueId, Value> values; ///< types may be referred to while nodes are added
  StableIdVector<NodeId, Node> nodes;    ///< in topological order
  std::vector<ValueId> parameters;
  std::vector<ValueId> results;
  std::vector<Update> updates;
  std::vector<Cluster> clusters; ///< from the fusion pass on
  std::string gradient;          ///< name of the function that computes its gradient, if the user gave one
  Location where;

  const Type& type(ValueId v) const { return values[v].type; }
  std::optional<ValueId> find(std::string_view name) const;
};

/// The stages of the pipeline that a graph module can be in; each has its own rules of what is legal.
enum class Stage : uint8_t { source, stable, training, simplified, clustered };
std::string_view name_of(Stage stage);
std::string_view name_of(StateRole role);
std::optional<StateRole> state_role_from_name(std::string_view name);
std::string_view name_of(ParameterRole role);
std::optional<ParameterRole> parameter_role_from_name(std::string_view name);
std::optional<Stage> stage_from_name(std::string_view name);

struct Module {
  std::string name;
  Stage stage = Stage::source;
  std::string file;         ///< the model file that locations point into
  DType dtype = DType::f32; ///< of the model's floats
  int64_t batch = 0;        ///< rows of a full batch; 0: the model has no batch axis
  StableIdVector<StateId, State> states;
  std::vector<Hyper> hypers;
  std::vector<Directive> directives;
  StableIdVector<FunctionId, Function> functions;

  std::optional<StateId> find_state(std::string_view name) const;
  std::optional<FunctionId> find_function(std::string_view name) const;
  const Directive* find_directive(std::string_view kind) const;
};

} // namespace dlcc::graph

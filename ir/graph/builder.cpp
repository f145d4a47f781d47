#include "ir/graph/builder.h"

namespace dlcc::graph {

namespace {
[[noreturn]] void refuse(const OpDef& op, const std::string& text) {
  throw InferError(std::string(op.name) + ": " + text);
}

void check_attributes(const OpDef& op, Attributes& attributes) {
  Attributes widened;
  for (const auto& [name, given] : attributes) {
    const AttributeDef* def = nullptr;
    for (const AttributeDef& d : op.attributes)
      if (d.name == name) def = &d;
    if (!def) refuse(op, "unknown attribute '" + escape(name, 40) + "'");
    AttributeValue value = given;
    if (!make_kind(value, def->kind))
      refuse(op, "attribute '" + escape(name, 40) + "' must be of kind " + std::string(name_of(def->kind)));
    widened.set(name, std::move(value));
  }
  for (const AttributeDef& d : op.attributes)
    if (d.required && !widened.has(d.name)) refuse(op, "attribute '" + std::string(d.name) + "' is missing");
  attributes = std::move(widened);
}

void check_arity(const OpDef& op, size_t count) {
  auto least = static_cast<size_t>(op.min_operands), most = static_cast<size_t>(op.max_operands);
  if (count >= least && (op.max_operands < 0 || count <= most)) return;
  std::string wanted = std::to_string(least);
  if (op.max_operands < 0)
    wanted = "at least " + wanted;
  else if (most != least)
    wanted += " to " + std::to_string(most);
  refuse(op, "takes " + wanted + " inputs, got " + std::to_string(count));
}

void check_static(const OpDef& op, const Type& type) {
  if (type.rank() > max_rank)
    refuse(op, "the result " + to_string(type) + " has more than " + std::to_string(max_rank) + " dimensions");
  for (int64_t d : type.shape)
    if (d < 0) refuse(op, "the result " + to_string(type) + " has a negative dimension");
  if (!checked_bytes(type)) refuse(op, "the result " + to_string(type) + " is too large");
}
} // namespace

std::vector<Type> infer(const Module& module, const OpDef& op, std::span<const Type> operands, Attributes& attributes) {
  check_arity(op, operands.size());
  check_attributes(op, attributes);
  InferContext context(operands, attributes, &module);
  std::vector<Type> results = op.infer(context);
  if (context.failed()) refuse(op, context.message());
  for (const Type& type : results) check_static(op, type);
  return results;
}

// ---- names ----------------------------------------------------------------------------------------------------------

// A function may have been filled before this builder saw it.
void Builder::catch_up() {
  for (; known_values_ < function_.values.size(); ++known_values_) {
    ValueId v(known_values_);
    const Value& value = function_.values[v];
    names_[value.name].holder = v;
    if (value.kind == ValueKind::state) states_[value.state] = v;
  }
  for (; known_updates_ < function_.updates.size(); ++known_updates_)
    updated_.insert(function_.updates[known_updates_].state);
}

std::string Builder::unique_name(std::string_view wanted) {
  std::string name(wanted);
  auto at = names_.find(name);
  if (at == names_.end() || !at->second.holder.valid()) return name;
  for (uint32_t& suffix = at->second.suffix;;) {
    std::string candidate = name + "." + std::to_string(++suffix);
    auto other = names_.find(candidate);
    if (other == names_.end() || !other->second.holder.valid()) return candidate;
  }
}

ValueId Builder::push(Value value) {
  ValueId v = function_.values.push(std::move(value));
  catch_up();
  return v;
}

// A result that has the name is renamed.
void Builder::make_room(const std::string& name) {
  if (reserved(name)) throw InferError("the name '" + escape(name, 80) + "' is that of a parameter or state");
  auto at = names_.find(name);
  if (at == names_.end() || !at->second.holder.valid()) return;
  ValueId holder = at->second.holder;
  std::string other = unique_name(name);
  function_.values[holder].name = other;
  names_[other].holder = holder;
  names_[name].holder = {};
}

void Builder::take_name(ValueId v, std::string_view wanted) {
  catch_up();
  std::string name(wanted);
  if (function_.values[v].name == name) return;
  make_room(name);
  names_[function_.values[v].name].holder = {};
  function_.values[v].name = name;
  names_[name].holder = v;
}

bool Builder::reserved(std::string_view name) {
  catch_up();
  auto at = names_.find(std::string(name));
  return at != names_.end() && at->second.holder.valid() &&
         function_.values[at->second.holder].kind != ValueKind::result;
}

ValueId Builder::named(ValueId v, std::string_view name) {
  catch_up();
  if (function_.values[v].name == name) return v;
  take_name(v, unique_name(name));
  return v;
}

// ---- parameters and state -------------------------------------------------------------------------------------------

ValueId Builder::parameter(std::string name, Type type, ParameterRole role) {
  catch_up();
  make_room(name);
  ValueId v = push({.name = std::move(name), .type = std::move(type), .kind = ValueKind::parameter, .role = role});
  function_.parameters.push_back(v);
  return v;
}

ValueId Builder::scalar_parameter(std::string_view name, DType dtype, ParameterRole role) {
  catch_up();
  auto at = names_.find(std::string(name));
  if (at != names_.end() && at->second.holder.valid()) {
    const Value& value = function_.values[at->second.holder];
    if (value.kind == ValueKind::parameter && value.role == role) return at->second.holder;
  }
  return parameter(std::string(name), {dtype, {}}, role);
}

ValueId Builder::call_scalar(std::string_view name) { return scalar_parameter(name, DType::i64, ParameterRole::call); }
ValueId Builder::hyper(std::string_view name) { return scalar_parameter(name, DType::f64, ParameterRole::hyper); }

ValueId Builder::state(StateId id) {
  catch_up();
  if (auto at = states_.find(id); at != states_.end()) return at->second;
  const State& state = module_.states[id];
  make_room(state.name);
  return push({.name = state.name, .type = state.type, .kind = ValueKind::state, .state = id});
}

void Builder::update(StateId state, ValueId value) {
  catch_up();
  const State& s = module_.states[state];
  if (!(s.type == type(value)))
    throw InferError("update of '" + escape(s.name, 80) + "': expected " + to_string(s.type) + ", found " +
                     to_string(type(value)));
  if (updated_.count(state)) throw InferError("the state '" + escape(s.name, 80) + "' is updated twice");
  function_.updates.push_back({state, value, where});
  catch_up();
}

// ---- nodes ----------------------------------------------------------------------------------------------------------

std::vector<ValueId> Builder::add_all(const OpDef& op, std::vector<ValueId> operands, Attributes attributes) {
  catch_up();
  std::vector<Type> types;
  types.reserve(operands.size());
  for (ValueId v : operands) {
    DLCC_CHECK(v.index < function_.values.size(), std::string(op.name) + ": an operand is no value of the function");
    types.push_back(type(v));
  }
  std::vector<Type> inferred = infer(module_, op, types, attributes);
  NodeId node = function_.nodes.next();
  std::vector<ValueId> results;
  for (size_t k = 0; k < inferred.size(); ++k)
    results.push_back(push({.name = unique_name(name_hint.empty() ? op.name : std::string_view(name_hint)),
                            .type = std::move(inferred[k]),
                            .kind = ValueKind::result,
                            .node = node,
                            .result_index = static_cast<uint32_t>(k)}));
  function_.nodes.push({.op = &op,
                        .operands = std::move(operands),
                        .attributes = std::move(attributes),
                        .results = results,
                        .where = where,
                        .note = note});
  return results;
}

ValueId Builder::add(std::string_view name, std::vector<ValueId> operands, Attributes attributes) {
  const OpDef* op = find_op(ops_, name);
  if (!op) throw InferError("unknown operator '" + escape(name, 40) + "'");
  std::vector<ValueId> results = add_all(*op, std::move(operands), std::move(attributes));
  return results.empty() ? ValueId() : results.front();
}

ValueId Builder::constant(double value, DType dtype) {
  return add("constant", {}, {{"dtype", dtype}, {"value", value}});
}

} // namespace dlcc::graph

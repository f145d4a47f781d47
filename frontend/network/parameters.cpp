#include "frontend/network/parameters.h"

namespace dlcc::frontend {

Parameters::Entry& Parameters::entry(const std::string& name, const Type& type, const Place& place) {
  auto [at, is_new] = entries_.try_emplace(name);
  Entry& e = at->second;
  if (is_new) {
    graph::State state;
    state.name = name, state.type = type, state.where = place.where;
    e.state = module_.states.push(std::move(state));
    e.place = place;
  } else if (const Type& known = module_.states[e.state].type; !(known == type)) {
    throw ModelError{"shape-mismatch",
                     "parameter " + quoted(name) + " is " + to_string(known) + " elsewhere, expected " +
                         to_string(type) + " here",
                     place};
  }
  return e;
}

graph::StateId Parameters::own(const ParameterRequest& request) {
  if (is_integer(request.type.dtype) && request.trainable)
    throw ModelError{"not-trainable",
                     "parameter " + quoted(request.name) + " is " + to_string(request.type) +
                         " and cannot be trained, expected a float type or \"trainable\": false",
                     request.place};
  if (request.initializer == fan_uniform)
    throw ModelError{"invalid-value",
                     "initializer '" + request.initializer + "' of " + quoted(request.name) +
                         " goes by the inputs and outputs of a layer, expected one that goes by the shape",
                     request.place};
  const size_t rank = request.type.shape.size();
  if ((request.initializer == "identity" && rank != 2) || (request.initializer == "orthogonal" && rank < 2))
    throw ModelError{"shape-mismatch",
                     "initializer '" + request.initializer + "' of " + quoted(request.name) + ", which is " +
                         to_string(request.type) + ", expected a matrix",
                     request.place};
  Entry& e = entry(request.name, request.type, request.place);
  if (std::exchange(e.is_owned, true)) return e.state;
  graph::State& state = module_.states[e.state];
  state.initializer = request.initializer;
  state.initializer_attributes = request.initializer_attributes;
  state.where = request.place.where;
  if (!request.trainable) state.attributes.set("trainable", false);
  if (request.lr_mult != 1) state.attributes.set("lr_mult", request.lr_mult);
  if (request.is_weight) weights_.push_back(e.state);
  return e.state;
}

graph::StateId Parameters::tied(const std::string& name, const Type& type, const Place& place) {
  return entry(name, type, place).state;
}

void Parameters::penalize(const std::string& owner, graph::StateId state, const Record* regularizer) {
  if (!regularizer || !penalized_.insert(owner).second) return;
  double l1 = regularizer->number("l1"), l2 = regularizer->number("l2");
  if (l1 != 0 || l2 != 0) penalties_.push_back({state, l1, l2, regularizer->place});
}

void Parameters::report_missing() {
  std::vector<std::string> names;
  for (const auto& [name, e] : entries_)
    if (e.is_owned) names.push_back(name);
  for (const auto& [name, e] : entries_)
    if (!e.is_owned)
      report_.error("unknown-name", "no layer owns a parameter " + quoted(name) + did_you_mean(name, names), e.place);
}

Attributes attributes_of(const Record& record) {
  Attributes out;
  for (size_t i = 0; i < record.args.size(); ++i) {
    const ArgValue& value = record.args[i].value;
    const std::string& name = record.def->keys[i].name;
    if (const auto* flag = std::get_if<bool>(&value)) out.set(name, *flag);
    if (const auto* integer = std::get_if<int64_t>(&value)) out.set(name, static_cast<double>(*integer));
    if (const auto* number = std::get_if<double>(&value)) out.set(name, *number);
    if (const auto* text = std::get_if<std::string>(&value)) out.set(name, *text);
    if (const auto* numbers = std::get_if<std::vector<double>>(&value)) out.set(name, *numbers);
    if (const auto* integers = std::get_if<std::vector<int64_t>>(&value))
      out.set(name, std::vector<double>(integers->begin(), integers->end()));
  }
  return out;
}

} // namespace dlcc::frontend

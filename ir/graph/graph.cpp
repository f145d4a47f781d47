#include "ir/graph/graph.h"

#include <span>

namespace dlcc::graph {

namespace {
constexpr std::string_view stage_names[] = {"source", "stable", "training", "simplified", "clustered"};
constexpr std::string_view state_role_names[] = {"parameter", "slot", "buffer", "metric", "gradient"};
constexpr std::string_view parameter_role_names[] = {"input", "label", "call", "hyper"};

template <class E> std::optional<E> from_name(std::span<const std::string_view> names, std::string_view name) {
  for (size_t i = 0; i < names.size(); ++i)
    if (names[i] == name) return static_cast<E>(i);
  return std::nullopt;
}

template <class I, class T, class S>
std::optional<I> find_by_name(const IdVector<I, T, S>& items, std::string_view name) {
  for (I id : items.ids())
    if (items[id].name == name) return id;
  return std::nullopt;
}
} // namespace

std::string_view name_of(Stage stage) { return stage_names[static_cast<size_t>(stage)]; }
std::optional<Stage> stage_from_name(std::string_view name) { return from_name<Stage>(stage_names, name); }
std::string_view name_of(StateRole role) { return state_role_names[static_cast<size_t>(role)]; }
std::optional<StateRole> state_role_from_name(std::string_view name) {
  return from_name<StateRole>(state_role_names, name);
}
std::string_view name_of(ParameterRole role) { return parameter_role_names[static_cast<size_t>(role)]; }
std::optional<ParameterRole> parameter_role_from_name(std::string_view name) {
  return from_name<ParameterRole>(parameter_role_names, name);
}

std::optional<ValueId> Function::find(std::string_view name) const { return find_by_name(values, name); }
std::optional<StateId> Module::find_state(std::string_view name) const { return find_by_name(states, name); }
std::optional<FunctionId> Module::find_function(std::string_view name) const { return find_by_name(functions, name); }

const Directive* Module::find_directive(std::string_view kind) const {
  for (const Directive& d : directives)
    if (d.kind == kind) return &d;
  return nullptr;
}

} // namespace dlcc::graph

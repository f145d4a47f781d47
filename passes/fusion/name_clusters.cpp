#include "passes/fusion/name_clusters.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace dlcc::passes {

using namespace graph;

namespace {
enum class Part : uint8_t { forward, loss, metrics, backward, update, init, none };
constexpr std::array part_names = {"forward", "loss", "metrics", "backward", "update", "init"};
constexpr size_t most_subjects = 2;

// "rows.3" -> "rows": what stands behind makes a name unique.
std::string without_number(const std::string& name) {
  const size_t end = name.find_last_not_of("0123456789");
  const bool numbered = end != std::string::npos && end > 0 && end + 1 < name.size() && name[end] == '.';
  return numbered ? name.substr(0, end) : name;
}

// "hidden/z" -> "hidden"
std::string layer_of(const std::string& name) { return without_number(name.substr(0, name.find('/'))); }

/// A part of the step, and a layer or a parameter, if it is about one.
struct Role {
  Part part = Part::none;
  std::string subject;
};

class Naming {
public:
  Naming(const Module& module, const Function& f) : f_(f) {
    for (const State& s : module.states) {
      states_.emplace(s.name, &s);
      if (s.role == StateRole::metric && s.where.known()) metric_places_.insert(key(s.where));
    }
    for (const Hyper& h : module.hypers) hypers_.insert(h.name);
    for (const Update& u : f.updates) updates_.emplace(u.value, &module.states[u.state]);
    for (NodeId n : f.nodes.ids())
      if (concerns_loss(f.nodes[n])) loss_names_.insert(layer_of(name(n)));
  }

  std::string name_of(const std::vector<NodeId>& members) const;

private:
  using Place = std::pair<uint32_t, uint32_t>;
  static Place key(const Location& where) { return {where.line, where.column}; }
  const std::string& name(NodeId n) const { return f_.values[f_.nodes[n].results[0]].name; }
  // The function of a loss stands where the model says the loss.
  bool concerns_loss(const Node& node) const { return f_.where.known() && node.where == f_.where; }
  bool is_parameter(const std::string& name) const {
    auto state = states_.find(name);
    return state != states_.end() && state->second->role == StateRole::parameter;
  }
  Role role_of(NodeId n) const;
  Role role_of_update(const State& state) const;

  const Function& f_;
  std::map<std::string, const State*> states_;
  std::map<ValueId, const State*> updates_;
  std::set<std::string> hypers_;
  std::set<std::string> loss_names_{"loss"}; ///< what entries call their result, and what the loss is made of
  std::set<Place> metric_places_;
};

Role Naming::role_of_update(const State& state) const {
  if (f_.name == "init") return {Part::init, state.name};
  switch (state.role) {
  case StateRole::parameter:
    return {Part::update, state.name};
  case StateRole::gradient:
    return {Part::backward, layer_of(state.name.substr(state.name.find('/') + 1))};
  case StateRole::metric:
    return {Part::metrics, {}};
  case StateRole::buffer:
    return {Part::forward, layer_of(state.name)};
  case StateRole::slot:
    break;
  }
  return {Part::update, {}};
}

// Values say by their names what they are: passes/training calls them d.X, next.X and first.X.
Role Naming::role_of(NodeId n) const {
  const Node& node = f_.nodes[n];
  const ValueId value = node.results[0];
  if (auto update = updates_.find(value); update != updates_.end()) return role_of_update(*update->second);
  const std::string name = without_number(f_.values[value].name);
  if (name.starts_with("d.")) {
    const std::string layer = layer_of(name.substr(2));
    return {Part::backward, loss_names_.contains(layer) ? "" : layer};
  }
  if (name.starts_with("next.")) {
    // A scalar is about the step, and serves every parameter.
    const std::string parameter = name.substr(5);
    return {Part::update, is_parameter(parameter) && !f_.type(value).shape.empty() ? parameter : ""};
  }
  if (name.starts_with("first.")) return {Part::init, name.substr(6)};
  const std::string layer = layer_of(name);
  if (const std::string hyper = layer.substr(0, layer.find('.')); hypers_.contains(hyper))
    return {Part::update, f_.updates.empty() ? hyper : ""};
  if (metric_places_.contains(key(node.where))) return {Part::metrics, {}};
  if (loss_names_.contains(layer)) return {Part::loss, {}};
  return node.where.known() ? Role{Part::forward, layer} : Role{};
}

std::string Naming::name_of(const std::vector<NodeId>& members) const {
  std::map<Part, std::vector<std::string>> parts;
  for (NodeId n : members) {
    const Role role = role_of(n);
    if (role.part == Part::none) continue;
    std::vector<std::string>& subjects = parts[role.part];
    if (!role.subject.empty() && std::find(subjects.begin(), subjects.end(), role.subject) == subjects.end())
      subjects.push_back(role.subject);
  }
  if (parts.contains(Part::update)) parts.erase(Part::backward); // a gradient that is used up at once
  std::string text;
  for (const auto& [part, subjects] : parts) {
    const size_t first = subjects.size() <= most_subjects ? 0 : subjects.size() - 1; // of many, the last
    for (size_t i = first; i < subjects.size(); ++i) text += (text.empty() ? "" : ".") + subjects[i];
    text += (text.empty() ? "" : ".") + std::string(part_names[static_cast<size_t>(part)]);
  }
  return text.empty() ? "step" : text;
}
} // namespace

void name_clusters(const Module& module, Function& function) {
  std::vector<std::vector<NodeId>> members(function.clusters.size());
  for (NodeId n : function.nodes.ids())
    if (function.nodes[n].cluster >= 0) members[static_cast<size_t>(function.nodes[n].cluster)].push_back(n);
  const Naming naming(module, function);
  for (size_t c = 0; c < members.size(); ++c) function.clusters[c].name = naming.name_of(members[c]);
}

} // namespace dlcc::passes

#include "frontend/build/network_as_nodes.h"

#include "frontend/build/build_module.h"

#include <map>

namespace dlcc::frontend {

namespace {
class NodeWriter {
public:
  NodeWriter(const NetworkFunction& network, JsonWriter& out)
      : module_(network.module), f_(network.function), network_(network), out_(out) {}

  void params();
  void layer_nodes();

private:
  void param(const graph::State& state, const Penalty& penalty);
  void node(const graph::Node& node);
  void renamed(graph::ValueId value, const std::string& name);
  void attributes(const Attributes& all);
  void value(const AttributeValue& v);
  void penalty(const char* key, double l1, double l2);
  void name_list(const std::vector<graph::ValueId>& values, bool may_stand_alone);

  const graph::Module& module_;
  const graph::Function& f_;
  const NetworkFunction& network_;
  JsonWriter& out_;
};

void NodeWriter::penalty(const char* key, double l1, double l2) {
  if (l1 == 0 && l2 == 0) return;
  out_.key(key);
  out_.begin_object(true);
  out_.key("l1"), out_.number(l1);
  out_.key("l2"), out_.number(l2);
  out_.end_object();
}

void NodeWriter::value(const AttributeValue& v) {
  auto list = [&](const auto& values, auto write) {
    out_.begin_list(true);
    for (const auto& x : values) write(x);
    out_.end_list();
  };
  if (const auto* flag = std::get_if<bool>(&v)) return out_.boolean(*flag);
  if (const auto* integer = std::get_if<int64_t>(&v)) return out_.integer(*integer);
  if (const auto* number = std::get_if<double>(&v)) return out_.number(*number);
  if (const auto* dtype = std::get_if<DType>(&v)) return out_.string(name_of(*dtype));
  if (const auto* text = std::get_if<std::string>(&v)) return out_.string(*text);
  if (const auto* integers = std::get_if<std::vector<int64_t>>(&v))
    return list(*integers, [&](int64_t x) { out_.integer(x); });
  list(std::get<std::vector<double>>(v), [&](double x) { out_.number(x); });
}

void NodeWriter::attributes(const Attributes& all) {
  for (const auto& [name, v] : all) out_.key(name), value(v);
}

void NodeWriter::param(const graph::State& state, const Penalty& p) {
  out_.key(state.name);
  out_.begin_object();
  out_.key("shape"), value(AttributeValue(state.type.shape));
  out_.member("dtype", name_of(state.type.dtype));
  out_.key("init");
  out_.begin_object(true);
  out_.member("type", state.initializer);
  for (const Key& key : group(Group::initializer).find(state.initializer)->keys) // in the order of the table
    if (const AttributeValue* v = state.initializer_attributes.find(key.name)) out_.key(key.name), value(*v);
  out_.end_object();
  penalty("regularizer", p.l1, p.l2);
  out_.key("trainable"), out_.boolean(state.trainable());
  out_.key("lr_mult"), out_.number(state.attributes.number("lr_mult", 1));
  out_.end_object();
}

// A parameter that several layers share may have a penalty from each; they add up.
void NodeWriter::params() {
  std::map<graph::StateId, Penalty> penalties;
  for (const Penalty& p : network_.penalties) penalties[p.state].l1 += p.l1, penalties[p.state].l2 += p.l2;
  out_.begin_object();
  for (graph::StateId s : module_.states.ids()) param(module_.states[s], penalties[s]);
  out_.end_object();
}

void NodeWriter::name_list(const std::vector<graph::ValueId>& values, bool may_stand_alone) {
  if (may_stand_alone && values.size() == 1) return out_.string(f_.values[values[0]].name);
  out_.begin_list(true);
  for (graph::ValueId v : values) {
    const graph::Value& x = f_.values[v];
    const bool implied = x.kind == graph::ValueKind::parameter && x.role == graph::ParameterRole::call; // of a stream
    if (!implied) out_.string(x.name);
  }
  out_.end_list();
}

void NodeWriter::node(const graph::Node& node) {
  out_.begin_object(true);
  out_.member("op", node.op->name);
  out_.key("inputs"), name_list(node.operands, false);
  out_.key("output"), name_list(node.results, true);
  if (!node.attributes.empty()) {
    out_.key("attrs");
    out_.begin_object(true);
    attributes(node.attributes);
    out_.end_object();
  }
  double l1 = 0, l2 = 0;
  for (const ActivityPenalty& p : network_.activity)
    if (p.value == node.results[0]) l1 += p.l1, l2 += p.l2;
  penalty("activity_regularizer", l1, l2);
  out_.end_object();
}

// A layer that changes nothing leaves no value of its own.
void NodeWriter::renamed(graph::ValueId value, const std::string& name) {
  out_.begin_object(true);
  out_.member("op", "linear");
  out_.key("inputs"), name_list({value}, false);
  out_.member("output", name);
  out_.end_object();
}

void NodeWriter::layer_nodes() {
  for (graph::NodeId n : network_.layer_nodes) node(f_.nodes[n]);
  for (const auto& [name, value] : network_.named)
    if (f_.values[value].name != name) renamed(value, name);
}
} // namespace

LoweredNetwork::LoweredNetwork(const ModelSpec& model, graph::OpTable ops) : network_(build_network(model, ops)) {}

void LoweredNetwork::write_params(JsonWriter& out) const { NodeWriter(network_, out).params(); }
void LoweredNetwork::write_layer_nodes(JsonWriter& out) const { NodeWriter(network_, out).layer_nodes(); }

} // namespace dlcc::frontend

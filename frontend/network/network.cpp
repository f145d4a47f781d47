#include "frontend/network/network.h"

#include "frontend/network/layers/layers.h"
#include "frontend/network/nodes/node_builder.h"

#include <algorithm>

namespace dlcc::frontend {

namespace {
constexpr uint32_t no_item = UINT32_MAX;

bool is_sample_weight(const ModelSpec& spec, const std::string& input) {
  for (const Record& loss : spec.losses())
    if (loss.text_or_empty("sample_weight") == input) return true;
  return false;
}

std::vector<const TensorSpec*> inputs_that(const ModelSpec& spec, bool are_weights) {
  std::vector<const TensorSpec*> out;
  for (const TensorSpec& input : spec.inputs)
    if (is_sample_weight(spec, input.name.text) == are_weights) out.push_back(&input);
  return out;
}

// Labels whose types follow from the predictions, so that nodes cannot read them.
std::vector<std::string> inferred_labels(const ModelSpec& spec) {
  std::vector<std::string> names;
  if (!spec.labels.empty()) return names;
  for (const Record& loss : spec.losses()) names.push_back(label_of(spec, loss));
  return names;
}
} // namespace

std::vector<const TensorSpec*> sample_weights(const ModelSpec& spec) { return inputs_that(spec, true); }
std::vector<const TensorSpec*> network_inputs(const ModelSpec& spec) { return inputs_that(spec, false); }

Network::Network(Construction& construction) : c_(construction) {
  const ModelSpec& spec = c_.spec;
  Reporter& report = c_.report;
  const std::vector<const TensorSpec*> inputs = network_inputs(spec);
  for (const TensorSpec* t : inputs) names_.declare(t->name.text, "input", t->name.place, report);
  for (const TensorSpec& t : spec.labels) names_.declare(t.name.text, "label", t.name.place, report);
  for (const TensorSpec* t : sample_weights(spec)) names_.declare(t->name.text, "input", t->name.place, report);
  first_param_ = static_cast<uint32_t>(names_.size());
  for (const TensorSpec& t : spec.params) names_.declare(t.name.text, "param", t.name.place, report);
  nodes_.emplace(spec.nodes(), names_, report);
  if (spec.has_layers()) layers_.emplace(spec.layers(), inputs.size(), names_, report);
  nodes_->resolve(names_, inferred_labels(spec), report);
  c_.functions.check_operators(spec.nodes());
  if (!report.failed()) sort();
}

std::string Network::last_name() const {
  if (layers_) return names_.text(layers_->last());
  if (!c_.spec.nodes().empty()) return c_.spec.nodes().back().outputs.back().text;
  return network_inputs(c_.spec).size() == 1 ? names_.text(0) : "";
}

// ---- order ----------------------------------------------------------------------------------------------------------

const std::vector<uint32_t>& Network::operands(uint32_t item) const {
  return is_layer(item) ? layers_->layers()[item].inputs : nodes_->operands(item - layer_count());
}

std::string Network::name_of(uint32_t item) const {
  if (is_layer(item)) return layers_->layers()[item].name;
  return names_.text(nodes_->first_output(item - layer_count()));
}

const Place& Network::place_of(uint32_t item) const {
  return is_layer(item) ? layers_->layers()[item].record->place : nodes_->nodes()[item - layer_count()].place;
}

void Network::sort() {
  producers_.assign(names_.size(), no_item);
  const auto layers = layer_count(), items = layers + static_cast<uint32_t>(nodes_->nodes().size());
  for (uint32_t i = 0; i < layers; ++i) producers_[layers_->layers()[i].value] = i;
  for (uint32_t i = layers; i < items; ++i)
    for (uint32_t k = 0; k < nodes_->nodes()[i - layers].outputs.size(); ++k)
      producers_[nodes_->first_output(i - layers) + k] = i;
  needs_.resize(items);
  for (uint32_t i = 0; i < items; ++i)
    for (uint32_t value : operands(i))
      if (producers_[value] != no_item) needs_[i].push_back(producers_[value]);
  Topology topology = sort_by_need(needs_);
  order_ = std::move(topology.order);
  const std::vector<uint32_t>& cycle = topology.cycle;
  if (cycle.empty()) return;
  const auto in_layers =
      static_cast<size_t>(std::count_if(cycle.begin(), cycle.end(), [&](uint32_t item) { return is_layer(item); }));
  const char* what = in_layers == cycle.size() ? "layers" : in_layers == 0 ? "nodes" : "layers and nodes";
  c_.report.error("cycle",
                  std::string(what) + " form a cycle: " +
                      cycle_text(cycle, [&](uint32_t item) { return quoted(name_of(item)); }) + ", expected none",
                  place_of(cycle[0]));
}

// ---- what is needed -------------------------------------------------------------------------------------------------

Selection Network::select(const std::vector<std::string>& wanted) const {
  Selection out;
  std::vector<uint32_t> items;
  for (const std::string& name : wanted) {
    out.wanted.push_back(*names_.find(name));
    if (uint32_t item = producers_[out.wanted.back()]; item != no_item) items.push_back(item);
  }
  out.items = needed_by(items, needs_, order_);
  out.values.resize(names_.size());
  for (uint32_t value : out.wanted) out.values[value] = 1;
  for (uint32_t item = 0; item < out.items.size(); ++item)
    if (out.items[item])
      for (uint32_t value : operands(item)) out.values[value] = 1;
  return out;
}

void Network::warn_of_unused(const Selection& selection) const {
  auto warn = [&](uint32_t begin, uint32_t end, const char* name, const std::string& what) {
    uint32_t first = begin, unused = 0;
    for (uint32_t item = begin; item < end; ++item)
      if (!selection.items[item] && unused++ == 0) first = item;
    if (!unused) return;
    const std::string others = unused == 1 ? " is" : " and " + std::to_string(unused - 1) + " more are";
    c_.report.warning(name, what + quoted(name_of(first)) + others + " not used by any output or loss; left out",
                      place_of(first));
  };
  warn(0, layer_count(), "unused-layer", "layer ");
  warn(layer_count(), static_cast<uint32_t>(needs_.size()), "unused-node", "node ");
}

// Values may not be called like the parameters that layers own, which are known when these are built.
void Network::check_parameter_names() const {
  const size_t declared = c_.spec.params.size(); // first, in order
  for (graph::StateId s : c_.module.states.ids())
    if (s.index >= declared) names_.refuse(c_.module.states[s].name, "a parameter", c_.report);
}

// ---- building -------------------------------------------------------------------------------------------------------

// What is not computed: parameters of the function, and free parameters of the model as nodes need them.
void Network::read_values(graph::Builder& b, const Selection& selection, std::vector<graph::ValueId>& values) const {
  auto read = [&](uint32_t value) {
    if (values[value].valid() || producers_[value] != no_item) return;
    values[value] = value < first_param_ ? *b.function().find(names_.text(value))
                                         : b.state(graph::StateId(value - first_param_)); // declared first, in order
  };
  for (uint32_t item = 0; item < selection.items.size(); ++item)
    if (selection.items[item])
      for (uint32_t value : operands(item)) read(value);
  for (uint32_t value : selection.wanted) read(value);
}

NetworkValues Network::build(graph::Builder& b, Mode mode, const Selection& selection) const {
  NetworkValues out;
  std::vector<graph::ValueId> values(names_.size());
  read_values(b, selection, values);
  NodeBuilder nodes(c_, b, mode);
  for (uint32_t item : order_) {
    if (!selection.items[item]) continue;
    const size_t nodes_before = b.function().nodes.size();
    if (!is_layer(item)) {
      nodes.build(*nodes_, item - layer_count(), values, "");
      continue;
    }
    const LayerNode& layer = layers_->layers()[item];
    values[layer.value] = build_layer(c_, b, mode, layer, values, out.penalties);
    out.layers.push_back({layer.name, layer.record->type(), values[layer.value]});
    for (size_t n = nodes_before; n < b.function().nodes.size(); ++n)
      out.layer_nodes.push_back(graph::NodeId(static_cast<uint32_t>(n)));
  }
  b.where = {}, b.name_hint.clear();
  check_parameter_names();
  for (uint32_t value : selection.wanted) out.values.push_back(values[value]);
  for (uint32_t i = 0; i < nodes_->nodes().size(); ++i)
    for (const Record& r : nodes_->nodes()[i].activity_regularizer)
      if (graph::ValueId v = values[nodes_->first_output(i)]; v.valid())
        out.penalties.push_back({v, r.number("l1"), r.number("l2"), r.place});
  return out;
}

} // namespace dlcc::frontend

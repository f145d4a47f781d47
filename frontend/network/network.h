// What a model computes from its inputs and labels, written as layers and as nodes: both become the same functions of
// the graph.
#pragma once

#include "frontend/network/layers/layer_graph.h"
#include "frontend/network/nodes/node_graph.h"
#include "frontend/network/parameters.h"
#include "ir/ops/build.h"

namespace dlcc::frontend {

/// Layers differ in training: dropout drops.
enum class Mode : uint8_t { train, predict };

/// What is shared by everything that adds to one module.
struct Construction {
  const ModelSpec& spec;
  graph::Module& module;
  graph::OpTable ops;
  Reporter& report;
  Parameters& parameters;
  UserFunctions& functions;
};

/// A penalty on a value: (l1 * sum |x| + l2 * sum x^2) / rows.
struct ActivityPenalty {
  graph::ValueId value;
  double l1 = 0, l2 = 0;
  Place place;
};

/// A layer of the model, for listing it.
struct LayerSummary {
  std::string name, type; ///< "hidden", "Dense"
  graph::ValueId value;   ///< its result
};

/// Some values of a network, and what it takes to compute them.
struct Selection {
  std::vector<uint32_t> wanted;
  std::vector<char> items;  ///< flags by item: layers, then nodes
  std::vector<char> values; ///< flags by value: those that are wanted or read on the way
};

/// What one building of the network gave.
struct NetworkValues {
  std::vector<graph::ValueId> values; ///< those wanted, in order; not valid() after an error
  std::vector<ActivityPenalty> penalties;
  std::vector<LayerSummary> layers;
  std::vector<graph::NodeId> layer_nodes; ///< nodes of the graph that layers made
};

class Network {
public:
  /// Values that stand for nothing computed: inputs, then labels and sample weights, then free parameters. Errors go to
  /// the reporter; then the network must not be used.
  explicit Network(Construction& construction);

  /// Values that outputs, losses and metrics may name.
  bool has(const std::string& name) const { return names_.find(name).has_value(); }
  std::vector<std::string> names() const { return names_.names(); }
  /// The value that the model ends with: of its last layer, without layers of its last node; "" if there is none.
  std::string last_name() const;

  Selection select(const std::vector<std::string>& wanted) const;
  /// Whether the selection reads the value of that name.
  bool reads(const Selection& selection, const std::string& name) const { return selection.values[*names_.find(name)]; }
  /// Warns of layers and nodes that serve none of these values.
  void warn_of_unused(const Selection& selection) const;

  /// Adds what is needed for the selected values. Inputs, labels and sample weights that it reads are parameters of the
  /// function already.
  NetworkValues build(graph::Builder& builder, Mode mode, const Selection& selection) const;

private:
  void sort();
  void check_parameter_names() const;
  std::string name_of(uint32_t item) const;
  const Place& place_of(uint32_t item) const;
  bool is_layer(uint32_t item) const { return item < layer_count(); }
  uint32_t layer_count() const { return layers_ ? static_cast<uint32_t>(layers_->layers().size()) : 0; }
  const std::vector<uint32_t>& operands(uint32_t item) const;
  void read_values(graph::Builder& b, const Selection& selection, std::vector<graph::ValueId>& values) const;

  Construction& c_;
  NameTable names_;
  uint32_t first_param_ = 0;
  std::optional<NodeGraph> nodes_;
  std::optional<LayerGraph> layers_;
  std::vector<uint32_t> producers_; ///< by value: the item that gives it, or no_item
  Needs needs_;                     ///< items of items
  std::vector<uint32_t> order_;     ///< of the items
};

/// Inputs that hold sample weights: they are fed with the labels, and predicting does without them.
std::vector<const TensorSpec*> sample_weights(const ModelSpec& spec);
/// The other inputs.
std::vector<const TensorSpec*> network_inputs(const ModelSpec& spec);

} // namespace dlcc::frontend

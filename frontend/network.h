// What a model computes from its inputs, written as layers or as nodes: both become the same functions of the graph.
#pragma once

#include "frontend/parameters.h"
#include "ir/ops/build.h"

#include <memory>

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
  /// Of scikit-learn's first values, uniform(-b, b) with b = sqrt(factor / (in + out)); 0: Keras' rules.
  double sklearn_factor = 0;
};

/// A penalty on a value: (l1 * sum |x| + l2 * sum x^2) / rows.
struct ActivityPenalty {
  graph::ValueId value;
  double l1 = 0, l2 = 0;
  Place place;
};

/// What one building of the network gave.
struct NetworkValues {
  std::vector<graph::ValueId> values; ///< of the wanted names, in order; not valid() after an error
  std::vector<ActivityPenalty> penalties;
};

/// A layer of the model, for listing it.
struct LayerSummary {
  std::string name, type; ///< "hidden", "Dense"
  graph::ValueId value;   ///< its result
};

class Network {
public:
  virtual ~Network() = default;

  /// Values that outputs, losses and metrics may name.
  virtual bool has(const std::string& name) const = 0;
  virtual std::vector<std::string> names() const = 0;
  /// The value that the model ends with; "" if there is none.
  virtual std::string last_name() const = 0;
  /// Says which values will be asked for; warns of what serves none of them.
  virtual void want(const std::vector<std::string>& names) = 0;
  /// Adds what is needed for the wanted values. `inputs` are those of the model, in order.
  virtual NetworkValues build(graph::Builder& builder, Mode mode, const std::vector<graph::ValueId>& inputs) = 0;
  /// The layers that the last building needed, in order; none if the model is written as nodes.
  virtual std::vector<LayerSummary> layers() const { return {}; }
};

/// Both report errors and return null then. `inputs`: of the model, without sample weights.
std::unique_ptr<Network> layer_network(Construction& construction, const std::vector<Name>& inputs);
std::unique_ptr<Network> node_network(Construction& construction, const std::vector<Name>& inputs);

} // namespace dlcc::frontend

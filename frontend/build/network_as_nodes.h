// The layers of a model, written as the nodes and parameters that they stand for.
#pragma once

#include "frontend/build/build_module.h"
#include "frontend/document/json_writer.h"

namespace dlcc::frontend {

/// Of a model that build_module accepts. With these and the model's own nodes in place of the layers it computes, and
/// trains to, the same bits.
class LoweredNetwork {
public:
  LoweredNetwork(const ModelSpec& model, graph::OpTable ops);

  const std::vector<std::string>& outputs() const { return network_.outputs; }
  /// An object: all parameters, those of layers and those that the model declares.
  void write_params(JsonWriter& out) const;
  /// Entries of a list: the nodes that the layers stand for.
  void write_layer_nodes(JsonWriter& out) const;

private:
  NetworkFunction network_;
};

} // namespace dlcc::frontend

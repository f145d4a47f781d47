// ModelSpec -> graph module at stage source: the functions of the model, its parameters, and what passes are to do.
//
//   func @forward_train(inputs, [seed, batch]) -> outputs       entry func @predict(inputs) -> outputs
//   func @loss(inputs, labels, weights, n_valid, ...) -> loss   entry func @eval_step(the same) -> loss
//   entry func @metrics_reset()                                 entry func @metrics_result() -> metrics
//
// Without a loss only predict is there. `func @forward` appears where the loss needs values that are no outputs. Both
// forward functions also take the labels that nodes, or functions as losses, read.
#pragma once

#include "frontend/network/network.h"

namespace dlcc::frontend {

/// The module, or nothing with at least one error; all errors that can be found together are. Warnings may come with a
/// module. `ops` are the operators that `nodes` may use.
std::optional<graph::Module> build_module(const ModelSpec& spec, graph::OpTable ops, DiagnosticList& diagnostics);

/// The network of a model in training as a function alone, for printing it in another form.
struct NetworkFunction {
  graph::Module module; ///< the parameters
  graph::Function function;
  std::vector<std::string> outputs;                          ///< of the model
  std::vector<std::pair<std::string, graph::ValueId>> named; ///< what outputs, losses, metrics and nodes read
  std::vector<LayerSummary> layers;
  std::vector<graph::NodeId> layer_nodes; ///< what layers made; the rest is the model's own nodes
  std::vector<Penalty> penalties;         ///< on parameters
  std::vector<ActivityPenalty> activity;  ///< on values
};
/// Of a model that build_module accepts.
NetworkFunction build_network(const ModelSpec& spec, graph::OpTable ops);

/// What the data must hold: the inputs, labels and sample weights of a module built from `spec`. Sample weights count
/// as labels: predicting does without them.
std::vector<data::TensorSpec> tensor_specs(const ModelSpec& spec, const graph::Module& module);

/// Which outputs the losses compare with which labels.
std::vector<data::Prediction> predictions(const ModelSpec& spec);

} // namespace dlcc::frontend

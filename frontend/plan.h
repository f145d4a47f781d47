// What the functions of a model are to compute: outputs, losses, metrics and labels, with every name resolved.
#pragma once

#include "frontend/metrics.h"

namespace dlcc::frontend {

struct Plan {
  std::vector<std::string> outputs;
  std::vector<LossPlan> losses;
  std::vector<MetricPlan> metrics;
  std::vector<std::string> wanted; ///< values asked of the network: the outputs, then what only losses or metrics read

  size_t index_of(const std::string& wanted_name) const;
};
Plan make_plan(const ModelSpec& spec, const Network& network, Reporter& report);

/// A label or sample weight as the function `loss` takes it.
struct Label {
  std::string name;
  Type type;
  Place place;
};
/// Declared labels as they are; otherwise those the losses imply by the types of their predictions (of Plan::wanted).
std::vector<Label> labels_of(const ModelSpec& spec, const Plan& plan, const std::vector<Type>& predictions,
                             Reporter& report);

/// Inputs that hold sample weights: they are fed with the labels.
std::vector<const TensorSpec*> sample_weights(const ModelSpec& spec);
/// The inputs that the network reads.
std::vector<const TensorSpec*> network_inputs(const ModelSpec& spec);

} // namespace dlcc::frontend

// Adds the functions of a module: the network in its two modes, the loss, the metrics.
#pragma once

#include "frontend/objective/plan.h"
#include "ir/ops/sample_axes.h"

namespace dlcc::frontend {

/// The functions that compute the values of the plan: those wanted of the network, then the results of calls.
struct ForwardFunctions {
  std::string train, predict;             ///< names
  std::vector<Label> labels;              ///< of the function `loss`
  std::vector<Type> types;                ///< of the values of the plan
  std::vector<ActivityPenalty> penalties; ///< their values come after those of the plan, in order
  std::vector<ops::SampleAxis> samples;   ///< of the values of the plan and the penalised ones
};

/// Adds forward_train (with a loss), predict and, where predict does not give all that is needed, forward.
/// Nothing after an error.
std::optional<ForwardFunctions> add_forward(Construction& construction, const Network& network, const Plan& plan);

/// Adds loss, eval_step, metrics_reset and metrics_result.
void add_loss(Construction& construction, const Plan& plan, const ForwardFunctions& forward);

} // namespace dlcc::frontend

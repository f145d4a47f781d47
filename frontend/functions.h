// Adds the functions of a module: the network in its two modes, the loss, the metrics.
#pragma once

#include "frontend/plan.h"
#include "ir/ops/sample_axes.h"

namespace dlcc::frontend {

/// The functions that compute the wanted values, and the penalised ones behind them.
struct ForwardFunctions {
  std::string train, predict;             ///< names
  std::vector<Type> types;                ///< of the wanted values
  std::vector<ActivityPenalty> penalties; ///< their values come after the wanted ones, in order
  std::vector<ops::SampleAxis> samples;   ///< of the wanted values and the penalised ones
};

/// Adds forward_train (with a loss), predict and, where predict does not give all wanted values, forward.
/// Nothing after an error.
std::optional<ForwardFunctions> add_forward(Construction& construction, Network& network, const Plan& plan);

/// Adds loss, eval_step, metrics_reset and metrics_result.
void add_loss(Construction& construction, const Plan& plan, const ForwardFunctions& forward);

} // namespace dlcc::frontend

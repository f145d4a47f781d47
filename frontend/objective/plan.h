// What the functions of a model are to compute: outputs, losses, metrics and labels, with every name resolved.
#pragma once

#include "frontend/objective/metrics.h"

namespace dlcc::frontend {

/// A function of the model as a loss or metric: one number a row of a prediction, a label and, if it takes three
/// inputs, a sample weight.
struct FunctionCall {
  const Record* record = nullptr; ///< of the loss or metric
  const UserFunction* function = nullptr;
  std::string prediction, label, weight;
};

struct Plan {
  std::vector<std::string> outputs;
  std::vector<LossPlan> losses;
  std::vector<MetricPlan> metrics;
  /// What the forward functions compute: values asked of the network (the outputs, then what only losses or metrics
  /// read), then the results of the calls.
  std::vector<std::string> wanted;
  std::vector<FunctionCall> calls;

  size_t index_of(const std::string& wanted_name) const;
  size_t index_of(const OwnValue& own) const { return own.call ? wanted.size() + *own.call : index_of(own.value); }
  size_t value_count() const { return wanted.size() + calls.size(); }
};
Plan make_plan(const ModelSpec& spec, const Network& network, const UserFunctions& functions, Reporter& report);

/// A label or sample weight as the function `loss` takes it.
struct Label {
  std::string name;
  Type type;
  Place place;
};
/// Declared labels as they are; otherwise those the losses imply by the types of their predictions (of Plan::wanted).
std::vector<Label> labels_of(const ModelSpec& spec, const Plan& plan, const std::vector<Type>& predictions,
                             Reporter& report);

} // namespace dlcc::frontend

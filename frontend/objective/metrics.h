// The builders of metrics: sums over the rows that count, kept in buffers from batch to batch, and the result from
// them.
#pragma once

#include "frontend/objective/losses.h"

namespace dlcc::frontend {

/// One metric of the model, its names resolved.
struct MetricPlan {
  const Record* record = nullptr;
  std::string name;
  LossPlan loss; ///< the loss whose label it is about, and whose kind
  std::string prediction, label;
  std::optional<OwnValue> own;
};

/// What the update of a metric sees.
class MetricContext {
public:
  graph::Builder& b;
  const MetricPlan& plan;
  const LossPlan& loss_plan;
  const ValidRows& valid;
  ops::Term prediction, label; ///< the label as the loss takes it

  /// Adds to the part of that name; its shape is that of `amount`, f64.
  void add(const char* part, ops::Term amount);
  /// What the part has added up before this batch.
  ops::Term before(const char* part, const Type& type) const;

  /// Predictions and labels as 0 and 1 for each sample, or for each sample and class, in f64. A NaN stays one.
  ops::Term positive(double threshold) const;
  ops::Term truth() const;
  /// In f64: probabilities, or numbers of any size if `is_unbounded`, the larger the likelier, above 0 likelier than
  /// not.
  ops::Term score() const;
  bool is_unbounded() const;
  /// True where the label is not ignored, if labels may be; shape of the label.
  std::optional<ops::Term> counted() const;
  /// `x`, one number a label or a sample and class, with zeros where the label is ignored.
  ops::Term counting(ops::Term x) const;
};

/// What the result of a metric sees.
class MetricResult {
public:
  graph::Builder& b;
  const MetricPlan& plan;
  ops::Term loss; ///< of all batches since the reset
  ops::Term part(const char* name) const;
};

struct MetricRow {
  std::string_view name;
  void (*update)(MetricContext&);
  ops::Term (*result)(const MetricResult&); ///< f64 scalar
  bool more_is_better = false;
};
const MetricRow& find_metric(std::string_view type);
/// The mean of a value over the rows that count; a scalar weighs as many rows as its batch has.
void update_own_metric(MetricContext& context, ops::Term value, const ops::SampleAxis& samples);

/// The column name of a metric: the one it is given, else that of its value or function, else its type.
std::string metric_name(const Record& metric);

/// Names of the model's metrics of which more is better.
std::vector<std::string> maximised_metrics(const ModelSpec& spec);

/// Adds the terms of this batch's loss to those of the batches before it, in states of the module.
void add_to_loss(graph::Builder& b, const std::vector<LossTerm>& terms);
/// The loss of all batches since the reset, f64; 0 if nothing in them counted.
ops::Term accumulated_loss(graph::Builder& b);

} // namespace dlcc::frontend

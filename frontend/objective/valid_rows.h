// Sums and means over the rows of a batch that are there: a short last batch counts only its own rows.
#pragma once

#include "ir/ops/build.h"
#include "ir/ops/sample_axes.h"

namespace dlcc::frontend {

/// In a model with a batch axis, the values here have their samples on axis 0, one index each (ir/ops/sample_axes.h
/// says so of predictions). Without one, a value counts whole.
class ValidRows {
public:
  /// `batch`: rows of a full batch, 0 if the model has no batch axis.
  ValidRows(graph::Builder& builder, int64_t batch) : b_(builder), batch_(batch) {}

  /// How many rows count: i64 scalar.
  ops::Term count(ops::Term x) const;
  /// How many elements count: f64 scalar.
  ops::Term elements(ops::Term x) const;
  /// The mean over all elements that count: f64 scalar.
  ops::Term mean(ops::Term x) const;
  /// `x` in f64 with zeros in the rows that do not count.
  ops::Term masked(ops::Term x) const;
  /// Sum over all elements that count: f64 scalar.
  ops::Term sum(ops::Term x) const { return ops::sum(masked(x)); }
  /// The sum over all elements that count, divided by the samples that count: f64 scalar. The samples may lie anywhere.
  ops::Term sum_per_sample(ops::Term x, const ops::SampleAxis& samples) const;

private:
  graph::Builder& b_;
  int64_t batch_;
};

} // namespace dlcc::frontend

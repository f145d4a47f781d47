// Sums and means over the rows of a batch that are there: a short last batch counts only its own rows.
#pragma once

#include "ir/ops/build.h"

namespace dlcc::frontend {

/// Axis 0 of a value that has as many rows as the batch is the batch axis. Every other value counts whole.
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

private:
  bool has_batch(const Shape& shape) const { return batch_ > 0 && !shape.empty() && shape[0] == batch_; }
  graph::Builder& b_;
  int64_t batch_;
};

} // namespace dlcc::frontend

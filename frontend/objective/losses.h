// The builders of losses: what each expects of its label, and the number it gives each sample.
#pragma once

#include "frontend/network/network.h"
#include "frontend/objective/valid_rows.h"

namespace dlcc::frontend {

/// What a loss compares a prediction with.
enum class LabelKind : uint8_t {
  numbers,       ///< as the prediction
  binary,        ///< as the prediction, 0 or 1 (or between)
  signs,         ///< as the prediction, which is a score of any size: -1 or 1, or 0 for -1
  probabilities, ///< as the prediction: one number a class on the last axis
  classes,       ///< the prediction's shape without the last axis: class numbers
};

/// What the function of a loss sees; label and prediction have the types that the kind demands.
struct LossContext {
  graph::Builder& b;
  const Record& loss;
  ops::Term prediction, label;
};

struct LossRow {
  std::string_view name;
  LabelKind label;
  ops::Term (*rows)(LossContext&); ///< the losses of the samples
};
const LossRow& find_loss(std::string_view type);
/// What stands for a loss of the model's own: it has no function here, its label is of that kind.
const LossRow& own_loss(LabelKind kind);

/// The type that a label of that kind should have.
Type label_type(LabelKind kind, const Type& prediction);
/// The label as the loss takes it: an axis of extent 1 at the end more or less makes no difference, nor does the width
/// of a float. Throws ModelError at `place`.
ops::Term fit_label(ops::Term label, const std::string& name, LabelKind kind, const Type& prediction,
                    const Place& place);

/// A loss or metric of the model's own: a value of the network, or the result of calling a function.
struct OwnValue {
  std::string value;          ///< its name, or the function's
  std::optional<size_t> call; ///< index into Plan::calls
};

/// One loss of the model, its names resolved.
struct LossPlan {
  const Record* record = nullptr;
  const LossRow* row = nullptr;
  std::string prediction, label, sample_weight; ///< "": none
  std::optional<OwnValue> own;
  /// Whether a batch of ignored labels alone is no update: it is the only loss, and batches are not accumulated.
  bool may_skip = false;
  std::optional<int64_t> ignore_index() const;
};

/// One term of the loss of a batch, and what it adds to the loss of a data set: that of one batch with all its samples.
struct LossTerm {
  ops::Term value; ///< f64 scalar, its own weight applied
  /// How many losses the value is the mean of, f64; none: it is their sum.
  std::optional<ops::Term> count = std::nullopt;
  /// value * count is the same in every batch and counts once, however many batches there are.
  bool once = false;
};

/// `label` and `sample_weight` are parameters of the function.
LossTerm build_loss(graph::Builder& b, const LossPlan& plan, const ValidRows& valid, ops::Term prediction,
                    ops::Term label, std::optional<ops::Term> sample_weight, const Place& label_place);
/// The same for a loss of the model's own from its value: a scalar, or one number a row.
LossTerm build_own_loss(graph::Builder& b, const LossPlan& plan, const ValidRows& valid, ops::Term value,
                        const ops::SampleAxis& samples, std::optional<ops::Term> sample_weight);
/// Throws ModelError unless the value is a scalar or one number a row; then gives it as [rows] or a scalar. `what` it
/// is: "loss value 'l'".
ops::Term own_rows(ops::Term value, const ops::SampleAxis& samples, const std::string& what);

} // namespace dlcc::frontend

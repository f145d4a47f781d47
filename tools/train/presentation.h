// presentation.h: an output of the model as the user wants to see it: in the label's unit, as a class, or as it is.
#pragma once

#include "runtime/core/dlcc_runtime.h"
#include "runtime/core/fitted_transform.h"
#include "runtime/data/spec.h"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace dlcc::training {

/// The label that an output predicts, and what was fitted for it.
struct PredictedLabel {
  data::TensorSpec spec;
  double threshold = 0.5;
  std::optional<runtime::FittedTransform> fitted;

  /// The column that it came from, if it had a name, else the label's own name.
  std::string name() const;
};

class Presentation {
public:
  enum class Mode { raw, label, classes };
  /// `batch_rows`: samples of a batch. `label`: null if the output predicts none. Throws Failure (usage) if there are
  /// no classes to choose from.
  Presentation(const dlcc_tensor_desc& output, int64_t batch_rows, std::string name, const PredictedLabel* label,
               Mode mode);

  int32_t dtype() const { return dtype_; }
  std::vector<int64_t> shape(int64_t samples) const; ///< of all samples
  std::vector<std::string> header() const;           ///< names of a row's values
  /// `rows` rows of the output as values of `dtype`; good until the next call.
  const std::byte* values(const std::byte* data, int64_t rows);
  uint64_t row_bytes() const;
  /// The cells of row `r` of such values, behind what is in `line`.
  void append_row(std::vector<std::string>& line, const std::byte* values, int64_t r) const;

private:
  std::string value_name(int64_t i) const;
  void undo(const std::byte* data, int64_t rows);
  void choose(const std::byte* data, int64_t rows);

  const dlcc_tensor_desc& output_;
  std::string name_;
  const PredictedLabel* label_;
  bool undoes_ = false, chooses_ = false;
  int64_t rows_;                           ///< of the output a sample
  int64_t from_ = 1, last_ = 1, each_ = 1; ///< values a row, extent of its last axis, values a row as presented
  int32_t dtype_ = 0;
  std::vector<double> undone_;
  std::vector<int64_t> chosen_;
};

} // namespace dlcc::training

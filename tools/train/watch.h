// watch.h: the rules that follow the results of epochs: early stopping, best result, reactive learning rates.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "tools/train/train.h"

namespace dlcc::training {

/// Follows one number over the epochs. A gain is a value better than the best by more than `min_delta`; NaN never is.
struct Watch {
  bool maximise = false;
  double min_delta = 0;

  double best = std::numeric_limits<double>::quiet_NaN(); ///< NaN: none yet
  int64_t best_epoch = 0;                                 ///< from 1; 0: none yet
  int64_t wait = 0;                                       ///< epochs since the last gain
  int64_t cooldown = 0;

  /// True if `value` is a gain.
  bool update(double value, int64_t epoch);

  /// The state, exact, on one line.
  std::string text() const;
  bool parse(const std::string& text); ///< false if it is no such line
};

/// Whether more of a result of an epoch is better: it is one of these metrics, on the training or the validation data.
bool more_is_better(const std::vector<std::string>& maximised, const std::string& result);

/// scikit-learn's preset: an epoch counts unless it gains at least `tol`; more than `patience` in a row are too many.
struct NoChange {
  double tol = 1e-4;
  int64_t patience = 10;
  Watch watch; ///< of the training loss, or of the validation score

  bool too_long(double value, int64_t epoch);
};

/// scikit-learn's inv_scaling after so many samples.
double inv_scaling_rate(const ReactiveSchedule& schedule, int64_t samples);

/// The learning rate after an epoch, if it changes. `value`: what the schedule monitors.
std::optional<double> plateau_rate(const ReactiveSchedule& schedule, Watch& watch, double value, int64_t epoch,
                                   double rate);

} // namespace dlcc::training

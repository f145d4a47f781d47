// run_state.h: what a training run is besides the session: position, running sums, watches. Saved in the checkpoint.
#pragma once

#include "tools/train/runner.h"
#include "tools/train/watch.h"

#include <cstdint>

namespace dlcc::training {

/// All of it is written to metadata as exact text and holds neither times nor names, so that a run and its resumed
/// twin write the same bytes.
struct RunState {
  int64_t epoch = 0;  ///< epochs that are over
  int64_t batch = 0;  ///< batches of the current epoch that are done; all of them just before its end
  Watch best;         ///< of the result whose best epoch is kept; also early stopping's
  NoChange no_change; ///< scikit-learn's preset
  Watch plateau;
  double learning_rate;   ///< of a reactive schedule; NaN: none
  uint64_t data_seed = 0; ///< of the order of the samples
  uint64_t data_hash = 0; ///< of the training data

  void store(Runner& runner) const;
  /// Throws Failure (checkpoint) if the session's metadata are not those of a training run.
  void restore(const Runner& runner);
};

} // namespace dlcc::training

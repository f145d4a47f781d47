// part.h: opens the part of the data that eval and predict work on.
#pragma once

#include "runtime/data/batches.h"
#include "tools/train/console.h"
#include "tools/train/runner.h"
#include "tools/train/train.h"

#include <memory>
#include <string>

namespace dlcc::training {

struct OpenedPart {
  std::unique_ptr<data::BatchSource> source; ///< in file order, the last batch short
  std::string name;
  std::vector<data::TextColumn> kept; ///< cells of the file's rows
};

/// Part::automatic: test, else validation, else train, whichever the job has. `entry`: whose inputs are wanted
/// (DLCC_FN_). Transforms are those of the weights that `runner` has loaded; what they lack is fitted on the training
/// data. `kept`: csv columns to keep. Throws DataError; Failure (usage) if the part is not there.
OpenedPart open_part(const Job& job, const Runner& runner, int entry, Part part, uint64_t seed, Console& console,
                     const std::vector<std::string>& kept = {});

} // namespace dlcc::training

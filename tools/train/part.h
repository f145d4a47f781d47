// part.h: opens the part of the data that eval and predict work on.
#pragma once

#include "runtime/data/batches.h"
#include "tools/train/console.h"
#include "tools/train/train.h"

#include <memory>
#include <string>

namespace dlcc::training {

struct OpenedPart {
  std::unique_ptr<data::BatchSource> source; ///< in file order, the last batch short
  std::string name;
};

/// Part::automatic: test, else validation, else train, whichever the job has. `entry`: whose inputs are wanted
/// (DLCC_FN_). Throws DataError; Failure (usage) if the part is not there.
OpenedPart open_part(const Job& job, int entry, Part part, uint64_t seed, Console& console);

} // namespace dlcc::training

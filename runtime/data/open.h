// From the `data` and `train` sections to batches: loads, splits, fits the transforms, checks the values.
#pragma once

#include "runtime/data/batches.h"
#include "runtime/data/file.h"

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace dlcc::data {

using FittedTransforms = std::map<std::string, FittedTransform>; ///< by input or label

struct OpenOptions {
  FileOptions files;
  std::string model_file;                            ///< for messages about the sections
  uint64_t seed = 0;                                 ///< of the shuffle and of a stratified split
  bool allow_nonfinite = false;                      ///< --allow-nonfinite, for every section
  bool train = true, validation = true, test = true; ///< which parts are wanted
  FittedTransforms fitted; ///< used as they are; what is absent is fitted on the training data
};

struct OpenedData {
  std::unique_ptr<BatchSource> train, validation, test; ///< null where not wanted or not there
  std::vector<std::string> warnings;                    ///< whole lines, ready to print
  FittedTransforms fitted;                              ///< of all tensors
  std::vector<TextColumn> kept;                         ///< of the test data, see SourceSpec::kept
};

/// `validation` comes from its section, or else from the training data: the last `validation_split` of the samples
/// (rounded down), or for scikit-learn's preset a random part (rounded up) with the classes in proportion. Training
/// data are read even if only another part is wanted when a transform is still to be fitted on them. The columns of a
/// csv file that the user named are those that were fitted, by name. Throws DataError.
OpenedData open_data(const DataSpec& data, const TrainSpec& train, std::span<const TensorSpec> tensors,
                     const OpenOptions& options);

/// Every file that the section names, as it is opened.
std::vector<std::string> file_names(const DataSpec& data, const FileOptions& options);

/// scikit-learn's StratifiedShuffleSplit in effect: `held_out` of `labels.size()` samples, so that each class is
/// represented as in the whole (largest remainders first). Returns {kept, held out}, each in file order.
std::pair<std::vector<int64_t>, std::vector<int64_t>> stratified_split(std::span<const int64_t> labels,
                                                                       int64_t held_out, uint64_t seed);

} // namespace dlcc::data

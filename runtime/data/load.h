// A section of `data` (train, validation, ...) as arrays in memory.
#pragma once

#include "runtime/data/dataset.h"
#include "runtime/data/file.h"

#include <span>
#include <string>

namespace dlcc::data {

/// Reads or generates one column per tensor; values are as in the files (see Pipeline for what follows). Every tensor
/// must have a source, every source a tensor, and all columns the same number of samples, at least one. `model_file` is
/// named where the section itself is at fault.
Dataset load_dataset(const SourceSpec& source, std::span<const TensorSpec> tensors,
                     std::span<const TransformSpec> transforms, const FileOptions& options,
                     const std::string& model_file);

} // namespace dlcc::data

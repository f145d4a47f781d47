// Generated data sets; the same values for the same seed on every machine.
#pragma once

#include "runtime/data/dataset.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dlcc::data {

/// The names that `generator` may have.
std::vector<std::string> generator_names();

/// Columns for the first input and the first label of `tensors` (the label may be missing). Features are f64 or f32 as
/// the model's dtype, labels i32 for classes, else as the features. `file` and the place of the section are for
/// messages.
Dataset generate(const SourceSpec& source, std::span<const TensorSpec> tensors, const std::string& file);

/// make_regression's coefficients for `features` features: those of the spec, or the ones that it draws.
std::vector<double> planted_coefficients(const SyntheticSpec& spec, int64_t features);

} // namespace dlcc::data

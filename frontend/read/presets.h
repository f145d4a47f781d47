// What "preset": "sklearn" says wherever the model says nothing: the defaults of scikit-learn's MLPClassifier and
// MLPRegressor in place of Keras'.
#pragma once

#include "frontend/read/validate.h"

namespace dlcc::frontend {

/// Fills the defaults in as values, so that what is read later, or printed and read again, needs no preset.
void apply_preset(Record& model, Validator& validator);

} // namespace dlcc::frontend

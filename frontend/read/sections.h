// The `train` and `data` sections as the plain structs that the data readers and the training loop take.
#pragma once

#include "frontend/read/validate.h"

namespace dlcc::frontend {

/// `train`, with what scikit-learn's preset adds from the optimizer.
data::TrainSpec read_train(const Record& model);

/// `data`; every source must be an input or label of `tensor_names`.
data::DataSpec read_data_record(const Record& section, const std::vector<std::string>& tensor_names,
                                Validator& validator);

} // namespace dlcc::frontend

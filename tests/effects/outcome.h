// What a model comes to: numbers by the interpreter, the text of a stage, or all that a run of `dlcc train` leaves.
#pragma once

#include "ir/base/tensor.h"

#include <map>
#include <nlohmann/json.hpp>
#include <string>

namespace dlcc::effects {

using Json = nlohmann::ordered_json;

struct Outcome {
  std::string error;                    ///< what the compiler says instead; the rest is empty then
  std::map<std::string, Tensor> values; ///< losses, metrics, predictions and parameters, with their types
  std::string text;

  bool operator==(const Outcome&) const;
};

/// The largest difference between values of the two, relative to their size; infinite where anything else differs.
double distance(const Outcome& a, const Outcome& b);

/// Some steps of training, an evaluation and a prediction in double precision, on numbers that depend on the names of
/// inputs and labels.
Outcome computed(const Json& model);
/// The text of a stage.
Outcome text_of(const Json& model, const std::string& stage);
/// `dlcc train` in a folder with data files: what it says, and what is in the files that it leaves.
Outcome run(const Json& model);

} // namespace dlcc::effects

// requirement.h: what --require asks of the results: "val_accuracy>=0.97".
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace dlcc::training {

/// Results by name, in the order in which they are shown.
using Values = std::vector<std::pair<std::string, double>>;

/// Null if there is none of this name.
const double* find_value(const Values& values, const std::string& name);

struct Requirement {
  std::string name;
  enum class Relation { at_least, above, at_most, below } relation = Relation::at_least;
  double bound = 0;
  std::string text; ///< as given

  bool holds(double value) const; ///< false for NaN
};

/// name, one of >= > <= <, number; spaces are allowed between them. Throws Failure (usage).
Requirement parse_requirement(const std::string& text);
std::vector<Requirement> parse_requirements(const std::vector<std::string>& texts);

/// Throws Failure (usage) if one of them is on a name that is not among `names`.
void check_names(const std::vector<Requirement>& requirements, const std::vector<std::string>& names);

/// Lines for those that do not hold.
std::vector<std::string> unmet(const std::vector<Requirement>& requirements, const Values& values);

} // namespace dlcc::training

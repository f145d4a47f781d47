#include "tools/train/requirement.h"

#include "runtime/data/error.h"
#include "tools/train/failure.h"
#include "tools/train/text.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace dlcc::training {

const double* find_value(const Values& values, const std::string& name) {
  for (const auto& [n, v] : values)
    if (n == name) return &v;
  return nullptr;
}

bool Requirement::holds(double value) const {
  switch (relation) {
  case Relation::at_least:
    return value >= bound;
  case Relation::above:
    return value > bound;
  case Relation::at_most:
    return value <= bound;
  case Relation::below:
    return value < bound;
  }
  return false;
}

static std::string trimmed(const std::string& s) {
  const size_t first = s.find_first_not_of(' ');
  if (first == std::string::npos) return "";
  return s.substr(first, s.find_last_not_of(' ') - first + 1);
}

Requirement parse_requirement(const std::string& text) {
  auto refuse = [&] {
    throw Failure(exit_usage, "'" + data::escape(text, 100) + "': expected a comparison such as val_accuracy>=0.97",
                  "require");
  };
  const size_t at = text.find_first_of("<>");
  if (at == std::string::npos) refuse();
  const bool equal = at + 1 < text.size() && text[at + 1] == '=';
  Requirement r;
  r.text = trimmed(text);
  r.name = trimmed(text.substr(0, at));
  r.relation = text[at] == '>' ? (equal ? Requirement::Relation::at_least : Requirement::Relation::above)
                               : (equal ? Requirement::Relation::at_most : Requirement::Relation::below);
  const std::string number = trimmed(text.substr(at + 1 + equal));
  auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), r.bound);
  if (r.name.empty() || error != std::errc() || end != number.data() + number.size() || std::isnan(r.bound)) refuse();
  return r;
}

std::vector<Requirement> parse_requirements(const std::vector<std::string>& texts) {
  std::vector<Requirement> out;
  for (const std::string& t : texts) out.push_back(parse_requirement(t));
  return out;
}

void check_names(const std::vector<Requirement>& requirements, const std::vector<std::string>& names) {
  for (const Requirement& r : requirements) {
    if (std::find(names.begin(), names.end(), r.name) != names.end()) continue;
    throw Failure(exit_usage,
                  "no result is called '" + data::escape(r.name, 60) + "', there are " + joined(names, ", "),
                  "require");
  }
}

std::vector<std::string> unmet(const std::vector<Requirement>& requirements, const Values& values) {
  std::vector<std::string> lines;
  for (const Requirement& r : requirements) {
    const double* v = find_value(values, r.name);
    if (v && r.holds(*v)) continue;
    lines.push_back(
        error_line("required " + data::escape(r.text, 100) + ", got " + (v ? exact(*v) : "nothing"), "require"));
  }
  return lines;
}

} // namespace dlcc::training

// The names of values: each value has a number, in the order of declaration, and one name or several.
#pragma once

#include "frontend/read/report.h"

#include <unordered_map>

namespace dlcc::frontend {

class NameTable {
public:
  /// Numbers a new value. `what` it is, "layer", for messages: a name that is taken is an error, at `place`.
  uint32_t declare(const std::string& name, const char* what, const Place& place, Reporter& report);
  /// Another name of a value.
  void alias(const std::string& name, uint32_t value, const char* what, const Place& place, Reporter& report);

  size_t size() const { return values_.size(); }
  const std::string& text(uint32_t value) const { return values_[value]; }
  std::optional<uint32_t> find(const std::string& name) const;
  /// An error if a value has this name, which belongs to `what`.
  void refuse(const std::string& name, const char* what, Reporter& report) const;
  std::vector<std::string> names() const;

private:
  struct Entry {
    uint32_t value;
    const char* what;
    Place place;
  };
  std::vector<std::string> values_;
  std::unordered_map<std::string, Entry> entries_;
};

} // namespace dlcc::frontend

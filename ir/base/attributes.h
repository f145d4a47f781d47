// Ordered name -> value attributes of a graph node: what an operator needs to know besides its operands.
#pragma once

#include "ir/base/dtype.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace dlcc {

using AttributeValue =
    std::variant<bool, int64_t, double, DType, std::string, std::vector<int64_t>, std::vector<double>>;

/// Kept sorted by name, so that equal sets of attributes print and compare equal.
class Attributes {
public:
  Attributes() = default;
  Attributes(std::initializer_list<std::pair<std::string, AttributeValue>> items) {
    for (auto& [name, value] : items) set(name, value);
  }

  void set(std::string_view name, AttributeValue value);
  bool has(std::string_view name) const { return find(name) != nullptr; }
  const AttributeValue* find(std::string_view name) const;

  /// The value, or `otherwise` when absent; a wrong type is an internal error (attributes are checked on construction).
  bool boolean(std::string_view name, bool otherwise = false) const;
  int64_t integer(std::string_view name, int64_t otherwise = 0) const;
  double number(std::string_view name, double otherwise = 0) const;
  DType dtype(std::string_view name, DType otherwise = DType::f32) const;
  std::string_view string(std::string_view name, std::string_view otherwise = {}) const;
  const std::vector<int64_t>& integers(std::string_view name) const;
  const std::vector<double>& numbers(std::string_view name) const;

  bool empty() const { return items_.empty(); }
  auto begin() const { return items_.begin(); }
  auto end() const { return items_.end(); }
  friend bool operator==(const Attributes&, const Attributes&) = default;

private:
  std::vector<std::pair<std::string, AttributeValue>> items_;
};

} // namespace dlcc

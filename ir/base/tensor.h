// A dense tensor of doubles on the host: test data, constants, the references' operands and results.
#pragma once

#include "ir/base/shape.h"

#include <vector>

namespace dlcc {

struct Tensor {
  Type type;
  std::vector<double> data; ///< row-major; integers and booleans as exact doubles

  Tensor() = default;
  explicit Tensor(Type t) : type(std::move(t)), data(static_cast<size_t>(element_count(type.shape))) {}
  Tensor(Type t, std::vector<double> values) : type(std::move(t)), data(std::move(values)) {}
  size_t size() const { return data.size(); }
};

} // namespace dlcc

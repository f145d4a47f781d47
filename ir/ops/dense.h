// Index arithmetic over dense row-major tensors, for the references.
#pragma once

#include "ir/base/tensor.h"

#include <functional>

namespace dlcc::ops {

/// Calls visit(index) for every index of the shape, in row-major order.
template <class Visit> void for_each_index(const Shape& shape, Visit visit) {
  Shape index(shape.size(), 0);
  for (int64_t n = element_count(shape), i = 0; i < n; ++i) {
    visit(static_cast<const Shape&>(index));
    for (size_t axis = shape.size(); axis-- > 0;) {
      if (++index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
  }
}

/// Where the element at `index` lies.
inline size_t offset_of(const Shape& shape, const Shape& index) {
  int64_t offset = 0;
  for (size_t axis = 0; axis < shape.size(); ++axis) offset = offset * shape[axis] + index[axis];
  return static_cast<size_t>(offset);
}

/// The element that NumPy's broadcasting pairs with `index` of a shape that `t` can be broadcast to.
inline double broadcast_at(const Tensor& t, const Shape& index) {
  const Shape& shape = t.type.shape;
  Shape own(index.end() - static_cast<std::ptrdiff_t>(shape.size()), index.end());
  for (size_t axis = 0; axis < own.size(); ++axis)
    if (shape[axis] == 1) own[axis] = 0;
  return t.data[offset_of(shape, own)];
}

} // namespace dlcc::ops

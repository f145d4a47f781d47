// Arithmetic on the indices that element hooks see: affine where it can be, an integer expression where an index comes
// from data.
#pragma once

#include "ir/ops/scalar.h"

namespace dlcc::ops {

/// i * factor + offset
loops::Index scaled(loops::Builder& b, const loops::Index& i, int64_t factor, int64_t offset);
/// Where the element lies in a row-major tensor of that shape.
loops::Index linear_index(loops::Builder& b, std::span<const loops::Index> at, std::span<const int64_t> shape);
/// The indices, in a tensor of shape `to`, of the element that lies where `at` lies in one of shape `from`; the shapes
/// have the same number of elements. Axes that are only joined stay affine; splitting one divides.
std::vector<loops::Index> reindexed(loops::Builder& b, const std::vector<loops::Index>& at, const Shape& from,
                                    const Shape& to);

} // namespace dlcc::ops

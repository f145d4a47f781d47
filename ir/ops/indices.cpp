#include "ir/ops/indices.h"

#include <algorithm>

namespace dlcc::ops {

using loops::Index;

Index scaled(loops::Builder& b, const Index& i, int64_t factor, int64_t offset) {
  if (!i.indirect.valid()) return i.affine * factor + loops::Affine(offset);
  return index_of(value_of(b, i) * static_cast<double>(factor) + static_cast<double>(offset));
}

Index linear_index(loops::Builder& b, std::span<const Index> at, std::span<const int64_t> shape) {
  Index linear(0);
  int64_t stride = 1;
  for (size_t axis = at.size(); axis-- > 0; stride *= shape[axis]) {
    if (shape[axis] == 1) continue;
    Index term = scaled(b, at[axis], stride, 0);
    if (!linear.indirect.valid() && !term.indirect.valid())
      linear.affine = linear.affine + term.affine;
    else
      linear = index_of(value_of(b, linear) + value_of(b, term));
  }
  return linear;
}

namespace {
// The indices of element number `linear` of a tensor of that shape: (linear / stride) mod extent.
std::vector<Index> split(loops::Builder& b, const Index& linear, std::span<const int64_t> shape) {
  size_t inner = 0, outermost = shape.size();
  for (size_t axis = 0; axis < shape.size(); ++axis)
    if (shape[axis] != 1) ++inner, outermost = std::min(outermost, axis);
  std::vector<Index> index(shape.size(), Index(0));
  int64_t stride = 1;
  for (size_t axis = shape.size(); axis-- > 0; stride *= shape[axis]) {
    if (shape[axis] == 1) continue;
    if (inner == 1) {
      index[axis] = linear;
      continue;
    }
    Scalar i = value_of(b, linear);
    if (stride != 1) i = i / static_cast<double>(stride);
    if (axis != outermost) i = remainder(i, static_cast<double>(shape[axis]));
    index[axis] = index_of(i);
  }
  return index;
}
} // namespace

std::vector<Index> reindexed(loops::Builder& b, const std::vector<Index>& at, const Shape& from, const Shape& to) {
  if (element_count(from) == 0) return std::vector<Index>(to.size(), Index(0));
  std::vector<Index> result;
  // Groups of neighbouring axes with equal products correspond to each other.
  for (size_t i = 0, j = 0; i < from.size() || j < to.size();) {
    size_t first_i = i, first_j = j;
    int64_t have = i < from.size() ? from[i++] : 1, want = j < to.size() ? to[j++] : 1;
    while (have != want)
      if (have < want)
        have *= from[i++];
      else
        want *= to[j++];
    Index linear =
        linear_index(b, std::span(at).subspan(first_i, i - first_i), std::span(from).subspan(first_i, i - first_i));
    for (Index& index : split(b, linear, std::span(to).subspan(first_j, j - first_j)))
      result.push_back(std::move(index));
  }
  return result;
}

} // namespace dlcc::ops

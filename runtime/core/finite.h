// finite.h: finds NaN and infinities in a tensor, as fast as memory gives it.
#pragma once
#include <cstdint>

namespace dlcc::runtime {

// Index of the first element that is not finite; -1: none, as always of integers.
int64_t find_non_finite(const void* data, int32_t dtype, int64_t elements);

} // namespace dlcc::runtime

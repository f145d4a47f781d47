// How a contraction is cut into register tiles and tasks: a pure function of its extents and the machine. The bits of the
// result do not depend on it.
#pragma once

#include "ir/base/machine.h"
#include "ir/loops/program.h"

namespace dlcc::loops {

/// For C[m, n] = sum over k of A[m, k] * B[k, n], n being the axis that runs in vector lanes.
Tiling choose_tiling(int64_t m, int64_t n, int64_t k, DType dtype, const Machine& machine);

} // namespace dlcc::loops

// How loops and contractions are cut into vectors, register tiles and tasks: a pure function of types, extents and the
// machine. The bits of the result do not depend on it.
#pragma once

#include "ir/base/machine.h"
#include "ir/loops/program.h"

#include <span>

namespace dlcc::loops {

/// Elements that a loop in lanes does at once, by the types that it loads and stores: 16, or 8 if all have 8 bytes.
/// Booleans go with the others.
unsigned lanes_for(std::span<const DType> accessed);

/// For C[m, n] = sum over k of A[m, k] * B[k, n], n being the axis that runs in vector lanes.
Tiling choose_tiling(int64_t m, int64_t n, int64_t k, DType dtype, const Machine& machine);

} // namespace dlcc::loops

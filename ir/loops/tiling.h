// How loops and contractions are cut into vectors, register tiles and tasks: a pure function of types, extents and the
// machine. The bits of the result do not depend on it.
#pragma once

#include "ir/base/machine.h"
#include "ir/loops/program.h"

#include <span>

namespace dlcc::loops {

/// Steps that cover an extent.
constexpr int64_t pieces(int64_t extent, int64_t step) { return extent / step + (extent % step != 0); }

/// Loops over shorter rows leave most lanes idle: several rows run side by side instead.
inline constexpr int64_t short_row = 16;

/// Elements that a loop in lanes does at once, by the types that it loads and stores: 16, or 8 if all have 8 bytes.
/// Booleans go with the others.
unsigned lanes_for(std::span<const DType> accessed);

/// For C[m, n] = sum over k of A[m, k] * B[k, n], n being the axis that runs in vector lanes.
Tiling choose_tiling(int64_t m, int64_t n, int64_t k, DType dtype, const Machine& machine);

/// The blocks of a tiled contraction, each of which may be a task.
int64_t task_count(const Contract& contract);

} // namespace dlcc::loops

#include "ir/loops/tiling.h"

#include "ir/loops/walk.h"

#include <algorithm>

namespace dlcc::loops {

unsigned lanes_for(std::span<const DType> accessed) {
  bool wide = false;
  for (DType t : accessed) {
    if (t == DType::boolean) continue;
    if (byte_size(t) < 8) return logical_vector_bytes / 4;
    wide = true;
  }
  return logical_vector_bytes / (wide ? 8 : 4);
}

namespace {
// A task should be worth about 0.6 us at 30 multiply-adds a nanosecond, and more than 64 tasks help no machine we know.
constexpr int64_t task_multiply_adds = 600 * 30, most_tasks = 64;

// Fewer registers of accumulators than this leave the multiply-add units waiting for loads.
constexpr int64_t least_accumulators = 10;
} // namespace

Tiling choose_tiling(int64_t m, int64_t n, int64_t k, DType dtype, const Machine& machine) {
  const int64_t lanes = logical_vector_bytes / static_cast<int64_t>(byte_size(dtype));
  const int64_t registers_per_vector = logical_vector_bytes / machine.vector_bytes;
  Tiling t;
  if (m == 0 || n == 0) return {1, lanes, 1, lanes}; // nothing to do
  // Two vectors of columns share every broadcast element of A, where the registers suffice.
  const int64_t wide = registers_per_vector == 1 && n > lanes ? 2 : 1;
  t.columns = wide * lanes;
  // Accumulators, the row of B, and two registers for elements of A must fit.
  const int64_t per_row = wide * registers_per_vector;
  const int64_t most_rows = std::min<int64_t>((machine.vector_registers - per_row - 2) / per_row, 24);
  t.rows =
      pieces(m, pieces(m, most_rows)); // tiles of even height, rather too low than with a rest: a rest is more code
  for (int64_t rows = most_rows; 2 * rows > most_rows && rows * per_row >= least_accumulators; --rows)
    if (m % rows == 0) {
      t.rows = rows;
      break;
    }

  const int64_t row_tiles = pieces(m, t.rows), column_tiles = pieces(n, t.columns);
  const int64_t wanted = static_cast<int64_t>(
      std::clamp(static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k) / task_multiply_adds, 1.0,
                 static_cast<double>(most_tasks)));
  // Columns first: a task then works on few panels of B. Rows only if that does not give enough tasks.
  const int64_t column_tasks = std::min(column_tiles, wanted);
  t.task_columns = pieces(column_tiles, column_tasks) * t.columns;
  const int64_t row_tasks = std::min(row_tiles, std::max<int64_t>(1, wanted / pieces(n, t.task_columns)));
  t.task_rows = pieces(row_tiles, row_tasks) * t.rows;
  return t;
}

int64_t task_count(const Contract& c) {
  return pieces(extent_of(c.m), c.tiling.task_rows) * pieces(extent_of(c.n), c.tiling.task_columns);
}

} // namespace dlcc::loops

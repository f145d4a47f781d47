// Runs an entry of a loop-IR program in double precision: the oracle that generated code is compared with.
//
// Arithmetic on floats is done in double whatever the element type; constants are rounded to their type first; integers
// wrap in theirs (i64 values are exact up to 2^53); a float that becomes an integer is truncated and saturates, NaN
// becomes 0. Orders of sums are not followed: every reduction is one sequential chain.
#pragma once

#include "ir/base/tensor.h"
#include "ir/loops/program.h"

namespace dlcc::loops {

/// What the first check that fired has reported.
struct FaultRecord {
  int32_t code = 0;
  std::string what;
  int64_t sample = -1;
  double value = 0;
};

/// The tensors of a program's buffers. A view has none of its own: it is its storage, row-major, in another shape.
struct Memory {
  IdVector<BufferId, Tensor> buffers;
  FaultRecord fault; ///< of the last run
};

/// Zeros; hyper buffers and the floats of the arena NaN, constants as declared.
Memory make_memory(const Program& program);

enum class MemoryMode : uint8_t {
  separate, ///< every storage buffer by itself
  arena,    ///< planned programs: the entry's arena is one array of bytes, buffers lie at their offsets, and everything
            ///< stored is rounded to its element type, so that a wrong plan gives wrong numbers
};

/// Runs the entry; 0, or the code of the fault it was left with. A load outside its tensor gives NaN (0 for integers; 0
/// for a padded load); a store outside one, a call whose arguments do not fit, or a program that verify.h would not
/// accept in another way is an internal error.
int32_t run_entry(const Program& program, const Entry& entry, Memory& memory, MemoryMode mode = MemoryMode::separate);

/// x rounded to the type: f32 to nearest, integers by truncation and wrapping, booleans to 0 or 1.
double round_to(DType type, double x);

/// One scalar operator on doubles as defined above; `operand` is the type of the (second, for select) operand.
double evaluate_scalar(ScalarOp op, DType result, DType operand, const double* x);

} // namespace dlcc::loops

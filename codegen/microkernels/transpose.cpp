#include "codegen/microkernels/transpose.h"

namespace dlcc::codegen {

Values transpose(llvm::IRBuilderBase& b, Values rows) {
  const auto n = static_cast<int>(rows.size());
  for (int d = n / 2; d > 0; d /= 2) {
    llvm::SmallVector<int, 16> upper, lower; // of the pair (i, i + d)
    for (int lane = 0; lane < n; ++lane) {
      upper.push_back((lane & d) == 0 ? lane : n + lane - d);
      lower.push_back((lane & d) == 0 ? lane + d : n + lane);
    }
    for (int i = 0; i < n; ++i) {
      if (i & d) continue;
      auto &x = rows[static_cast<size_t>(i)], &y = rows[static_cast<size_t>(i + d)];
      llvm::Value* first = b.CreateShuffleVector(x, y, upper);
      y = b.CreateShuffleVector(x, y, lower);
      x = first;
    }
  }
  return rows;
}

} // namespace dlcc::codegen

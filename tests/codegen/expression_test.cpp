// Scalar expressions in scalar and vector loops against the interpreter of the loop IR.
#include "tests/codegen/harness.h"

#include "ir/loops/evaluate.h"

#include <cmath>
#include <gtest/gtest.h>

namespace dlcc::codegen {
namespace {

using namespace loops;

// Runs the program both ways on random data and compares outputs and state within `relative`.
void expect_as_interpreted(const Program& p, double relative, int64_t below = 10) {
  for (const char* target : {"native", "x86-64-v3"}) {
    Memory memory = make_memory(p);
    Tensors tensors;
    uint32_t seed = 1;
    for (BufferId b : p.buffers.ids()) {
      const Buffer& buffer = p.buffers[b];
      if (buffer.region != Region::input && buffer.region != Region::param) continue;
      memory.buffers[b] = tensors[buffer.name] = random_tensor(buffer.type, seed++, below);
    }
    CompiledProgram compiled(p, target);
    EXPECT_EQ(compiled.run("predict", tensors), 0);
    run_entry(p, p.entries[0], memory);
    for (BufferId b : p.buffers.ids()) {
      const Buffer& buffer = p.buffers[b];
      if (buffer.region != Region::output && buffer.region != Region::param) continue;
      const Tensor &got = tensors[buffer.name], &want = memory.buffers[b];
      for (size_t i = 0; i < want.size(); ++i) {
        double expected = round_to(buffer.type.dtype, want.data[i]);
        if (std::isnan(expected)) {
          EXPECT_TRUE(std::isnan(got.data[i])) << target << " " << buffer.name << "[" << i << "]";
          continue;
        }
        EXPECT_NEAR(got.data[i], expected, relative * std::max(1.0, std::fabs(expected)))
            << target << " " << buffer.name << "[" << i << "]";
      }
    }
  }
}

TEST(Expressions, VectorAndScalarLoopsWithTails) {
  for (const char* mark : {"", " vector", " unroll"})
    for (int n : {1, 7, 16, 33}) {
      std::string s = std::to_string(n);
      SCOPED_TRACE(mark + s);
      expect_as_interpreted(
          program_of("x: f32[" + s + "], y: f32[" + s + "], out z: f32[" + s + "]",
                     "tasks 1 {\n for i in " + s + mark + " {\n store z[i] = x[i] * y[i] + 2.0\n }\n}"),
          1e-6);
    }
}

} // namespace
} // namespace dlcc::codegen

// How much scratch a thread has, counted from the text of its kernels; that nothing writes behind it, every run of
// these tests looks at (harness.h).
#include "tests/codegen/harness.h"

#include "ir/loops/parse.h"

#include <gtest/gtest.h>

namespace dlcc::codegen {
namespace {

constexpr uint64_t block(uint64_t bytes) { return (bytes + 63) / 64 * 64; }
constexpr uint64_t lanes = 16; // of an outermost loop that runs in lanes: each has rows of its own

std::string row_kernel(int extent, const char* mark) {
  const std::string n = std::to_string(extent);
  return "for i in 37" + std::string(mark) + " {\n for j in " + n +
         " { store row[j] = x[i] * 2.0 }\n sum s over j2 in " + n + " = row[j2]\n store z[i] = s\n}\n";
}

uint64_t scratch_of(const char* type, int extent, const char* mark) {
  const std::string array = std::string(type) + "[" + std::to_string(extent) + "]", row = std::string(type) + "[37]";
  CompiledProgram p(program_of("x: " + row + ", out z: " + row + ", scratch row: " + array,
                               "tasks 1 {\n" + row_kernel(extent, mark) + "}"));
  Tensors t;
  t["x"] = random_tensor({type == std::string("f32") ? DType::f32 : DType::f64, {37}}, 1);
  EXPECT_EQ(p.run("predict", t), 0);
  for (size_t i = 0; i < 37; ++i) EXPECT_NEAR(t["z"].data[i], 2 * extent * t["x"].data[i], 1e-4 * extent);
  return p.module().work_bytes_per_thread;
}

TEST(Scratch, IsThatOfTheRows) {
  for (int extent : {1, 10, 16, 17, 100}) {
    const auto n = static_cast<uint64_t>(extent);
    EXPECT_EQ(scratch_of("f32", extent, ""), block(4 * n));
    EXPECT_EQ(scratch_of("f64", extent, ""), block(8 * n));
    EXPECT_EQ(scratch_of("f32", extent, " vector"), block(4 * n * lanes));
    EXPECT_EQ(scratch_of("f64", extent, " vector"), block(8 * n * lanes));
  }
}

TEST(Scratch, RowsLieBesideEachOther) {
  CompiledProgram p(
      program_of("x: f32[37], out z: f32[37], scratch a: f32[10], scratch b: f64[3], scratch c: f32[20]",
                 "tasks 1 {\nfor i in 37 {\n for j in 10 { store a[j] = x[i] }\n for k in 3 { store b[k] = 2.0 }\n"
                 " for l in 20 { store c[l] = x[i] + 1.0 }\n store z[i] = a[9] + f32(b[2]) + c[19]\n}\n}"));
  Tensors t;
  t["x"] = random_tensor({DType::f32, {37}}, 1);
  ASSERT_EQ(p.run("predict", t), 0);
  for (size_t i = 0; i < 37; ++i) EXPECT_NEAR(t["z"].data[i], 2 * t["x"].data[i] + 3, 1e-5);
  EXPECT_EQ(p.module().work_bytes_per_thread, block(40) + block(24) + block(80));
}

// The kernels of a program take turns in it: the largest counts, wherever it stands.
TEST(Scratch, IsThatOfTheLargestKernel) {
  for (bool largest_first : {true, false}) {
    auto kernel = [](const char* name, int extent) {
      return "kernel @" + std::string(name) + "(x: f32[37], out z: f32[37], scratch row: f32[" +
             std::to_string(extent) + "]) tasks 1 {\n" + row_kernel(extent, "") + "}\n";
    };
    const std::string large = kernel("large", 100), small = kernel("small", 4);
    CompiledProgram p(loops::parse_program(
        "program @p stage planned batch 0\nregion input {\n  buffer %x : f32[37] role input\n}\nregion output {\n"
        "  buffer %y : f32[37] role output\n  buffer %z : f32[37] role output\n}\n" +
        (largest_first ? large + small : small + large) +
        "entry @predict(inputs: %x; outputs: %y, %z) {\n  call @large(%x, %y)\n  call @small(%x, %z)\n}\n"));
    EXPECT_EQ(p.module().work_bytes_per_thread, block(400));
    Tensors t;
    t["x"] = random_tensor({DType::f32, {37}}, 1);
    ASSERT_EQ(p.run("predict", t), 0);
    for (size_t i = 0; i < 37; ++i) {
      EXPECT_NEAR(t["y"].data[i], 200 * t["x"].data[i], 1e-3);
      EXPECT_NEAR(t["z"].data[i], 8 * t["x"].data[i], 1e-4);
    }
  }
}

// Threads have blocks of their own.
TEST(Scratch, OfThreadsLiesApart) {
  CompiledProgram p(program_of("x: f32[37], out z: f32[37], scratch row: f32[100]",
                               "tasks 8 {\n" + row_kernel(100, " tasks") + "}", true));
  for (int threads : {1, 2, 5}) {
    Tensors t;
    t["x"] = random_tensor({DType::f32, {37}}, 1);
    CallOptions options;
    options.threads = threads;
    ASSERT_EQ(p.run("predict", t, options), 0);
    for (size_t i = 0; i < 37; ++i) EXPECT_NEAR(t["z"].data[i], 200 * t["x"].data[i], 1e-3);
  }
}

} // namespace
} // namespace dlcc::codegen

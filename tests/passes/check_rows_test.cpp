// Models in which one row of a batch depends on others are refused where the batch may be short.
#include "tests/passes/execution.h"

#include "ir/ops/ops.h"
#include "passes/gradient/check_rows.h"

#include <gtest/gtest.h>

namespace dlcc::testing {
namespace {

// What is said of a predict function on x [4,6] and w [6,4] with these nodes, the last of which gives %p.
std::string verdict(const std::string& nodes, const std::string& last_batch = "mask") {
  graph::Module m =
      parse_graph("module @m stage stable dtype f32 batch 4 {\n  state %w : parameter f32[6,4] = zeros\n"
                  "  directive train options {last_batch = \"" +
                  last_batch + "\"}\n  entry func @predict(input %x: f32[4,6]) -> %p {\n" + nodes + "\n  }\n}\n");
  DiagnosticList diagnostics("m.json");
  passes::PassContext context{ops::all_ops(), {}, &diagnostics};
  passes::check_rows(std::move(m), context);
  return diagnostics.all().empty() ? "" : diagnostics.all()[0].text;
}

constexpr const char* apart[] = {
    "%p : f32[4,4] = matmul(%x, %w)",
    "%p : f32[4,6] = softmax(%x)",
    "%m : f32[4,1] = mean(%x) {axes = [1], keepdims = true}\n %p : f32[4,6] = subtract(%x, %m)",
    "%r : f32[8,3] = reshape(%x) {shape = [8,3]}\n %s : f32[8] = sum(%r) {axes = [1]}\n"
    "%p : f32[4,2] = reshape(%s) {shape = [4,2]}",
    "%t : f32[6,4] = transpose(%x)\n %u : f32[6,4] = multiply(%t, %w)\n %s : f32[4] = sum(%u) {axes = [0]}\n"
    "%p : f32[4] = relu(%s)",
    "%c : f32[4,12] = concat(%x, %x) {axis = 1}\n %p : f32[4,3] = slice(%c) {begin = [0,2], end = [4,5], stride = "
    "[1,1]}",
    "%s : f32[] = sum(%w)\n %p : f32[4,6] = multiply(%x, %s)",
};

constexpr const char* mixed[] = {
    "%m : f32[6] = mean(%x) {axes = [0]}\n %p : f32[4,6] = subtract(%x, %m)",
    "%m : f32[] = max(%x)\n %p : f32[4,6] = divide(%x, %m)",
    "%t : f32[6,4] = transpose(%x)\n %p : f32[6,6] = matmul(%t, %x)",
    "%t : f32[6,4] = transpose(%x)\n %m : f32[4,4] = matmul(%x, %t)\n %p : f32[4] = sum(%m) {axes = [1]}",
    "%m : f32[4,6] = softmax(%x) {axis = 0}\n %p : f32[4,6] = relu(%m)",
    "%m : f32[8,6] = concat(%x, %x) {axis = 0}\n %p : f32[8] = sum(%m) {axes = [1]}",
    "%m : f32[2,6] = slice(%x) {begin = [1,0], end = [3,6], stride = [1,1]}\n %p : f32[2,6] = relu(%m)",
};

TEST(CheckRows, RowsThatStayApart) {
  for (const char* nodes : apart) EXPECT_EQ(verdict(nodes), "") << nodes;
}

TEST(CheckRows, RowsThatMix) {
  for (const char* nodes : mixed) {
    EXPECT_NE(verdict(nodes).find("mixes the rows of a batch"), std::string::npos) << nodes << ": " << verdict(nodes);
    EXPECT_EQ(verdict(nodes, "drop"), "") << nodes;
  }
}

} // namespace
} // namespace dlcc::testing

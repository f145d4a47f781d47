// Values that double sixty times over: whoever walks each path to a shared expression, instead of each expression,
// never ends here.
#include "tests/passes/execution.h"

#include "ir/loops/evaluate.h"
#include "ir/loops/parse.h"
#include "ir/loops/print.h"
#include "ir/loops/verify.h"
#include "ir/ops/ops.h"
#include "passes/memory/share_in_place.h"
#include "passes/schedule/cost_model.h"
#include "tests/codegen/harness.h"

#include <gtest/gtest.h>

#include <cmath>

namespace dlcc::testing {
namespace {

constexpr int doublings = 60;

/// `def NAME1 = START + START`, `def NAME2 = NAME1 + NAME1`, ...
std::string doubled(const std::string& name, const std::string& start) {
  std::string text, last = start;
  for (int i = 1; i <= doublings; ++i) {
    std::string next = name + std::to_string(i);
    text += "    def " + next + " = " + last + " + " + last + "\n";
    last = next;
  }
  return text;
}

/// A shared expression wherever a statement may have one: let, sum, store and its index, check, both factors.
std::string program_text() {
  const std::string last = std::to_string(doublings);
  return "program @shared stage loops batch 0\n"
         "region input {\n  buffer %x : f64[4,8] role input\n  buffer %w : f64[8,16] role input\n"
         "  buffer %i : i32[4] role input\n}\n"
         "region output {\n  buffer %y : f64[4,16] role output\n  buffer %s : f64[4] role output\n}\n"
         "region arena {\n  buffer %t : f64[4] entry predict\n}\n"
         "region fault {\n  buffer %fault : i32[]\n}\n"
         "kernel @rows(x: f64[4,8], i: i32[4], inout fault: i32[], out t: f64[4]) tasks 1 {\n  for r in 4 {\n" +
         doubled("a", "x[r, 0]") + doubled("j", "i[r]") + "    let first = a" + last + "\n" + doubled("b", "x[r, k]") +
         "    sum s over k in 8 = b" + last + "\n" + "    check(a" + last + " < 0.0) value a" + last +
         " fault(1, \"x\")\n" + doubled("c", "x?[r, (j" + last + ")]") + "    store t[r] = s + first + c" + last +
         "\n  }\n}\n"
         "kernel @product(x: f64[4,8], w: f64[8,16], out y: f64[4,16]) tasks 1 {\n" +
         doubled("f", "x[m, k]") + doubled("g", "w[k, n]") + "  contract c over m in 4; n in 16; k in 8 = f" + last +
         " * g" + last +
         " {\n    store y[m, n] = c\n  }\n}\n"
         "kernel @copy(t: f64[4], out s: f64[4]) tasks 1 {\n  for r in 4 {\n" +
         doubled("d", "t[r]") + "    store s[r] = d" + last +
         "\n  }\n}\n"
         "entry @predict(inputs: %x, %w, %i; outputs: %y, %s) {\n  call @rows(%x, %i, %fault, %t)\n"
         "  call @product(%x, %w, %y)\n  call @copy(%t, %s)\n}\n";
}

loops::Program parsed(const std::string& text) {
  try {
    return loops::parse_program(text);
  } catch (const TextError& e) {
    throw std::runtime_error("line " + std::to_string(e.where.line) + ": " + e.what());
  }
}

TEST(SharedExpressions, EveryWalkOfALoopProgramEnds) {
  loops::Program p = parsed(program_text());
  const std::string text = print(p);
  EXPECT_EQ(print(parsed(text)), text);
  EXPECT_TRUE(loops::verify(p).empty());
  for (const loops::Kernel& k : p.kernels) {
    EXPECT_GT(passes::cost_of(k).nanoseconds, 0);
    passes::may_overwrite(k, loops::TensorId(0), loops::TensorId(k.tensors.size() - 1));
  }
  passes::PassContext context{ops::all_ops(), {}};
  p = std::get<loops::Program>(passes::run_passes(std::move(p), context, {}));
  EXPECT_EQ(passes::stage_of(p), "planned");

  graph::Environment e;
  e.inputs["x"] = Tensor({DType::f64, {4, 8}}, std::vector<double>(32, 0.5));
  e.inputs["w"] = Tensor({DType::f64, {8, 16}}, std::vector<double>(128, 0.25));
  e.inputs["i"] = Tensor({DType::i32, {4}}, std::vector<double>(4, 0));
  const double scale = std::ldexp(1, doublings);
  for (const Outcome& outcome : {run_planned(p, "predict", e), run_compiled(p, "predict", e)}) {
    EXPECT_EQ(outcome.status, 0);
    EXPECT_EQ(outcome.results[0].data, std::vector<double>(64, 8 * 0.125 * scale * scale));
    EXPECT_EQ(outcome.results[1].data, std::vector<double>(4, (8 * 0.5 + 0.5 + 0.5) * scale * scale));
  }
}

// Views are computed where they are used, so each of these would double what its user computes.
TEST(SharedExpressions, EveryWalkOfAGraphEnds) {
  std::string nodes, last = "x";
  for (int i = 1; i <= doublings; ++i) {
    const std::string n = std::to_string(i);
    nodes += "%c" + n + " : f64[8] = concat(%" + last + ", %" + last + ") {axis = 0}\n" + "%s" + n +
             " : f64[4] = slice(%c" + n + ") {begin = [1], end = [5]}\n" + "%a" + n + " : f64[4] = add(%s" + n +
             ", %s" + n + ")\n" + "%v" + n + " : f64[4] = where(%b, %a" + n + ", %s" + n + ")\n";
    last = (i % 2 ? "s" : "v") + n;
  }
  graph::Module m = parse_graph("module @m stage training dtype f64 batch 0 {\n  entry func @predict(input %x: f64[4], "
                                "input %b: bool[4]) -> %" +
                                last + " {\n" + nodes + "  }\n}\n");
  graph::Environment e = random_environment(m, entry_of(m, "predict"), 1);
  expect_close(run_planned(plan(m), "predict", e), run_graph(m, "predict", e), 1e-12);
}

} // namespace
} // namespace dlcc::testing

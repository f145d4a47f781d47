// Loops written by hand, of which some carry values from one iteration to the next: those are never marked, whatever
// the loop looks like, and text that marks them is refused.
#include "tests/passes/execution.h"

#include "ir/loops/parse.h"
#include "ir/loops/print.h"
#include "ir/loops/verify.h"
#include "ir/ops/ops.h"

#include <gtest/gtest.h>

namespace dlcc::testing {
namespace {

/// A kernel of x, indices j, and results y and z that are filled with x first; t is one number of scratch.
std::string program_of(const std::string& body) {
  return "program @p stage loops batch 0\n"
         "region input {\n  buffer %x : f64[64] role input\n  buffer %j : i32[64] role input\n}\n"
         "region output {\n  buffer %y : f64[64] role output\n  buffer %z : f64[8,64] role output\n}\n"
         "kernel @fill(x: f64[64], out y: f64[64], out z: f64[8,64]) tasks 1 {\n"
         "  for i in 64 {\n    store y[i] = x[i]\n  }\n  for r in 8 {\n    for i in 64 {\n      store z[r, i] = x[i]\n"
         "    }\n  }\n}\n"
         "kernel @k(x: f64[64], j: i32[64], inout y: f64[64], inout z: f64[8,64], scratch s: f64[64], scratch t: "
         "f64[]) "
         "tasks 1 {\n" +
         body +
         "}\n"
         "entry @predict(inputs: %x, %j; outputs: %y, %z) {\n  call @fill(%x, %y, %z)\n  call @k(%x, %j, %y, %z)\n}\n";
}

std::string with_marks(std::string body, const std::string& mark) {
  for (size_t at = body.find('@'); at != std::string::npos; at = body.find('@', at)) body.replace(at, 1, mark);
  return body;
}

loops::Program planned(const std::string& text) {
  passes::PassContext context{ops::all_ops(), {}};
  return std::get<loops::Program>(passes::run_passes(loops::parse_program(text), context, {}));
}

struct Case {
  const char *name, *body; ///< @: where the mark of the loop that carries stands
};
void PrintTo(const Case& c, std::ostream* os) { *os << c.name; }

constexpr Case carrying[] = {
    {"Recurrence", "for i in 63 @ {\nstore y[i + 1] = y[i] * 0.5 + x[i]\n}\n"},
    {"RecurrenceBackwards", "for i in 63 @ {\nstore y[62 - i] = y[63 - i] * 0.5 + x[i]\n}\n"},
    {"FarRecurrence", "for i in 60 @ {\nstore y[i + 4] = y[i] + x[i]\n}\n"},
    {"Neighbour", "for i in 63 @ {\nstore y[i] = y[i + 1] + x[i]\nstore y[i + 1] = 3.0\n}\n"},
    {"Reversal", "for i in 64 @ {\nstore y[63 - i] = y[i] + 1.0\n}\n"},
    {"OneElement", "for i in 64 @ {\nstore y[0] = y[0] * 0.5 + x[i]\n}\n"},
    {"PlacesFromData", "for i in 64 @ {\nstore y[(j[i])] = y[(j[i])] + x[i]\n}\n"},
    {"Row", "for r in 8 {\nfor i in 63 @ {\nstore z[r, i + 1] = z[r, i] + x[i]\n}\n}\n"},
    {"Rows", "for r in 7 @ {\nfor i in 8 {\nstore z[r + 1, i] = z[r, i] + x[i]\n}\n}\n"},
    {"PrefixSumOfARow", "for r in 8 {\nstore t[] = 0.0\nfor i in 64 @ {\nstore t[] = t[] + x[i]\nstore z[r, i] = "
                        "t[]\n}\n}\n"},
};

class Carrying : public ::testing::TestWithParam<Case> {};

TEST_P(Carrying, RunsInOrder) {
  const loops::Program p = planned(program_of(with_marks(GetParam().body, "")));
  graph::Environment e;
  std::vector<double> x(64), j(64);
  for (size_t i = 0; i < 64; ++i) x[i] = static_cast<double>(i * i % 17) / 4, j[i] = static_cast<double>(i * 7 % 5);
  e.inputs["x"] = Tensor({DType::f64, {64}}, x);
  e.inputs["j"] = Tensor({DType::i32, {64}}, j);
  const Outcome expected = run_planned(p, "predict", e);
  for (int threads : {1, 3}) expect_identical(run_compiled(p, "predict", e, threads), expected);
}

TEST_P(Carrying, IsRefusedInLanes) {
  const std::string body = GetParam().body;
  std::vector<Violation> violations = loops::verify(loops::parse_program(program_of(with_marks(body, "vector"))));
  ASSERT_FALSE(violations.empty());
}

INSTANTIATE_TEST_SUITE_P(Loops, Carrying, ::testing::ValuesIn(carrying), [](const auto& i) { return i.param.name; });

// What is independent is still marked; so is a loop whose iterations have scratch of their own.
TEST(MarkLoops, IndependentIterationsRunInLanes) {
  for (const char* body : {"for i in 64 @ {\nstore y[i] = y[i] + x[i]\n}\n",
                           "for r in 8 {\nfor i in 64 @ {\nstore z[r, i] = z[r, i] + x[63 - i]\n}\n}\n",
                           "for i in 64 @ {\nstore t[] = x[i]\nfor r in 8 {\nstore z[r, i] = t[]\n}\n}\n"}) {
    const std::string text = loops::print(planned(program_of(with_marks(body, ""))));
    const std::string loop = with_marks(body, "vector");
    EXPECT_NE(text.substr(text.find("@k(")).find("for i in 64 vector {"), std::string::npos) << text;
    EXPECT_TRUE(loops::verify(loops::parse_program(program_of(loop))).empty());
  }
}

// The fault that is reported is that of the first sample, so samples are looked at in order.
TEST(MarkLoops, ChecksAreNotCutIntoTasks) {
  auto program = [](int tasks) {
    return "program @p stage loops batch 0\nregion input {\n  buffer %x : f32[1000000] role input\n}\nregion output {\n"
           "  buffer %y : f32[1000000] role output\n}\nregion fault {\n  buffer %fault : i32[]\n}\n"
           "kernel @k(x: f32[1000000], out y: f32[1000000], inout fault: i32[]) tasks " +
           std::to_string(tasks) +
           " {\n  for i in 1000000 {\n    check(x[i] < 0.0) sample index(i) value x[i] fault(1, \"x\")\n"
           "    store y[i] = exp(x[i])\n  }\n}\n"
           "entry @predict(inputs: %x; outputs: %y) {\n  call @k(%x, %y, %fault)\n}\n";
  };
  loops::Program p = planned(program(1));
  EXPECT_EQ(p.kernels[loops::KernelId(0)].tasks, 1);
  EXPECT_EQ(loops::verify(loops::parse_program(program(4)))[0].text,
            "kernel k: a check in one of several tasks: which fault is first? [tasks]");
}

} // namespace
} // namespace dlcc::testing

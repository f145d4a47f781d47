// Which results take the place of an operand: text in, views out.
#include "passes/memory/share_in_place.h"

#include "ir/loops/parse.h"
#include "ir/loops/verify.h"
#include "ir/ops/ops.h"
#include "passes/pass_manager.h"

#include <gtest/gtest.h>

namespace dlcc::testing {
namespace {

struct Case {
  const char *name, *steps; ///< a = 2 x is there before them; %y is an output
  const char* views;        ///< "b in a", each result with the operand that it overwrites
};
void PrintTo(const Case& c, std::ostream* os) { *os << c.name; }

std::string program_of(const std::string& steps) {
  return "program @p stage scheduled batch 0\n"
         "region input {\n  buffer %x : f64[8] role input\n}\n"
         "region output {\n  buffer %y : f64[8] role output\n  buffer %z : f64[8] role output\n}\n"
         "region arena {\n  buffer %a : f64[8] entry predict\n  buffer %a.rows : f64[2,4] = view %a entry predict\n"
         "  buffer %b : f64[8] entry predict\n  buffer %c : f64[8] entry predict\n  buffer %s : f64[] entry "
         "predict\n}\n"
         "kernel @twice(x: f64[8], out y: f64[8]) tasks 1 {\n  for i in 8 {\n    store y[i] = x[i] * 2.0\n  }\n}\n"
         "kernel @turned(x: f64[8], out y: f64[8]) tasks 1 {\n  for i in 8 {\n    store y[i] = x[7 - i]\n  }\n}\n"
         "kernel @add(x: f64[8], z: f64[8], out y: f64[8]) tasks 1 {\n  for i in 8 {\n    store y[i] = x[i] + z[i]\n"
         "  }\n}\n"
         "kernel @sum(x: f64[8], out s: f64[]) tasks 1 {\n  sum t over i in 8 = x[i]\n  store s[] = t\n}\n"
         "kernel @sum_rows(x: f64[2,4], out s: f64[]) tasks 1 {\n  sum t over j in 4 = x[0, j] + x[1, j]\n  store s[] = "
         "t\n"
         "}\n"
         "kernel @spread(s: f64[], out z: f64[8]) tasks 1 {\n  for i in 8 {\n    store z[i] = s[]\n  }\n}\n"
         "entry @predict(inputs: %x; outputs: %y, %z) {\n" +
         steps + "}\n";
}

// The phase is the unit of time: calls in one may run at once, so none may read what another overwrites.
constexpr Case cases[] = {
    {"ADyingOperand",
     "parallel {\nphase {\ncall @twice(%x, %a)\n}\nphase {\ncall @twice(%a, %b)\n}\nphase {\ncall @twice(%b, %y)\ncall "
     "@twice(%x, %z)\n}\n}\n",
     "b in a"},
    {"ReadByAnotherCallOfThePhase",
     "parallel {\nphase {\ncall @twice(%x, %a)\n}\nphase {\ncall @twice(%a, %b)\ncall @sum(%a, %s)\n}\nphase {\ncall "
     "@twice(%b, %y)\ncall @spread(%s, %z)\n}\n}\n",
     ""},
    {"ReadByAnEarlierCallOfThePhase",
     "parallel {\nphase {\ncall @twice(%x, %a)\n}\nphase {\ncall @sum(%a, %s)\ncall @twice(%a, %b)\n}\nphase {\ncall "
     "@twice(%b, %y)\ncall @spread(%s, %z)\n}\n}\n",
     ""},
    {"ReadByAnotherCallThroughAView",
     "parallel {\nphase {\ncall @twice(%x, %a)\n}\nphase {\ncall @twice(%a, %b)\ncall @sum_rows(%a.rows, %s)\n}\nphase "
     "{\ncall @twice(%b, %y)\ncall @spread(%s, %z)\n}\n}\n",
     ""},
    {"TwoResultsOfOneOperandInAPhase",
     "parallel {\nphase {\ncall @twice(%x, %a)\n}\nphase {\ncall @twice(%a, %b)\ncall @twice(%a, %c)\n}\nphase {\ncall "
     "@add(%b, %c, %y)\ncall @twice(%x, %z)\n}\n}\n",
     ""},
    {"OneAfterTheOtherTheLastMay",
     "serial {\ncall @twice(%x, %a)\ncall @sum(%a, %s)\ncall @twice(%a, %b)\ncall @twice(%b, %y)\ncall @spread(%s, "
     "%z)\n}\n",
     "b in a"},
    {"ReadLater",
     "serial {\ncall @twice(%x, %a)\ncall @twice(%a, %b)\ncall @sum(%a, %s)\ncall @twice(%b, %y)\ncall @spread(%s, "
     "%z)\n}\n",
     ""},
    {"TwiceAnOperandOfTheCall",
     "serial {\ncall @twice(%x, %a)\ncall @add(%a, %a, %b)\ncall @twice(%b, %y)\ncall @twice(%x, %z)\n}\n", ""},
    {"InAnotherOrder",
     "serial {\ncall @twice(%x, %a)\ncall @turned(%a, %b)\ncall @twice(%b, %y)\ncall @twice(%x, %z)\n}\n", ""},
    {"AnInputIsNotOurs", "serial {\ncall @twice(%x, %b)\ncall @twice(%b, %y)\ncall @twice(%x, %z)\n}\n", ""},
};

class InPlace : public ::testing::TestWithParam<Case> {};

TEST_P(InPlace, OnlyWhereNobodyElseLooks) {
  passes::PassContext context{ops::all_ops(), {}};
  const loops::Program before = loops::parse_program(program_of(GetParam().steps));
  ASSERT_TRUE(loops::verify(before).empty()) << loops::verify(before)[0].text;
  const loops::Program after = passes::share_in_place(before, context);
  std::string views;
  for (loops::BufferId b : after.buffers.ids())
    if (after.buffers[b].view_of.valid() && !before.buffers[b].view_of.valid())
      views += after.buffers[b].name + " in " + after.buffers[after.buffers[b].view_of].name;
  EXPECT_EQ(views, GetParam().views);
  passes::PassOptions to_the_end;
  EXPECT_NO_THROW(passes::run_passes(before, context, to_the_end)) << "the plan is proven";
}

INSTANTIATE_TEST_SUITE_P(Cases, InPlace, ::testing::ValuesIn(cases), [](const auto& i) { return i.param.name; });

} // namespace
} // namespace dlcc::testing

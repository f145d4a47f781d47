// Where the threads of a region wait for each other, read in the code that is made: between phases, and behind an exit
// where a later check could report a fault that a thread which is late would take for an earlier one.
#include "tests/codegen/harness.h"

#include "codegen/link/object.h"
#include "codegen/module/emit.h"
#include "ir/loops/parse.h"
#include "ir/loops/verify.h"

#include <gtest/gtest.h>

namespace dlcc::codegen {
namespace {

std::string program_with(const std::string& steps) {
  return "program @p stage planned batch 0\n"
         "region input {\n  buffer %x : f64[8] role input\n}\nregion output {\n  buffer %y : f64[8] role output\n"
         "  buffer %z : f64[8] role output\n}\n"
         "region fault {\n  buffer %fault : i32[]\n}\n"
         "kernel @work(x: f64[8], out y: f64[8]) tasks 1 {\n  for i in 8 {\n    store y[i] = x[i] * 2.0\n  }\n}\n"
         "kernel @look(x: f64[8], inout fault: i32[]) tasks 1 {\n  for i in 8 {\n"
         "    check(x[i] < 0.0) sample index(i) value x[i] fault(1, \"x\")\n  }\n}\n"
         "entry @predict(inputs: %x; outputs: %y, %z) {\n  serial {\n    call @work(%x, %y)\n    call @work(%x, %z)\n  "
         "}\n  parallel {\n" +
         steps + "  }\n}\n";
}

// The sequence of kernels (W, L), looks at the fault (?) and barriers (|) in the body of the region.
std::string sequence_of(const std::string& steps) {
  const loops::Program p = loops::parse_program(program_with(steps));
  EXPECT_TRUE(loops::verify(p).empty()) << loops::verify(p)[0].text;
  ArtefactInfo info;
  info.name = "test", info.model_json = "{}", info.compiler = "dlcc test";
  EmitOptions options;
  options.one_unit = true;
  const std::string all = llvm_text(emit_program(p, make_target("x86-64-v3"), info, options).at(0));
  size_t begin = all.find(".parallel0.body(");
  while (!all.substr(0, begin).substr(all.rfind('\n', begin) + 1).starts_with("define"))
    begin = all.find(".parallel0.body(", begin + 1);
  const std::string body = all.substr(begin, all.find("\n}\n", begin) - begin);
  std::string sequence;
  for (size_t at = 0; at < body.size(); ++at) {
    const std::string_view here = std::string_view(body).substr(at);
    if (here.starts_with(".work(")) sequence += 'W';
    if (here.starts_with(".look(")) sequence += 'L';
    if (here.starts_with(", label %leave")) sequence += '?';
    if (here.starts_with("@GOMP_barrier(")) sequence += '|';
  }
  return sequence;
}

const std::string work = "    phase {\n      call @work(%x, %y)\n    }\n",
                  other = "    phase {\n      call @work(%x, %z)\n    }\n",
                  look = "    phase {\n      call @look(%x, %fault)\n    }\n", leave = "    exit\n";

TEST(Barriers, StandBetweenPhasesAndNotBehindTheLast) {
  EXPECT_EQ(sequence_of(work), "W");
  EXPECT_EQ(sequence_of(work + other), "W|W");
  EXPECT_EQ(sequence_of("    phase {\n      call @work(%x, %y)\n      call @work(%x, %z)\n    }\n"), "WW");
}

TEST(Barriers, StandBehindAnExitWhereALaterCheckMayFail) {
  EXPECT_EQ(sequence_of(look + leave + work), "L|?W");
  EXPECT_EQ(sequence_of(look + leave + look + leave + work), "L|?|L|?W");
  EXPECT_EQ(sequence_of(look + leave + work + look + leave + other), "L|?|W|L|?W");
}

// The entry itself looks, when all have come out of the region.
TEST(Barriers, AnExitAtTheEndIsTheEntrysOwn) {
  EXPECT_EQ(sequence_of(work + look + leave), "W|L");
  EXPECT_EQ(sequence_of(look + leave + work + look + leave), "L|?|W|L");
}

} // namespace
} // namespace dlcc::codegen

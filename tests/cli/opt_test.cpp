// `dlcc opt` on texts and orders of passes that cannot be: one line with its place, never a failure of dlcc, and
// nothing on standard output.
#include "tests/cli/program.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace dlcc::cli_tests {
namespace {

constexpr const char* model = R"({ "dlcc": 1, "name": "two", "seed": 7,
  "inputs": { "x": { "shape": ["N", 2] } },
  "layers": [ { "type": "Dense", "name": "hidden", "units": 8, "activation": "relu" },
              { "type": "Dense", "name": "p", "units": 1, "activation": "sigmoid" } ],
  "loss": "binary_crossentropy", "optimizer": "sgd", "train": { "batch_size": 4 } }
)";

struct Fault {
  std::string name, stage;
  std::vector<std::string> more;
  int exit_code;
  std::string at;                 ///< what stands where the message points
  std::string message;            ///< all of it behind "error: "
  std::string from = {}, to = {}; ///< the text's first `from` becomes `to`
};
void PrintTo(const Fault& f, std::ostream* out) { *out << f.name; }

/// "file:line:column: " of the first `word`.
std::string place_of(const std::string& text, const std::string& word) {
  const size_t at = text.find(word);
  if (at == std::string::npos) return "no '" + word + "' in the text";
  const size_t line =
      static_cast<size_t>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
  const size_t column = at - (line ? text.rfind('\n', at) + 1 : 0);
  return "dump.ir:" + std::to_string(line + 1) + ":" + std::to_string(column + 1) + ": ";
}

class WrongText : public testing::TestWithParam<Fault> {};

TEST_P(WrongText, GetsOneLineWithItsPlace) {
  const Fault& fault = GetParam();
  Folder folder;
  folder.write("m.json", model);
  const Result dumped = folder.run({"m.json", "--emit=" + fault.stage, "-march=x86-64-v3"});
  ASSERT_EQ(dumped.exit_code, 0) << dumped.err;
  std::string text = dumped.out;
  if (const size_t at = text.find(fault.from); !fault.from.empty()) {
    ASSERT_NE(at, std::string::npos) << text;
    text.replace(at, fault.from.size(), fault.to);
  }
  folder.write("dump.ir", text);
  std::vector<std::string> args = {"opt", "dump.ir"};
  args.insert(args.end(), fault.more.begin(), fault.more.end());
  expect_refused(folder, args, fault.exit_code, place_of(text, fault.at) + "error: " + fault.message);
}

const Fault orders[] = {
    {"FarTooEarly",
     "source",
     {"--passes=plan_memory"},
     2,
     "source",
     "the pass 'plan_memory' runs at stage scheduled, not at stage source [pass-order]"},
    {"ComposedOperatorsAreLeft",
     "training",
     {"--passes=simplify,form_clusters"},
     2,
     "training",
     "the pass 'form_clusters' runs at stage simplified, not at stage training (bce_with_logits 'rows' in stage "
     "simplified: only operators with an element expression remain) [pass-order]"},
    {"Back",
     "planned",
     {"--to", "source"},
     2,
     "planned",
     "it is at stage planned, which comes after source [pass-order]"},
    {"TwiceOnScheduled",
     "scheduled",
     {"--passes=form_phases"},
     2,
     "scheduled",
     "the pass 'form_phases' runs at stage loops, not at stage scheduled [pass-order]"},
    {"TwiceOnPlanned",
     "planned",
     {"--passes=form_phases"},
     2,
     "planned",
     "the pass 'form_phases' runs at stage loops, not at stage planned [pass-order]"},
    {"NotTiled",
     "loops",
     {"--passes=form_phases"},
     2,
     "loops",
     "the pass 'form_phases' cannot run yet: the contraction of kernel 'hidden.forward' is not tiled; run 'mark_loops' "
     "first [pass-order]"},
};
INSTANTIATE_TEST_SUITE_P(Orders, WrongText, testing::ValuesIn(orders), [](const auto& i) { return i.param.name; });

const Fault texts[] = {
    {"NoIr", "source", {}, 3, "hello", "expected 'module' or 'program' [syntax]", "module", "hello"},
    {"UnknownInitialiser",
     "source",
     {},
     3,
     "%hidden/bias",
     "state 'hidden/bias': unknown initialiser 'zeroes' [ill-formed]",
     "= zeros",
     "= zeroes"},
    {"UnknownSchedule",
     "source",
     {"--to=planned"},
     3,
     "schedule constnt",
     "directive 'schedule': unknown schedule 'constnt' [ill-formed]",
     "schedule constant",
     "schedule constnt"},
    {"AttributeOfAnotherKind",
     "source",
     {"--passes=inline_calls"},
     3,
     "schedule constant",
     "directive 'schedule': attribute 'initial' must be of kind number [ill-formed]",
     "initial = 0.01",
     "initial = true"},
    {"OutOfBounds",
     "planned",
     {},
     3,
     "store hidden[m, n + 1]",
     "kernel hidden.forward: index 1 of a store to 'hidden' is in [1, 8], expected [0, 8) [bounds] [ill-formed]",
     "store hidden[m, n]",
     "store hidden[m, n + 1]"},
    {"LanesThatShareAnElement",
     "planned",
     {},
     3,
     "contract c",
     "kernel hidden.forward: iterations that run side by side may touch the same element of 'hidden' [side-by-side] "
     "[ill-formed]",
     "store hidden[m, n]",
     "store hidden[m, 0]"},
    {"MoreTasksThanTiles",
     "planned",
     {},
     3,
     "kernel @hidden.forward",
     "kernel hidden.forward: has 3 tasks, but the tiling of its contraction makes 1 [tasks] [ill-formed]",
     "tasks 1",
     "tasks 3"},
};
INSTANTIATE_TEST_SUITE_P(Texts, WrongText, testing::ValuesIn(texts), [](const auto& i) { return i.param.name; });

TEST(Opt, SaysTheStageThatIsThere) {
  Folder folder;
  folder.write("m.json", model);
  auto stage_after = [&](const std::string& stage, const std::string& passes) {
    const Result r =
        folder.run({"opt", "-", "--passes=" + passes}, {.input = folder.run({"m.json", "--emit=" + stage}).out});
    EXPECT_EQ(r.exit_code, 0) << r.err;
    return r.out.substr(0, r.out.find(" file"));
  };
  EXPECT_EQ(stage_after("source", "simplify"), "module @two stage source");
  EXPECT_EQ(stage_after("training", "simplify"), "module @two stage training");
  EXPECT_EQ(stage_after("training", "expand_composites,simplify"), "module @two stage simplified");
}

// A text of sixty short functions, each calling the one before it twice.
TEST(Opt, CallsThatStandForTooMuchAreRefused) {
  Folder folder;
  std::string text = "module @deep stage source dtype f32 batch 4 {\n"
                     "  func @f0(input %a: f32[4]) -> %b {\n    %b : f32[4] = tanh(%a)\n  }\n";
  for (int i = 1; i < 60; ++i) {
    const std::string call = "call @f" + std::to_string(i - 1);
    text += "  func @f" + std::to_string(i) + "(input %a: f32[4]) -> %b {\n    %c : f32[4] = " + call +
            "(%a)\n    %b : f32[4] = " + call + "(%c)\n  }\n";
  }
  folder.write("deep.ir", text + "}\n");
  for (const char* to : {"stable", "planned"})
    expect_refused(
        folder, {"opt", "deep.ir", "--to", to}, 3,
        "deep.ir:83:5: error: function 'f20': with this call of 'f19' the calls of the module stand for more "
        "than 5000000 nodes [ill-formed]");
}

} // namespace
} // namespace dlcc::cli_tests

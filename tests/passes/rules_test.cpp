// One text a rule in rules/: the pass, a graph, and what the pass makes of it. DLCC_BLESS=1 writes the second part
// anew.
#include "tests/passes/execution.h"

#include "ir/graph/print.h"
#include "ir/ops/ops.h"
#include "passes/simplify/simplify.h"
#include "tests/passes/golden.h"

#include <gtest/gtest.h>

#include <cmath>

namespace dlcc::testing {
namespace {

class Rule : public ::testing::TestWithParam<std::filesystem::path> {};

// Numbers that tell exact rules from nearly exact ones; the usual ones first.
const double special[] = {1.5, -0.3, NAN, -0.0, INFINITY, 0.0, -INFINITY, 5e-324, 1e308, 0.1};

graph::Environment environment_of(const graph::Module& m, const graph::Function& f, size_t shift, bool with_special) {
  graph::Environment e = random_environment(m, f, static_cast<unsigned>(shift));
  size_t i = shift;
  if (with_special)
    for (auto& [name, tensor] : e.inputs)
      for (double& x : tensor.data)
        if (is_float(tensor.type.dtype)) x = special[i++ % std::size(special)];
  return e;
}

TEST_P(Rule, GivesThisAndMeansTheSame) {
  std::string text = read_file(GetParam());
  const std::string separator = "----\n";
  size_t middle = text.find(separator), line = text.find('\n');
  ASSERT_NE(middle, std::string::npos);
  std::string title = text.substr(7, line - 7), pass = title.substr(0, title.find(',')), input = text.substr(0, middle);
  graph::Module before = parse_graph(input);
  passes::PassContext context{ops::all_ops(), {}};
  passes::PassOptions only;
  only.only = {pass};
  graph::Module after = std::get<graph::Module>(passes::run_passes(before, context, only));
  expect_golden(GetParam(), input + separator + graph::print(after));

  bool exact = pass != "stabilise"; // exact in mathematics, better in floats
  for (size_t shift = 0; shift < std::size(special); ++shift) {
    graph::Environment e = environment_of(before, entry_of(before, "predict"), shift, exact);
    Outcome was = run_graph(before, "predict", e), is = run_graph(after, "predict", e);
    if (exact && pass == title)
      expect_identical(is, was);
    else
      expect_close(is, was, exact ? 0 : 1e-12);
  }
}

INSTANTIATE_TEST_SUITE_P(Texts, Rule, ::testing::ValuesIn(texts_in("rules")), [](const auto& info) {
  std::string name = info.param.stem().string();
  for (char& c : name)
    if (c == '-') c = '_';
  return name;
});

} // namespace
} // namespace dlcc::testing

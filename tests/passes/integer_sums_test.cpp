// Sums and products of integers and of bool are those of i64, as in NumPy: compiled, and by both interpreters.
#include "tests/passes/execution.h"

#include "ir/graph/builder.h"
#include "ir/ops/build.h"

#include <gtest/gtest.h>

namespace dlcc::testing {
namespace {

using namespace graph;

TEST(IntegerSums, DoNotWrapInTheOperandsType) {
  struct Case {
    const char* op;
    DType type;
    std::vector<double> row;
    double expected;
  };
  const std::vector<Case> cases = {
      {"sum", DType::u8, std::vector<double>(300, 200), 60000},
      {"sum", DType::i8, std::vector<double>(300, -100), -30000},
      {"sum", DType::i32, std::vector<double>(70, 2147483647), 70 * 2147483647.0},
      {"sum", DType::boolean, std::vector<double>(1000, 1), 1000},
      {"product", DType::u8, {16, 16, 3}, 768},
      {"product", DType::i8, {-100, 100, 2}, -20000},
      {"product", DType::i32, {65536, 65536, 3}, 3 * 0x1p32},
      {"product", DType::boolean, {1, 1, 0}, 0},
  };
  for (const Case& c : cases)
    for (bool along_columns : {false, true}) {
      SCOPED_TRACE(std::string(c.op) + " of " + std::string(name_of(c.type)));
      Module m;
      m.name = "sums", m.stage = Stage::training;
      Function& f = m.functions[m.functions.push({.name = "predict", .entry = true})];
      Builder b(m, f, ops::all_ops());
      const auto n = static_cast<int64_t>(c.row.size());
      Type type{c.type, along_columns ? Shape{n, 1} : Shape{1, n}};
      ValueId x = b.parameter("x", type, ParameterRole::input);
      f.results = {b.add(c.op, {x}, {{"axes", std::vector<int64_t>{along_columns ? 0 : 1}}})};
      EXPECT_EQ(b.type(f.results[0]), (Type{DType::i64, {1}}));
      Environment e;
      e.inputs["x"] = Tensor(type, c.row);
      const std::vector<double> expected{c.expected};
      EXPECT_EQ(run_graph(m, "predict", e).results[0].data, expected);
      loops::Program p = plan(m);
      EXPECT_EQ(run_planned(p, "predict", e).results[0].data, expected);
      EXPECT_EQ(run_compiled(p, "predict", e).results[0].data, expected);
    }
}

} // namespace
} // namespace dlcc::testing

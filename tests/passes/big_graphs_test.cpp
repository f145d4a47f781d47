// Graphs of 100,000 nodes go through all passes without recursion and with few distinct kernels.
#include "tests/passes/execution.h"

#include "ir/loops/builder.h"
#include "ir/ops/build.h"

#include <gtest/gtest.h>

#include <set>

namespace dlcc::testing {
namespace {

constexpr int size = 100'000;

graph::Module module_of(graph::ValueId (*body)(graph::Builder&, graph::ValueId x)) {
  graph::Module m;
  m.name = "big", m.stage = graph::Stage::training, m.batch = 32;
  graph::Function f;
  f.name = "predict", f.entry = true;
  graph::Builder b(m, f, ops::all_ops());
  f.results = {body(b, b.parameter("x", {DType::f32, {32, 8}}, graph::ParameterRole::input))};
  m.functions.push(std::move(f));
  return m;
}

void expect_few_kernels(const graph::Module& m) {
  loops::Program p = plan(m);
  EXPECT_LT(p.kernels.size(), 50u);
  EXPECT_FALSE(p.entries[0].steps.empty());
}

TEST(BigGraphs, AChainOfReluHasFewKernels) {
  expect_few_kernels(module_of([](graph::Builder& b, graph::ValueId x) {
    for (int i = 0; i < size; ++i) x = ops::relu(b, x);
    return x;
  }));
}

TEST(BigGraphs, AFanOutHasFewKernels) {
  expect_few_kernels(module_of([](graph::Builder& b, graph::ValueId x) {
    graph::ValueId total = x;
    for (int i = 0; i < size / 2; ++i) total = ops::add(b, total, ops::relu(b, x));
    return total;
  }));
}

// Each concatenation looks at twice as many elements as the one before.
TEST(BigGraphs, NestedViewsAreCut) {
  expect_few_kernels(module_of([](graph::Builder& b, graph::ValueId x) {
    for (int i = 0; i < 14; ++i) x = b.add("concat", {x, x}, {{"axis", int64_t{1}}});
    return ops::relu(b, x);
  }));
}

// Many equal names in one kernel must not cost more than their number.
TEST(BigGraphs, EqualNamesAreMadeUnique) {
  loops::Kernel kernel;
  loops::Builder build(kernel);
  for (int i = 0; i < size; ++i)
    build.var("k"), build.local("sum", DType::f32), build.tensor({"t", {}, loops::Access::in});
  std::set<std::string> names(kernel.vars.begin(), kernel.vars.end());
  for (const loops::Local& l : kernel.locals) names.insert(l.name);
  for (const loops::KernelTensor& t : kernel.tensors) names.insert(t.name);
  EXPECT_EQ(names.size(), 3u * size);
}

TEST(BigGraphs, AChainIsDifferentiated) {
  graph::Module m = parse_graph("module @m stage stable dtype f32 batch 4 {\n  state %w : parameter f32[4,8] = zeros\n"
                                "  hyper learning_rate = 0.1\n  directive optimizer sgd\n"
                                "  directive schedule constant {initial = 0.1}\n"
                                "  func @loss(input %x: f32[4,8]) -> %l {\n    %p : f32[4,8] = multiply(%x, %w)\n"
                                "    %c : f64[4,8] = cast(%p) {dtype = f64}\n    %l : f64[] = sum(%c)\n  }\n}\n");
  graph::Function& f = m.functions[graph::FunctionId(0)];
  graph::Builder b(m, f, ops::all_ops());
  ops::Term x{&b, *f.find("c")};
  for (int i = 0; i < size / 10; ++i) x = ops::relu(x);
  f.results = {ops::sum(x)};
  expect_few_kernels(m);
}

} // namespace
} // namespace dlcc::testing

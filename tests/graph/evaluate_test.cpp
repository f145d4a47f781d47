#include "ir/graph/evaluate.h"
#include "ir/graph/parse.h"
#include "toy_ops.h"

#include <gtest/gtest.h>

#include <cmath>

using namespace dlcc;
using namespace dlcc::graph;

namespace {
const Type vec2{DType::f32, {2}}, scalar{DType::f32, {}};

Module parse_inside(const std::string& inside) {
  return parse_module("module @m stage source dtype f32 batch 1 {\n" + inside + "}\n", toy::ops);
}
const Function& last(const Module& m) { return m.functions[FunctionId(m.functions.size() - 1)]; }

TEST(Evaluate, ComputesByTheFormulas) {
  Module m = parse_inside("func @f(input %x: f32[2], input %y: f32[2]) -> %c, %s, %n {\n"
                          "%a : f32[2] = multiply(%x, %y) %b : f32[2] = add(%a, %x)\n"
                          "%c : f32[2] = leaky(%b) {slope = 0.25} %s : f32[], %n : i64[] = split(%c) }");
  Environment e{{}, {{"x", {vec2, {2, -3}}}, {"y", {vec2, {5, 7}}}}};
  std::vector<Tensor> r = evaluate(m, last(m), toy::ops, e);
  // 2*5+2 = 12; -3*7-3 = -24, times 0.25
  EXPECT_EQ(r[0].data, (std::vector<double>{12, -6}));
  EXPECT_EQ(r[1].data, (std::vector<double>{6}));
  EXPECT_EQ(r[2].data, (std::vector<double>{2}));
}

TEST(Evaluate, ACompositeWithoutReferenceIsItsBody) {
  Module m = parse_inside("func @f(input %x: f32[2], input %y: f32[]) -> %a, %b {\n"
                          "%a : f32[2] = square_plus(%x) %b : f32[] = square_plus(%y) }");
  Environment e{{}, {{"x", {vec2, {3, -4}}}, {"y", {scalar, {10}}}}};
  std::vector<Tensor> r = evaluate(m, last(m), toy::ops, e);
  EXPECT_EQ(r[0].data, (std::vector<double>{12, 12}));
  EXPECT_EQ(r[1].data, (std::vector<double>{110}));
}

TEST(Evaluate, UpdatesTakeEffectTogetherAtTheEnd) {
  Module m = parse_inside("state %a : slot f32[] = zeros state %b : slot f32[] = zeros\n"
                          "func @swap() -> %a { update %a = %b update %b = %a }");
  Environment e{{{"a", {scalar, {1}}}, {"b", {scalar, {2}}}}, {}};
  EXPECT_EQ(evaluate(m, last(m), toy::ops, e)[0].data[0], 1);
  EXPECT_EQ(e.states["a"].data[0], 2);
  EXPECT_EQ(e.states["b"].data[0], 1);
}

TEST(Evaluate, CalleesUpdateToo) {
  Module m =
      parse_inside("state %count : buffer f32[] = zeros\n"
                   "func @g(input %p: f32[]) -> %q {\n"
                   "  %q : f32[] = add(%p, %count) %next : f32[] = add(%count, f32 1.0) update %count = %next }\n"
                   "func @f(input %x: f32[]) -> %r { %q : f32[] = call @g(%x)\n"
                   "  %r : f32[] = add(%q, %count) }");
  Environment e{{{"count", {scalar, {10}}}}, {{"x", {scalar, {1}}}}};
  EXPECT_EQ(evaluate(m, last(m), toy::ops, e)[0].data[0], 21) << "reads are of the state before the step";
  EXPECT_EQ(e.states["count"].data[0], 11);
}

TEST(Evaluate, AHyperNobodySetIsNaN) {
  Module m = parse_inside("func @f(hyper %rate: f64[]) -> %rate {}");
  Environment e;
  EXPECT_TRUE(std::isnan(evaluate(m, last(m), toy::ops, e)[0].data[0]));
  e.inputs["rate"] = {{DType::f64, {}}, {0.5}};
  EXPECT_EQ(evaluate(m, last(m), toy::ops, e)[0].data[0], 0.5);
}

TEST(Evaluate, MissingOrWrongTensorsAreInternalErrors) {
  Module m = parse_inside("state %w : slot f32[2] = zeros func @f(input %x: f32[2]) -> %a {\n"
                          "%a : f32[2] = add(%x, %w) }");
  Environment e{{{"w", {vec2, {1, 2}}}}, {}};
  EXPECT_THROW(evaluate(m, last(m), toy::ops, e), InternalError);
  e.inputs["x"] = {scalar, {1}};
  EXPECT_THROW(evaluate(m, last(m), toy::ops, e), InternalError);
  e.inputs["x"] = {vec2, {1, 2}};
  EXPECT_NO_THROW(evaluate(m, last(m), toy::ops, e));
  e.states.clear();
  EXPECT_THROW(evaluate(m, last(m), toy::ops, e), InternalError);
}

TEST(Evaluate, OneOperator) {
  std::vector<Tensor> operands = {{vec2, {1, 2}}, {vec2, {3, 4}}};
  EXPECT_EQ(evaluate_op(toy::multiply, operands, {}, toy::ops)[0].data, (std::vector<double>{3, 8}));
  EXPECT_EQ(evaluate_op(toy::square_plus, std::span(operands).first(1), {}, toy::ops)[0].data,
            (std::vector<double>{2, 6}));
  EXPECT_THROW(evaluate_op(toy::multiply, std::span(operands).first(1), {}, toy::ops), InferError);
}

TEST(Evaluate, ALongChainNeedsNoStack) {
  Module m;
  Function f{.name = "f"};
  Builder b(m, f, toy::ops);
  ValueId x = b.parameter("x", scalar, ParameterRole::input);
  ValueId one = b.constant(1, DType::f32);
  for (int i = 0; i < 100'000; ++i) x = b.add("add", {x, one});
  f.results = {x};
  Environment e{{}, {{"x", {scalar, {0}}}}};
  EXPECT_EQ(evaluate(m, f, toy::ops, e)[0].data[0], 100'000);
}
} // namespace

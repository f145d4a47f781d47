#include "ir/graph/call.h"
#include "ir/graph/evaluate.h"
#include "ir/graph/parse.h"
#include "ir/graph/print.h"
#include "ir/graph/rewrite.h"
#include "ir/graph/verify.h"
#include "toy_ops.h"

#include <gtest/gtest.h>

using namespace dlcc;
using namespace dlcc::graph;

namespace {
const Type scalar{DType::f32, {}};

std::optional<std::vector<ValueId>> keep(Builder&, const Node&, std::span<const ValueId>) { return std::nullopt; }

Module parse_inside(const std::string& inside) {
  return parse_module("module @m stage source dtype f32 batch 1 {\n" + inside + "}\n", toy::ops);
}
Function& last(Module& m) { return m.functions[FunctionId(m.functions.size() - 1)]; }

TEST(Rewrite, WithoutARuleOnlyDeadNodesGo) {
  Module m = parse_inside("state %w : slot f32[] = zeros\n"
                          "entry func @f(input %x: f32[], input %unused: f32[]) -> %c gradient @g  @4:4 {\n"
                          "cluster 0 why { note \"because\" }\n"
                          "%dead : f32[] = add(%x, %w)\n %dead.1 : f32[] = add(%dead, %x)\n"
                          "%a : f32[] = add(%x, f32 1.0)  @3:3 # a note\n check_finite(%a)\n"
                          "[0] %b : f32[] = multiply(%a, %x)\n %c : f32[], %n : i64[] = split(%x)\n"
                          "update %w = %b  @5:5 }");
  Function out = rewrite(m, last(m), toy::ops, keep);
  EXPECT_EQ(print(m, out), R"(entry func @f(input %x: f32[], input %unused: f32[]) -> %c gradient @g  @4:4 {
  cluster 0 why { note "because" }
  %a     : f32[] = add(%x, f32 1.0)  @3:3  # a note
  check_finite(%a)
  [0] %b : f32[] = multiply(%a, %x)
  %c     : f32[], %n : i64[] = split(%x)
  update %w = %b  @5:5
}
)");
}

TEST(Rewrite, ARuleReplacesNodesAndItsValuesInheritTheNames) {
  Module m = parse_inside("func @f(input %x: f32[]) -> %z {\n"
                          "%y : f32[] = leaky(%x)  @2:2 # old\n %z : f32[] = square_plus(%y)  @3:3 }");
  // square_plus(leaky(x)) -> its body on x: the leaky node becomes dead.
  Function out = rewrite(
      m, last(m), toy::ops,
      [](Builder& b, const Node& node, std::span<const ValueId> operands) -> std::optional<std::vector<ValueId>> {
        if (node.op != &toy::square_plus) return std::nullopt;
        const Function& f = b.function();
        ValueId x = f.nodes[f.values[operands[0]].node].operands[0];
        b.note = "rule leaky";
        return node.op->body(b, std::vector{x}, node.attributes);
      });
  ASSERT_EQ(out.nodes.size(), 2u);
  EXPECT_EQ(out.nodes[NodeId(0)].op, &toy::multiply);
  EXPECT_EQ(out.nodes[NodeId(1)].op, &toy::add);
  EXPECT_EQ(out.values[out.results[0]].name, "z");
  EXPECT_EQ(out.nodes[NodeId(1)].where, (Location{3, 3}));
  EXPECT_EQ(out.nodes[NodeId(1)].note, "rule leaky");
  EXPECT_FALSE(out.find("y"));
  last(m) = out;
  EXPECT_TRUE(verify(m).empty());
}

TEST(Rewrite, ANodeMayBecomeAValueThatIsThere) {
  Module m = parse_inside("func @f(input %x: f32[]) -> %y, %z { %y : f32[] = leaky(%x) %z : f32[] = leaky(%y) }");
  Function out =
      rewrite(m, last(m), toy::ops,
              [](Builder&, const Node&, std::span<const ValueId> operands) -> std::optional<std::vector<ValueId>> {
                return std::vector{operands[0]};
              });
  EXPECT_EQ(out.nodes.size(), 0u);
  EXPECT_EQ(out.results, (std::vector<ValueId>{out.parameters[0], out.parameters[0]}));
  EXPECT_EQ(out.values[out.parameters[0]].name, "x");
}

TEST(Rewrite, InliningKeepsTheMeaning) {
  Module m = parse_inside(
      "state %count : buffer f32[] = zeros\n"
      "func @g(input %p: f32[], input %q: f32[]) -> %r, %p {\n"
      "  %r : f32[] = multiply(%p, %q) %next : f32[] = add(%count, %r)  @6:6\n update %count = %next  @7:7 }\n"
      "func @f(input %x: f32[]) -> %r {\n"
      "  %y : f32[] = add(%x, f32 3.0) %a : f32[], %b : f32[] = call @g(%y, %x) %r : f32[] = add(%a, %b) }");
  Environment before{{{"count", {scalar, {10}}}}, {{"x", {scalar, {2}}}}}, after = before;
  // y = 5; g = (10, 5)
  EXPECT_EQ(evaluate(m, last(m), toy::ops, before)[0].data[0], 15);
  last(m) = rewrite(
      m, last(m), toy::ops,
      [](Builder& b, const Node& node, std::span<const ValueId> operands) -> std::optional<std::vector<ValueId>> {
        if (node.op != &call_op) return std::nullopt;
        return call_op.body(b, operands, node.attributes);
      });
  for (const Node& node : last(m).nodes) EXPECT_NE(node.op, &call_op);
  ASSERT_EQ(last(m).updates.size(), 1u);
  EXPECT_EQ(last(m).updates[0].where, (Location{7, 7}));
  EXPECT_EQ(last(m).nodes[last(m).values[last(m).updates[0].value].node].where, (Location{6, 6}));
  EXPECT_TRUE(verify(m).empty());
  EXPECT_EQ(evaluate(m, last(m), toy::ops, after)[0].data[0], 15);
  EXPECT_EQ(after.states["count"].data[0], 20);
  EXPECT_EQ(before.states["count"].data[0], 20);
}

TEST(Rewrite, ALongChainNeedsNoStack) {
  Module m;
  Function f{.name = "f"};
  Builder b(m, f, toy::ops);
  ValueId x = b.parameter("x", scalar, ParameterRole::input);
  for (int i = 0; i < 100'000; ++i) x = b.add("leaky", {x});
  f.results = {x};
  Function same = rewrite(m, f, toy::ops, keep);
  EXPECT_EQ(print(m, same), print(m, f));
  f.results = {f.parameters[0]};
  EXPECT_EQ(rewrite(m, f, toy::ops, keep).nodes.size(), 0u);
}
} // namespace

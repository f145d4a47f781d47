#include "toy_ops.h"

#include <gtest/gtest.h>

using namespace dlcc;
using namespace dlcc::graph;

namespace {
const Type vec4{DType::f32, {4}};

struct BuilderTest : testing::Test {
  BuilderTest() { w = m.states.push({.name = "w", .type = vec4}); }
  std::string name(ValueId v) { return f.values[v].name; }
  std::string error_of(const std::function<void()>& action) {
    try {
      action();
    } catch (const InferError& e) {
      return e.what();
    }
    return "no error";
  }
  Module m;
  Function f;
  StateId w;
  Builder b{m, f, toy::ops};
};

TEST_F(BuilderTest, NamesResultsAfterHintOrOperatorAndKeepsThemUnique) {
  ValueId x = b.parameter("x", vec4, ParameterRole::input);
  EXPECT_EQ(name(b.add("add", {x, x})), "add");
  EXPECT_EQ(name(b.add("add", {x, x})), "add.1");
  b.name_hint = "z";
  EXPECT_EQ(name(b.add("add", {x, x})), "z");
  EXPECT_EQ(name(b.add("add", {x, x})), "z.1");
  std::vector<ValueId> two = b.add_all(toy::split, {x});
  ASSERT_EQ(two.size(), 2u);
  EXPECT_EQ(name(two[0]), "z.2");
  EXPECT_EQ(name(two[1]), "z.3");
}

TEST_F(BuilderTest, GivesANameThatIsTakenToItsNewOwner) {
  ValueId x = b.parameter("x", vec4, ParameterRole::input);
  ValueId a = b.add("add", {x, x}), c = b.add("add", {x, x});
  b.take_name(c, "add");
  EXPECT_EQ(name(c), "add");
  EXPECT_NE(name(a), "add");
  EXPECT_EQ(b.named(a, "add"), a);
  EXPECT_NE(name(a), name(c));
  EXPECT_EQ(error_of([&] { b.take_name(a, "x"); }), "the name 'x' is that of a parameter or state");
}

TEST_F(BuilderTest, StateReadIsOneValueCalledLikeTheState) {
  ValueId x = b.parameter("x", vec4, ParameterRole::input);
  b.name_hint = "w";
  ValueId result = b.add("add", {x, x});
  ValueId read = b.state(w);
  EXPECT_EQ(name(read), "w");
  EXPECT_EQ(name(result), "w.1");
  EXPECT_EQ(b.state(w), read);
  EXPECT_EQ(Builder(m, f, toy::ops).state(w), read) << "a second builder must see what is there";
}

TEST_F(BuilderTest, ScalarsOfTheCallAreDeclaredOnFirstUse) {
  ValueId n = b.call_scalar("n_valid"), rate = b.hyper("rate");
  EXPECT_EQ(b.call_scalar("n_valid"), n);
  EXPECT_EQ(b.hyper("rate"), rate);
  EXPECT_EQ(f.parameters, (std::vector<ValueId>{n, rate}));
  EXPECT_EQ(to_string(b.type(n)), "i64[]");
  EXPECT_EQ(to_string(b.type(rate)), "f64[]");
  EXPECT_NE(error_of([&] { b.parameter("rate", vec4, ParameterRole::input); }), "no error");
}

TEST_F(BuilderTest, RefusesWhatTheRecordForbids) {
  ValueId x = b.parameter("x", vec4, ParameterRole::input), i = b.call_scalar("i");
  EXPECT_EQ(error_of([&] { b.add("ad", {x, x}); }), "unknown operator 'ad'");
  EXPECT_EQ(error_of([&] { b.add("add", {x}); }), "add: takes 2 inputs, got 1");
  EXPECT_EQ(error_of([&] { b.add("add", {x, i}); }), "add: operands must have one type (C1)");
  EXPECT_EQ(error_of([&] { b.add("leaky", {x}, {{"slop", 0.1}}); }), "leaky: unknown attribute 'slop'");
  EXPECT_EQ(error_of([&] { b.add("leaky", {x}, {{"slope", true}}); }),
            "leaky: attribute 'slope' must be of kind number");
  EXPECT_EQ(error_of([&] { b.add("constant", {}, {{"value", 1.0}}); }), "constant: attribute 'dtype' is missing");
  size_t nodes = f.nodes.size();
  EXPECT_EQ(nodes, 0u) << "a refused node must leave nothing behind";
}

TEST_F(BuilderTest, RefusesTypesThatCannotBeCounted) {
  auto constant = [&](Shape shape) {
    return error_of([&] { b.add("constant", {}, {{"dtype", DType::f32}, {"value", 0.0}, {"shape", shape}}); });
  };
  EXPECT_EQ(constant({2, -1}), "constant: the result f32[2,-1] has a negative dimension");
  EXPECT_EQ(constant({int64_t{1} << 40, int64_t{1} << 40}),
            "constant: the result f32[1099511627776,1099511627776] is too large");
  EXPECT_EQ(constant(Shape(9, 1)), "constant: the result f32[1,1,1,1,1,1,1,1,1] has more than 8 dimensions");
  EXPECT_EQ(constant(Shape(8, 1)), "no error");
}

TEST_F(BuilderTest, IntegersStandForNumbers) {
  ValueId x = b.parameter("x", vec4, ParameterRole::input);
  ValueId y = b.add("leaky", {x}, {{"slope", int64_t{2}}});
  EXPECT_EQ(f.nodes[f.values[y].node].attributes.number("slope"), 2.0);
}

TEST_F(BuilderTest, UpdatesAStateOnceAndWithItsType) {
  ValueId x = b.parameter("x", vec4, ParameterRole::input), i = b.call_scalar("i");
  EXPECT_EQ(error_of([&] { b.update(w, i); }), "update of 'w': expected f32[4], found i64[]");
  b.update(w, x);
  EXPECT_EQ(error_of([&] { b.update(w, x); }), "the state 'w' is updated twice");
}

TEST_F(BuilderTest, CallHasTheResultsOfItsCallee) {
  Function callee{.name = "g"};
  Builder c(m, callee, toy::ops);
  ValueId p = c.parameter("p", vec4, ParameterRole::input);
  callee.results = c.add_all(toy::split, {p});
  ValueId x = b.parameter("x", vec4, ParameterRole::input), i = b.call_scalar("i");
  EXPECT_EQ(error_of([&] { b.add("call", {x}, {{"function", "g"}}); }), "call: no function 'g' before this one (C1)");
  m.functions.push(callee);
  EXPECT_EQ(error_of([&] { b.add("call", {x, x}, {{"function", "g"}}); }), "call: 'g' takes 1 operands, found 2 (C2)");
  EXPECT_EQ(error_of([&] { b.add("call", {i}, {{"function", "g"}}); }), "call: 'p' of 'g' is f32[4], found i64[] (C3)");
  b.add("call", {x}, {{"function", "g"}});
  EXPECT_EQ(f.nodes[NodeId(0)].results.size(), 2u);
  EXPECT_EQ(to_string(b.type(f.nodes[NodeId(0)].results[1])), "i64[]");
}
} // namespace

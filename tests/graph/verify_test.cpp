#include "ir/graph/parse.h"
#include "ir/graph/verify.h"
#include "toy_ops.h"

#include <gtest/gtest.h>

#include <algorithm>

using namespace dlcc;
using namespace dlcc::graph;

namespace {
std::string first_violation(const Module& m) {
  std::vector<Violation> all = verify(m);
  return all.empty() ? "none" : all.front().text;
}

Module chain() {
  return parse_module("module @m stage source dtype f32 batch 1 {\n"
                      "  state %w : parameter f32[4] = zeros\n"
                      "  entry func @f(input %x: f32[4]) -> %b {\n"
                      "    %a : f32[4] = add(%x, %w)\n"
                      "    %b : f32[4] = multiply(%a, %x)\n"
                      "    update %w = %b\n"
                      "  }\n}\n",
                      toy::ops);
}

struct VerifyTest : testing::Test {
  Module m = chain();
  Function& f = m.functions[FunctionId(0)];
  Node& a = f.nodes[NodeId(0)];
  Node& b = f.nodes[NodeId(1)];
  Value& value(const char* name) { return f.values[*f.find(name)]; }
};

TEST_F(VerifyTest, AcceptsAGoodModule) {
  EXPECT_EQ(first_violation(m), "none");
  EXPECT_NO_THROW(check(m, "nothing"));
}

TEST_F(VerifyTest, OrderOfNodes) {
  a.operands[0] = *f.find("b");
  EXPECT_EQ(first_violation(m), "function 'f': 'b' is used before it is there");
}
TEST_F(VerifyTest, UniqueNames) {
  value("a").name = "x";
  EXPECT_EQ(first_violation(m), "function 'f': value 'x' twice");
}
TEST_F(VerifyTest, TypesOfTheRule) {
  value("b").type.shape = {3};
  EXPECT_EQ(first_violation(m), "function 'f': the types of multiply 'b' are not those of its operator's rule");
}
TEST_F(VerifyTest, OperatorRules) {
  b.operands.pop_back();
  EXPECT_EQ(first_violation(m), "function 'f': multiply 'b': multiply: takes 2 inputs, got 1");
}
TEST_F(VerifyTest, IdsInRange) {
  b.operands[0] = ValueId(99);
  EXPECT_EQ(first_violation(m), "function 'f': an operand is no value of the function");
  b.operands[0] = {};
  EXPECT_EQ(first_violation(m), "function 'f': an operand is no value of the function");
}
TEST_F(VerifyTest, ResultsAndNodesAgree) {
  value("b").node = NodeId(0);
  EXPECT_EQ(first_violation(m), "function 'f': 'b' and its node disagree");
}
TEST_F(VerifyTest, OneUpdateAState) {
  f.updates.push_back(f.updates[0]);
  EXPECT_EQ(first_violation(m), "function 'f': the state 'w' is updated twice");
}
TEST_F(VerifyTest, UpdateHasTheTypeOfItsState) {
  m.states[StateId(0)].type.shape = {5};
  std::vector<Violation> all = verify(m);
  EXPECT_TRUE(std::any_of(all.begin(), all.end(), [](const Violation& v) {
    return v.text == "function 'f': the update of 'w' is f32[4], the state f32[5]";
  }));
}
TEST_F(VerifyTest, StateReadsAreCalledLikeTheState) {
  value("w").name = "v";
  EXPECT_EQ(first_violation(m), "function 'f': 'v' is no single read of the state 'w'");
}
TEST_F(VerifyTest, ListOfParameters) {
  f.parameters.clear();
  EXPECT_EQ(first_violation(m), "function 'f': 'x' and the list of parameters disagree");
}
TEST_F(VerifyTest, UniqueDeclarations) {
  m.states.push(m.states[StateId(0)]);
  EXPECT_EQ(first_violation(m), "state 'w' twice");
}

// What each stage allows, by an example of each kind.
struct Example {
  const char* what;
  std::string text;
  bool legal[5]; ///< source, stable, training, simplified, clustered
};

TEST(VerifyStages, Legality) {
  const Example examples[] = {
      {"call", "func @g() {} entry func @f() { call @g() }", {true, false, false, false, false}},
      {"call of a function with its own gradient",
       "func @h() {} func @g() gradient @h {} entry func @f() { call @g() }",
       {true, true, false, false, false}},
      {"composite",
       "entry func @f(input %x: f32[4]) { %a : f32[4] = square_plus(%x) }",
       {true, true, true, false, false}},
      {"update in a helper", "func @f(input %x: f32[4]) { update %w = %x }", {true, true, false, false, false}},
      {"update in an entry", "entry func @f(input %x: f32[4]) { update %w = %x }", {true, true, true, true, true}},
      {"in a cluster",
       "entry func @f(input %x: f32[4]) { cluster 0 c [0] %a : f32[4] = leaky(%x) }",
       {false, false, false, false, true}},
      {"map in no cluster",
       "entry func @f(input %x: f32[4]) { %a : f32[4] = leaky(%x) }",
       {true, true, true, true, true}},
      {"reduction in no cluster",
       "entry func @f(input %x: f32[4]) { %a : f32[], %n : i64[] = split(%x) }",
       {true, true, true, true, false}},
  };
  for (const Example& e : examples)
    for (size_t i = 0; i < 5; ++i) {
      auto stage = static_cast<Stage>(i);
      std::string head = "module @m stage " + std::string(name_of(stage)) + " dtype f32 batch 1 {\n";
      Module m = parse_module(head + "state %w : slot f32[4] = zeros\n" + e.text + "}", toy::ops);
      EXPECT_EQ(verify(m).empty(), e.legal[i]) << e.what << " in " << name_of(stage) << ": " << first_violation(m);
    }
}

TEST(VerifyStages, CallsGoBackwards) {
  Module m =
      parse_module("module @m stage source dtype f32 batch 1 { func @g() {} func @f() { call @g() } }", toy::ops);
  EXPECT_EQ(first_violation(m), "none");
  std::swap(m.functions[FunctionId(0)], m.functions[FunctionId(1)]);
  EXPECT_EQ(first_violation(m), "function 'f': call calls a function behind its own");
  EXPECT_THROW(check(m, "the swap"), InternalError);
}

// Sixty functions that call the one before them twice; a function without nodes is as many calls.
TEST(VerifyStages, CallsThatStandForTooMuchAreRefusedWhereTheyAre) {
  struct Example {
    std::string first, caller, callee;
    uint32_t line;
  };
  const Example examples[] = {{"-> %b { %b : f32[4] = leaky(%a) }", "f20", "f19", 81}, {"-> %a {}", "f21", "f20", 84}};
  for (const Example& e : examples) {
    std::string text = "module @m stage source dtype f32 batch 1 {\nfunc @f0(input %a: f32[4]) " + e.first + "\n";
    for (int i = 1; i < 60; ++i) {
      const std::string call = " = call @f" + std::to_string(i - 1);
      text += "func @f" + std::to_string(i) + "(input %a: f32[4]) -> %b {\n%c : f32[4]" + call + "(%a)\n%b : f32[4]" +
              call + "(%c)\n}\n";
    }
    TextPlaces places;
    const Module m = parse_module(text + "}", toy::ops, &places);
    const std::vector<Violation> all = verify(m, &places);
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(all[0].text, "function '" + e.caller + "': with this call of '" + e.callee +
                               "' the calls of the module stand for more than 5000000 nodes");
    EXPECT_EQ(all[0].where.line, e.line);
  }
}

TEST(VerifyStages, GradientsCountWithTheirFunctions) {
  std::string text =
      "module @m stage source dtype f32 batch 1 {\n"
      "func @d0(input %a: f32[4], input %b: f32[4], input %d: f32[4]) -> %e { %e : f32[4] = leaky(%d) }\n";
  for (int i = 1; i < 60; ++i) {
    const std::string callee = "call @d" + std::to_string(i - 1);
    text += "func @d" + std::to_string(i) +
            "(input %a: f32[4], input %b: f32[4], input %d: f32[4]) -> %e { %c : f32[4] = " + callee +
            "(%a, %b, %d) %e : f32[4] = " + callee + "(%a, %b, %c) }\n";
  }
  EXPECT_NE(first_violation(parse_module(text + "}", toy::ops)), "none");
  text.erase(text.find("func @d19"));
  EXPECT_EQ(first_violation(parse_module(text + "}", toy::ops)), "none");
  text +=
      "func @f(input %a: f32[4]) -> %b gradient @d18 { %b : f32[4] = leaky(%a) }\nfunc @g(input %a: f32[4]) -> %v40 {\n"
      "%v0 : f32[4] = leaky(%a)\n";
  for (int i = 1; i <= 40; ++i)
    text += "%v" + std::to_string(i) + " : f32[4] = call @f(%v" + std::to_string(i - 1) + ")\n";
  EXPECT_NE(first_violation(parse_module(text + "} }", toy::ops)), "none");
}
} // namespace

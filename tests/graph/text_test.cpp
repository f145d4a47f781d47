#include "ir/graph/parse.h"
#include "ir/graph/print.h"
#include "toy_ops.h"

#include <gtest/gtest.h>

#include <random>

using namespace dlcc;
using namespace dlcc::graph;

namespace {
// Written by hand with everything the grammar has.
const std::string everything = R"(module @tiny stage source file "mo\"del.json" dtype f32 batch 32 {
  state %hidden/kernel : parameter f32[4] = glorot_uniform {seed = 1} with {l2 = 0.25, trainable = true}  @3:15
  state %"a b" : slot f32[] = zeros
  hyper learning_rate = 0.1
  hyper momentum = nan
  directive optimizer sgd {nesterov = true}  @5:47

  func @forward(input %x: f32[4]) -> %h {
    %z : f32[4] = multiply(%x, %hidden/kernel)  @3:15  # d matmul, "left" operand
    %h : f32[4] = leaky(%z) {slope = 0.5}
  }

  entry func @"3x"(input %x: f32[4], label %y: f32[4], call %n_valid: i64[], hyper %learning_rate: f64[]) -> %s, %n gradient @other  @7:1 {
    cluster 0 hidden.forward
    cluster 1 p.loss { note "8 KiB: too large" note "" }
    %h       : f32[4] = call @forward(%x)
    check_finite(%h)                           @9:2
    [0] %h.1 : f32[4] = add(%h, %y)
    [1] %s   : f32[], %n : i64[] = split(%h.1)
    %t       : f32[]  = multiply(%s, f32 0.5)  @8:2
    %t.1     : f32[]  = add(f32 -inf, %t)
    %i       : i64[]  = add(%n, i64 -3)
    %c       : f32[]  = constant() {dtype = f32, value = 2.0}
    %v       : f32[2] = constant() {dtype = f32, shape = [2], values = ~[1.0,-0.0]}
    update %"a b" = %c  @9:9
    update %hidden/kernel = %hidden/kernel
  }
}
)";

TEST(Text, PrintsWhatItParsed) { EXPECT_EQ(print(parse_module(everything, toy::ops)), everything); }

TEST(Text, ReadsEveryField) {
  Module m = parse_module(everything, toy::ops);
  EXPECT_EQ(m.name, "tiny");
  EXPECT_EQ(m.file, "mo\"del.json");
  EXPECT_EQ(m.batch, 32);
  ASSERT_EQ(m.states.size(), 2u);
  EXPECT_EQ(m.states[StateId(0)].attributes.number("l2"), 0.25);
  EXPECT_EQ(m.states[StateId(1)].role, StateRole::slot);
  EXPECT_EQ(m.directives[0].where, (Location{5, 47}));
  const Function& forward = m.functions[FunctionId(0)];
  EXPECT_EQ(forward.nodes[NodeId(0)].note, "d matmul, \"left\" operand");
  EXPECT_EQ(forward.nodes[NodeId(0)].where, (Location{3, 15}));
  EXPECT_EQ(forward.values[forward.nodes[NodeId(0)].operands[1]].kind, ValueKind::state);
  const Function& step = m.functions[FunctionId(1)];
  EXPECT_TRUE(step.entry);
  EXPECT_EQ(step.gradient, "other");
  EXPECT_EQ(step.clusters[1].notes, (std::vector<std::string>{"8 KiB: too large", ""}));
  EXPECT_EQ(step.nodes[NodeId(2)].cluster, 0);
  EXPECT_EQ(step.values[*step.find("n")].result_index, 1u);
  EXPECT_EQ(step.updates.size(), 2u);
}

TEST(Text, AConstantThatIsAResultIsANode) {
  Module m;
  Function f{.name = "f"};
  Builder b(m, f, toy::ops);
  ValueId c = b.constant(1.5, DType::f32);
  f.results = {c, b.add("add", {c, b.constant(2, DType::f32)})};
  m.functions.push(f);
  std::string text = print(m);
  EXPECT_NE(text.find("%constant : f32[] = constant() {dtype = f32, value = 1.5}"), std::string::npos) << text;
  EXPECT_NE(text.find("add(%constant, f32 2.0)"), std::string::npos) << text;
  EXPECT_EQ(print(parse_module(text, toy::ops)), text);
}

TEST(Text, InlineConstantsNeverTakeAWrittenName) {
  std::string text = "module @m stage source dtype f32 batch 0 {\n\n  func @f(input %x: f32[]) -> %constant {\n"
                     "    %a        : f32[] = add(%x, f32 1.0)\n"
                     "    %constant : f32[] = add(%a, f32 2.0)\n"
                     "    %add      : f32[] = add(%constant, f32 2.0)\n  }\n}\n";
  EXPECT_EQ(print(parse_module(text, toy::ops)), text);
}

TEST(Text, AnyNameAndNoteSurvives) {
  Module m;
  m.name = "9";
  Type scalar{DType::f32, {}};
  const std::string names[] = {"",          "3",    "-",   "1e5", "inf", "a#b", "a\"b\\",
                               "new\nline", "\xff", "f32", "%",   "->",  "nan"};
  for (const std::string& name : names) {
    m.states.push({.name = name, .type = scalar, .initializer = name, .where = {}});
    m.directives.push_back({.kind = name, .name = name});
    Function f{.name = "f" + name, .gradient = name};
    Builder b(m, f, toy::ops);
    ValueId x = b.parameter("x" + name, scalar, ParameterRole::input);
    b.note = name, b.name_hint = name + "'";
    f.results = {b.add("add", {b.add("add", {x, b.state(StateId(m.states.size() - 1))}), x})};
    f.clusters.push_back({.name = name, .notes = {name}});
    m.functions.push(std::move(f));
  }
  std::string text = print(m);
  EXPECT_EQ(print(parse_module(text, toy::ops)), text);
  Module back = parse_module(text, toy::ops);
  for (StateId s : m.states.ids()) EXPECT_EQ(back.states[s].name, m.states[s].name);
  for (FunctionId f : m.functions.ids())
    EXPECT_EQ(back.functions[f].values[back.functions[f].results[0]].name,
              m.functions[f].values[m.functions[f].results[0]].name);
}

TEST(Text, ALongChainIsAnOrdinaryFunction) {
  Module m;
  Function f{.name = "f"};
  Builder b(m, f, toy::ops);
  ValueId x = b.parameter("x", {DType::f32, {}}, ParameterRole::input);
  for (int i = 0; i < 100'000; ++i) x = b.add("add", {x, x});
  f.results = {x};
  m.functions.push(std::move(f));
  std::string text = print(m);
  EXPECT_EQ(print(parse_module(text, toy::ops)), text);
}

struct Fault {
  const char *statement, *message;
  uint32_t line, column;
};

TEST(Text, FaultsHaveTheirPlace) {
  const Fault faults[] = {
      {"%a : f32[4] = nothing(%x)", "unknown operator 'nothing'", 3, 1},
      {"%a : f32[4] = add(%x, %b)", "unknown value 'b'", 3, 23},
      {"%a : f32[5] = add(%x, %x)", "'a' is f32[4], written is f32[5]", 3, 1},
      {"%a : f32[4] = add(%x)", "add: takes 2 inputs, got 1", 3, 1},
      {"%a : f32[4] = add(%x, %n)", "add: operands must have one type (C1)", 3, 1},
      {"%a : f32[4] = split(%x)", "split has 2 results, written are 1", 3, 1},
      {"%x : f32[4] = add(%x, %x)", "the name 'x' is that of a parameter or state", 3, 1},
      {"%a : f32[4] = add(%x, %x) %a : f32[4] = add(%x, %x)", "the name 'a' is defined twice", 3, 27},
      {"%a : f32[4] = add(%w, %w) %w : f32[4] = add(%x, %x)", "the name 'w' is that of a parameter or state", 3, 27},
      {"update %x = %x", "unknown state 'x'", 3, 1},
      {"update %w = %n", "update of 'w': expected f32[4], found i64[]", 3, 1},
      {"update %w = %x update %w = %x", "the state 'w' is updated twice", 3, 16},
      {"[0] %a : f32[4] = add(%x, %x)", "no such cluster", 3, 2},
      {"cluster 1 a", "expected cluster 0", 3, 9},
      {"%a : f32[4] = call @f(%x)", "call: no function 'f' before this one (C1)", 3, 1},
      {"%a : f32[4] = add(%x, 1)", "expected a value or a constant such as f32 0.5, found '1'", 3, 23},
  };
  for (const Fault& fault : faults) {
    std::string text = "module @m stage source dtype f32 batch 1 { state %w : parameter f32[4] = zeros\n"
                       "func @f(input %x: f32[4], call %n: i64[]) {\n" +
                       std::string(fault.statement) + "\n}\n}\n";
    try {
      parse_module(text, toy::ops);
      ADD_FAILURE() << "accepted: " << fault.statement;
    } catch (const TextError& e) {
      EXPECT_STREQ(e.what(), fault.message) << fault.statement;
      EXPECT_EQ(e.where, (Location{fault.line, fault.column}))
          << fault.statement << " gave " << print_location(e.where);
    }
  }
}

TEST(Text, DeclarationsAreChecked) {
  auto error_of = [](const std::string& inside) -> std::string {
    try {
      parse_module("module @m stage source dtype f32 batch 1 {" + inside + "}", toy::ops);
    } catch (const TextError& e) {
      return e.what();
    }
    return "no error";
  };
  EXPECT_EQ(error_of("state %w : slot f32[2] = zeros state %w : slot f32[2] = zeros"),
            "the state 'w' is declared twice");
  EXPECT_EQ(error_of("state %w : slot f32[-2] = zeros"), "negative dimension -2");
  EXPECT_EQ(error_of("state %w : slot f32[4611686018427387904,4] = zeros"), "the type is too large");
  EXPECT_EQ(error_of("state %w : slot f32[1,1,1,1,1,1,1,1,1] = zeros"), "more than 8 dimensions");
  EXPECT_EQ(error_of("state %w : thing f32[1] = zeros"),
            "expected parameter, slot, buffer, metric or gradient, found 'thing'");
  EXPECT_EQ(error_of("hyper a = 1 hyper a = 1"), "the hyper 'a' is declared twice");
  EXPECT_EQ(error_of("func @f() {} func @f() {}"), "the function 'f' is defined twice");
  EXPECT_EQ(error_of("} {"), "text after the module");
}

// Whatever the bytes are, there is a module or a TextError, and a module prints to text that reads back.
TEST(Text, HostileTextNeverCrashes) {
  std::mt19937 random(7);
  auto below = [&](size_t n) { return random() % n; };
  const std::string bytes = "%@[]{}(),:=->#\"\\x0123456789 ~\n.eE\xff";
  size_t accepted = 0;
  for (int round = 0; round < 4000; ++round) {
    std::string text = everything;
    for (size_t edits = 1 + below(4); edits-- > 0;) {
      size_t at = below(text.size()), length = below(20);
      switch (below(4)) {
      case 0:
        text.erase(at, length);
        break;
      case 1:
        text[at] = bytes[below(bytes.size())];
        break;
      case 2:
        text.insert(at, text.substr(below(text.size()), length));
        break;
      default:
        text.resize(below(50) ? text.size() : at + 1);
      }
    }
    try {
      std::string once = print(parse_module(text, toy::ops));
      EXPECT_EQ(print(parse_module(once, toy::ops)), once) << text;
      ++accepted;
    } catch (const TextError&) {
    }
  }
  EXPECT_GT(accepted, 100u) << "the mutations must reach past the parser's first checks";
}
} // namespace

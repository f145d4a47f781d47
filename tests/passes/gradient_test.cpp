// Differentiation of whole graphs against central differences in double precision, first and second order.
#include "tests/passes/execution.h"

#include "ir/graph/print.h"
#include "ir/ops/build.h"
#include "passes/simplify/expand_composites.h"
#include "passes/training/differentiate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace dlcc::testing {
namespace {

using namespace graph;

/// A function of tensors by its text; %y, of any shape, is weighted and summed up.
struct Case {
  std::string name, inputs, body;
  double low = -2, high = 2;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

const Case cases[] = {
    {"used_twice", "%a: f64[3]", "%b : f64[3] = tanh(%a) %c : f64[3] = sin(%a) %y : f64[3] = multiply(%b, %c)"},
    {"by_itself", "%a: f64[3]", "%b : f64[3] = multiply(%a, %a) %y : f64[3] = add(%b, %b)"},
    {"divided_by_itself", "%a: f64[3]",
     "%b : f64[3] = exp(%a) %c : f64[3] = divide(%b, %a) %y : f64[3] = divide(%c, %b)", 0.5, 2},
    {"power_of_itself", "%a: f64[3]", "%y : f64[3] = power(%a, %a)", 0.5, 2},
    {"broadcast_scalar", "%a: f64[], %b: f64[2,3]", "%y : f64[2,3] = multiply(%a, %b)"},
    {"broadcast_row", "%a: f64[3], %b: f64[2,3]", "%y : f64[2,3] = divide(%b, %a)", 0.5, 2},
    {"broadcast_column", "%a: f64[2,1], %b: f64[2,3]", "%y : f64[2,3] = power(%b, %a)", 0.5, 2},
    {"broadcast_both", "%a: f64[2,1], %b: f64[1,3]", "%c : f64[2,3] = multiply(%a, %b) %y : f64[2,3] = tanh(%c)"},
    {"broadcast_rank_4", "%a: f64[2,1,3,1], %b: f64[4,1,2]",
     "%c : f64[2,4,3,2] = multiply(%a, %b) %y : f64[2,4,3,2] = sin(%c)"},
    {"broadcast_ones", "%a: f64[1,1,1,1], %b: f64[2,1,2,1]", "%y : f64[2,1,2,1] = multiply(%a, %b)"},
    {"where_broadcast", "%a: f64[3], %b: f64[2,1]",
     "%t : bool[2,3] = greater(%a, %b) %y : f64[2,3] = where(%t, %a, %b)"},
    {"maximum_broadcast", "%a: f64[3], %b: f64[2,1]", "%m : f64[2,3] = maximum(%a, %b) %y : f64[2,3] = square(%m)"},
    {"minimum_scalar", "%a: f64[3], %b: f64[]", "%m : f64[3] = minimum(%a, %b) %y : f64[3] = square(%m)"},
    {"broadcast_to", "%a: f64[3,1]", "%b : f64[2,3,4] = broadcast_to(%a) {shape = [2,3,4]} %y : f64[2,3,4] = exp(%b)"},
    {"reshape", "%a: f64[2,6]", "%b : f64[3,4] = reshape(%a) {shape = [3,4]} %y : f64[3,4] = sin(%b)"},
    {"transpose", "%a: f64[2,3,4]",
     "%b : f64[4,2,3] = transpose(%a) {permutation = [2,0,1]} %y : f64[4,2,3] = sin(%b)"},
    {"slice_of_slice", "%a: f64[7,5]",
     "%b : f64[3,4] = slice(%a) {begin = [1,0], end = [7,4], stride = [2,1]} %c : f64[2,2] = slice(%b) {begin = [0,1], "
     "end = [2,4], stride = [1,2]} %y : f64[2,2] = exp(%c)"},
    {"concat_with_itself", "%a: f64[2,3], %b: f64[2,2]",
     "%c : f64[2,8] = concat(%a, %b, %a) {axis = 1} %y : f64[2,8] = square(%c)"},
    {"pad_constant", "%a: f64[3]", "%b : f64[6] = pad(%a) {high = [2], low = [1], value = 0.5} %y : f64[6] = exp(%b)"},
    {"pad_reflect", "%a: f64[3,2]",
     "%b : f64[6,2] = pad(%a) {high = [1,0], low = [2,0], mode = \"reflect\"} %y : f64[6,2] = square(%b)"},
    {"pad_edge", "%a: f64[2]",
     "%b : f64[6] = pad(%a) {high = [3], low = [1], mode = \"edge\"} %y : f64[6] = square(%b)"},
    {"take", "%a: f64[4,2], %i: i32[3]", "%b : f64[3,2] = take(%a, %i) {axis = 0} %y : f64[3,2] = exp(%b)"},
    {"gather", "%a: f64[2,4], %i: i32[3]", "%b : f64[2,3] = gather(%a, %i) {axis = 1} %y : f64[2,3] = exp(%b)"},
    {"max_all", "%a: f64[3,4]", "%b : f64[3,4] = sin(%a) %y : f64[] = max(%b)"},
    {"max_axis", "%a: f64[3,4]",
     "%b : f64[3,1] = max(%a) {axes = [1], keepdims = true} %y : f64[3,4] = multiply(%a, %b)"},
    {"min_axes", "%a: f64[2,3,2]", "%b : f64[3] = min(%a) {axes = [0,-1]} %y : f64[3] = exp(%b)"},
    {"sum_axes", "%a: f64[2,3,4]", "%b : f64[3] = sum(%a) {axes = [0,2]} %y : f64[3] = tanh(%b)"},
    {"mean_keep", "%a: f64[2,3]",
     "%b : f64[2,1] = mean(%a) {axes = [1], keepdims = true} %c : f64[2,3] = subtract(%a, %b) %y : f64[2,3] = "
     "square(%c)"},
    {"product", "%a: f64[2,3]", "%y : f64[2] = product(%a) {axes = [1]}", 0.5, 2},
    {"relu_kinks", "%a: f64[9]",
     "%b : f64[9] = relu(%a) %c : f64[9] = abs(%a) %d : f64[9] = clip(%a) {high = 1.0, low = -1.0} %e : f64[9] = "
     "multiply(%b, %c) %y : f64[9] = add(%e, %d)"},
    {"cast_back", "%a: f64[3]",
     "%b : f32[3] = cast(%a) {dtype = f32} %c : f64[3] = cast(%b) {dtype = f64} %y : f64[3] = sin(%c)"},
    {"integers", "%a: f64[3], %i: i32[3]", "%b : f64[3] = cast(%i) {dtype = f64} %y : f64[3] = multiply(%a, %b)"},
    {"matmul_nn", "%a: f64[2,3], %b: f64[3,4]", "%c : f64[2,4] = matmul(%a, %b) %y : f64[2,4] = tanh(%c)"},
    {"matmul_tn", "%a: f64[3,2], %b: f64[3,4]",
     "%c : f64[2,4] = matmul(%a, %b) {transpose_a = true} %y : f64[2,4] = tanh(%c)"},
    {"matmul_nt", "%a: f64[2,3], %b: f64[4,3]",
     "%c : f64[2,4] = matmul(%a, %b) {transpose_b = true} %y : f64[2,4] = tanh(%c)"},
    {"matmul_tt", "%a: f64[3,2], %b: f64[4,3]",
     "%c : f64[2,4] = matmul(%a, %b) {transpose_a = true, transpose_b = true} %y : f64[2,4] = tanh(%c)"},
    {"matmul_self", "%a: f64[3,3]", "%c : f64[3,3] = matmul(%a, %a) {transpose_b = true} %y : f64[3,3] = sin(%c)"},
    {"matmul_batched", "%a: f64[2,2,3], %b: f64[2,3,2]", "%c : f64[2,2,2] = matmul(%a, %b) %y : f64[2,2,2] = tanh(%c)"},
    {"matmul_batch_broadcast", "%a: f64[2,2,3], %b: f64[2,3]",
     "%c : f64[2,2,2] = matmul(%a, %b) {transpose_b = true} %y : f64[2,2,2] = tanh(%c)"},
    {"matvec", "%a: f64[2,3], %b: f64[3]", "%c : f64[2] = matvec(%a, %b) %y : f64[2] = tanh(%c)"},
    {"two_layers", "%x: f64[4,3], %w: f64[3,5], %b: f64[5], %v: f64[5,2]",
     "%z : f64[4,5] = matmul(%x, %w) %s : f64[4,5] = add(%z, %b) %h : f64[4,5] = tanh(%s) %y : f64[4,2] = matmul(%h, "
     "%v)"},
    {"softmax", "%a: f64[2,4]", "%b : f64[2,4] = softmax(%a) %y : f64[2,4] = square(%b)"},
    {"softmax_first_axis", "%a: f64[4,2]", "%b : f64[4,2] = softmax(%a) {axis = 0} %y : f64[4,2] = square(%b)"},
    {"softmax_crossentropy_by_hand", "%a: f64[2,4], %i: i32[2]",
     "%b : f64[2,4] = log_softmax(%a) %o : f64[2,4] = one_hot(%i) {depth = 4, dtype = f64} %p : f64[2,4] = "
     "multiply(%b, %o) %y : f64[2] = sum(%p) {axes = [1]}"},
    {"softmax_crossentropy", "%a: f64[3,4], %t: f64[3,4]", "%y : f64[3] = softmax_crossentropy(%a, %t)", 0.1, 0.9},
    {"sparse_softmax_crossentropy", "%a: f64[3,4], %i: i32[3]", "%y : f64[3] = sparse_softmax_crossentropy(%a, %i)"},
    {"bce_with_logits", "%a: f64[3,2], %t: f64[3,2]", "%y : f64[3] = bce_with_logits(%a, %t)"},
    {"binary_crossentropy", "%a: f64[3,2], %t: f64[3,2]", "%y : f64[3] = binary_crossentropy(%a, %t)", 0.1, 0.9},
    {"categorical_crossentropy", "%a: f64[3,4], %t: f64[3,4]", "%y : f64[3] = categorical_crossentropy(%a, %t)", 0.1,
     0.9},
    {"sparse_categorical_crossentropy", "%a: f64[3,4], %i: i32[3]",
     "%y : f64[3] = sparse_categorical_crossentropy(%a, %i)", 0.1, 0.9},
    {"mean_squared_error", "%a: f64[3,2], %t: f64[3,2]", "%y : f64[3] = mean_squared_error(%a, %t)"},
    {"mean_absolute_error", "%a: f64[3,2], %t: f64[3,2]", "%y : f64[3] = mean_absolute_error(%a, %t)"},
    {"huber", "%a: f64[3,2], %t: f64[3,2]", "%y : f64[3] = huber(%a, %t) {delta = 0.75}"},
    {"log_cosh", "%a: f64[3,2], %t: f64[3,2]", "%y : f64[3] = log_cosh(%a, %t)"},
    {"poisson", "%a: f64[3,2], %t: f64[3,2]", "%y : f64[3] = poisson(%a, %t)", 0.2, 2},
    {"hinge", "%a: f64[3,2], %t: f64[3,2]", "%y : f64[3] = hinge(%a, %t)"},
    {"squared_hinge", "%a: f64[3,2], %t: f64[3,2]", "%y : f64[3] = squared_hinge(%a, %t)"},
    {"kl_divergence", "%a: f64[3,2], %t: f64[3,2]", "%y : f64[3] = kl_divergence(%a, %t)", 0.2, 0.8},
    {"mean_valid", "%a: f64[4,2], %n: i64[]",
     "%b : f64[4,2] = square(%a) %m : f64[] = mean_valid(%b, %n) %y : f64[] = square(%m)"},
};

/// The loss of a case as a module with one function whose only result is a scalar.
Module module_of(const Case& c) {
  std::string inputs;
  for (size_t at = 0; at < c.inputs.size();) {
    size_t end = std::min(c.inputs.find(", ", at), c.inputs.size());
    inputs += (at ? ", input " : "input ") + c.inputs.substr(at, end - at);
    at = end + 2;
  }
  // One statement a line: each begins with "%name : ".
  std::string body = "    " + c.body + "\n";
  for (size_t at = body.find(" : "); at != std::string::npos; at = body.find(" : ", at + 3))
    if (size_t name = body.rfind('%', at); name > 4) body[name - 1] = '\n';
  Module m = parse_graph("module @m stage stable dtype f64 batch 4 {\n  func @f(" + inputs + ") -> %y {\n" + body +
                         "  }\n}\n");
  Function& f = m.functions[FunctionId(0)];
  Builder b(m, f, ops::all_ops());
  ops::Term y{&b, f.results[0]};
  std::vector<double> weights;
  for (int64_t i = 0; i < element_count(y.shape()); ++i) weights.push_back(0.5 + static_cast<double>(i * 7 % 11) / 11);
  ops::Term w{&b, b.add("constant", {}, {{"dtype", DType::f64}, {"shape", y.shape()}, {"values", weights}})};
  f.results = {ops::sum(y * w)};
  passes::PassContext context{ops::all_ops(), {}};
  return passes::expand_underivable_composites(std::move(m), context);
}

std::vector<ValueId> float_parameters(const Function& f) {
  std::vector<ValueId> wanted;
  for (ValueId p : f.parameters)
    if (is_float(f.type(p).dtype)) wanted.push_back(p);
  return wanted;
}

/// The function with the gradients of its result as results, one a float parameter (zeros where there is none).
Module gradient_of(Module m) {
  Function& f = m.functions[FunctionId(0)];
  Builder b(m, f, ops::all_ops());
  std::vector<ValueId> wanted = float_parameters(f);
  passes::Gradients g = passes::differentiate(b, f.results[0], wanted);
  f.results.clear();
  for (ValueId v : wanted) {
    ops::Term zero{&b, b.constant(0, DType::f64)};
    f.results.push_back(g.of.count(v) ? g.of.at(v) : ops::broadcast_to(zero, f.type(v).shape).id);
  }
  passes::PassContext context{ops::all_ops(), {}};
  return passes::expand_underivable_composites(std::move(m), context);
}

Environment inputs_of(const Module& m, const Case& c) {
  std::mt19937 random(11);
  Environment environment;
  const Function& f = m.functions[FunctionId(0)];
  for (ValueId p : f.parameters) {
    Tensor t(f.type(p));
    for (double& x : t.data)
      x = is_float(t.type.dtype) ? std::uniform_real_distribution<double>(c.low, c.high)(random)
                                 : static_cast<double>(1 + random() % 2);
    environment.inputs[f.values[p].name] = t;
  }
  return environment;
}

double value(const Module& m, Environment environment) {
  return graph::evaluate(m, m.functions[FunctionId(0)], ops::all_ops(), environment)[0].data[0];
}

/// Every gradient of the scalar that `primal` computes, as `derived` gives them, against central differences.
void expect_derivatives(const Module& primal, const Module& derived, const Environment& environment) {
  Environment scratch = environment;
  const Function& f = primal.functions[FunctionId(0)];
  std::vector<Tensor> gradients = graph::evaluate(derived, derived.functions[FunctionId(0)], ops::all_ops(), scratch);
  std::vector<ValueId> wanted = float_parameters(f);
  for (size_t k = 0; k < wanted.size(); ++k) {
    const std::string& name = f.values[wanted[k]].name;
    ASSERT_EQ(gradients[k].type, f.type(wanted[k]));
    for (size_t i = 0; i < gradients[k].size(); ++i) {
      constexpr double h = 1e-5;
      Environment moved = environment;
      double& x = moved.inputs[name].data[i];
      double at = x;
      // Fourth order: (8 (f(x+h) - f(x-h)) - (f(x+2h) - f(x-2h))) / 12h
      auto f_at = [&](double step) { return x = at + step, value(primal, moved); };
      double difference = (8 * (f_at(h) - f_at(-h)) - (f_at(2 * h) - f_at(-2 * h))) / (12 * h);
      ASSERT_NEAR(gradients[k].data[i], difference, 1e-6 * std::max(1.0, std::fabs(difference)))
          << name << "[" << i << "]\n"
          << graph::print(derived);
    }
  }
}

class Gradient : public ::testing::TestWithParam<Case> {};

TEST_P(Gradient, IsTheDerivative) {
  Module m = module_of(GetParam());
  expect_derivatives(m, gradient_of(m), inputs_of(m, GetParam()));
}

TEST_P(Gradient, OfTheGradientIsTheSecondDerivative) {
  Module m = gradient_of(module_of(GetParam()));
  Function& f = m.functions[FunctionId(0)];
  Builder b(m, f, ops::all_ops());
  ops::Term total;
  for (ValueId g : f.results) {
    ops::Term squares = ops::sum(ops::square({&b, g}));
    total = total.b ? total + squares : squares;
  }
  f.results = {total};
  expect_derivatives(m, gradient_of(m), inputs_of(m, GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Graphs, Gradient, ::testing::ValuesIn(cases),
                         [](const auto& info) { return info.param.name; });

// ---- what is not computed -------------------------------------------------------------------------------------------

Module module_with(const std::string& parameters, const std::string& body) {
  return parse_graph("module @m stage stable dtype f64 batch 4 {\n  func @f(" + parameters + ") -> %y {\n" + body +
                     "  }\n}\n");
}
int64_t count_ops(const Function& f, std::string_view op) {
  return std::count_if(f.nodes.begin(), f.nodes.end(), [&](const Node& n) { return n.op->name == op; });
}

TEST(Differentiate, UnwantedOperandsCostNoNodes) {
  Module m = module_with("input %x: f64[2,3], input %w: f64[3,2]",
                         "    %z : f64[2,2] = matmul(%x, %w)\n    %y : f64[] = sum(%z)\n");
  Function& f = m.functions[FunctionId(0)];
  Builder b(m, f, ops::all_ops());
  passes::Gradients g = passes::differentiate(b, f.results[0], {*f.find("w")});
  EXPECT_EQ(count_ops(f, "matmul"), 2);
  EXPECT_EQ(g.of.size(), 1u);
}

TEST(Differentiate, WhatTheResultDoesNotDependOnHasNoGradientAndAddsNoNodes) {
  Module m = module_with("input %x: f64[2], input %w: f64[2]", "    %u : f64[2] = exp(%w)\n    %y : f64[] = sum(%x)\n");
  Function& f = m.functions[FunctionId(0)];
  Builder b(m, f, ops::all_ops());
  size_t nodes = f.nodes.size();
  passes::Gradients g = passes::differentiate(b, f.results[0], {*f.find("w")});
  EXPECT_TRUE(g.of.empty());
  EXPECT_LE(f.nodes.size(), nodes + 1) << "at most the seed";
}

TEST(Differentiate, NamesWhatBlocks) {
  Module m =
      module_with("input %w: f64[2,3]", "    %i : i32[2] = argmax(%w)\n    %c : f64[2] = cast(%i) {dtype = f64}\n"
                                        "    %y : f64[] = sum(%c)\n");
  Function& f = m.functions[FunctionId(0)];
  Builder b(m, f, ops::all_ops());
  passes::Gradients g = passes::differentiate(b, f.results[0], {*f.find("w")});
  EXPECT_TRUE(g.of.empty());
  EXPECT_EQ(g.blocked_by.at(*f.find("w")), "argmax");
}

TEST(Differentiate, StartsFromAGivenSeed) {
  Module m = module_with("input %w: f64[2], input %s: f64[]", "    %y : f64[] = sum(%w)\n");
  Function& f = m.functions[FunctionId(0)];
  Builder b(m, f, ops::all_ops());
  f.results = {passes::differentiate(b, f.results[0], {*f.find("w")}, *f.find("s")).of.at(*f.find("w"))};
  Environment environment;
  environment.inputs["w"] = Tensor({DType::f64, {2}}, {1, 2});
  environment.inputs["s"] = Tensor({DType::f64, {}}, {3});
  EXPECT_EQ(graph::evaluate(m, f, ops::all_ops(), environment)[0].data, (std::vector<double>{3, 3}));
}

// The user's gradient is wrong on purpose: what comes out is what it says.
TEST(Differentiate, UsesTheGradientThatAFunctionBrings) {
  Module m = parse_graph(R"(module @m stage stable dtype f64 batch 4 {
  func @d.clipped(input %x: f64[2], input %i: i32[], input %k: f64[], input %y: f64[2], input %d.y: f64[2]) -> %d.x, %d.k {
    %s   : f64[2] = add(%x, %y)
    %d.x : f64[2] = multiply(%s, %d.y)
    %d.k : f64[] = multiply(%k, f64 100.0)
  }
  func @clipped(input %x: f64[2], input %i: i32[], input %k: f64[]) -> %y gradient @d.clipped {
    %y : f64[2] = multiply(%x, %k)
  }
  func @f(input %x: f64[2], input %i: i32[], input %k: f64[]) -> %y {
    %a : f64[2] = call @clipped(%x, %i, %k)
    %y : f64[] = sum(%a)
  }
})");
  Function& f = m.functions[FunctionId(2)];
  Builder b(m, f, ops::all_ops());
  passes::Gradients g = passes::differentiate(b, f.results[0], {*f.find("x"), *f.find("k")});
  f.results = {g.of.at(*f.find("x")), g.of.at(*f.find("k"))};
  Environment environment;
  environment.inputs["x"] = Tensor({DType::f64, {2}}, {1, 2});
  environment.inputs["i"] = Tensor({DType::i32, {}}, {1});
  environment.inputs["k"] = Tensor({DType::f64, {}}, {3});
  std::vector<Tensor> results = graph::evaluate(m, f, ops::all_ops(), environment);
  EXPECT_EQ(results[0].data, (std::vector<double>{1 + 3, 2 + 6}));
  EXPECT_EQ(results[1].data, (std::vector<double>{300}));
}

// ---- what the user is told ------------------------------------------------------------------------------------------

std::string told(const std::string& states, const std::string& body) {
  DiagnosticList diagnostics("model.json");
  PassRun run;
  run.diagnostics = &diagnostics;
  run_to("training",
         parse_graph("module @m stage source file \"model.json\" dtype f64 batch 4 {\n" + states +
                     "  hyper learning_rate = 0.1\n  directive optimizer sgd\n"
                     "  directive schedule constant {initial = 0.1}\n"
                     "  func @loss(input %x: f64[4,3]) -> %l  @7:9 {\n" +
                     body + "  }\n}\n"),
         run);
  std::string text;
  for (const Diagnostic& d : diagnostics.all()) text += format_short(d) + "\n";
  return text;
}
const std::string one_state = "  state %w : parameter f64[3] = zeros  @3:5\n";

TEST(Training, SaysThatTheLossDependsOnNoParameter) {
  std::string text = told(one_state, "    %l : f64[] = sum(%x)\n");
  EXPECT_NE(text.find("model.json:7:9: error: no gradient path from loss to"), std::string::npos) << text;
}

TEST(Training, NamesTheOperatorThatBlocksTheGradient) {
  for (const char* body :
       {"    %i : i32[] = argmax(%w)\n    %c : f64[] = cast(%i) {dtype = f64}\n    %l : f64[] = add(%c, f64 1.0)\n",
        "    %i : i32[3] = cast(%w) {dtype = i32}\n    %c : f64[3] = cast(%i) {dtype = f64}\n    %l : f64[] = "
        "sum(%c)\n",
        "    %i : bool[3] = greater(%w, f64 0.0)\n    %c : f64[3] = cast(%i) {dtype = f64}\n    %l : f64[] = "
        "sum(%c)\n"}) {
    std::string text = told(one_state, body), op = std::string(body).substr(std::string(body).find(" = ") + 3);
    op = "'" + op.substr(0, op.find('(')) + "'";
    EXPECT_NE(text.find("no gradient path from loss to"), std::string::npos) << text;
    EXPECT_NE(text.find(op), std::string::npos) << text << op;
  }
}

TEST(Training, WarnsOfAParameterThatTheLossDoesNotReach) {
  std::string text = told(one_state + "  state %unused : parameter f64[2] = ones  @4:6\n",
                          "    %p : f64[4,3] = multiply(%x, %w)\n    %l : f64[] = sum(%p)\n");
  EXPECT_NE(text.find("model.json:4:6: warning: "), std::string::npos) << text;
  EXPECT_NE(text.find("'unused'"), std::string::npos) << text;
  EXPECT_EQ(text.find("error"), std::string::npos) << text;
}

TEST(Training, WarnsWhenThereIsNothingToTrain) {
  std::string text =
      told("  state %w : parameter f64[3] = zeros with {trainable = false}\n", "    %l : f64[] = sum(%x)\n");
  EXPECT_NE(text.find("warning: "), std::string::npos) << text;
}

} // namespace
} // namespace dlcc::testing

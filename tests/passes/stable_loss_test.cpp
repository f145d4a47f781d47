// A cross-entropy of probabilities that were moved or kept after their sigmoid or softmax is that of the logits: the
// loss and its gradient are right where probabilities of f32 have no digits left.
#include "tests/passes/execution.h"

#include "ir/ops/build.h"
#include "passes/simplify/expand_composites.h"
#include "passes/training/differentiate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace dlcc::testing {
namespace {

using namespace graph;

struct Path {
  const char *name, *body; ///< from %z: f32[4,2] to %p: type
  const char* type = "f32[4,2]";
};
void PrintTo(const Path& p, std::ostream* out) { *out << p.name; }

/// The module after stabilise, its result being the loss; `label` has the label's type.
Module stable(const Path& path, const std::string& loss, const std::string& label, DiagnosticList* diagnostics) {
  std::string text =
      "module @m stage source dtype f32 batch 0 {\n  entry func @predict(input %z: f32[4,2], label %y: " + label +
      ") -> %l {\n" + path.body + "\n    %l : " + loss + "\n  }\n}\n";
  passes::PassContext context{ops::all_ops(), {}, diagnostics};
  passes::PassOptions only;
  only.only = {"stabilise"};
  return std::get<Module>(passes::run_passes(parse_graph(text), context, only));
}

/// The loss of every row and the gradient of their sum by %z, compiled.
std::vector<Tensor> loss_and_gradient(Module m, const std::vector<double>& z, double label) {
  passes::PassContext context{ops::all_ops(), {}};
  m = passes::expand_underivable_composites(std::move(m), context);
  m.stage = Stage::training;
  Function& f = m.functions[FunctionId(0)];
  Builder b(m, f, ops::all_ops());
  ops::Term loss{&b, f.results[0]};
  ValueId dz = passes::differentiate(b, ops::sum(loss), {f.parameters[0]}).of.at(f.parameters[0]);
  f.results = {loss, dz};
  Environment e;
  e.inputs["z"] = Tensor({DType::f32, {4, 2}}, z);
  Tensor y(f.type(f.parameters[1]));
  for (size_t i = 0; i < y.size(); ++i) // the same for all, or one-hot: the first class
    y.data[i] = label >= 0 ? label : static_cast<double>(i % 2 == 0);
  e.inputs["y"] = y;
  return run_compiled(plan(std::move(m)), "predict", e).results;
}

const std::vector<double> logits = {20, -20, 100, -100, 0.5, -3, 30, -1};

// ---- sigmoid --------------------------------------------------------------------------------------------------------

#define SIGMOID "    %s : f32[4,2] = sigmoid(%z)\n"
const Path sigmoid_paths[] = {
    {"itself", "    %p : f32[4,2] = sigmoid(%z)"},
    {"linear", SIGMOID "    %p : f32[4,2] = linear(%s)"},
    {"full_slice", SIGMOID "    %p : f32[4,2] = slice(%s) {begin = [0,0], end = [4,2]}"},
    {"same_cast", SIGMOID "    %p : f32[4,2] = cast(%s) {dtype = f32}"},
    {"there_and_back_cast",
     SIGMOID "    %w : f64[4,2] = cast(%s) {dtype = f64}\n    %p : f32[4,2] = cast(%w) {dtype = f32}"},
    {"times_one", SIGMOID "    %p : f32[4,2] = multiply(%s, f32 1.0)"},
    {"one_times", SIGMOID "    %p : f32[4,2] = multiply(f32 1.0, %s)"},
    {"over_one", SIGMOID "    %p : f32[4,2] = divide(%s, f32 1.0)"},
    {"plus_zero", SIGMOID "    %p : f32[4,2] = add(%s, f32 0.0)"},
    {"minus_zero", SIGMOID "    %p : f32[4,2] = subtract(%s, f32 0.0)"},
    {"transposed", SIGMOID "    %p : f32[2,4] = transpose(%s) {permutation = [1,0]}", "f32[2,4]"},
    {"transposed_twice", SIGMOID "    %t : f32[2,4] = transpose(%s)\n    %p : f32[4,2] = transpose(%t)"},
    {"flattened", SIGMOID "    %p : f32[8] = reshape(%s) {shape = [8]}", "f32[8]"},
    {"reshaped_twice",
     SIGMOID "    %r : f32[2,4] = reshape(%s) {shape = [2,4]}\n    %p : f32[8,1] = reshape(%r) {shape "
             "= [8,1]}",
     "f32[8,1]"},
    {"same_broadcast", SIGMOID "    %p : f32[4,2] = broadcast_to(%s) {shape = [4,2]}"},
    {"heads",
     "    %a : f32[4,1] = slice(%z) {begin = [0,0], end = [4,1]}\n    %b : f32[4,1] = slice(%z) {begin = [0,1], "
     "end = [4,2]}\n    %c : f32[4,1] = sigmoid(%a)\n    %d : f32[4,1] = sigmoid(%b)\n    %p : f32[4,2] = "
     "concat(%c, %d) {axis = 1}"},
    {"all_together", SIGMOID
     "    %a : f32[4,2] = linear(%s)\n    %b : f32[2,4] = transpose(%a)\n    %c : f32[8] = reshape(%b) {shape = [8]}\n"
     "    %d : f32[8] = multiply(%c, f32 1.0)\n    %e : f32[8] = add(%d, f32 0.0)\n    %f : f32[8] = slice(%e) {begin "
     "= "
     "[0], end = [8], stride = [1]}\n    %p : f32[4,2] = reshape(%f) {shape = [4,2]}"},
};
#undef SIGMOID

class OfSigmoid : public ::testing::TestWithParam<Path> {};

TEST_P(OfSigmoid, IsThatOfTheLogits) {
  const std::string type = GetParam().type;
  const size_t rank = static_cast<size_t>(std::count(type.begin(), type.end(), ',')) + 1;
  const std::string row = rank == 1 ? type : type.substr(0, type.find(',')) + "]";
  const double width = type == "f32[2,4]" ? 4 : type == "f32[4,2]" ? 2 : 1;
  Module m = stable(GetParam(), row + " = binary_crossentropy(%p, %y)", type, nullptr);
  for (double label : {0.0, 1.0}) {
    auto results = loss_and_gradient(m, logits, label);
    double total = 0, expected = 0;
    for (double l : results[0].data) total += l * width;
    for (size_t i = 0; i < logits.size(); ++i) {
      double wrong = label == 0 ? logits[i] : -logits[i]; // ln(1 + e^wrong), whose derivative is sigmoid(wrong)
      expected += wrong > 0 ? wrong + std::log1p(std::exp(-wrong)) : std::log1p(std::exp(wrong));
      double slope = (label == 0 ? 1 : -1) / (1 + std::exp(-wrong));
      EXPECT_NEAR(results[1].data[i] * width, slope, 1e-6 * std::fabs(slope) + 1e-44)
          << "z = " << logits[i] << ", y = " << label;
    }
    EXPECT_NEAR(total, expected, 1e-6 * expected);
  }
}
INSTANTIATE_TEST_SUITE_P(Paths, OfSigmoid, ::testing::ValuesIn(sigmoid_paths),
                         [](const auto& p) { return std::string(p.param.name); });

// ---- softmax --------------------------------------------------------------------------------------------------------

#define SOFTMAX "    %s : f32[4,2] = softmax(%z)\n"
const Path softmax_paths[] = {
    {"itself", "    %p : f32[4,2] = softmax(%z)"},
    {"linear", SOFTMAX "    %p : f32[4,2] = linear(%s)"},
    {"full_slice", SOFTMAX "    %p : f32[4,2] = slice(%s) {begin = [0,0], end = [4,2]}"},
    {"same_cast", SOFTMAX "    %p : f32[4,2] = cast(%s) {dtype = f32}"},
    {"times_one", SOFTMAX "    %p : f32[4,2] = multiply(%s, f32 1.0)"},
    {"plus_zero", SOFTMAX "    %p : f32[4,2] = add(%s, f32 0.0)"},
    {"transposed_twice", SOFTMAX "    %t : f32[2,4] = transpose(%s)\n    %p : f32[4,2] = transpose(%t)"},
    {"along_the_first_axis_then_transposed", "    %t : f32[2,4] = transpose(%z)\n    %s : f32[2,4] = softmax(%t) {axis "
                                             "= 0}\n    %p : f32[4,2] = transpose(%s)"},
    {"rows_reshaped", SOFTMAX "    %p : f32[2,2,2] = reshape(%s) {shape = [2,2,2]}", "f32[2,2,2]"},
    {"rows_exchanged",
     SOFTMAX "    %r : f32[2,2,2] = reshape(%s) {shape = [2,2,2]}\n    %p : f32[2,2,2] = transpose(%r) {permutation = "
             "[1,0,2]}",
     "f32[2,2,2]"},
    {"heads_of_rows",
     "    %a : f32[1,2] = slice(%z) {begin = [0,0], end = [1,2]}\n    %b : f32[3,2] = slice(%z) {begin "
     "= [1,0], end = [4,2]}\n    %c : f32[1,2] = softmax(%a)\n    %d : f32[3,2] = softmax(%b)\n    %p "
     ": f32[4,2] = concat(%c, %d) {axis = 0}"},
};

class OfSoftmax : public ::testing::TestWithParam<Path> {};

TEST_P(OfSoftmax, IsThatOfTheLogits) {
  const std::string type = GetParam().type, rows = type == "f32[4,2]" ? "[4]" : "[2,2]";
  for (bool sparse : {false, true}) {
    Module m =
        sparse ? stable(GetParam(), "f32" + rows + " = sparse_categorical_crossentropy(%p, %y)", "i32" + rows, nullptr)
               : stable(GetParam(), "f32" + rows + " = categorical_crossentropy(%p, %y)", type, nullptr);
    auto results = loss_and_gradient(m, logits, sparse ? 0 : -1);
    double total = 0, expected = 0;
    for (double l : results[0].data) total += l;
    for (size_t row = 0; row < 4; ++row) {
      double wrong = logits[2 * row + 1] - logits[2 * row], slope = 1 / (1 + std::exp(-wrong));
      expected += wrong > 0 ? wrong + std::log1p(std::exp(-wrong)) : std::log1p(std::exp(wrong));
      for (size_t k = 0; k < 2; ++k) // softmax - 1 is as good as 1 is
        EXPECT_NEAR(results[1].data[2 * row + k], k ? slope : -slope, 2e-7) << "row " << row;
    }
    EXPECT_NEAR(total, expected, 1e-6);
    if (!sparse) { // a wrong class 20 above the right one
      auto lost = loss_and_gradient(m, {-20, 20, -20, 20, -20, 20, -20, 20}, -1);
      for (double d : lost[1].data) EXPECT_NEAR(std::fabs(d), 1, 1e-6);
      for (double l : lost[0].data) EXPECT_NEAR(l, 40, 1e-4);
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Paths, OfSoftmax, ::testing::ValuesIn(softmax_paths),
                         [](const auto& p) { return std::string(p.param.name); });

// ---- where it is impossible -----------------------------------------------------------------------------------------

TEST(StableLoss, WarnsWhereProbabilitiesAreChanged) {
  const Path changed[] = {
      {"halved", "    %s : f32[4,2] = sigmoid(%z)\n    %p : f32[4,2] = multiply(%s, f32 0.5)"},
      {"shifted", "    %s : f32[4,2] = sigmoid(%z)\n    %p : f32[4,2] = add(%s, f32 0.25)"},
      {"chosen", "    %s : f32[4,2] = sigmoid(%z)\n    %c : bool[4,2] = greater(%z, f32 0.0)\n    %p : f32[4,2] = "
                 "where(%c, %s, f32 0.5)"},
      {"padded",
       "    %s : f32[3,2] = slice(%z) {begin = [0,0], end = [3,2]}\n    %a : f32[3,2] = sigmoid(%s)\n    %p : "
       "f32[4,2] = pad(%a) {high = [1,0], low = [0,0], value = 0.0}"},
      {"mixed_heads",
       "    %a : f32[4,1] = slice(%z) {begin = [0,0], end = [4,1]}\n    %c : f32[4,1] = sigmoid(%a)\n    "
       "%p : f32[4,2] = concat(%c, %a) {axis = 1}"},
  };
  for (const Path& path : changed) {
    SCOPED_TRACE(path.name);
    DiagnosticList diagnostics("m.json");
    Module m = stable(path, "f32[4] = binary_crossentropy(%p, %y)  @7:3", "f32[4,2]", &diagnostics);
    ASSERT_EQ(diagnostics.all().size(), 1u);
    EXPECT_EQ(
        format_short(diagnostics.all()[0]),
        "m.json:7:3: warning: binary_crossentropy takes probabilities that are changed after their sigmoid or "
        "softmax: they are clipped to [1e-7, 1 - 1e-7] and have no gradient beyond; expected the activation last, "
        "along the classes [clipped-probabilities]");
  }
  // Probabilities of another kind are the user's.
  DiagnosticList none("m.json");
  stable({"free", "    %p : f32[4,2] = hard_sigmoid(%z)"}, "f32[4] = binary_crossentropy(%p, %y)", "f32[4,2]", &none);
  stable({"good", "    %p : f32[4,2] = sigmoid(%z)"}, "f32[4] = binary_crossentropy(%p, %y)", "f32[4,2]", &none);
  EXPECT_TRUE(none.all().empty());
}

// Chains and diamonds of any length: neither deep recursion nor repeated work.
TEST(StableLoss, SeesThroughLongChains) {
  std::string body = "    %s : f32[4,2] = sigmoid(%z)\n    %t0 : f32[4,2] = linear(%s)\n";
  for (int i = 1; i < 20000; ++i)
    body += "    %t" + std::to_string(i) + " : f32[4,2] = linear(%t" + std::to_string(i - 1) + ")\n";
  body += "    %d0 : f32[4,2] = linear(%t19999)\n";
  for (int i = 1; i < 60; ++i) {
    std::string last = "%d" + std::to_string(i - 1), wide = "%w" + std::to_string(i);
    body += "    " + wide + " : f32[8,2] = concat(" + last + ", " + last + ") {axis = 0}\n    %d" + std::to_string(i) +
            " : f32[4,2] = slice(" + wide + ") {begin = [2,0], end = [6,2]}\n";
  }
  body += "    %p : f32[4,2] = linear(%d59)";
  DiagnosticList diagnostics("m.json");
  Module m = stable({"long", body.c_str()}, "f32[4] = binary_crossentropy(%p, %y)", "f32[4,2]", &diagnostics);
  EXPECT_TRUE(diagnostics.all().empty());
  EXPECT_EQ(m.functions[FunctionId(0)].nodes.end()[-1].op, &ops::bce_with_logits_op);
}

} // namespace
} // namespace dlcc::testing

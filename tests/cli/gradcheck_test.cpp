// dlcc gradcheck: right gradients pass whatever the model, wrong ones do not, and what says nothing is not called
// right.
#include "tests/cli/models.h"
#include "tests/cli/program.h"
#include "tests/cli/random_model.h"

#include <gtest/gtest.h>

namespace dlcc::cli_tests {
namespace {

// p = w x, once through `f`, a function of a value `a` with result `r`.
std::string with_function(const std::string& f, const std::string& init = "\"glorot_uniform\"") {
  return R"({ "dlcc": 1, "name": "own", "inputs": { "x": { "shape": ["N", 3] } },
  "labels": { "y": { "shape": ["N"] } }, "params": { "w": { "shape": [3], "init": )" +
         init + R"( } },
  "functions": { "f": { "inputs": ["a"], "outputs": ["r"], )" +
         f + R"( } },
  "nodes": [ { "op": "matvec", "inputs": ["x", "w"], "output": "v" }, { "op": "f", "inputs": ["v"], "output": "p" } ],
  "loss": { "type": "mean_squared_error", "prediction": "p", "label": "y" }, "optimizer": "sgd",
  "train": { "batch_size": 4, "last_batch": "drop" } })";
}

// r = a^3 + a with a derivative of its own: c a^2 d.r, and d.r if `whole`.
std::string cube(const std::string& c, bool whole = true) {
  std::string nodes = R"("nodes": [ { "op": "multiply", "inputs": ["a", "a"], "output": "s" },
    { "op": "multiply", "inputs": ["s", "a"], "output": "t" }, { "op": "add", "inputs": ["t", "a"], "output": "r" } ],
    "gradient": { "nodes": [ { "op": "constant", "inputs": [], "attrs": { "shape": [], "values": [)" +
                      c + R"(] }, "output": "c" }, { "op": "multiply", "inputs": ["s", "c"], "output": "k" },
    { "op": "multiply", "inputs": ["k", "d.r"], "output": )";
  return nodes + (whole ? R"("u" }, { "op": "add", "inputs": ["u", "d.r"], "output": "d.a" } ] })" : R"("d.a" } ] })");
}

class Gradcheck : public testing::Test {
protected:
  Result check(const std::string& model, const std::vector<std::string>& more = {}) {
    folder.write("m.json", model);
    std::vector<std::string> args = {"gradcheck", "m.json"};
    args.insert(args.end(), more.begin(), more.end());
    return folder.run(args);
  }
  void expect_right(uint64_t first, uint64_t last) {
    for (uint64_t seed = first; seed <= last; ++seed) {
      const std::string model = random_model(seed);
      const Result r = check(model);
      EXPECT_EQ(r.exit_code, 0) << "seed " << seed << "\n" << model << r.out << r.err;
    }
  }
  Folder folder;
};

TEST_F(Gradcheck, PassesRightGradientsOfRandomModels) { expect_right(1, 40); }

class QualityGradcheck : public Gradcheck {};
TEST_F(QualityGradcheck, PassesAThousandRandomModels) { expect_right(41, 1040); }

TEST_F(Gradcheck, FindsWrongGradients) {
  const Result right = check(with_function(cube("3")));
  EXPECT_EQ(right.exit_code, 0) << right.out << right.err;
  EXPECT_EQ(right.out.substr(0, 10), "ok        ") << right.out;
  // One part in ten thousand, the sign, a term that is missing.
  for (const std::string& wrong : {cube("3.0003"), cube("-3"), cube("3", false), cube("0")}) {
    const Result r = check(with_function(wrong));
    EXPECT_EQ(r.exit_code, 8) << wrong << r.out << r.err;
    EXPECT_EQ(r.out.substr(0, 12), "WRONG     w ") << r.out;
    EXPECT_NE(r.out.find("; element ["), std::string::npos) << r.out;
    EXPECT_NE(r.out.find(", differences give "), std::string::npos) << r.out;
  }
}

TEST_F(Gradcheck, SmallGradientsAreNoExcuse) {
  // The same loss times 1e-9.
  const std::string small = R"("type": "mean_squared_error", "weight": 1e-9)";
  auto scaled = [&](const std::string& f) {
    return replaced(with_function(f), R"("type": "mean_squared_error")", small);
  };
  EXPECT_EQ(check(scaled(cube("3"))).exit_code, 0);
  EXPECT_EQ(check(scaled(cube("3.0003"))).exit_code, 8);
}

// The square root has an infinite slope at 0, which is where its weights begin.
TEST_F(Gradcheck, AGradientThatIsNotFiniteIsWrong) {
  const Result r =
      check(with_function(R"("nodes": [ { "op": "sqrt", "inputs": ["a"], "output": "r" } ])", "\"zeros\""));
  EXPECT_EQ(r.exit_code, 8) << r.out;
  EXPECT_EQ(r.out.substr(0, 12), "WRONG     w ") << r.out;
  EXPECT_NE(r.out.find("; element [0]: the gradient is "), std::string::npos) << r.out;
}

TEST_F(Gradcheck, WhatCannotBeCheckedIsNotRight) {
  const Result kinks =
      check(with_function(R"("nodes": [ { "op": "relu", "inputs": ["a"], "output": "r" } ])", "\"zeros\""));
  EXPECT_EQ(kinks.exit_code, 8) << kinks.out;
  EXPECT_EQ(kinks.out.substr(0, 12), "UNCHECKED w ") << kinks.out;
  EXPECT_NE(kinks.out.find(" 0 elements, 3 at kinks\n"), std::string::npos) << kinks.out;
  const std::string frozen = replaced(with_function(cube("3")), "\"init\"", "\"trainable\": false, \"init\"");
  const Result nothing = check(frozen);
  EXPECT_EQ(nothing.exit_code, 8) << nothing.out << nothing.err;
  EXPECT_NE(nothing.err.find("m.json: error: nothing can be checked: no parameter is trained [unchecked]\n"),
            std::string::npos)
      << nothing.err;
}

TEST_F(Gradcheck, CountsWhatIsAtAKink) {
  // w[0] is at a kink, w[1] is not.
  const Result r = check(R"({ "dlcc": 1, "name": "kink", "inputs": { "x": { "shape": ["N"] } },
  "labels": { "y": { "shape": ["N"] } }, "params": { "w": { "shape": [2], "init": "zeros" } },
  "nodes": [ { "op": "constant", "inputs": [], "attrs": { "shape": [2], "values": [0, 0.5] }, "output": "c" },
    { "op": "add", "inputs": ["w", "c"], "output": "s" }, { "op": "abs", "inputs": ["s"], "output": "a" },
    { "op": "sum", "inputs": ["a"], "attrs": { "axes": [0] }, "output": "t" },
    { "op": "multiply", "inputs": ["x", "t"], "output": "p" } ],
  "loss": { "type": "mean_squared_error", "prediction": "p", "label": "y" }, "optimizer": "sgd",
  "train": { "batch_size": 4 } })");
  EXPECT_EQ(r.exit_code, 0) << r.out << r.err;
  EXPECT_EQ(r.out.substr(0, 10), "ok        ") << r.out;
  EXPECT_NE(r.out.find("  1 elements, largest relative error "), std::string::npos) << r.out;
  EXPECT_NE(r.out.find(", 1 at kinks\n"), std::string::npos) << r.out;
}

TEST_F(Gradcheck, GivesOneJsonObject) {
  const Result r = check(with_function(cube("-3")), {"--json"});
  EXPECT_EQ(r.exit_code, 8);
  for (const char* part : {"\"passes\": false", "\"name\": \"w\"", "\"checked\": 1", "\"kinks\": 0",
                           "\"largest_relative_error\": ", "\"fault\": \"element ["})
    EXPECT_NE(r.out.find(part), std::string::npos) << part << r.out;
  EXPECT_NE(check(with_function(cube("3")), {"--json"}).out.find("\"passes\": true"), std::string::npos);
}

// Types that the model writes out are widened with the rest.
TEST_F(Gradcheck, WidensWhatAModelSaysOfTypes) {
  const Result r = check(R"({ "dlcc": 1, "name": "typed", "inputs": { "x": { "shape": ["N", 3], "dtype": "f32" },
    "k": { "shape": ["N", 3], "dtype": "u8" } }, "labels": { "y": { "shape": ["N"], "dtype": "f32" } },
  "params": { "w": { "shape": [3], "dtype": "f32" } },
  "nodes": [ { "op": "constant", "inputs": [], "attrs": { "shape": [3], "dtype": "f32", "values": [1, 2, 3] }, "output": "c" },
    { "op": "cast", "inputs": ["k"], "attrs": { "dtype": "f32" }, "output": "kf" },
    { "op": "add", "inputs": ["x", "kf"], "output": "s" }, { "op": "multiply", "inputs": ["s", "c"], "output": "m" },
    { "op": "matvec", "inputs": ["m", "w"], "output": "p" } ],
  "loss": { "type": "mean_squared_error", "prediction": "p", "label": "y" }, "optimizer": "sgd",
  "train": { "batch_size": 4 } })");
  EXPECT_EQ(r.exit_code, 0) << r.out << r.err;
  EXPECT_EQ(r.err, "");
}

} // namespace
} // namespace dlcc::cli_tests

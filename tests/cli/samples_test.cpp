// Where samples lie decides what is cut, counted and refused, whatever extents equal the batch; functions with
// gradients of their own are followed like any other.
#include "tests/cli/models.h"
#include "tests/cli/program.h"

#include <gtest/gtest.h>

namespace dlcc::cli_tests {
namespace {

class Samples : public testing::Test {
protected:
  void SetUp() override {
    std::string table = "a,b,c,d,y0,y1\n";
    for (int i = 0; i < 10; ++i) {
      for (int k = 0; k < 6; ++k) table += std::to_string((7 * i + 3 * k) % 11 / 8.0 - 0.5) + (k < 5 ? "," : "\n");
    }
    folder.write("t.csv", table);
  }

  // Batches of 4 samples of 4 features; a kernel [4, 4].
  static std::string model(const std::string& rest, const std::string& train = R"("batch_size": 4)") {
    return R"({ "dlcc": 1, "name": "m", "inputs": { "x": { "shape": ["N", 4] } },
  "params": { "w": { "shape": [4, 4], "init": "glorot_uniform" }, "v": { "shape": [4, 2], "init": "glorot_uniform" } },
  )" + rest +
           R"(,
  "optimizer": "sgd", "train": { )" +
           train + R"( },
  "data": { "train": { "format": "csv", "file": "t.csv", "x": ["a", "b", "c", "d"], "label": ["y0", "y1"] },
            "test": { "format": "csv", "file": "t.csv", "x": ["a", "b", "c", "d"], "label": ["y0", "y1"] } } })";
  }
  static std::string prediction(const std::string& nodes, const std::string& rest) {
    return R"("nodes": [ { "op": "matmul", "inputs": ["x", "w"], "output": "h" },
    )" + nodes +
           R"(,
    { "op": "matmul", "inputs": ["h", "v"], "output": "p" } ],
  )" + rest;
  }
  void refuses(const std::string& text, const std::string& line) {
    folder.write("m.json", text);
    Result r = folder.run({"check", "m.json"});
    EXPECT_EQ(r.exit_code, 3) << text;
    EXPECT_EQ(r.err.substr(0, r.err.find('\n')), line) << text;
  }
  std::string output(const std::vector<std::string>& args) {
    Result r = folder.run(args);
    EXPECT_EQ(r.exit_code, 0) << args[0] << ": " << r.err;
    return r.out;
  }

  Folder folder;
};

const std::string loss_of_p = R"("outputs": ["p"], "loss": "mean_squared_error")";

TEST_F(Samples, OwnGradientsWithEveryLastBatch) {
  const std::string functions = R"("functions": {
    "twice": { "inputs": ["u"], "outputs": ["t"], "nodes": [ { "op": "add", "inputs": ["u", "u"], "output": "t" } ],
               "gradient": { "nodes": [ { "op": "add", "inputs": ["d.t", "d.t"], "output": "d.u" } ] } },
    "bend": { "inputs": ["u"], "outputs": ["r"],
              "nodes": [ { "op": "twice", "inputs": ["u"], "output": "s" }, { "op": "tanh", "inputs": ["s"], "output": "r" } ] } },
  )";
  const std::string nodes = R"({ "op": "bend", "inputs": ["h"], "output": "g" },
    { "op": "twice", "inputs": ["g"], "output": "k", "activity_regularizer": { "l2": 0.5 } },
    { "op": "matmul", "inputs": ["k", "w"], "output": "q" })";
  std::string body = prediction(nodes, loss_of_p);
  body.replace(body.find(R"("inputs": ["h", "v"])"), 20, R"("inputs": ["q", "v"])");
  for (const char* rule : {"mask", "drop", "error"}) {
    const std::string size = rule == std::string("error") ? "5" : "4"; // of ten samples
    folder.write("m.json", model(functions + body, R"("batch_size": )" + size + R"(, "last_batch": ")" + rule + '"'));
    const std::string run = std::string("run_") + rule;
    output({"check", "m.json"});
    output({"gradcheck", "m.json"});
    output({"m.json", "-o", "m.so"});
    output({"train", "m.json", "--out", run, "--no-fusion"});
    output({"train", "m.json", "--out", run + "_fused"});
    EXPECT_TRUE(folder.read(run + "/last.safetensors") == folder.read(run + "_fused/last.safetensors"));
    EXPECT_EQ(output({"predict", "m.json", "--weights", run}).empty(), false);
    EXPECT_NE(output({"eval", "m.json", "--weights", run}), "");
  }
}

TEST_F(Samples, APredictionHasItsSamplesFirst) {
  const std::string label = R"( }, "labels": { "label": { "shape": ["N", 4] } })";
  auto with = [&](const std::string& node) {
    return model(R"("nodes": [ { "op": "matmul", "inputs": ["x", "w"], "output": "h" },
    )" + node + R"( ],
  "outputs": ["h"], "loss": { "type": "mean_squared_error", "prediction": "q")" +
                 label);
  };
  refuses(
      with(R"({ "op": "transpose", "inputs": ["h"], "output": "q" })"),
      "m.json:5:75: error: prediction 'q' is f32[4,4] with its samples on axis 1, expected its samples on axis 0, one "
      "index each [shape-mismatch]");
  refuses(with(R"({ "op": "transpose", "inputs": ["w"], "output": "q" })"),
          "m.json:5:75: error: prediction 'q' is f32[4,4] with no axis of samples, expected its samples on axis 0, one "
          "index each [shape-mismatch]");
  refuses(
      with(R"({ "op": "reshape", "inputs": ["h"], "attrs": { "shape": [8, 2] }, "output": "q" })"),
      "m.json:5:75: error: prediction 'q' is f32[8,2] with 2 indices a sample on axis 0, expected its samples on axis "
      "0, one index each [shape-mismatch]");
}

// (l1 * sum |h|) / samples, wherever they lie; rows that fill the short last batch add nothing.
TEST_F(Samples, APenaltyOfAnActivityIsDividedBySamples) {
  std::string first;
  for (const char* node : {R"({ "op": "relu", "inputs": ["h"], "output": "q", "activity_regularizer": { "l1": 1 } })",
                           R"({ "op": "relu", "inputs": ["h"], "output": "r" },
     { "op": "transpose", "inputs": ["r"], "output": "q", "activity_regularizer": { "l1": 1 } })",
                           R"({ "op": "relu", "inputs": ["h"], "output": "r" },
     { "op": "reshape", "inputs": ["r"], "attrs": { "shape": [-1, 2, 2] }, "output": "q", "activity_regularizer": { "l1": 1 } })",
                           R"({ "op": "relu", "inputs": ["h"], "output": "r" },
     { "op": "reshape", "inputs": ["r"], "attrs": { "shape": [-1, 2] }, "output": "q", "activity_regularizer": { "l1": 1 } })"}) {
    // The value must be needed: it is an output too.
    folder.write("m.json", model(prediction(node, R"("outputs": ["q", "p"], "loss": "mean_squared_error")")));
    if (first.empty()) output({"train", "m.json", "--out", "run"});
    for (const char* batch : {"3", "4", "10"}) {
      const std::string loss = output({"eval", "m.json", "--weights", "run", "--batch-size", batch});
      if (first.empty()) first = loss;
      EXPECT_EQ(loss, first) << node << " in batches of " << batch;
    }
  }
  refuses(
      model(prediction(R"({ "op": "transpose", "inputs": ["w"], "output": "q", "activity_regularizer": { "l1": 1 } })",
                       R"("outputs": ["q", "p"], "loss": "mean_squared_error")")),
      "m.json:4:82: error: the regularised activity is f32[4,4] with no axis of samples, expected a value of samples, "
      "by which its penalty is divided [shape-mismatch]");
}

// [4] sums of parameters, in batches of 4: not one a sample.
TEST_F(Samples, AnOutputOfParametersIsNotCut) {
  folder.write("m.json",
               model(prediction(R"({ "op": "sum", "inputs": ["w"], "attrs": { "axes": [0] }, "output": "s" })",
                                R"("outputs": ["s", "p"], "loss": "mean_squared_error")")));
  output({"train", "m.json", "--out", "run"});
  for (const char* batch : {"3", "4"}) {
    Result r = folder.run({"predict", "m.json", "--weights", "run", "--output-name", "s", "--batch-size", batch});
    EXPECT_EQ(r.exit_code, 2);
    EXPECT_NE(r.err.find("output 's' is not one of samples"), std::string::npos) << r.err;
  }
}

// Training drops what evaluation must fill.
TEST_F(Samples, MixedRowsAreToldWhereTheyAreAllowed) {
  folder.write("m.json", model(prediction(R"({ "op": "mean", "inputs": ["h"], "attrs": { "axes": [0] }, "output": "m" },
    { "op": "subtract", "inputs": ["h", "m"], "output": "c" })",
                                          R"("outputs": ["c", "p"], "loss": "mean_squared_error")"),
                               R"("batch_size": 4, "last_batch": "drop")"));
  Result r = folder.run({"check", "m.json"});
  EXPECT_EQ(r.exit_code, 0) << r.err;
  EXPECT_NE(
      r.err.find("warning: this node mixes the rows of a batch: evaluation and prediction fill a short last batch "
                 "with copies of its last row, which then count [mixed-rows]"),
      std::string::npos)
      << r.err;
}

} // namespace
} // namespace dlcc::cli_tests

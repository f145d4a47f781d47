// Losses and metrics of a model's own through every sub-command: a quantile function and a node on two layers' values
// and a label.
#include "tests/cli/program.h"

#include <gtest/gtest.h>

namespace dlcc::cli_tests {
namespace {

class OwnLosses : public testing::Test {
protected:
  void SetUp() override {
    std::string table = "a,b,c,m,y,s\n";
    for (int i = 0; i < 22; ++i) // the last batch of 8 is short
      table += std::to_string(i % 5) + "," + std::to_string(i % 3 - 1) + "," + std::to_string(i % 7 - 3) + "," +
               std::to_string(0.5 + i % 2) + "," + std::to_string(0.25 * i - 2) + "," + std::to_string(i % 2) + "\n";
    folder.write("t.csv", table);
    folder.write("m.json", model);
    // What predict may know: no label, and no input that only the loss reads.
    folder.write("x.csv", "b,a\n1,2\n-1,0\n0,4\n");
    folder.write("x.json", R"({"train": {"format": "csv", "file": "x.csv", "x": ["a", "b"]}})");
  }

  std::string output(const std::vector<std::string>& args) {
    Result r = folder.run(args);
    EXPECT_EQ(r.exit_code, 0) << args[0] << ": " << r.err;
    return r.out;
  }

  const std::string model = R"({ "dlcc": 1, "name": "own", "seed": 4, "dtype": "f64",
  "inputs": { "x": { "shape": ["N", 2] }, "z": { "shape": ["N", 1] }, "margin": { "shape": ["N"] } },
  "labels": { "y": { "shape": ["N", 1] }, "same": { "shape": ["N"] } },
  "functions": { "pinball": { "inputs": ["p", "t"], "nodes": [
      { "op": "subtract", "inputs": ["t", "p"], "output": "e" },
      { "op": "constant", "inputs": [], "output": "q", "attrs": { "value": 0.75, "dtype": "f64" } },
      { "op": "constant", "inputs": [], "output": "r", "attrs": { "value": -0.25, "dtype": "f64" } },
      { "op": "multiply", "inputs": ["e", "q"], "output": "short" },
      { "op": "multiply", "inputs": ["e", "r"], "output": "long" },
      { "op": "maximum", "inputs": ["short", "long"], "output": "rows" } ], "outputs": ["rows"] } },
  "layers": [
    { "type": "Dense", "name": "u", "units": 3, "activation": "tanh", "from": ["x"] },
    { "type": "Dropout", "name": "dropped", "rate": 0.25 },
    { "type": "Dense", "name": "p", "units": 1 },
    { "type": "Dense", "name": "v", "units": 3, "from": ["z"] } ],
  "nodes": [
    { "op": "subtract", "inputs": ["u", "v"], "output": "gap" },
    { "op": "square", "inputs": ["gap"], "output": "gaps" },
    { "op": "sum", "inputs": ["gaps"], "output": "d2", "attrs": { "axes": [1] } },
    { "op": "multiply", "inputs": ["same", "d2"], "output": "together" },
    { "op": "subtract", "inputs": ["together", "margin"], "output": "over" },
    { "op": "softplus", "inputs": ["over"], "output": "pull" } ],
  "outputs": ["p"],
  "loss": [ { "type": "pinball", "label": "y" }, { "value": "pull", "weight": 0.5 },
            { "type": "mean_squared_error", "label": "y", "weight": 0.1 } ],
  "metrics": [ { "value": "d2", "name": "distance" }, "pinball", { "type": "mae", "label": "y" } ],
  "optimizer": { "type": "adam", "learning_rate": 0.05, "accumulate_steps": 2 },
  "train": { "batch_size": 8, "epochs": 3 },
  "data": { "train": { "format": "csv", "file": "t.csv", "x": ["a", "b"], "z": ["c"], "margin": "m", "y": "y",
                       "same": "s" } } }
)";
  Folder folder;
};

TEST_F(OwnLosses, GradientsAndResolvedDocument) {
  output({"gradcheck", "m.json"});
  folder.write("lowered.json", output({"check", "m.json", "--print-config"}));
  EXPECT_EQ(output({"check", "lowered.json", "--print-config"}), folder.read("lowered.json"));
}

TEST_F(OwnLosses, CheckListsParametersOfLayersAndOfTheModel) {
  folder.write("n.json", R"({ "dlcc": 1, "inputs": { "x": { "shape": ["N", 2] } },
    "params": { "scale": { "shape": [3], "trainable": false } },
    "layers": [ { "type": "Dense", "name": "d", "units": 3 } ],
    "nodes": [ { "op": "multiply", "inputs": ["d", "scale"], "output": "s" } ], "outputs": ["s"] })");
  const std::string text = output({"check", "n.json"});
  EXPECT_EQ(text.substr(text.find('\n')),
            "\n  scale : f32[3] (frozen)\n  d (Dense) : f32[32,3]\n    d/kernel : f32[2,3]\n"
            "    d/bias : f32[3]\n");
}

TEST_F(OwnLosses, ModelArtefactAndResumedRunTrainToTheSameBytes) {
  output({"train", "m.json", "--out", "run", "--threads", "2"});
  const std::string expected = folder.read("run/last.safetensors");
  output({"m.json", "-o", "m.so"});
  output({"train", "m.so", "--out", "so", "--threads", "1"});
  EXPECT_TRUE(folder.read("so/last.safetensors") == expected);
  output({"train", "m.json", "--out", "part", "--steps", "5"});
  output({"train", "m.json", "--out", "part", "--resume", "latest", "--epochs", "3"});
  EXPECT_TRUE(folder.read("part/last.safetensors") == expected);
}

// A short batch, and batches of any size, count each row once.
TEST_F(OwnLosses, ResultsDoNotDependOnTheBatchSize) {
  output({"train", "m.json", "--out", "run", "--steps", "4"});
  auto results = [&](const std::string& batch_size) {
    std::vector<double> numbers;
    for (const std::string& line :
         lines_of(output({"eval", "m.json", "--weights", "run", "--on", "train", "--batch-size", batch_size})))
      numbers.push_back(std::stod(line.substr(line.rfind(' ') + 1)));
    return numbers;
  };
  const std::vector<double> expected = results("22");
  ASSERT_EQ(expected.size(), 4u);
  for (const char* batch_size : {"8", "5", "1"}) {
    const std::vector<double> got = results(batch_size);
    ASSERT_EQ(got.size(), expected.size());
    for (size_t i = 0; i < got.size(); ++i)
      EXPECT_NEAR(got[i], expected[i], 2e-4 * expected[i]) << batch_size; // 4 digits
  }
}

TEST_F(OwnLosses, PredictNeedsNeitherLabelsNorInputsOfTheLoss) {
  output({"train", "m.json", "--out", "run", "--steps", "2"});
  output({"m.json", "-o", "m.so"});
  const std::string from_model = output({"predict", "m.json", "--weights", "run", "--data", "x.json", "--on", "train"});
  EXPECT_GE(lines_of(from_model).size(), 3u) << from_model;
  EXPECT_EQ(output({"predict", "m.so", "--weights", "run", "--data", "x.json", "--on", "train"}), from_model);
}

} // namespace
} // namespace dlcc::cli_tests

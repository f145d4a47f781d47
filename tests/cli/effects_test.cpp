// Keys and options that could be read and forgotten: each changes what comes out.
#include "tests/cli/models.h"
#include "tests/cli/program.h"

#include "runtime/core/checkpoint.h"

#include <cmath>
#include <gtest/gtest.h>

namespace dlcc::cli_tests {
namespace {

class Effect : public testing::Test {
protected:
  template <class T> std::vector<T> tensor(const std::string& file, const std::string& name) const {
    runtime::CheckpointFile checkpoint(folder.path(file));
    const runtime::StoredTensor* t = checkpoint.find(name);
    EXPECT_NE(t, nullptr) << name;
    std::vector<T> values(t ? t->bytes() / sizeof(T) : 0);
    if (t) checkpoint.read(*t, values.data());
    return values;
  }
  Folder folder;
};

// p = w x, where x is 0: what changes w is its decay alone, at the rate that is its own.
TEST_F(Effect, DecayGoesWithTheRateOfItsParameter) {
  for (const auto& [mult, rate] : {std::pair{"1", 0.1}, {"0.25", 0.025}, {"0", 0.0}}) {
    folder.write("m.json", R"({ "dlcc": 1, "name": "decay", "dtype": "f64", "inputs": { "x": { "shape": ["N"] } },
      "labels": { "y": { "shape": ["N"] } },
      "params": { "w": { "shape": [1], "init": "ones", "lr_mult": )" +
                               std::string(mult) + R"( } },
      "nodes": [ { "op": "multiply", "inputs": ["x", "w"], "output": "p" } ],
      "loss": { "type": "mean_squared_error", "prediction": "p", "label": "y" },
      "optimizer": { "type": "sgd", "learning_rate": 0.1, "weight_decay": 0.5 },
      "train": { "batch_size": 1, "epochs": 1 },
      "data": { "train": { "format": "csv", "file": "t.csv", "x": "a", "y": "y" } } })");
    folder.write("t.csv", "a,y\n0,1\n");
    const std::string out = std::string("run-") + mult;
    const Result r = folder.run({"train", "m.json", "-q", "--out", out});
    ASSERT_EQ(r.exit_code, 0) << r.err;
    EXPECT_NEAR(tensor<double>(out + "/last.safetensors", "param/w")[0], 1 - 0.5 * rate, 1e-15) << mult;
  }
}

// What a metric adds up is cleared before each epoch, a layer's state never, whatever the layer is called.
TEST_F(Effect, ALayerMayBeCalledMetric) {
  auto history = [&](const std::string& name) {
    folder.write("m.json", R"({ "dlcc": 1, "name": "named", "inputs": { "x": { "shape": ["N", 2] } },
      "layers": [ { "type": "Repeat", "name": "r", "times": 2, "layers": [
                    { "type": "Dense", "name": "loss", "units": 2, "kernel_initializer": "identity" } ] },
                  { "type": "Dense", "name": ")" +
                               name + R"(", "units": 1, "kernel_initializer": "ones" } ],
      "loss": "mean_squared_error", "metrics": ["mae"], "optimizer": { "type": "sgd", "momentum": 0.5, "learning_rate": 0.1 },
      "train": { "batch_size": 1, "epochs": 3, "shuffle": false },
      "data": { "train": { "format": "csv", "file": "t.csv", "x": ["a", "b"], "label": "y" } } })");
    folder.write("t.csv", "a,b,y\n1,0,1\n0,1,-1\n1,1,0.5\n");
    const Result r = folder.run({"train", "m.json", "-q", "--out", name});
    EXPECT_EQ(r.exit_code, 0) << r.err;
    const Result eval = folder.run({"eval", "m.json", "--weights", name, "--data", "train"});
    return folder.read(name + "/history.csv") + eval.out;
  };
  EXPECT_EQ(history("metric"), history("layer"));
}

// The loss of step 3 is finite, its gradient is not: sqrt(w x) at x = 0.
class NotFinite : public Effect {
protected:
  Result train(const std::string& out, const std::string& terminate, const std::vector<std::string>& more = {}) {
    folder.write("m.json", R"({ "dlcc": 1, "name": "root", "inputs": { "x": { "shape": ["N", 2] } },
      "labels": { "y": { "shape": ["N"] } }, "params": { "w": { "shape": [2], "init": "ones" } },
      "nodes": [ { "op": "matvec", "inputs": ["x", "w"], "output": "v" },
                 { "op": "sqrt", "inputs": ["v"], "output": "p" } ],
      "loss": { "type": "mean_squared_error", "prediction": "p", "label": "y" },
      "optimizer": { "type": "sgd", "learning_rate": 0.01 },
      "train": { "batch_size": 1, "epochs": 1, "shuffle": false, "terminate_on_nan": )" +
                               terminate + R"( },
      "data": { "train": { "format": "csv", "file": "t.csv", "x": ["a", "b"], "y": "y" } } })");
    folder.write("t.csv", "a,b,y\n1,1,1\n2,1,1\n0,0,1\n1,2,1\n");
    std::vector<std::string> args = {"train", "m.json", "-q", "--out", out};
    args.insert(args.end(), more.begin(), more.end());
    return folder.run(args);
  }
  bool finite(const std::string& file) const {
    const std::vector<float> w = tensor<float>(file, "param/w");
    return std::isfinite(w[0]) && std::isfinite(w[1]);
  }
};

TEST_F(NotFinite, StopsBeforeItIsSaved) {
  const Result r = train("run", "true", {"--checkpoint-every", "1steps"});
  EXPECT_EQ(r.exit_code, 8);
  EXPECT_TRUE(r.err.starts_with("dlcc: error: after step 3: 'param/w' is not finite from element 0 on, so a gradient "
                                "was not; the last good state is that of step 2 in 'run/ckpt-00000002.safetensors'"))
      << r.err;
  EXPECT_TRUE(finite("run/ckpt-00000002.safetensors"));
  EXPECT_FALSE(folder.has("run/ckpt-00000003.safetensors"));
  const Result late = train("late", "true");
  EXPECT_EQ(late.exit_code, 8);
  EXPECT_TRUE(
      late.err.starts_with("dlcc: error: step 4 (epoch 1, batch 4): non-finite value nan of 'loss' in the train "
                           "step; 'param/w' is not finite from element 0 on, since an earlier step; no good "
                           "state is saved"))
      << late.err;
}

TEST_F(NotFinite, CheckNanStopsBeforeTheUpdate) {
  const Result r = train("run", "true", {"--check-nan"});
  EXPECT_EQ(r.exit_code, 8);
  EXPECT_TRUE(
      r.err.starts_with("dlcc: error: step 3 (epoch 1, batch 3): non-finite value nan of 'grad/w' in the train step"))
      << r.err;
  EXPECT_NE(r.err.find("the parameters are unchanged; the state of step 2 is saved"), std::string::npos) << r.err;
  EXPECT_TRUE(finite("run/last.safetensors"));
}

// A root of zero between two layers: the gradients of the layers after it are finite, those before it are not, and the
// one next to it is named, in whatever order the parameters stand.
TEST_F(NotFinite, CheckNanNamesTheFirstGradientOfTheBackwardPass) {
  folder.write("t.csv", "a,b,y\n1,1,1\n0,0,1\n");
  auto model = [&](const char* order) {
    return std::string(R"({ "dlcc": 1, "name": "root", "inputs": { "x": { "shape": ["N", 2] } },
      "labels": { "y": { "shape": ["N", 1] } }, "params": )") +
           order + R"(,
      "nodes": [ { "op": "matmul", "inputs": ["x", "first"], "output": "a" },
                 { "op": "matmul", "inputs": ["a", "second"], "output": "b" },
                 { "op": "sqrt", "inputs": ["b"], "output": "c" },
                 { "op": "matmul", "inputs": ["c", "third"], "output": "p" } ],
      "loss": { "type": "mean_squared_error", "prediction": "p", "label": "y" },
      "optimizer": { "type": "sgd", "learning_rate": 0.01 },
      "train": { "batch_size": 1, "epochs": 1, "shuffle": false },
      "data": { "train": { "format": "csv", "file": "t.csv", "x": ["a", "b"], "y": "y" } } })";
  };
  const std::string one = R"("first": { "shape": [2, 3], "init": "ones" })",
                    two = R"("second": { "shape": [3, 2], "init": "ones" })",
                    three = R"("third": { "shape": [2, 1], "init": "ones" })";
  for (const std::string& order : {one + ", " + two + ", " + three, three + ", " + two + ", " + one}) {
    folder.write("m.json", model(("{ " + order + " }").c_str()));
    for (const char* more : {"--threads=1", "--threads=3", "--no-fusion"}) {
      const Result r = folder.run({"train", "m.json", "-q", "--check-nan", more});
      EXPECT_EQ(r.exit_code, 8);
      EXPECT_TRUE(r.err.starts_with("dlcc: error: step 2 (epoch 1, batch 2): non-finite value nan of 'grad/second' in "
                                    "the train step; the parameters are unchanged"))
          << r.err;
    }
  }
}

TEST_F(NotFinite, GoesOnWhereTheModelSaysSo) {
  const Result r = train("run", "false");
  EXPECT_EQ(r.exit_code, 0) << r.err;
  EXPECT_FALSE(finite("run/last.safetensors"));
}

// The command line goes before the model.
TEST_F(Effect, TheTargetOfTheCommandLineGoesBeforeTheModels) {
  folder.write("m.json", tiny);
  auto uses_avx512 = [&](const std::vector<std::string>& more) {
    std::vector<std::string> args = {"m.json", "-o", "m.so"};
    args.insert(args.end(), more.begin(), more.end());
    EXPECT_EQ(folder.run(args).exit_code, 0);
    return folder.run({"inspect", "m.so"}).out.find("avx512f") != std::string::npos;
  };
  const std::vector<std::string> v3 = {"--set", "compile.target=x86-64-v3"}, v4 = {"--set", "compile.target=x86-64-v4"};
  EXPECT_FALSE(uses_avx512(v3));
  EXPECT_TRUE(uses_avx512(v4));
  EXPECT_TRUE(uses_avx512({v3[0], v3[1], "--march", "x86-64-v4"}));
  EXPECT_FALSE(uses_avx512({v4[0], v4[1], "--march", "x86-64-v3"}));
}

// A stratified part is drawn by the run's own seed, which its checkpoint keeps.
TEST_F(Effect, EvaluationDrawsThePartThatTheRunKeptAside) {
  folder.write("m.json",
               replaced(replaced(tiny, "\"learning_rate\": 0.01", "\"preset\": \"sklearn\", \"early_stopping\": true"),
                        ", \"validation_split\": 0.1", ""));
  const Result r = folder.run({"train", "m.json", "-q", "--out", "run", "--seed", "9", "--epochs", "3"});
  ASSERT_EQ(r.exit_code, 0) << r.err;
  const std::string last = lines_of(folder.read("run/history.jsonl")).back();
  const size_t at = last.find("\"val_loss\":");
  ASSERT_NE(at, std::string::npos) << last;
  const std::string loss = last.substr(at + 11, last.find_first_of(",}", at) - at - 11);
  const Result e =
      folder.run({"eval", "m.json", "-q", "--json", "--weights", "run/last.safetensors", "--on", "validation"});
  EXPECT_NE(e.out.find("\"loss\":" + loss), std::string::npos) << e.out << e.err << last;
}

} // namespace
} // namespace dlcc::cli_tests

// Weights from elsewhere: for eval and predict, and to start a training run from.
#include "tests/cli/models.h"
#include "tests/cli/program.h"

#include "runtime/core/checkpoint.h"

#include <gtest/gtest.h>

namespace dlcc::cli_tests {
namespace {

// y = 3 a - 2 b + 1, all of it one batch.
const std::string line = replaced(from_csv, "\"batch_size\": 2", "\"batch_size\": 4, \"epochs\": 5");
const std::string rows = "a,b,y\n1,0,4\n0,1,-1\n1,1,2\n2,1,5\n";

class WeightsFromElsewhere : public testing::Test {
protected:
  void SetUp() override {
    folder.write("m.json", line);
    folder.write("t.csv", rows);
    ASSERT_EQ(folder.run({"train", "m.json", "-q", "--out", "run", "--learning-rate", "0.1"}).exit_code, 0);
  }
  // The parameters of a run as another program would save them: bare names, no metadata.
  void write_plain(const std::string& name, const std::string& rename_from = "", const std::string& rename_to = "") {
    runtime::CheckpointFile file(folder.path("run/last.safetensors"));
    std::vector<runtime::StoredTensor> stored;
    std::string data;
    for (const runtime::StoredTensor& t : file.tensors()) {
      if (!t.name.starts_with("param/")) continue;
      stored.push_back(t);
      std::string& shown = stored.back().name;
      shown = shown.substr(6) == rename_from ? rename_to : shown.substr(6);
      std::string bytes(t.bytes(), '\0');
      file.read(t, bytes.data());
      data += bytes;
    }
    folder.write(name, runtime::format_safetensors_header({}, stored) + data);
  }
  double eval_loss(const std::string& model, const std::string& weights) {
    const Result r = folder.run({"eval", model, "-q", "--json", "--weights", weights});
    EXPECT_EQ(r.exit_code, 0) << r.err;
    double loss = -1;
    const size_t at = r.out.find("\"loss\":");
    EXPECT_EQ(at == std::string::npos ? 0 : std::sscanf(r.out.c_str() + at, "\"loss\":%lf", &loss), 1) << r.out;
    return loss;
  }
  double first_loss(const std::string& run) {
    double loss = -1;
    const std::string text = folder.read(run + "/history.jsonl");
    EXPECT_EQ(std::sscanf(text.c_str(), "{\"step\":1,\"loss\":%lf", &loss), 1) << text;
    return loss;
  }
  Folder folder;
};

// A model may have got a metric since: its accumulators are no weights.
TEST_F(WeightsFromElsewhere, NeedNoStateOfMetrics) {
  folder.write("measured.json", replaced(line, "\"optimizer\"", "\"metrics\": [\"mae\", \"r2\"], \"optimizer\""));
  write_plain("plain.safetensors");
  const double expected = eval_loss("m.json", "run");
  for (const char* weights : {"run", "run/last.safetensors", "plain.safetensors"}) {
    EXPECT_EQ(eval_loss("m.json", weights), expected) << weights;
    EXPECT_EQ(eval_loss("measured.json", weights), expected) << weights;
    const Result r = folder.run({"predict", "measured.json", "-q", "--weights", weights});
    EXPECT_EQ(r.exit_code, 0) << r.err;
    // But for the header, which names the column that the run was trained on, if the weights know it.
    const std::string whole = folder.run({"predict", "m.json", "-q", "--weights", "run"}).out;
    EXPECT_EQ(r.out.substr(r.out.find('\n')), whole.substr(whole.find('\n')));
  }
  EXPECT_EQ(folder.run({"train", "measured.json", "-q", "--out", "tuned", "--init-weights", "run"}).exit_code, 0);
  // And back: what the model no longer measures is nothing that is missing.
  EXPECT_EQ(eval_loss("m.json", "tuned"), eval_loss("measured.json", "tuned"));
}

TEST_F(WeightsFromElsewhere, AreWhatTrainingStartsFrom) {
  write_plain("plain.safetensors");
  for (const char* weights : {"run", "plain.safetensors"}) {
    const std::string out = std::string("from-") + (weights[0] == 'r' ? "run" : "plain");
    ASSERT_EQ(
        folder.run({"train", "m.json", "-q", "--out", out, "--log-every", "1", "--init-weights", weights}).exit_code,
        0);
    EXPECT_EQ(first_loss(out), eval_loss("m.json", "run")) << weights;
  }
  ASSERT_EQ(folder.run({"train", "m.json", "-q", "--out", "anew", "--log-every", "1"}).exit_code, 0);
  EXPECT_NE(first_loss("anew"), first_loss("from-run"));
}

// One line with all names, and nothing is made.
TEST_F(WeightsFromElsewhere, AreRefusedUnlessAllFit) {
  const std::string wider = replaced(line, "\"units\": 1 }", "\"units\": 1, \"use_bias\": false }");
  folder.write("other.json", replaced(wider, "\"line\"", "\"slope\""));
  folder.write("no_bias.json", wider);
  const std::string refused = "dlcc: error: 'run/last.safetensors' does not fit this model: ",
                    more = "not in this model: 'param/line/bias'";
  const struct {
    const char* model;
    std::string differences;
  } cases[] = {
      {"other.json", "missing: 'param/slope/kernel'; not in this model: 'param/line/kernel', 'param/line/bias'"},
      {"no_bias.json", more}};
  for (const auto& c : cases) {
    const std::string expected = refused + c.differences + "; see --allow-partial-weights [checkpoint]";
    for (const char* command : {"eval", "predict"})
      expect_refused(folder, {command, c.model, "--weights", "run"}, 5, expected);
    expect_refused(folder, {"train", c.model, "--out", "tuned", "--init-weights", "run"}, 5, expected);
  }
  // What fits is taken where that is asked for.
  const Result r =
      folder.run({"train", "no_bias.json", "-q", "--out", "tuned", "--init-weights", "run", "--allow-partial-weights"});
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.err, "dlcc: warning: 'run/last.safetensors': skipped: " + more + " [session]\n");
  EXPECT_EQ(folder.run({"eval", "no_bias.json", "-q", "--weights", "run", "--allow-partial-weights"}).exit_code, 0);
  expect_refused(folder, {"train", "other.json", "--out", "none", "--init-weights", "run", "--allow-partial-weights"},
                 5, refused + cases[0].differences + " [checkpoint]");
}

TEST_F(WeightsFromElsewhere, OfAPlainFileLikewise) {
  write_plain("renamed.safetensors", "line/bias", "line/offset");
  expect_refused(folder, {"eval", "m.json", "--weights", "renamed.safetensors"}, 5,
                 "dlcc: error: 'renamed.safetensors' does not fit this model: missing: 'param/line/bias'; not in this "
                 "model: 'line/offset'; see --allow-partial-weights [checkpoint]");
}

} // namespace
} // namespace dlcc::cli_tests

// Tables and what is fitted on them, as people use it: train, then predict and evaluate files that training never saw.
#include "runtime/core/checkpoint.h"
#include "tests/cli/program.h"

#include <gtest/gtest.h>

#include <charconv>
#include <cmath>
#include <cstring>

namespace dlcc::cli_tests {
namespace {

using Rows = std::vector<std::vector<std::string>>;

Rows table_of(const std::string& csv) {
  Rows out;
  for (const std::string& line : lines_of(csv)) {
    out.emplace_back(1);
    for (char c : line) c == ',' ? void(out.back().emplace_back()) : out.back().back().push_back(c);
  }
  return out;
}
double number(const std::string& text) {
  double v = NAN;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
  EXPECT_TRUE(error == std::errc() && end == text.data() + text.size()) << text;
  return v;
}
std::vector<double> column(const std::string& csv, size_t at) {
  std::vector<double> out;
  Rows rows = table_of(csv);
  for (size_t r = 1; r < rows.size(); ++r) out.push_back(number(rows[r].at(at)));
  return out;
}

const std::string homes = "area,city,rooms,price\n"
                          "50,Ulm,2,100000\n80,Bonn,3,260000\n120,Ulm,5,230000\n60,Aachen,,150000\n"
                          "90,Aachen,4,210000\n70,Bonn,NA,220000\n";
// The columns in another order, with others, without the price.
const std::string homes_again = "id,rooms,city,area,note\n"
                                "a,2,Ulm,50,x\nb,3,Bonn,80,\nc,5,Ulm,120,y\nd,,Aachen,60,z\n"
                                "e,4,Aachen,90,\n\"f, g\",NA,Bonn,70,w\n";
const std::string model = R"({ "dlcc": 1, "name": "homes",
  "inputs": { "x": { "shape": ["N", 5] } }, "labels": { "y": { "shape": ["N", 1] } },
  "layers": [ { "type": "Dense", "units": 4, "activation": "tanh" }, { "type": "Dense", "name": "out", "units": 1 } ],
  "loss": "mean_squared_error", "metrics": ["r2"], "optimizer": { "type": "adam", "learning_rate": 0.05 },
  "train": { "batch_size": 4, "epochs": 3 },
  "data": { "train": { "format": "csv", "file": "homes.csv", "missing": { "rule": "mean" },
                       "x": ["area", "rooms", { "column": "city", "categories": "one_hot", "unknown": "zeros" }],
                       "y": "price" },
            "transforms": [ { "type": "standardize", "input": "x" }, { "type": "standardize", "input": "y" } ] } }
)";

// A model of text labels.
const std::string flowers = R"({ "dlcc": 1, "name": "flowers",
  "inputs": { "x": { "shape": ["N", 2] } },
  "layers": [ { "type": "Dense", "name": "probs", "units": 3, "activation": "softmax" } ],
  "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"],
  "optimizer": { "type": "adam", "learning_rate": 0.3 },
  "train": { "batch_size": 6, "epochs": 60 },
  "data": { "train": { "format": "csv", "file": "flowers.csv", "separator": "tab",
                       "x": ["length", "width"], "label": { "column": "species", "categories": "index" } } } }
)";
const std::string flower_table = "species\tlength\twidth\nrose\t1\t0\ntulip\t0\t1\nlily\t-1\t-1\nrose\t1.1\t0.1\n"
                                 "tulip\t0.1\t1.2\nlily\t-1.2\t-1\n";

class Table : public testing::Test {
protected:
  static void SetUpTestSuite() {
    trained = new Folder;
    trained->write("m.json", model);
    trained->write("homes.csv", homes);
    ASSERT_EQ(trained->run({"train", "m.json", "--out", "run", "--threads", "1"}).exit_code, 0);
    trained->write("f.json", flowers);
    trained->write("flowers.csv", flower_table);
    ASSERT_EQ(trained->run({"train", "f.json", "--out", "flowers", "--threads", "1"}).exit_code, 0);
    ASSERT_EQ(trained->run({"m.json", "-o", "m.so"}).exit_code, 0);
  }
  static void TearDownTestSuite() { delete trained; }

  // A copy of the trained folder without the table.
  Table() {
    std::filesystem::copy(trained->path(), folder.path(), std::filesystem::copy_options::recursive);
    std::filesystem::remove(folder.path("homes.csv"));
    folder.write("new.csv", homes_again);
  }
  std::string output(const std::vector<std::string>& args, const RunOptions& options = {}) const {
    Result r = folder.run(args, options);
    EXPECT_EQ(r.exit_code, 0) << r.err;
    return r.out;
  }
  std::string predict(const std::vector<std::string>& more, const RunOptions& options = {},
                      const std::string& of = "m.json", const std::string& weights = "run") const {
    std::vector<std::string> args = {"predict", of, "--weights", weights, "--threads", "1"};
    args.insert(args.end(), more.begin(), more.end());
    return output(args, options);
  }

  static Folder* trained;
  Folder folder;
};
Folder* Table::trained = nullptr;

TEST_F(Table, PredictsWithoutTheTrainingFileInTheUnitOfTheLabel) {
  const std::string out = predict({"--data", "new.csv"});
  ASSERT_EQ(lines_of(out).size(), 7u) << out;
  EXPECT_EQ(lines_of(out)[0], "price");
  // Closed form: the prices' mean and deviation.
  const std::vector<double> prices = column(homes, 3), raw = column(predict({"--data", "new.csv", "--raw"}), 0),
                            shown = column(out, 0);
  double mean = 0, square = 0;
  for (double p : prices) mean += p / 6;
  for (double p : prices) square += (p - mean) * (p - mean) / 6;
  for (size_t i = 0; i < 6; ++i) EXPECT_NEAR(shown[i], raw[i] * std::sqrt(square) + mean, 1e-6 * mean) << i;
  EXPECT_EQ(lines_of(predict({"--data", "new.csv", "--raw"}))[0], "out");
}

// A missing cell is the mean of the column, an unknown city a row of zeros; neither depends on the file's other rows.
TEST_F(Table, MissingAndUnknownCellsAreWhatTrainingSays) {
  folder.write("odd.csv", "city,area,rooms\nBerlin,70,\nUlm,70,3.5\n");
  folder.write("plain.csv", "city,area,rooms\nHamburg,70,3.5\nUlm,70,NA\n");
  EXPECT_EQ(predict({"--data", "odd.csv"}), predict({"--data", "plain.csv"})); // (2 + 3 + 5 + 4) / 4 rooms
  folder.write("wrong.csv", "city,area,rooms\nUlm,many,3\n");
  expect_refused(folder, {"predict", "m.json", "--weights", "run", "--data", "wrong.csv", "-q"}, 4,
                 "wrong.csv:2:5: error: 'many' is not a number (\"categories\" reads a column of text) [csv-number]");
  folder.write("short.csv", "city,size\nUlm,3\n");
  expect_refused(folder, {"predict", "m.json", "--weights", "run", "--data", "short.csv", "-q"}, 4,
                 "short.csv:1: error: no columns 'area', 'rooms'; the file has 'city', 'size' [csv-columns]");
  folder.write("empty.csv", "city,area,rooms\n");
  expect_refused(folder, {"predict", "m.json", "--weights", "run", "--data", "empty.csv", "-q"}, 4,
                 "empty.csv: error: no samples: the file holds a header only [no-samples]");
}

TEST_F(Table, CopiesColumnsAndWritesFiles) {
  const std::string expected = predict({"--data", "new.csv"});
  predict({"--data", "new.csv", "--id", "id", "--id", "note", "-o", "out.csv"});
  const Rows rows = table_of(folder.read("out.csv"));
  EXPECT_EQ(lines_of(folder.read("out.csv"))[0], "id,note,price");
  EXPECT_EQ(lines_of(folder.read("out.csv"))[6].substr(0, 10), "\"f, g\",w,2");
  EXPECT_EQ(rows[1], (std::vector<std::string>{"a", "x", lines_of(expected)[1]}));
  predict({"--data", "new.csv", "-o", "out.npy"});
  const std::string npy = folder.read("out.npy");
  EXPECT_NE(npy.find("'<f8'"), std::string::npos);
  EXPECT_NE(npy.find("(6, 1, )"), std::string::npos);
  std::vector<double> values(6);
  std::memcpy(values.data(), npy.data() + npy.size() - 48, 48);
  EXPECT_EQ(values, column(expected, 0));
}

TEST_F(Table, TheSameFromEveryDoor) {
  const std::string expected = predict({"--data", "new.csv"});
  EXPECT_EQ(predict({"--data", "-"}, {.input = homes_again}), expected);
  EXPECT_EQ(predict({"--data", "new.csv"}, {}, "m.so"), expected);
  EXPECT_EQ(predict({"--data", "-"}, {.input = homes_again}, "m.so"), expected);
  EXPECT_EQ(predict({"--data", "new.csv"}, {}, "run/model.json"), expected);
  EXPECT_EQ(predict({"--data", "new.csv", "--batch-size", "1"}), expected);
  folder.write("windows.csv", "\xEF\xBB\xBF" + replaced(homes_again, "\n", "\r\n"));
  EXPECT_EQ(predict({"--data", "windows.csv"}), expected);
}

TEST_F(Table, ClassesHaveTheirNames) {
  folder.write("new.tsv", "width\tlength\n0\t1\n-1\t-1\n1\t0\n");
  EXPECT_EQ(predict({"--data", "new.tsv", "--classes"}, {}, "f.json", "flowers"), "species\nrose\nlily\ntulip\n");
  const std::string shown = predict({"--data", "new.tsv"}, {}, "f.json", "flowers");
  EXPECT_EQ(lines_of(shown)[0], "probs_lily,probs_rose,probs_tulip");
  const size_t expected[] = {1, 0, 2}; // rose, lily, tulip
  for (size_t r = 0; r < 3; ++r) EXPECT_GT(column(shown, expected[r])[r], 0.5) << shown;
  predict({"--data", "new.tsv", "--classes", "-o", "out.npy"}, {}, "f.json", "flowers");
  const std::string npy = folder.read("out.npy");
  std::vector<int64_t> classes(3);
  std::memcpy(classes.data(), npy.data() + npy.size() - 24, 24);
  EXPECT_EQ(classes, (std::vector<int64_t>{1, 0, 2}));
  folder.write("odd.tsv", replaced(flower_table, "lily", "weed"));
  expect_refused(folder, {"eval", "f.json", "--weights", "flowers", "--data", "odd.tsv", "-q"}, 4,
                 "odd.tsv:4: error: column 'species': 'weed' is none of the 3 categories (lily, rose, tulip); "
                 "\"unknown\": \"zeros\" or \"extra\" lets it pass [category]");
}

TEST_F(Table, EvaluatesNewDataWithLabels) {
  folder.write("homes.csv", homes);
  const std::string own = output({"eval", "m.json", "--weights", "run", "--on", "train"});
  folder.write("more.csv", replaced(homes, "area,city,rooms,price\n", "area,city,rooms,price\n"));
  std::filesystem::remove(folder.path("homes.csv"));
  EXPECT_EQ(output({"eval", "m.json", "--weights", "run", "--data", "more.csv"}), own);
  EXPECT_EQ(output({"eval", "m.json", "--weights", "run", "--data", "-"}, {.input = homes}), own);
  expect_refused(folder, {"eval", "m.json", "--weights", "run", "--data", "new.csv", "-q"}, 4,
                 "new.csv:1: error: no column 'price'; the file has 'id', 'rooms', 'city', 'area', 'note' "
                 "[csv-columns]");
}

// The attachments of a checkpoint, as one text.
std::string fitted_in(const Folder& folder, const std::string& file) {
  const runtime::CheckpointFile checkpoint(folder.path(file).string());
  std::string out;
  for (const auto& [name, a] : runtime::read_attachments(checkpoint))
    out += name + "=" + std::string(a.bytes.begin(), a.bytes.end());
  return out;
}

TEST_F(Table, WhatIsFittedSurvivesResumingAndFineTuning) {
  folder.write("homes.csv", homes);
  const std::string fitted = fitted_in(folder, "run/last.safetensors");
  EXPECT_NE(fitted.find("data/x/categories/2=Aachen"), std::string::npos);
  output({"train", "m.json", "--out", "run", "--resume", "--epochs", "4", "--threads", "1"});
  EXPECT_EQ(fitted_in(folder, "run/last.safetensors"), fitted);
  // Other data: weights keep their transforms, unless they are to be fitted anew.
  folder.write("homes.csv", replaced(replaced(homes, "100000", "900000"), "Aachen", "Ulm"));
  output({"train", "m.json", "--out", "tuned", "--init-weights", "run", "--threads", "1"});
  EXPECT_EQ(fitted_in(folder, "tuned/last.safetensors"), fitted);
  expect_fault(folder.run({"train", "m.json", "--out", "refit", "--init-weights", "run", "--refit", "-q"}), 4,
               "homes.csv: error: 'x': gets 4 values a sample (2 of columns of numbers, 2 of 'city'), the model takes "
               "5, expected \"shape\": [\"N\", 4] [table]");
  folder.write("homes.csv", replaced(homes, "100000", "900000"));
  output({"train", "m.json", "--out", "refit", "--init-weights", "run", "--refit", "--threads", "1"});
  EXPECT_NE(fitted_in(folder, "refit/last.safetensors"), fitted);
}

// Weights of another program, or of before transforms travelled: fitted on the training data as long as they are there.
TEST_F(Table, WeightsWithoutTransformsNeedTheTrainingData) {
  const std::string expected = predict({"--data", "new.csv"});
  const runtime::CheckpointFile checkpoint(folder.path("run/last.safetensors").string());
  std::vector<std::vector<char>> bytes;
  std::vector<runtime::TensorToSave> tensors;
  for (const runtime::StoredTensor& t : checkpoint.tensors()) {
    if (runtime::is_attachment(t.name)) continue;
    bytes.emplace_back(t.bytes());
    checkpoint.read(t, bytes.back().data());
    tensors.push_back({t.name, t.dtype, t.dims, bytes.back().data()});
  }
  runtime::write_checkpoint(folder.path("old.safetensors").string(), checkpoint.metadata(), tensors);
  expect_fault_with(folder.run({"predict", "m.json", "--weights", "old.safetensors", "--data", "new.csv", "-q"}), 6,
                    {"homes.csv: error: cannot open: No such file or directory"});
  folder.write("homes.csv", homes);
  Result r = folder.run({"predict", "m.json", "--weights", "old.safetensors", "--data", "new.csv", "--raw"});
  EXPECT_EQ(r.exit_code, 0) << r.err;
  EXPECT_EQ(r.out, predict({"--data", "new.csv", "--raw"}));
  r = folder.run({"predict", "m.json", "--weights", "old.safetensors", "--data", "new.csv"});
  EXPECT_NE(r.err.find("the weights do not say how 'y' was transformed"), std::string::npos) << r.err;
}

TEST_F(Table, InspectShowsWhatIsFitted) {
  const std::string shown = output({"inspect", "run/last.safetensors", "--json"});
  for (const char* what :
       {"\"transforms\"", "\"rooms\"", "\"missing\": 3.5", "\"city\"", "\"one_hot\"", "\"Aachen\"", "\"zeros\""})
    EXPECT_NE(shown.find(what), std::string::npos) << what << " in " << shown;
}

TEST_F(Table, WrongUseIsOneLine) {
  auto refused = [&](std::vector<std::string> more, int code, const std::string& line) {
    std::vector<std::string> args = {"predict", "m.json", "--weights", "run", "--data", "new.csv", "-q"};
    args.insert(args.end(), more.begin(), more.end());
    expect_refused(folder, args, code, line);
  };
  refused({"--raw", "--classes"}, 2,
          "dlcc: error: --raw and --classes: expected one of them (see dlcc predict --help) [output]");
  refused({"--classes"}, 2,
          "dlcc: error: --classes: output 'out' does not tell classes apart (see dlcc predict --help) [output]");
  refused({"--id", "id", "-o", "o.npy"}, 2,
          "dlcc: error: --id: npy and npz hold numbers alone, expected csv (see dlcc predict --help) [id]");
  refused({"--id", "name"}, 4,
          "new.csv:1: error: no column 'name'; the file has 'id', 'rooms', 'city', 'area', 'note' [csv-columns]");
}

} // namespace
} // namespace dlcc::cli_tests

// Rows G and H of the list of bad inputs, and batch sizes: faults in data files get one line with the place in the
// file.
#include "tests/cli/models.h"
#include "tests/cli/program.h"

#include <gtest/gtest.h>

namespace dlcc::cli_tests {
namespace {

using Files = std::map<std::string, std::string>;

struct Row {
  std::string name;
  std::string model;
  Files files;
  std::vector<std::string> words;
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

std::string name_of(const testing::TestParamInfo<Row>& info) { return info.param.name; }

std::string idx(int type, const std::vector<int>& dims, const std::string& values) {
  std::string bytes{'\0', '\0', static_cast<char>(type), static_cast<char>(dims.size())};
  for (int d : dims)
    for (int shift : {24, 16, 8, 0}) bytes += static_cast<char>(d >> shift);
  return bytes + values;
}

const std::string pictures = idx(8, {6, 2, 2}, "abcdefghijklmnopqrstuvwx");
std::string labels(int last, int type = 8, int count = 6) {
  return idx(type, {count}, std::string{0, 1, 2, 3, 4, static_cast<char>(last)}.substr(static_cast<size_t>(6 - count)));
}
Row idx_row(const std::string& name, const std::string& images, const std::string& label,
            const std::vector<std::string>& words) {
  return {name, from_idx, {{"images", images}, {"labels", label}}, words};
}

const std::string table = "a,b,y\n1,2,3\n4,5,6\n7,8,9\n";
Row csv_row(const std::string& name, const std::string& text, const std::vector<std::string>& words) {
  return {name, from_csv, {{"t.csv", text}}, words};
}

class BadData : public testing::TestWithParam<Row> {};

TEST_P(BadData, GetsOneLine) {
  Folder folder;
  folder.write("m.json", GetParam().model);
  for (const auto& [name, bytes] : GetParam().files) folder.write(name, bytes);
  auto before = folder.snapshot();
  expect_fault(folder.run({"train", "m.json", "--out", "run"}), 4, GetParam().words);
  auto after = folder.snapshot();
  after.erase("run/"); // an empty folder may have been made
  EXPECT_TRUE(after == before) << "the folder was changed";
}

const Row in_idx[] = {
    idx_row("G1_ten", pictures, labels(10), {"labels: ", "label 10 at sample 5 (offset 13), model has 10 classes"}),
    idx_row("G1_255", pictures, labels(255), {"label 255 at sample 5", "10 classes"}),
    idx_row("G1_negative", pictures, labels(255, 9), {"label -1 at sample 5", "10 classes"}),
    idx_row("G11_counts", pictures, labels(9, 8, 5), {"labels: ", "5 samples", "but 6", "images"}),
    idx_row("H1_labels_for_images", labels(9), labels(9),
            {"images: ", "magic 0x801, expected 0x803 (labels given where images expected?)"}),
    idx_row("H1_images_for_labels", pictures, pictures, {"labels: ", "magic 0x803, expected 0x801"}),
    idx_row("H1_picture_file", "\x89PNG" + pictures, labels(9), {"magic 0x89504e47", "not an idx file"}),
    idx_row("H3_short", pictures.substr(0, pictures.size() - 1), labels(9), {"24 bytes", "holds 23"}),
    idx_row("H3_long", pictures + "!", labels(9), {"24 bytes", "holds 25"}),
    idx_row("H6_type", idx(7, {6, 2, 2}, std::string(24, 'a')), labels(9), {"unknown type 0x07"}),
    idx_row("H7_none", idx(8, {0, 2, 2}, ""), labels(9), {"no samples"}),
    idx_row("H8_rank_0", idx(8, {}, ""), labels(9), {"rank 0"}),
    idx_row("H8_rank_255", std::string{'\0', '\0', '\x08', '\xff'} + std::string(2000, 'a'), labels(9), {"rank 255"}),
};
INSTANTIATE_TEST_SUITE_P(Idx, BadData, testing::ValuesIn(in_idx), name_of);

// The table's label as a class number, and as a probability.
const std::string classes = replaced(replaced(from_csv, R"("units": 1)", R"("units": 3, "activation": "softmax")"),
                                     "mean_squared_error", "sparse_categorical_crossentropy");
const std::string probability = replaced(replaced(from_csv, R"("units": 1)", R"("units": 1, "activation": "sigmoid")"),
                                         "mean_squared_error", "binary_crossentropy");

const Row in_csv[] = {
    {"G2_half_a_class", classes, {{"t.csv", replaced(table, "6", "2.5")}}, {"t.csv:3:5: error: '2.5' where an integer is expected"}},
    {"G2_nearly_a_class", classes, {{"t.csv", replaced(table, "6", "2.0000001")}}, {"t.csv:3:5:", "an integer is expected"}},
    {"G13_no_probability", probability, {{"t.csv", "a,b,y\n1,2,0\n4,5,6\n"}}, {"t.csv:3: error: label 6 at sample 1, values in [0, 1] expected"}},
    csv_row("H20_nul_after_a_quote", std::string("a,b,y\n1,\"2\"") + std::string(1, '\0') + "3\n", {"t.csv:2:", "closing quote"}),
    csv_row("G5_nan", replaced(table, "5", "nan"), {"t.csv:3:3: error: 'nan'", "finite"}),
    csv_row("G5_infinity", replaced(table, "5", "-inf"), {"t.csv:3:3: error: '-inf'", "finite"}),
    csv_row("H10_text", replaced(table, "5", "fi\x1bve"), {"t.csv:3:3:", "'fi\\x1bve' is not a number"}),
    csv_row("H11_empty_cell", replaced(table, "5", ""), {"t.csv:3:3:", "empty cell", "\"missing\""}),
    csv_row("H12_empty_file", "", {"t.csv: ", "no samples"}),
    csv_row("H12_header_only", "a,b,y\n", {"no samples", "header only"}),
    csv_row("H17_unclosed_quote", replaced(table, "5", "\"5"), {"t.csv:3:3:", "quote", "never closed"}),
    csv_row("H18_decimal_comma", replaced(table, "5", "1,5"), {"t.csv:3: ", "4 columns, 3 expected"}),
    csv_row("H18_underscore", replaced(table, "5", "1_000"), {"'1_000' is not a number"}),
    csv_row("H18_hexadecimal", replaced(table, "5", "0x10"), {"'0x10' is not a number"}),
    csv_row("H20_nul", replaced(table, "5", std::string("5\0", 2)), {"t.csv:3:4:", "NUL byte at offset 15"}),
    csv_row("H21_semicolons", replaced(table, ",", ";"),
            {"t.csv:1: ", "found 1 column, 3 expected; separator is ';'?"}),
    csv_row("H21_tabs", replaced(table, ",", "\t"), {"found 1 column, 3 expected; separator is '\\t'?"}),
    csv_row("Ragged", replaced(table, "4,5,6", "4,5"), {"t.csv:3: ", "found 2 columns, 3 expected"}),
};
INSTANTIATE_TEST_SUITE_P(Csv, BadData, testing::ValuesIn(in_csv), name_of);

const Row missing[] = {
    {"NoSection",
     graph_model(R"({"op":"matvec","inputs":["x","w"],"output":"p"})"),
     {},
     {"m.json: ", "no data to train on"}},
};
INSTANTIATE_TEST_SUITE_P(Model, BadData, testing::ValuesIn(missing), name_of);

// What the model trained on this table predicts for it.
std::string predictions_of(const std::string& csv, const RunOptions& options = {}) {
  Folder folder;
  folder.write("m.json", from_csv);
  folder.write("t.csv", csv);
  Result r = folder.run({"train", "m.json", "--out", "run"}, options);
  EXPECT_EQ(r.exit_code, 0) << r.err;
  Result p = folder.run({"predict", "m.json", "--weights", "run"}, options);
  EXPECT_EQ(p.exit_code, 0) << p.err;
  EXPECT_EQ(lines_of(p.out).size(), lines_of(csv).size() - 1) << p.out;
  return p.out;
}

TEST(GoodData, H13LineEndsDoNotMatter) {
  EXPECT_EQ(predictions_of(replaced(table, "\n", "\r\n")), predictions_of(table));
  EXPECT_EQ(predictions_of("a,b,y\n1,2,3\r\n4,5,6\n7,8,9\r\n"), predictions_of(table));
}

TEST(GoodData, H18NumbersAsPeopleWriteThem) {
  EXPECT_EQ(predictions_of("a,b,y\n1e1, 7 ,+3\n.5,5.,1\n"), predictions_of("a,b,y\n10,7,3\n0.5,5,1\n"));
}

TEST(GoodData, H19TheLocaleDoesNotMatter) {
  RunOptions german;
  german.env = {{"LC_ALL", "de_DE.UTF-8"}, {"LANG", "de_DE.UTF-8"}};
  const std::string fractions = replaced(table, "5", "5.5");
  EXPECT_EQ(predictions_of(fractions, german), predictions_of(fractions));
}

TEST(GoodData, D17ABatchLargerThanTheDataIsMasked) {
  Folder folder;
  folder.write("m.json", replaced(from_csv, "\"batch_size\": 2", "\"batch_size\": 64"));
  folder.write("t.csv", table);
  Result r = folder.run({"train", "m.json", "--out", "run"});
  EXPECT_EQ(r.exit_code, 0) << r.err;
  EXPECT_NE(r.err.find("warning: batch size 64 is larger than the 3 training samples"), std::string::npos) << r.err;
}

TEST(GoodData, G5NonFiniteValuesPassWhenAllowedAndStopTheLoss) {
  Folder folder;
  folder.write("m.json", from_csv);
  folder.write("t.csv", replaced(table, "5", "inf"));
  Result r = folder.run({"train", "m.json", "--out", "run", "--allow-nonfinite"});
  EXPECT_EQ(r.exit_code, 8) << r.err;
  EXPECT_NE(r.err.find("non-finite value"), std::string::npos) << r.err;
}

// G8: the step that finds the loss infinite changes nothing; the state before it is there and evaluates.
TEST(Diverging, G8SavesTheStepBefore) {
  Folder folder;
  folder.write("m.json", replaced(replaced(from_csv, "0.001", "1e10"), "\"batch_size\": 2", "\"batch_size\": 1"));
  folder.write("t.csv", table);
  Result r = folder.run({"train", "m.json", "--out", "run"});
  EXPECT_EQ(r.exit_code, 8) << r.err;
  std::vector<std::string> lines = lines_of(r.err);
  ASSERT_FALSE(lines.empty());
  for (const char* word : {"step 3", "non-finite", "'loss'", "the state of step 2 is saved"})
    EXPECT_NE(lines.back().find(word), std::string::npos) << lines.back();
  Result inspected = folder.run({"inspect", "run/last.safetensors"});
  EXPECT_EQ(inspected.exit_code, 0) << inspected.err;
  EXPECT_NE(inspected.out.find("\"dlcc.step\":\"2\""), std::string::npos) << inspected.out;
}

} // namespace
} // namespace dlcc::cli_tests

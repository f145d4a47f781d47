// Rows G and H of the list of bad inputs, and batch sizes: faults in data files get one line with the place in the
// file.
#include "tests/cli/models.h"
#include "tests/cli/program.h"
#include "tests/data/bytes.h"

#include <gtest/gtest.h>

#include <atomic>
#include <clocale>
#include <cmath>
#include <cstdlib>
#include <fcntl.h>
#include <thread>

namespace dlcc::cli_tests {
namespace {

using Files = std::map<std::string, std::string>;

struct Row {
  std::string name;
  std::string model;
  Files files;
  std::string line; // the whole message
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

std::string name_of(const testing::TestParamInfo<Row>& info) { return info.param.name; }

using data::bytes_of, data::gzipped, data::idx_file, data::Member, data::npy_file, data::npy_raw, data::zip_file;

const std::string pictures = idx_file(8, {6, 2, 2}, "abcdefghijklmnopqrstuvwx");
std::string labels(int last, unsigned type = 8, unsigned count = 6) {
  return idx_file(type, {count}, std::string{0, 1, 2, 3, 4, static_cast<char>(last)}.substr(6 - count));
}
Row idx_row(const std::string& name, const std::string& images, const std::string& label, const std::string& line) {
  return {name, from_idx, {{"images", images}, {"labels", label}}, line};
}

const std::string table = "a,b,y\n1,2,3\n4,5,6\n7,8,9\n";
Row csv_row(const std::string& name, const std::string& text, const std::string& line) {
  return {name, from_csv, {{"t.csv", text}}, line};
}

class BadData : public testing::TestWithParam<Row> {};

TEST_P(BadData, GetsOneLine) {
  Folder folder;
  folder.write("m.json", GetParam().model);
  for (const auto& [name, bytes] : GetParam().files) folder.write(name, bytes);
  expect_refused(folder, {"train", "m.json", "--out", "run"}, 4, GetParam().line);
}

const Row in_idx[] = {
    idx_row("G1_ten", pictures, labels(10),
            "labels: error: label 10 at sample 5 (offset 13), model has 10 classes ('label') [label-range]"),
    idx_row("G1_255", pictures, labels(255),
            "labels: error: label 255 at sample 5 (offset 13), model has 10 classes ('label') [label-range]"),
    idx_row("G1_negative", pictures, labels(255, 9),
            "labels: error: label -1 at sample 5 (offset 13), model has 10 classes ('label') [label-range]"),
    idx_row("G11_counts", pictures, labels(9, 8, 5),
            "labels: error: 5 samples for 'label', but 6 for 'image' in images [counts]"),
    idx_row("H1_labels_for_images", labels(9), labels(9),
            "images: error: magic 0x801, expected 0x803 (labels given where images expected?) [magic]"),
    idx_row("H1_images_for_labels", pictures, pictures,
            "labels: error: magic 0x803, expected 0x801 (images given where labels expected?) [magic]"),
    idx_row("H1_picture_file", "\x89PNG" + pictures, labels(9),
            "images: error: magic 0x89504e47, expected 0x803: not an idx file [magic]"),
    idx_row("H3_short", pictures.substr(0, pictures.size() - 1), labels(9),
            "images: error: the header promises 24 bytes of values, the file holds 23 [size]"),
    idx_row("H3_long", pictures + "!", labels(9),
            "images: error: the header promises 24 bytes of values, the file holds 25 [size]"),
    idx_row("H6_type", idx_file(7, {6, 2, 2}, std::string(24, 'a')), labels(9),
            "images: error: unknown type 0x07 in the idx header [dtype]"),
    idx_row("H7_none", idx_file(8, {0, 2, 2}, ""), labels(9),
            "images: error: no samples: the first dimension is 0 [no-samples]"),
    idx_row("H8_rank_0", idx_file(8, {}, ""), labels(9),
            "images: error: rank 0 in the idx header, expected 1 to 8 [rank]"),
    idx_row("H8_rank_255", std::string{'\0', '\0', '\x08', '\xff'} + std::string(2000, 'a'), labels(9),
            "images: error: rank 255 in the idx header, expected 1 to 8 [rank]"),
};
INSTANTIATE_TEST_SUITE_P(Idx, BadData, testing::ValuesIn(in_idx), name_of);

// The table's label as a class number, and as a probability.
const std::string classes = replaced(replaced(from_csv, R"("units": 1)", R"("units": 3, "activation": "softmax")"),
                                     "mean_squared_error", "sparse_categorical_crossentropy");
const std::string probability = replaced(replaced(from_csv, R"("units": 1)", R"("units": 1, "activation": "sigmoid")"),
                                         "mean_squared_error", "binary_crossentropy");

const Row in_csv[] = {
    {"G2_half_a_class",
     classes,
     {{"t.csv", replaced(table, "6", "2.5")}},
     "t.csv:3:5: error: '2.5' where an integer is expected [integer]"},
    {"G2_nearly_a_class",
     classes,
     {{"t.csv", replaced(table, "6", "2.0000001")}},
     "t.csv:3:5: error: '2.0000001' where an integer is expected [integer]"},
    {"G13_no_probability",
     probability,
     {{"t.csv", "a,b,y\n1,2,0\n4,5,6\n"}},
     "t.csv:3: error: label 6 at sample 1, values in [0, 1] expected ('label') [range]"},
    csv_row("H20_nul_after_a_quote", std::string("a,b,y\n1,\"2\"") + std::string(1, '\0') + "3\n",
            "t.csv:2:6: error: text after a closing quote [csv-quote]"),
    csv_row("G5_nan", replaced(table, "5", "nan"),
            "t.csv:3:3: error: 'nan', finite numbers expected (\"allow_nonfinite\": true lets it pass) [nonfinite]"),
    csv_row("G5_infinity", replaced(table, "5", "-inf"),
            "t.csv:3:3: error: '-inf', finite numbers expected (\"allow_nonfinite\": true lets it pass) [nonfinite]"),
    csv_row("H10_text", replaced(table, "5", "fi\x1bve"),
            "t.csv:3:3: error: 'fi\\x1bve' is not a number (\"categories\" reads a column of text) [csv-number]"),
    csv_row("H11_empty_cell", replaced(table, "5", ""),
            "t.csv:3:3: error: empty cell, a number expected (\"missing\" gives empty cells a value) [csv-empty]"),
    csv_row("H12_empty_file", "", "t.csv: error: no samples: the file is empty [no-samples]"),
    csv_row("H12_header_only", "a,b,y\n", "t.csv: error: no samples: the file holds a header only [no-samples]"),
    csv_row("H17_unclosed_quote", replaced(table, "5", "\"5"),
            "t.csv:3:3: error: the quote opened here is never closed [csv-quote]"),
    csv_row("H18_decimal_comma", replaced(table, "5", "1,5"),
            "t.csv:3: error: found 4 columns, 3 expected [csv-columns]"),
    csv_row("H18_underscore", replaced(table, "5", "1_000"), "t.csv:3:3: error: '1_000' is not a number [csv-number]"),
    csv_row("H18_hexadecimal", replaced(table, "5", "0x10"), "t.csv:3:3: error: '0x10' is not a number [csv-number]"),
    csv_row("H20_nul", replaced(table, "5", std::string("5\0", 2)),
            "t.csv:3:4: error: NUL byte at offset 15 [csv-nul]"),
    csv_row("H21_semicolons", replaced(table, ",", ";"),
            "t.csv:1: error: found 1 column, 3 expected; separator is ';'? [csv-columns]"),
    csv_row("H21_tabs", replaced(table, ",", "\t"),
            "t.csv:1: error: found 1 column, 3 expected; separator is '\\t'? [csv-columns]"),
    csv_row("H23_no_header", "1,2,3\n4,5,6\n",
            "t.csv:1: error: the first row holds only numbers, column names expected; without a header say \"header\": "
            "false [csv-header]"),
    {"H23_a_header_all_the_same",
     replaced(from_csv, "\"csv\",", "\"csv\", \"header\": false,"),
     {{"t.csv", table}},
     "t.csv:1: error: no columns 'a', 'b', 'y'; without a header columns are numbers from 0 [csv-columns]"},
    csv_row("Ragged", replaced(table, "4,5,6", "4,5"), "t.csv:3: error: found 2 columns, 3 expected [csv-columns]"),
};
INSTANTIATE_TEST_SUITE_P(Csv, BadData, testing::ValuesIn(in_csv), name_of);

const std::vector<float> six = {1, 2, 3, 4, 5, 6};
const std::string two_targets = npy_file("<f4", "(2,)", bytes_of(std::vector<float>{1, 2}));
Row npy_row(const std::string& name, const std::string& bytes, const std::string& line) {
  return {name, from_npy, {{"x.npy", bytes}, {"y.npy", two_targets}}, line};
}
Row typed_row(const std::string& name, const std::string& type, const std::string& line) {
  return npy_row(name, npy_file(type, "(2, 3)", bytes_of(six)), line);
}

const Row in_npy[] = {
    npy_row("H26_header_beyond_the_file", "\x93NUMPY\x01" + std::string(1, '\0') + "\xff\xff{'descr'",
            "x.npy: error: npy header of 65535 bytes at offset 10 reaches beyond the file or the limit of 1048576 "
            "[npy-header]"),
    npy_row("H26_not_ascii", npy_raw("{'descr': '<f\xC3\xA4'}", ""),
            "x.npy: error: npy header, offset 23: not an ASCII character [npy-header]"),
    npy_row("H26_no_shape", npy_raw("{'descr': '<f4', 'fortran_order': False, }", bytes_of(six)),
            "x.npy: error: npy header, offset 52: no 'shape' key [npy-header]"),
    npy_row("H26_repeated_key",
            npy_raw("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}", bytes_of(six)),
            "x.npy: error: npy header, offset 35: key 'descr' is repeated [npy-header]"),
    typed_row("H29_pickle", "|O",
              "x.npy: error: npy element type '|O' is not supported (pickle is never loaded) [dtype]"),
    typed_row("H29_text", "<U10",
              "x.npy: error: npy element type '<U10' is not supported (pickle is never loaded) [dtype]"),
    typed_row("H29_complex", "<c8",
              "x.npy: error: npy element type '<c8' is not supported (pickle is never loaded) [dtype]"),
    typed_row("H29_date", "<M8[ns]",
              "x.npy: error: npy element type '<M8[ns]' is not supported (pickle is never loaded) [dtype]"),
    npy_row("H29_structured", npy_raw("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}", ""),
            "x.npy: error: structured npy arrays are not supported (pickle is never loaded) [dtype]"),
    npy_row("E7_beyond_f32", npy_file("<f8", "(2, 3)", bytes_of(std::vector<double>{1, 2, 3, -1e39, 5, 6})),
            "x.npy: error: value -1e+39 at sample 1, element 0 (offset 94), which is outside the range of f32 ('x') "
            "[range]"),
    npy_row(
        "G5_nan", npy_file("<f4", "(2, 3)", bytes_of(std::vector<float>{1, 2, 3, 4, NAN, 6})),
        "x.npy: error: value nan at sample 1, element 1 (offset 86), finite numbers expected (--allow-nonfinite lets "
        "it pass) ('x') [nonfinite]"),
};
INSTANTIATE_TEST_SUITE_P(Npy, BadData, testing::ValuesIn(in_npy), name_of);

const std::string from_npz = replaced(from_npy, R"("npy", "x": "x.npy", "label": "y.npy")",
                                      R"("npz", "file": "d.npz", "x": "features", "label": "targets")");
const Member features{"features.npy", npy_file("<f4", "(2, 3)", bytes_of(six))}, targets{"targets.npy", two_targets};
Row npz_row(const std::string& name, const std::vector<Member>& members, const std::string& line) {
  return {name, from_npz, {{"d.npz", zip_file(members)}}, line};
}
Member changed(uint16_t method, uint16_t flags, uint32_t claimed_size) {
  return {features.name, features.bytes, method, flags, claimed_size};
}

const Row in_npz[] = {
    npz_row("H33_bomb", {changed(0, 0, 4000u << 20), targets},
            "d.npz(features): error: the member declares 4194304000 bytes, but its 94 packed bytes hold at most 94 "
            "[zip-bomb]"),
    npz_row("H33_unsafe_name", {features, targets, {"../x.npy", ""}},
            "d.npz: error: unsafe name '../x.npy' in the archive [zip-name]"),
    npz_row("H33_encrypted", {changed(0, 1, 0), targets},
            "d.npz(features): error: the member is encrypted [zip-encrypted]"),
    npz_row("H33_deflate64", {changed(9, 0, 0), targets},
            "d.npz(features): error: compression method 9 is not supported, expected stored or deflate [zip-method]"),
    npz_row("H33_duplicate", {features, targets, features},
            "d.npz: error: two members of the archive have the same name [duplicate]"),
    {"H34_cut",
     from_npz,
     {{"d.npz", zip_file({features, targets}).substr(0, 300)}},
     "d.npz: error: not a whole zip archive, which npz files are (Not a zip archive) [zip]"},
};
INSTANTIATE_TEST_SUITE_P(Npz, BadData, testing::ValuesIn(in_npz), name_of);

const Row missing[] = {
    {"NoSection",
     graph_model(R"({"op":"matvec","inputs":["x","w"],"output":"p"})"),
     {},
     "m.json: error: no data to train on: a \"data\" section or --data expected [missing-data]"},
};
INSTANTIATE_TEST_SUITE_P(Model, BadData, testing::ValuesIn(missing), name_of);

// What the model trained on this table predicts for it.
std::string predictions_of(const std::string& csv, const RunOptions& options = {},
                           const std::string& model = from_csv) {
  Folder folder;
  folder.write("m.json", model);
  folder.write("t.csv", csv);
  Result r = folder.run({"train", "m.json", "--out", "run"}, options);
  EXPECT_EQ(r.exit_code, 0) << r.err;
  Result p = folder.run({"predict", "m.json", "--weights", "run"}, options);
  EXPECT_EQ(p.exit_code, 0) << p.err;
  EXPECT_NE(p.out, "");
  return p.out;
}

TEST(GoodData, H11EmptyCellsMayHaveAValue) {
  const std::string with_value = replaced(from_csv, "\"csv\",", "\"csv\", \"missing\": 5,");
  EXPECT_EQ(predictions_of(replaced(table, "5", ""), {}, with_value), predictions_of(table));
}

TEST(GoodData, H13LineEndsDoNotMatter) {
  EXPECT_EQ(predictions_of(replaced(table, "\n", "\r")), predictions_of(table));
  EXPECT_EQ(predictions_of(replaced(table, "\n", "\r\n")), predictions_of(table));
  EXPECT_EQ(predictions_of("a,b,y\n1,2,3\r\n4,5,6\n7,8,9\r\n"), predictions_of(table));
}

TEST(GoodData, H17QuotesAreReadAsRfc4180HasThem) {
  EXPECT_EQ(predictions_of("a,b,y,\"a \"\"note\"\", of\nno use\"\n1,2,3,\"x,\"\"\n\"\n4,\"5\",6,\n"),
            predictions_of("a,b,y\n1,2,3\n4,5,6\n"));
}

TEST(GoodData, H22AMillionColumns) {
  const std::string unused(999'997, ',');
  std::string names;
  for (size_t i = 0; i < unused.size(); ++i) names += ",c" + std::to_string(i);
  EXPECT_EQ(predictions_of("a,b,y" + names + "\n1,2,3" + unused + "\n4,5,6" + unused + "\n"),
            predictions_of("a,b,y\n1,2,3\n4,5,6\n"));
}

TEST(GoodData, H18NumbersAsPeopleWriteThem) {
  EXPECT_EQ(predictions_of("a,b,y\n1e1, 7 ,+3\n.5,5.,1\n"), predictions_of("a,b,y\n10,7,3\n0.5,5,1\n"));
}

// The locale is made here, because few machines have it, and seen to be one with decimal commas.
TEST(GoodData, H19TheLocaleDoesNotMatter) {
  Folder locales;
  const std::string name = "de_DE.UTF-8", make = "localedef -i de_DE -f UTF-8 " + locales.path(name).string() + " 2>&1";
  if (std::system((make + " >/dev/null").c_str()) != 0) GTEST_SKIP() << "localedef makes no de_DE here";
  setenv("LOCPATH", locales.path().c_str(), 1);
  const std::string before = setlocale(LC_ALL, nullptr);
  ASSERT_NE(setlocale(LC_ALL, name.c_str()), nullptr);
  EXPECT_STREQ(localeconv()->decimal_point, ",");
  setlocale(LC_ALL, before.c_str());
  const RunOptions german{.env = {{"LC_ALL", name}, {"LANG", name}, {"LOCPATH", locales.path().string()}}};
  const std::string fractions = replaced(table, "5", "5.5");
  EXPECT_EQ(predictions_of(fractions, german), predictions_of(fractions));
  unsetenv("LOCPATH");
}

// Made when they are wanted: what this process holds counts as memory of the programs that it starts.
TEST(BadFiles, H16AndH22TooLongAndTooWide) {
  Folder folder;
  folder.write("m.json", from_csv);
  const std::vector<std::string> train = {"train", "m.json", "--out", "run"};
  folder.write("t.csv", "a,b,y\n" + std::string(17 << 20, '1'));
  expect_refused(folder, train, 4, "t.csv:2: error: line longer than 16 MiB [csv-line]");
  folder.write("t.csv", "a,b,y" + std::string(1'000'000, ',') + "\n");
  expect_refused(folder, train, 4, "t.csv:1:1000004: error: more than 1,000,000 columns [csv-columns]");
}

// The file's time changes just before its second piece is read.
TEST(BadFiles, H24AFileThatChangesWhileItIsRead) {
  Folder folder;
  folder.write("m.json", from_csv);
  std::string rows = "a,b,y\n";
  for (int i = 0; i < 300'000; ++i) rows += "1,2,3\n";
  folder.write("t.csv", rows);
  expect_refused(folder, {"train", "m.json", "--out", "run"}, 4,
                 "t.csv: error: the file changed while it was read (1800006 bytes before, 1800006 now) [changed]",
                 {.env = at_call(3, "touch")});
}

TEST(GoodData, H5AndH6GzipAndOtherTypesOfIdx) {
  auto predictions = [](const std::string& images, const std::string& label) {
    Folder folder;
    folder.write("m.json", from_idx);
    folder.write("images", images), folder.write("labels", label);
    Result r = folder.run({"train", "m.json", "--out", "run"});
    EXPECT_EQ(r.exit_code, 0) << r.err;
    return folder.run({"predict", "m.json", "--weights", "run"}).out;
  };
  const std::string expected = predictions(pictures, labels(9));
  EXPECT_EQ(lines_of(expected).size(), 1u + 6u); // the header
  EXPECT_EQ(predictions(gzipped(pictures), gzipped(labels(9))), expected);
  std::vector<float> floats;
  for (char c = 'a'; c < 'y'; ++c) floats.push_back(c);
  EXPECT_EQ(predictions(idx_file(0x0D, {6, 2, 2}, bytes_of(floats, true)), labels(9)), expected);
  EXPECT_EQ(
      predictions(idx_file(0x0C, {6, 2, 2}, bytes_of(std::vector<int>(floats.begin(), floats.end()), true)), labels(9)),
      expected);
}

// H28, and E7 for values that fit.
TEST(GoodData, ArraysOfAnyByteOrderAndWidth) {
  auto predictions = [](const std::string& x, const std::string& note) {
    Folder folder;
    folder.write("m.json", from_npy);
    folder.write("x.npy", x), folder.write("y.npy", two_targets);
    Result r = folder.run({"train", "m.json", "--out", "run", "-q"});
    EXPECT_EQ(r.exit_code, 0) << r.err;
    EXPECT_EQ(r.err, note);
    return folder.run({"predict", "m.json", "--weights", "run"}).out;
  };
  const std::string expected = predictions(npy_file("<f4", "(2, 3)", bytes_of(six)), "");
  EXPECT_EQ(lines_of(expected).size(), 1u + 2u); // the header
  EXPECT_EQ(predictions(npy_file(">f4", "(2, 3)", bytes_of(six, true)), ""), expected);
  EXPECT_EQ(predictions(npy_file("<f8", "(2, 3)", bytes_of(std::vector<double>(six.begin(), six.end()))),
                        "x.npy: note: f64 values of 'x' are converted to f32 [conversion]\n"),
            expected);
}

TEST(GoodData, TheSameNumbersFromEveryArchive) {
  auto predictions = [](const std::string& format, const std::string& file, const std::string& bytes) {
    Folder folder;
    folder.write("m.json",
                 replaced(from_npz, R"("npz", "file": "d.npz")", "\"" + format + "\", \"file\": \"" + file + "\""));
    folder.write(file, bytes);
    Result r = folder.run({"train", "m.json", "--out", "run", "-q"});
    EXPECT_EQ(r.exit_code, 0) << r.err;
    return folder.run({"predict", "m.json", "--weights", "run"}).out;
  };
  const std::string expected = predictions("npz", "d.npz", zip_file({features, targets}));
  EXPECT_EQ(lines_of(expected).size(), 1u + 2u); // the header
  EXPECT_EQ(predictions("npz", "d.npz", zip_file({changed(8, 0, 0), targets})), expected);
  const std::string header = R"({"features":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},)"
                             R"("targets":{"dtype":"F32","shape":[2],"data_offsets":[24,32]}})";
  EXPECT_EQ(predictions("safetensors", "d.safetensors",
                        bytes_of(static_cast<uint64_t>(header.size())) + header + bytes_of(six) +
                            two_targets.substr(two_targets.size() - 8)),
            expected);
}

// G14: weights of 2^100 bring what is too small to be normal back into sight; flushed to zero it would stay there.
TEST(GoodData, G14DenormalsAreNumbers) {
  Folder folder;
  folder.write("m.json", R"({ "dlcc": 1, "name": "small", "inputs": { "x": { "shape": ["N", 2] } },
    "labels": { "y": { "shape": ["N"] } },
    "params": { "w": { "shape": [2], "init": { "type": "constant", "value": 1.267650600228229401496703205376e30 } } },
    "nodes": [ { "op": "relu", "inputs": ["x"], "output": "r" },
               { "op": "matvec", "inputs": ["r", "w"], "output": "p" } ],
    "loss": { "type": "mean_squared_error", "prediction": "p", "label": "y" },
    "optimizer": { "type": "sgd", "learning_rate": 1e-30 }, "train": { "batch_size": 2, "epochs": 1 },
    "data": { "train": { "format": "csv", "file": "t.csv", "x": ["a", "b"], "y": "y" } } })");
  folder.write("t.csv", "a,b,y\n1e-40,2e-40,0\n1e-45,-1e-40,0\n");
  ASSERT_EQ(folder.run({"train", "m.json", "--out", "run"}).exit_code, 0);
  const std::vector<std::string> lines = lines_of(folder.run({"predict", "m.json", "--weights", "run"}).out);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0], "y");
  EXPECT_EQ(std::stof(lines[1]), 1e-40f * 0x1p100f + 2e-40f * 0x1p100f);
  EXPECT_EQ(std::stof(lines[2]), 0x1p-149f * 0x1p100f);
}

// D18: numbers behind 2^31 elements, of which three are touched. A counter of 32 bits would wrap.
TEST(GoodData, D18TensorsOfTwoToThe31Elements) {
  for (int64_t size : {int64_t{1} << 31, (int64_t{1} << 31) + 1}) {
    const std::string n = std::to_string(size);
    Folder folder;
    folder.write("m.json", R"({ "dlcc": 1, "name": "big", "inputs": { "x": { "shape": ["N", 1] } },
      "labels": { "y": { "shape": ["N"] } }, "params": { "w": { "shape": [1], "init": "ones" } },
      "nodes": [ { "op": "iota", "inputs": [], "attrs": { "shape": [)" +
                               n + R"(], "axis": 0, "dtype": "i64" }, "output": "i" },
        { "op": "slice", "inputs": ["i"], "attrs": { "begin": [)" +
                               std::to_string(size - 3) + R"(], "end": [)" + n + R"(] }, "output": "last" },
        { "op": "cast", "inputs": ["last"], "attrs": { "dtype": "f64" }, "output": "c" },
        { "op": "sum", "inputs": ["c"], "attrs": { "axes": [0] }, "output": "s" },
        { "op": "matvec", "inputs": ["x", "w"], "output": "v" }, { "op": "add", "inputs": ["v", "s"], "output": "p" } ],
      "loss": { "type": "mean_squared_error", "prediction": "p", "label": "y" },
      "optimizer": { "type": "sgd", "learning_rate": 1e-30 }, "train": { "batch_size": 1, "epochs": 1 },
      "data": { "train": { "format": "csv", "file": "t.csv", "x": ["a"], "y": "y" } } })");
    folder.write("t.csv", "a,y\n1,0\n");
    Result r = folder.run({"train", "m.json", "--out", "run", "--dtype", "f64"});
    ASSERT_EQ(r.exit_code, 0) << r.err;
    const std::string p = folder.run({"predict", "m.json", "--weights", "run", "--dtype", "f64"}).out;
    EXPECT_EQ(p, "y\n" + std::to_string(3 * size - 6 + 1) + "\n");
  }
}

TEST(GoodData, D18ParametersOfTwoToThe31ElementsAreCountedAndRefused) {
  Folder folder;
  for (const auto& [size, needed] :
       {std::pair{"2147483648", "8192 MiB"}, {"2147483649", "8192 MiB"}, {"4294967296", "17.2 GB"}}) {
    folder.write("m.json", graph_model(R"({"op":"matvec","inputs":["x","w"],"output":"p"})", "p",
                                       R"("w": { "shape": [3] }, "u": { "shape": [)" + std::string(size) +
                                           R"(], "trainable": false })"));
    const Result refused = folder.run({"check", "m.json", "--memory-limit", "1G"});
    expect_fault_with(refused, 7,
                      {"m.json: error: the model needs " + std::string(needed) +
                           ", expected at most 1024 MiB; see --memory-limit; largest: 'u' " + needed + ", '",
                       " [memory-limit]"});
    Result r = folder.run({"check", "m.json", "--memory-limit", "none"});
    EXPECT_EQ(r.exit_code, 0) << r.err;
    EXPECT_NE(r.out.find(std::string("u : f32[") + size + "]"), std::string::npos) << r.out;
    EXPECT_EQ(r.out.find("-"), std::string::npos) << r.out;
  }
}

TEST(GoodData, G6AConstantColumnIsDividedByOne) {
  Folder folder;
  folder.write("m.json", replaced(from_csv, R"("label": "y" })",
                                  R"("label": "y" }, "transforms": [ { "type": "standardize", "input": "x" } ])"));
  folder.write("t.csv", "a,b,y\n1,7,3\n4,7,6\n");
  Result r = folder.run({"train", "m.json", "-q", "--out", "run"});
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.err,
            "t.csv: warning: column 1 of 'x' is constant in the data that standardize is fitted on; divided by 1 "
            "[constant-column]\n");
}

TEST(GoodData, D17ABatchLargerThanTheDataIsMasked) {
  Folder folder;
  folder.write("m.json", replaced(from_csv, "\"batch_size\": 2", "\"batch_size\": 64"));
  folder.write("t.csv", table);
  Result r = folder.run({"train", "m.json", "-q", "--out", "run"});
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.err, "m.json: warning: batch size 64 is larger than the 3 training samples; batches are padded "
                   "[batch-size]\n");
}

TEST(GoodData, G5NonFiniteValuesPassWhenAllowedAndStopTheLoss) {
  Folder folder;
  folder.write("m.json", from_csv);
  folder.write("t.csv", replaced(table, "5", "inf"));
  expect_fault(folder.run({"train", "m.json", "-q", "--out", "run", "--allow-nonfinite"}), 8,
               "dlcc: error: step 2 (epoch 1, batch 2): non-finite value inf of 'loss' in the train step; the "
               "parameters are unchanged; the state of step 1 is saved [non-finite]");
}

// G8: the step that finds the loss infinite changes nothing; the state before it is there and evaluates.
TEST(Diverging, G8SavesTheStepBefore) {
  Folder folder;
  folder.write("m.json", replaced(replaced(from_csv, "0.001", "1e10"), "\"batch_size\": 2", "\"batch_size\": 1"));
  folder.write("t.csv", table);
  expect_fault(folder.run({"train", "m.json", "-q", "--out", "run"}), 8,
               "dlcc: error: step 3 (epoch 1, batch 3): non-finite value inf of 'loss' in the train step; the "
               "parameters are unchanged; the state of step 2 is saved [non-finite]");
  Result inspected = folder.run({"inspect", "run/last.safetensors"});
  EXPECT_EQ(inspected.exit_code, 0) << inspected.err;
  EXPECT_NE(inspected.out.find("\"dlcc.step\":\"2\""), std::string::npos) << inspected.out;
}

} // namespace
} // namespace dlcc::cli_tests

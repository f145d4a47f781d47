// csv files: BAD_INPUTS H10 to H24, G2, G5.
#include "runtime/data/csv.h"
#include "runtime/data/csv_records.h"
#include "tests/data/files.h"

#include <cfloat>
#include <cmath>

namespace dlcc::data {
namespace {

struct CsvScenario : Scenario {
  explicit CsvScenario(const std::string& text, std::vector<ColumnRef> features = {{"a"}, {"b"}}) {
    source().format = Format::csv;
    source().file = folder.write("t.csv", text);
    add_csv({"x", ElementType::f32, {static_cast<int64_t>(features.size())}}, features);
    add_csv({"y", ElementType::i32, {}, true, 3}, {{"y"}});
  }
  std::vector<float> x() {
    OpenedData d = open();
    return rows_of<float>(*d.train, tensors, 0);
  }
  std::vector<int32_t> y() {
    OpenedData d = open();
    return rows_of<int32_t>(*d.train, tensors, 1);
  }
};
using Floats = std::vector<float>;
using Ints = std::vector<int32_t>;

TEST(Csv, ReadsColumnsByName) {
  CsvScenario s("y,b,a\n1,2.5,3\n0,-1,1e3\n");
  EXPECT_EQ(s.x(), (Floats{3, 2.5, 1000, -1}));
  EXPECT_EQ(s.y(), (Ints{1, 0}));
}

TEST(Csv, ReadsColumnsByNumberAndRange) {
  CsvScenario s("1,2,3,0\n4,5,6,2\n");
  s.source().header = false;
  s.source().tensors[0].columns = {{"0:2"}};
  s.source().tensors[1].columns = {{"", 3}};
  s.tensors[0].shape = {3};
  EXPECT_EQ(s.x(), (Floats{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(s.y(), (Ints{0, 2}));
  CsvScenario named("c1,c2,c3,y\n1,2,3,0\n");
  named.source().tensors[0].columns = {{"c1:c3"}};
  named.tensors[0].shape = {3};
  EXPECT_EQ(named.x(), (Floats{1, 2, 3}));
}

TEST(Csv, H10TextInANumericColumn) {
  CsvScenario s("a,b,y\n1,2,0\n3,te\x1b[2Jxt,1\n");
  expect_message(s.error(), Code::data, {"/t.csv:3:3: error: ", "'te\\x1b[2Jxt' is not a number"});
}

TEST(Csv, H11EmptyCell) {
  CsvScenario s("a,b,y\n1,,0\n");
  expect_message(s.error(), Code::data, {"/t.csv:2:3: error: ", "empty cell", "missing"});
  s.source().missing = {MissingSpec::Rule::value, -7, {""}};
  EXPECT_EQ(s.x(), (Floats{1, -7}));
}

TEST(Csv, H12EmptyFileAndHeaderOnly) {
  CsvScenario empty("");
  expect_message(empty.error(), Code::data, {"/t.csv: error: no samples"});
  CsvScenario header("a,b,y\n");
  expect_message(header.error(), Code::data, {"/t.csv: error: no samples", "header only"});
}

TEST(Csv, H13LineEnds) {
  for (const char* text : {"a,b,y\r\n1,2,0\r\n3,4,1\r\n", "a,b,y\r1,2,0\r3,4,1", "a,b,y\n1,2,0\r3,4,1\r\n",
                           "\xEF\xBB\xBF"
                           "a,b,y\n\n1,2,0\n3,4,1\n\n"}) {
    CsvScenario s(text);
    EXPECT_EQ(s.x(), (Floats{1, 2, 3, 4})) << text;
    EXPECT_EQ(s.y(), (Ints{0, 1})) << text;
  }
}

TEST(Csv, LineNumbersCountEveryKindOfLineEnd) {
  CsvScenario s("a,b,y\r\n1,2,0\r3,4,1\n\n5,x,2\n");
  expect_message(s.error(), Code::data, {"/t.csv:5:3: error: "});
}

// A stream without end and without newline: the reader must give up by itself, and soon.
class EndlessStream final : public Stream {
public:
  EndlessStream() { name_ = "endless.csv"; }
  int64_t read(void* to, int64_t n) override {
    std::memset(to, '7', static_cast<size_t>(n));
    position_ += n;
    return n;
  }
  int64_t most() const override { return int64_t{1} << 30; }
};

TEST(Csv, H16LineWithoutEnd) {
  CsvScenario s("a,b,y\n" + std::string(17 << 20, '1'));
  expect_message(s.error(), Code::data, {"/t.csv:2: error: ", "line longer than 16 MiB"});
  EndlessStream endless;
  CsvRecords records(endless, ',');
  expect_message(error_of([&] { records.next(); }), Code::data, {"line longer than 16 MiB"});
  EXPECT_LT(endless.position(), 40 << 20);
}

TEST(Csv, H17Quotes) {
  CsvScenario s("\"a, \"\"first\"\"\",\"b\n2\",y\n\"1\",2,\"0\"\n");
  s.source().tensors[0].columns = {{"a, \"first\""}, {"b\n2"}};
  EXPECT_EQ(s.x(), (Floats{1, 2}));
  CsvScenario open_quote("a,b,y\n1,2,0\n3,\"4,1\n5,6,2\n");
  expect_message(open_quote.error(), Code::data, {"/t.csv:3:3: error: ", "never closed"});
  CsvScenario after("a,b,y\n1,\"2\"3,0\n");
  expect_message(after.error(), Code::data, {"/t.csv:2:6: error: ", "after a closing quote"});
}

TEST(Csv, H18Numbers) {
  for (auto [text, value] : std::vector<std::pair<const char*, double>>{
           {"1e5", 1e5}, {" 7 ", 7}, {"+3", 3}, {".5", 0.5}, {"5.", 5}, {"-0", -0.0}})
    EXPECT_EQ(runtime::cell_number(text), value) << text;
  for (const char* text : {"1,5", "1_000", "0x10", "", "+", "-", "+-3", "--3", "1e", "1 2", "e5", "."})
    EXPECT_EQ(runtime::cell_number(text), std::nullopt) << text;
  for (const char* cell : {"\"1,5\"", "1_000", "0x10"}) {
    CsvScenario s(std::string("a,b,y\n1,") + cell + ",0\n");
    expect_message(s.error(), Code::data, {"/t.csv:2:3: error: ", "is not a number"});
  }
  for (const char* cell : {"+-5", "++5", "5.5", "5x"}) { // exact integers of 64 bits are read in another way
    CsvScenario s(std::string("a,b,y\n1,2,") + cell + "\n");
    s.tensors[1].dtype = ElementType::i64;
    expect_message(s.error(), Code::data, {"/t.csv:2:5: error: "});
  }
  CsvScenario huge("a,b,y\n1,1e999,0\n");
  expect_message(huge.error(), Code::data, {"/t.csv:2:3: error: ", "'1e999'", "range"});
}

TEST(Csv, H20NulByte) {
  CsvScenario s(std::string("a,b,y\n1,2\0,0\n", 13));
  expect_message(s.error(), Code::data, {"/t.csv:2:4: error: ", "NUL byte at offset 9"});
}

TEST(Csv, H21OtherSeparator) {
  CsvScenario s("a;b;y\n1;2;0\n");
  expect_message(s.error(), Code::data, {"/t.csv:1: error: ", "found 1 column, 3 expected; separator is ';'?"});
  s.source().separator = ';';
  EXPECT_EQ(s.x(), (Floats{1, 2}));
  CsvScenario tabs("a\tb\ty\n1\t2\t0\n");
  expect_message(tabs.error(), Code::data, {"found 1 column, 3 expected; separator is '\\t'?"});
}

TEST(Csv, H22ManyColumns) {
  std::string row;
  for (int i = 0; i < 999'999; ++i) row += "1,";
  CsvScenario s(row + "2\n", {{"0:999998"}});
  s.source().header = false;
  s.tensors[0].shape = {999'999};
  s.source().tensors[1].columns = {{"", 999'999}};
  EXPECT_EQ(s.y(), (Ints{2}));
  CsvScenario more(row + "2,3\n", {{"0:999998"}});
  more.source().header = false;
  expect_message(more.error(), Code::data, {"/t.csv:1:", "more than 1,000,000 columns"});
}

TEST(Csv, H23HeaderAgainstFlag) {
  CsvScenario absent("1.5,2,0\n3,4,1\n");
  absent.source().tensors[0].columns = {{"", 0}, {"", 1}};
  absent.source().tensors[1].columns = {{"", 2}};
  expect_message(absent.error(), Code::data, {"/t.csv:1: error: ", "only numbers", "\"header\": false"});
  CsvScenario present("a,b,y\n1,2,0\n");
  present.source().header = false;
  present.source().tensors = absent.source().tensors;
  expect_message(present.error(), Code::data, {"/t.csv:1:1: error: ", "'a' in the first row", "\"header\": true"});
}

TEST(Csv, H24FileChangesWhileItIsRead) {
  Folder folder;
  folder.write("t.csv", "a\n1\n");
  InputFile file("t.csv", {folder.path(), true, 0});
  file.verify_unchanged();
  std::ofstream(folder.path() + "/t.csv", std::ios::app) << "2\n";
  expect_message(error_of([&] { file.verify_unchanged(); }), Code::data,
                 {"/t.csv: error: ", "changed while it was read", "4 bytes before, 6 now"});
}

TEST(Csv, RaggedRow) {
  CsvScenario s("a,b,y\n1,2,0\n1,2\n");
  expect_message(s.error(), Code::data, {"/t.csv:3: error: ", "found 2 columns, 3 expected"});
}

TEST(Csv, UnknownAndRepeatedColumn) {
  CsvScenario s("a,c,y\n1,2,0\n");
  expect_message(s.error(), Code::data, {"/t.csv:1: error: ", "no column 'b'"});
  CsvScenario twice("a,b,b,y\n1,2,3,0\n");
  expect_message(twice.error(), Code::data, {"two columns are named 'b'"});
  CsvScenario width("a,b,y\n1,2,0\n");
  width.tensors[0].shape = {3};
  expect_message(width.error(), Code::data, {"2 columns for 'x'", "3 values"});
}

TEST(Csv, G1LabelNamesItsLine) {
  CsvScenario s("a,b,y\n1,2,0\n\n1,2,3\n");
  expect_message(s.error(), Code::data, {"/t.csv:4: error: label 3 at sample 1, model has 3 classes"});
}

TEST(Csv, G2FractionalLabel) {
  CsvScenario s("a,b,y\n1,2,2.5\n");
  expect_message(s.error(), Code::data, {"/t.csv:2:5: error: '2.5' where an integer is expected"});
  CsvScenario near("a,b,y\n1,2,3.0000001\n");
  expect_message(near.error(), Code::data, {"/t.csv:2:5: error: '3.0000001' where an integer is expected"});
  CsvScenario whole("a,b,y\n1,2,2.0\n");
  EXPECT_EQ(whole.y(), (Ints{2}));
}

TEST(Csv, G5NonFinite) {
  for (const char* cell : {"nan", "inf", "-inf"}) {
    CsvScenario s(std::string("a,b,y\n1,") + cell + ",0\n");
    expect_message(s.error(), Code::data, {"/t.csv:2:3: error: ", cell, "finite numbers expected"});
    s.options.allow_nonfinite = true;
    EXPECT_FALSE(std::isfinite(s.x()[1]));
  }
}

TEST(Csv, E7ValueOutsideF32) {
  CsvScenario s("a,b,y\n1,1e39,0\n");
  expect_message(s.error(), Code::data, {"/t.csv:2:3: error: '1e39' is outside the range of f32"});
}

// Decimal text rounds to nearest in f64, and that in f32.
TEST(Csv, NumbersRoundAsTheirFormatDoes) {
  const std::string zeros(400, '0');
  auto reads_as = [](const std::string& cell, double expected) {
    CsvScenario s("a,b,y\n1," + cell + ",0\n");
    s.tensors[0].dtype = ElementType::f64;
    OpenedData d = s.open();
    const double x = rows_of<double>(*d.train, s.tensors, 0)[1];
    EXPECT_EQ(x, expected) << cell;
    EXPECT_EQ(std::signbit(x), std::signbit(expected)) << cell;
  };
  reads_as("1e-400", 0);
  reads_as("-1e-400", -0.0);
  reads_as("2e-324", 0);
  reads_as("3e-324", 0x1p-1074);
  reads_as("0." + zeros + "1", 0);
  reads_as("." + zeros + "1e10", 0);
  reads_as("0." + zeros + "1e+401", 1);
  reads_as("1" + zeros + "e-400", 1);
  reads_as("0e999", 0);
  reads_as("5e-99999999999999999999", 0);
  reads_as("1.7976931348623157e308", DBL_MAX);
  for (const std::string& huge : std::vector<std::string>{"1e400", "-1e309", "1" + zeros, "1" + zeros + "e-10",
                                                          "7e99999999999999999999", "0." + zeros + "1e800"}) {
    CsvScenario s("a,b,y\n1," + huge + ",0\n");
    s.tensors[0].dtype = ElementType::f64;
    expect_message(s.error(), Code::data, {"/t.csv:2:3: error: '", "is outside the range of f64"});
  }
  CsvScenario s("a,b,y\n3.4028235e+38,-3.4028235e+38,0\n1e-50,3.40282356e38,0\n");
  EXPECT_EQ(s.x(), (Floats{FLT_MAX, -FLT_MAX, 0, FLT_MAX}));
  CsvScenario beyond("a,b,y\n1,3.4028236e+38,0\n");
  expect_message(beyond.error(), Code::data, {"/t.csv:2:3: error: '3.4028236e+38' is outside the range of f32"});
}

TEST(Csv, ReadsGzip) {
  CsvScenario s("");
  s.folder.write("t.csv", gzipped("a,b,y\n1,2,0\n"));
  EXPECT_EQ(s.x(), (Floats{1, 2}));
}

// Records that straddle the reader's buffers come out as they went in.
TEST(Csv, LongFileRoundTrip) {
  std::string text = "a,b,y\n";
  Floats expected;
  for (int i = 0; i < 100'000; ++i) {
    text += std::to_string(i) + ",\"" + std::to_string(i * 2) + "\"," + std::to_string(i % 3) + (i % 5 ? "\n" : "\r\n");
    expected.push_back(static_cast<float>(i));
    expected.push_back(static_cast<float>(2 * i));
  }
  CsvScenario s(text);
  EXPECT_EQ(s.x(), expected);
}

} // namespace
} // namespace dlcc::data

// Tables as people have them: text, missing cells, booleans; what is learned from the training part; and back again.
#include "runtime/core/error.h"
#include "tests/data/files.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

namespace dlcc::data {
namespace {

using runtime::CellCode;
using runtime::UnknownRule;
using Floats = std::vector<float>;
using Rule = MissingSpec::Rule;

ColumnRef named(const std::string& name) {
  ColumnRef c;
  c.name = name;
  return c;
}
ColumnRef text(const std::string& name, CellCode code, UnknownRule unknown = UnknownRule::error,
               std::vector<std::string> categories = {}) {
  ColumnRef c = named(name);
  c.code = code;
  c.unknown = unknown;
  c.categories = std::move(categories);
  return c;
}
TensorSpec floats(const std::string& name, std::vector<int64_t> shape) {
  return {.name = name, .shape = std::move(shape)};
}
TransformSpec transform(TransformKind kind, const std::string& input) {
  TransformSpec t;
  t.kind = kind;
  t.input = input;
  return t;
}

struct TableScenario : Scenario {
  explicit TableScenario(const std::string& table) {
    source().format = Format::csv;
    source().file = folder.write("t.csv", table);
    train.batch_size = 2;
  }
  void add_test(const std::string& table) {
    data.test = source();
    data.test->file = folder.write("test.csv", table);
  }
  // Another file with what `opened` learned, as `--data new.csv` has it; its own columns in any order.
  OpenedData open_new(const OpenedData& opened, const std::string& table) {
    DataSpec spec = data;
    spec.train.reset();
    spec.test = source();
    spec.test->file = folder.path() + "/" + folder.write("new.csv", table);
    spec.test->is_given = true;
    OpenOptions o = options;
    o.train = o.validation = false;
    o.fitted = opened.fitted;
    return open_data(spec, train, tensors, o);
  }
  Floats x() {
    OpenedData o = open();
    return rows_of<float>(*o.train, tensors, 0);
  }
};

const std::string cities = "area,city,price\n"
                           "10,Ulm,100\n"
                           "20,Aachen,200\n"
                           "30,Ulm,300\n"
                           "40,Bonn,400\n";

TEST(Table, CategoriesAreSortedAndOneHot) {
  TableScenario s(cities);
  s.add_csv(floats("x", {4}), {named("area"), text("city", CellCode::one_hot)});
  EXPECT_EQ(s.x(), (Floats{10, 0, 0, 1, 20, 1, 0, 0, 30, 0, 0, 1, 40, 0, 1, 0}));
  OpenedData o = s.open();
  const runtime::FittedTransform& f = o.fitted.at("x");
  ASSERT_EQ(f.columns.size(), 2u);
  EXPECT_EQ(f.columns[0].name, "area");
  EXPECT_EQ(f.columns[1].name, "city");
  EXPECT_EQ(f.columns[1].categories.names(), (std::vector<std::string>{"Aachen", "Bonn", "Ulm"}));
}

TEST(Table, AnIndexIsAPlaceAmongTheSorted) {
  TableScenario s(cities);
  s.add_csv({.name = "y", .dtype = ElementType::i32, .is_label = true, .classes = 3}, {text("city", CellCode::index)});
  OpenedData o = s.open();
  EXPECT_EQ(rows_of<int32_t>(*o.train, s.tensors, 0), (std::vector<int32_t>{2, 0, 2, 1}));
}

TEST(Table, ListedCategoriesKeepTheirOrderAndNeedNoTrainingData) {
  TableScenario s(cities);
  s.add_csv(floats("x", {3}), {text("city", CellCode::one_hot, UnknownRule::error, {"Ulm", "Bonn", "Aachen"})});
  EXPECT_EQ(s.x(), (Floats{1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 0}));
  s.add_test("city\nBonn\n");
  OpenedData o = s.open_new({}, "city\nAachen\n"); // which has no training data
  EXPECT_EQ(rows_of<float>(*o.test, s.tensors, 0), (Floats{0, 0, 1}));
}

TEST(Table, UnknownTextFollowsItsRule) {
  for (auto [rule, width, expected] : {std::tuple{UnknownRule::zeros, 3, Floats{0, 0, 0, 0, 1, 0}},
                                       std::tuple{UnknownRule::extra, 4, Floats{0, 0, 0, 1, 0, 1, 0, 0}}}) {
    TableScenario s(cities);
    s.add_csv(floats("x", {width}), {text("city", CellCode::one_hot, rule)});
    OpenedData o = s.open_new(s.open(), "city\nBerlin\nBonn\n");
    EXPECT_EQ(rows_of<float>(*o.test, s.tensors, 0), expected);
  }
  TableScenario s(cities);
  s.add_csv(floats("x", {3}), {text("city", CellCode::one_hot)});
  OpenedData o = s.open();
  expect_message(error_of([&] { s.open_new(o, "city\nBonn\nBerlin\n"); }), Code::data,
                 {"/new.csv:3: error: column 'city': 'Berlin' is none of the 3 categories (Aachen, Bonn, Ulm); "
                  "\"unknown\": \"zeros\" or \"extra\" lets it pass [category]"});
  TableScenario index(cities);
  index.add_csv(floats("x", {1}), {text("city", CellCode::index, UnknownRule::extra)});
  OpenedData unknown = index.open_new(index.open(), "city\nBerlin\nUlm\n");
  EXPECT_EQ(rows_of<float>(*unknown.test, index.tensors, 0), (Floats{3, 2}));
}

// What is only in the validation part was not learned.
TEST(Table, CategoriesAndMeansAreThoseOfTheTrainingPart) {
  TableScenario s("a,c\n1,u\n3,v\n,u\n100,w\n");
  s.source().missing.rule = Rule::mean;
  s.train.validation_split = 0.25;
  s.add_csv(floats("x", {3}), {named("a"), text("c", CellCode::one_hot, UnknownRule::zeros)});
  OpenedData o = s.open();
  EXPECT_EQ(rows_of<float>(*o.train, s.tensors, 0), (Floats{1, 1, 0, 3, 0, 1, 2, 1, 0}));
  EXPECT_EQ(rows_of<float>(*o.validation, s.tensors, 0), (Floats{100, 0, 0}));
}

// The training part is drawn at random: nothing is fitted on the first rows instead.
TEST(Table, WhatIsFittedIsFittedOnAPartDrawnAtRandom) {
  constexpr int rows = 20, categories = 15;
  auto is_missing = [](int id) { return id == 2 || id == 17; };
  std::string table = "id,a,c,y\n";
  for (int id = 0; id < rows; ++id)
    table += std::to_string(id) + "," + (is_missing(id) ? "" : std::to_string(id * id)) + ",c" + std::to_string(id) +
             "," + std::to_string(id % 2) + "\n";
  TableScenario s(table);
  s.source().missing.rule = Rule::mean;
  s.train.validation_split = 0.25;
  s.train.stratified = true;
  s.train.shuffle = false;
  s.add_csv(floats("x", {2 + categories}), {named("id"), named("a"), text("c", CellCode::one_hot, UnknownRule::zeros)});
  s.add_csv(floats("z", {1}), {named("id")});
  s.add_csv({.name = "y", .dtype = ElementType::i32, .is_label = true, .classes = 2}, {named("y")});
  s.data.transforms = {transform(TransformKind::standardize, "z")};
  OpenedData o = s.open();
  const Floats train = rows_of<float>(*o.train, s.tensors, 0), validation = rows_of<float>(*o.validation, s.tensors, 0);
  constexpr size_t width = 2 + categories;
  ASSERT_EQ(train.size(), categories * width);
  double sum = 0, ids = 0;
  int numbers = 0;
  bool first_rows = true;
  for (size_t at = 0; at < train.size(); at += width) {
    const int id = static_cast<int>(train[at]);
    ids += id;
    first_rows = first_rows && id < categories;
    if (!is_missing(id)) sum += id * id, ++numbers;
    EXPECT_EQ(std::count(&train[at + 2], &train[at] + width, 1.0f), 1) << "each of them was learned";
  }
  ASSERT_FALSE(first_rows);
  int filled = 0;
  for (const Floats* part : {&train, &validation})
    for (size_t at = 0; at < part->size(); at += width) {
      if (!is_missing(static_cast<int>((*part)[at]))) continue;
      EXPECT_FLOAT_EQ((*part)[at + 1], static_cast<float>(sum / numbers));
      ++filled;
    }
  EXPECT_EQ(filled, 2);
  for (size_t at = 0; at < validation.size(); at += width)
    EXPECT_EQ(std::count(&validation[at + 2], &validation[at] + width, 0.0f), categories) << "none of them was learned";
  double standardized = 0;
  for (float z : rows_of<float>(*o.train, s.tensors, 1)) standardized += z;
  EXPECT_NEAR(standardized, 0, 1e-5);
}

TEST(Table, TheWidthIsThatOfTheModel) {
  TableScenario s(cities);
  s.add_csv(floats("x", {3}), {named("area"), text("city", CellCode::one_hot)});
  expect_message(s.error(), Code::data,
                 {"/t.csv: error: 'x': gets 4 values a sample (1 of columns of numbers, 3 of 'city'), the model takes "
                  "3, expected \"shape\": [\"N\", 4] [table]"});
  TableScenario label(cities);
  label.add_csv({.name = "y", .dtype = ElementType::i32, .is_label = true, .classes = 2},
                {text("city", CellCode::index)});
  expect_message(label.error(), Code::data,
                 {"/t.csv: error: 'y': column 'city' has 3 categories (Aachen, Bonn, Ulm), the model has 2 classes"});
}

TEST(Table, MissingNumbersFollowTheRule) {
  const std::string table = "a,b\n1,10\nNA,20\n3,\n";
  auto read = [&](MissingSpec missing) {
    TableScenario s(table);
    s.source().missing = std::move(missing);
    s.add_csv(floats("x", {2}), {named("a"), named("b")});
    return s.x();
  };
  const std::vector<std::string> spellings{"", "NA"};
  EXPECT_EQ(read({Rule::value, -1, spellings}), (Floats{1, 10, -1, 20, 3, -1}));
  EXPECT_EQ(read({Rule::mean, 0, spellings}), (Floats{1, 10, 2, 20, 3, 15}));
  EXPECT_EQ(read({Rule::drop, 0, spellings}), (Floats{1, 10}));
  expect_message(error_of([&] { read({Rule::error, 0, spellings}); }), Code::data,
                 {"/t.csv:3:1: error: missing value 'NA', a number expected"});
  expect_message(error_of([&] { read({Rule::mean, 0, {""}}); }), Code::data,
                 {"/t.csv:3:1: error: 'NA' is not a number (\"missing\" says what stands for a missing one)"});
}

TEST(Table, DroppedRowsAreToldAndAllOfThemAreNoSamples) {
  TableScenario s("a,b\n1,\n,2\n3,4\n");
  s.source().missing.rule = Rule::drop;
  s.add_csv(floats("x", {1}), {named("a")});
  s.add_csv({.name = "y", .shape = {1}, .is_label = true}, {named("b")});
  OpenedData o = s.open();
  EXPECT_EQ(rows_of<float>(*o.train, s.tensors, 0), Floats{3});
  EXPECT_EQ(rows_of<float>(*o.train, s.tensors, 1), Floats{4});
  ASSERT_FALSE(o.warnings.empty());
  EXPECT_NE(o.warnings[0].find("t.csv: note: 2 rows with a missing value are left out"), std::string::npos)
      << o.warnings[0];
  TableScenario none("a\nNA\n");
  none.source().missing = {Rule::drop, 0, {"NA"}};
  none.add_csv(floats("x", {1}), {named("a")});
  expect_message(none.error(), Code::data, {"no samples: every row has a missing value"});
}

// A missing text is a text that is not known.
TEST(Table, MissingTextIsUnknown) {
  TableScenario s("c\nu\n\"\"\nv\n");
  s.source().missing.rule = Rule::mean;
  s.add_csv(floats("x", {2}), {text("c", CellCode::one_hot, UnknownRule::zeros)});
  EXPECT_EQ(s.x(), (Floats{1, 0, 0, 0, 0, 1}));
  TableScenario refused("c\nu\n\"\"\nv\n");
  refused.source().missing.rule = Rule::mean;
  refused.add_csv(floats("x", {2}), {text("c", CellCode::one_hot)});
  expect_message(refused.error(), Code::data,
                 {"/t.csv:3: error: column 'c': a missing value is none of the 2 categories (u, v)"});
}

TEST(Table, LabelsAreNeverMadeUp) {
  TableScenario s("a,y\n1,2\n3,\n");
  s.source().missing.rule = Rule::mean;
  s.add_csv(floats("x", {1}), {named("a")});
  s.add_csv({.name = "y", .shape = {1}, .is_label = true}, {named("y")});
  expect_message(
      s.error(), Code::data,
      {"/t.csv:3:3: error: empty cell, a number expected (labels are never made up; the rule \"drop\" leaves "
       "the sample out) [csv-empty]"});
}

TEST(Table, MeansOfNothingAreRefused) {
  TableScenario s("a,b\n,1\n,2\n");
  s.source().missing.rule = Rule::mean;
  s.add_csv(floats("x", {2}), {named("a"), named("b")});
  expect_message(s.error(), Code::data, {"/t.csv: error: column 'a' holds no number to take the mean of"});
  TableScenario texts("a\n\"\"\n");
  texts.source().missing.rule = Rule::mean;
  texts.add_csv(floats("x", {1}), {text("a", CellCode::one_hot)});
  expect_message(texts.error(), Code::data, {"column 'a' holds no text to learn categories from"});
}

TEST(Table, WordsForTrueAndFalseAreNumbers) {
  TableScenario s("a\ntrue\nFALSE\nYes\nno\n0\n1\n");
  s.add_csv(floats("x", {1}), {named("a")});
  EXPECT_EQ(s.x(), (Floats{1, 0, 1, 0, 0, 1}));
  TableScenario other("a\nyep\n");
  other.add_csv(floats("x", {1}), {named("a")});
  expect_message(other.error(), Code::data,
                 {"/t.csv:2:1: error: 'yep' is not a number (\"categories\" reads a column of text)"});
}

TEST(Table, NewFilesAreReadByTheNamesThatWereTrained) {
  TableScenario s("a,b,c,y\n1,2,3,0\n3,6,9,1\n");
  s.add_csv(floats("x", {3}), {named("a:c")});
  s.data.transforms = {transform(TransformKind::standardize, "x")};
  OpenedData o = s.open();
  OpenedData same = s.open_new(o, "more,c,a,even more,b\nx,9,3,,6\n");
  EXPECT_EQ(rows_of<float>(*same.test, s.tensors, 0), (Floats{1, 1, 1}));
  expect_message(error_of([&] { s.open_new(o, "a,d,e\n1,2,3\n"); }), Code::data,
                 {"/new.csv:1: error: no columns 'b', 'c'; the file has 'a', 'd', 'e' [csv-columns]"});
  expect_message(error_of([&] { s.open_new(o, "a,b,c,b\n1,2,3,4\n"); }), Code::data, {"two columns are named 'b'"});
  expect_message(error_of([&] { s.open_new(o, "a,b,c\n"); }), Code::data, {"the file holds a header only"});
}

TEST(Table, WithoutAHeaderColumnsKeepTheirNumbers) {
  TableScenario s("7,1\n8,3\n");
  s.source().header = false;
  ColumnRef second;
  second.number = 1;
  s.add_csv(floats("x", {1}), {second});
  s.data.transforms = {transform(TransformKind::standardize, "x")};
  OpenedData o = s.open();
  OpenedData other = s.open_new(o, "9,3,5\n");
  EXPECT_EQ(rows_of<float>(*other.test, s.tensors, 0), Floats{1});
  expect_message(error_of([&] { s.open_new(o, "9\n"); }), Code::data,
                 {"no column '1'; without a header columns are numbers from 0"});
}

// A name that looks like a number must not fall back to that number.
TEST(Table, AHeaderOfYearsIsReadByName) {
  TableScenario s("2020,1\n5,6\n7,8\n");
  s.add_csv(floats("x", {1}), {named("1")});
  OpenedData o = s.open();
  expect_message(error_of([&] { s.open_new(o, "a,b\n1,2\n"); }), Code::data, {"no column '1'"});
}

TEST(Table, ColumnsInAnotherOrderThanTrainedAreNoticed) {
  TableScenario s("a,b\n1,2\n");
  s.add_csv(floats("x", {2}), {named("a"), named("b")});
  OpenedData o = s.open();
  std::swap(s.source().tensors[0].columns[0], s.source().tensors[0].columns[1]);
  s.options.fitted = o.fitted;
  expect_message(s.error(), Code::data, {"'x': the columns a, b were trained on, in this order; found b, a"});
}

TEST(Table, TransformsOfAnotherModelAreRefused) {
  TableScenario s("a,b\n1,2\n3,5\n");
  s.add_csv(floats("x", {2}), {named("a"), named("b")});
  for (runtime::FittedTransform f :
       {runtime::FittedTransform{.center = {1, 2, 3}, .scale = {1, 2, 3}}, runtime::FittedTransform{.classes = 4}}) {
    s.options.fitted = {{"x", f}};
    expect_message(s.error(), Code::data, {"'x' was trained with other transforms than \"data\" says"});
  }
}

// standardize and minmax of a table leave its categories as they are.
TEST(Table, CategoriesAreNotStandardized) {
  for (TransformKind kind : {TransformKind::standardize, TransformKind::minmax}) {
    TableScenario s(cities);
    s.add_csv(floats("x", {4}), {named("area"), text("city", CellCode::one_hot)});
    s.data.transforms = {transform(kind, "x")};
    if (kind == TransformKind::minmax) s.data.transforms[0].values = {-1, 1};
    OpenedData o = s.open();
    const Floats x = rows_of<float>(*o.train, s.tensors, 0);
    EXPECT_EQ(Floats(x.begin() + 1, x.begin() + 4), (Floats{0, 0, 1}));
    // Closed form: mean 25, deviation sqrt(125); least 10, most 40.
    EXPECT_FLOAT_EQ(x[0], kind == TransformKind::minmax ? -1 : static_cast<float>(-15 / std::sqrt(125.0)));
    for (const std::string& warning : o.warnings) ADD_FAILURE() << warning;
  }
}

TEST(Table, KeptColumnsAreText) {
  TableScenario s("id,a\n007,1\n\"x, y\",2\n");
  s.source().kept = {"id"};
  s.add_csv(floats("x", {1}), {named("a")});
  OpenedData o = s.open();
  ASSERT_EQ(o.kept.size(), 1u);
  EXPECT_EQ(o.kept[0].name, "id");
  EXPECT_EQ(o.kept[0].cells, (std::vector<std::string>{"007", "x, y"}));
  s.source().kept = {"name"};
  expect_message(s.error(), Code::data, {"no column 'name'"});
}

// Many distinct texts, quoted, with separators, quotes and line ends inside, after a byte order mark and with CRLF.
TEST(Table, TextsAreThoseOfTheCells) {
  TableScenario s("\xEF\xBB\xBF"
                  "c\r\n\"b, \"\"B\"\"\"\r\n\"a\n2\"\r\n  plain \r\n");
  s.add_csv(floats("x", {1}), {text("c", CellCode::index)});
  EXPECT_EQ(s.x(), (Floats{1, 0, 2}));
  OpenedData o = s.open();
  EXPECT_EQ(o.fitted.at("x").columns[0].categories.names(), (std::vector<std::string>{"a\n2", "b, \"B\"", "plain"}));
}

TEST(Table, AnOverflowingTableIsRefusedByItsSize) {
  std::string table = "c\n";
  for (int i = 0; i < 2000; ++i) table += "text" + std::to_string(i) + "\n";
  TableScenario s(table);
  s.options.files.memory_cap = 1 << 20; // 2,000 x 2,000 values of f32 are 16 MB
  s.add_csv(floats("x", {2000}), {text("c", CellCode::one_hot)});
  expect_message(s.error(), Code::resources,
                 {"the encoded categories need 15625 KiB of memory, expected at most 1024 KiB"});
}

} // namespace
} // namespace dlcc::data

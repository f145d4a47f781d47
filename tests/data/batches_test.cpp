// Splits, shuffling, short batches, pass-through.
#include "tests/data/files.h"

#include <algorithm>
#include <numeric>
#include <set>

namespace dlcc::data {
namespace {

// n samples x = (i, -i), y = i % 3, as a csv table.
struct Numbered : Scenario {
  explicit Numbered(int n) {
    std::string text = "a,b,y\n";
    for (int i = 0; i < n; ++i)
      text += std::to_string(i) + "," + std::to_string(-i) + "," + std::to_string(i % 3) + "\n";
    source().format = Format::csv;
    source().file = folder.write("t.csv", text);
    add_csv({"x", ElementType::f32, {2}}, {{"a"}, {"b"}});
    add_csv({"y", ElementType::i32, {}, true, 3}, {{"y"}});
    train.batch_size = 4;
  }
  // First feature of every sample: its number in the file.
  std::vector<int> order(BatchSource& b, uint64_t epoch = 0) {
    std::vector<float> x = rows_of<float>(b, tensors, 0, epoch);
    std::vector<int32_t> y = rows_of<int32_t>(b, tensors, 1, epoch);
    std::vector<int> out;
    for (size_t i = 0; i < y.size(); ++i) {
      out.push_back(static_cast<int>(x[2 * i]));
      EXPECT_EQ(x[2 * i + 1], -x[2 * i]);
      EXPECT_EQ(y[i], out.back() % 3);
    }
    return out;
  }
};

std::vector<int> range(int from, int to) {
  std::vector<int> v(static_cast<size_t>(to - from));
  std::iota(v.begin(), v.end(), from);
  return v;
}

TEST(Batches, InFileOrderWithAMaskedLastBatch) {
  Numbered s(10);
  OpenedData d = s.open();
  EXPECT_EQ(d.train->samples(), 10);
  EXPECT_EQ(d.train->batches_per_epoch(), 3);
  EXPECT_EQ(s.order(*d.train), range(0, 10));
  std::vector<float> x(8, 99);
  std::vector<int32_t> y(4, 99);
  void* buffers[] = {x.data(), y.data()};
  EXPECT_EQ(d.train->fill(0, 2, buffers), 2);
  EXPECT_EQ(x, (std::vector<float>{8, -8, 9, -9, 0, 0, 0, 0}));
  EXPECT_EQ(y, (std::vector<int32_t>{2, 0, 0, 0}));
  EXPECT_EQ(d.train->fill(0, 3, buffers), 0);
  EXPECT_EQ(d.train->fill(0, -1, buffers), 0);
}

TEST(Batches, DropAndError) {
  Numbered s(10);
  s.train.last_batch = LastBatch::drop;
  OpenedData d = s.open();
  EXPECT_EQ(d.train->batches_per_epoch(), 2);
  EXPECT_EQ(s.order(*d.train), range(0, 8));
  s.train.last_batch = LastBatch::error;
  expect_message(s.error(), Code::data, {"10 samples in batches of 4", "short last batch"});
  s.train.last_batch = LastBatch::drop;
  s.train.batch_size = 11;
  expect_message(s.error(), Code::data, {"10 samples in batches of 11", "no full batch"});
}

// What does not train is looked at whole.
TEST(Batches, DropLeavesValidationAndTestWhole) {
  Numbered s(20);
  s.train.validation_split = 0.5;
  s.train.batch_size = 3;
  s.train.last_batch = LastBatch::drop;
  s.data.test = s.source();
  OpenedData d = s.open();
  EXPECT_EQ(s.order(*d.train), range(0, 9));
  EXPECT_EQ(s.order(*d.validation), range(10, 20));
  EXPECT_EQ(s.order(*d.test), range(0, 20));
}

TEST(Batches, LargerThanTheDataWarns) {
  Numbered s(3);
  OpenedData d = s.open();
  EXPECT_EQ(s.order(*d.train), range(0, 3));
  ASSERT_EQ(d.warnings.size(), 1u);
  EXPECT_EQ(d.warnings[0],
            "model.json: warning: batch size 4 is larger than the 3 training samples; batches are padded [batch-size]");
}

TEST(Batches, StepsPerEpoch) {
  Numbered s(10);
  s.train.steps_per_epoch = 2;
  OpenedData two = s.open();
  EXPECT_EQ(two.train->batches_per_epoch(), 2);
  EXPECT_EQ(s.order(*two.train, 0), range(0, 8));
  EXPECT_EQ(s.order(*two.train, 1), (std::vector<int>{8, 9, 0, 1, 2, 3})) << "goes on where the first one ended";
  s.train.steps_per_epoch = 5;
  OpenedData five = s.open();
  EXPECT_EQ(five.train->batches_per_epoch(), 5);
  EXPECT_EQ(s.order(*five.train, 0), (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6, 7}));
}

TEST(Batches, ShuffleIsAPermutationOfSeedAndEpoch) {
  Numbered s(103);
  s.train.shuffle = true;
  s.options.seed = 5;
  OpenedData d = s.open(), again = s.open();
  s.options.seed = 6;
  OpenedData other = s.open();
  std::set<std::vector<int>> orders;
  for (uint64_t epoch : {0, 1, 2, 7}) {
    std::vector<int> order = s.order(*d.train, epoch);
    EXPECT_EQ(order, s.order(*again.train, epoch));
    EXPECT_NE(order, s.order(*other.train, epoch));
    EXPECT_NE(order, range(0, 103));
    orders.insert(order);
    std::sort(order.begin(), order.end());
    EXPECT_EQ(order, range(0, 103));
  }
  EXPECT_EQ(orders.size(), 4u);
  EXPECT_EQ(s.order(*d.train, 0), s.order(*again.train, 0)) << "going back to an earlier epoch";
}

TEST(Batches, ValidationIsTheLastPartAndNotShuffled) {
  Numbered s(103);
  s.train.shuffle = true;
  s.train.validation_split = 0.2; // Keras keeps floor(103 * 0.8) = 82
  OpenedData d = s.open();
  EXPECT_EQ(s.order(*d.validation), range(82, 103));
  std::vector<int> order = s.order(*d.train);
  EXPECT_NE(order, range(0, 82));
  std::sort(order.begin(), order.end());
  EXPECT_EQ(order, range(0, 82));
}

TEST(Batches, ImpossibleSplits) {
  for (double share : {0.999, 1.0, 1.5}) {
    Numbered s(10);
    s.train.validation_split = share;
    s.train.place = {7, 3};
    expect_message(s.error(), Code::data, {"model.json:7:3: error: validation_split"});
  }
}

TEST(Batches, StratifiedSplitKeepsProportions) {
  std::vector<int64_t> labels; // 60, 30 and 10 of a hundred
  for (int i = 0; i < 100; ++i) labels.push_back(i % 10 < 6 ? 0 : i % 10 < 9 ? 1 : 2);
  auto [kept, out] = stratified_split(labels, 10, 1);
  EXPECT_EQ(kept.size(), 90u);
  std::vector<int> count(3);
  for (int64_t i : out) ++count[static_cast<size_t>(labels[static_cast<size_t>(i)])];
  EXPECT_EQ(count, (std::vector<int>{6, 3, 1}));
  std::vector<int64_t> all = kept;
  all.insert(all.end(), out.begin(), out.end());
  std::sort(all.begin(), all.end());
  for (int64_t i = 0; i < 100; ++i) EXPECT_EQ(all[static_cast<size_t>(i)], i);
  EXPECT_NE(stratified_split(labels, 10, 2).second, out);
  EXPECT_EQ(stratified_split(labels, 7, 2).second.size(), 7u);
}

TEST(Batches, StratifiedValidation) {
  Numbered s(31);
  s.train.validation_split = 0.1;
  s.train.stratified = true;
  OpenedData d = s.open();
  EXPECT_EQ(d.validation->samples(), 4); // ceil(3.1)
  EXPECT_EQ(d.train->samples(), 27);
  std::vector<int> all = s.order(*d.train), held = s.order(*d.validation);
  all.insert(all.end(), held.begin(), held.end());
  std::sort(all.begin(), all.end());
  EXPECT_EQ(all, range(0, 31));
}

TEST(Batches, RowsThatLieReadyAreNotCopied) {
  Numbered s(10);
  OpenedData d = s.open();
  std::vector<float> x(8, 99);
  std::vector<int32_t> y(4, 99);
  void* buffers[] = {x.data(), y.data()};
  const void* ready[2] = {};
  EXPECT_EQ(d.train->fill(0, 1, buffers, ready), 4);
  EXPECT_NE(ready[0], x.data());
  EXPECT_EQ(static_cast<const float*>(ready[0])[0], 4);
  EXPECT_EQ(static_cast<const float*>(ready[0])[7], -7);
  EXPECT_EQ(x[0], 99) << "nothing was written";
  EXPECT_EQ(d.train->fill(0, 2, buffers, ready), 2); // short: must be padded
  EXPECT_EQ(ready[0], x.data());
  EXPECT_EQ(x, (std::vector<float>{8, -8, 9, -9, 0, 0, 0, 0}));
}

TEST(Batches, SampleNumbers) {
  Numbered s(10);
  s.train.shuffle = true;
  OpenedData d = s.open();
  std::vector<int> order = s.order(*d.train, 3);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(d.train->sample_at(3, i / 4, i % 4), order[static_cast<size_t>(i)]);
  EXPECT_EQ(d.train->sample_at(3, 2, 2), -1);
}

TEST(Batches, SeparateValidationAndTest) {
  Numbered s(10);
  s.data.validation = s.source();
  s.data.validation->file = s.folder.write("v.csv", "a,b,y\n5,-5,2\n");
  s.data.test = s.source();
  s.train.validation_split = 0.5; // the section wins, as in Keras
  OpenedData d = s.open();
  EXPECT_EQ(d.train->samples(), 10);
  EXPECT_EQ(s.order(*d.validation), (std::vector<int>{5}));
  EXPECT_EQ(s.order(*d.test), range(0, 10));
  s.options.train = s.options.validation = false;
  s.data.train->file = "missing.csv"; // not wanted, so not read
  OpenedData test = s.open();
  EXPECT_EQ(test.train, nullptr);
  EXPECT_EQ(test.validation, nullptr);
  EXPECT_EQ(test.test->samples(), 10);
}

TEST(Batches, HashFollowsTheData) {
  Numbered a(10), b(10), c(11);
  EXPECT_EQ(a.open().train->hash(), b.open().train->hash());
  EXPECT_NE(a.open().train->hash(), c.open().train->hash());
  c.folder.write("t.csv", "a,b,y\n0,0,1\n");
  uint64_t one = c.open().train->hash();
  c.folder.write("t.csv", "a,b,y\n0,0,2\n");
  EXPECT_NE(c.open().train->hash(), one);
}

TEST(Batches, ConvertsToEveryModelType) {
  auto check = [](ElementType type, auto zero) {
    using T = decltype(zero);
    Numbered s(3);
    s.tensors[1].dtype = type;
    OpenedData d = s.open();
    EXPECT_EQ(rows_of<T>(*d.train, s.tensors, 1), (std::vector<T>{0, 1, 2})) << type_name(type);
  };
  check(ElementType::f32, float{});
  check(ElementType::f64, double{});
  check(ElementType::i8, int8_t{});
  check(ElementType::u8, uint8_t{});
  check(ElementType::i32, int32_t{});
  check(ElementType::i64, int64_t{});
}

TEST(Sections, MissingAndUnknownNames) {
  Numbered s(3);
  s.source().place = {12, 5};
  s.source().tensors[1].tensor = "lable";
  s.source().tensors[1].place = {14, 9};
  expect_message(s.error(), Code::data, {"model.json:14:9: error: unknown key 'lable'", "x, y"});
  s.source().tensors.pop_back();
  expect_message(s.error(), Code::data, {"model.json:12:5: error: no source for the label 'y'"});
  s.data.train.reset();
  s.data.place = {11, 3};
  expect_message(s.error(), Code::data, {"model.json:11:3: error: no training data"});
}

TEST(Files, MissingDirectoryAndSpecialFiles) {
  Numbered s(3);
  s.source().file = "no\x1bsuch.csv";
  expect_message(s.error(), Code::io, {"/no\\x1bsuch.csv: error: cannot open: No such file"});
  std::filesystem::create_directory(s.folder.path() + "/dir");
  s.source().file = "dir";
  expect_message(s.error(), Code::io, {"/dir: error: is a directory"});
  s.options.files.confined = false;
  s.source().file = "/dev/zero";
  expect_message(s.error(), Code::io, {"/dev/zero: error: not a regular file"});
}

TEST(Files, NamesInAModelStayBelowItsDirectory) {
  Numbered s(3);
  std::string root = s.folder.path();
  std::filesystem::create_directory(root + "/model");
  s.folder.write("model/t.csv", "a,b,y\n7,-7,1\n");
  std::filesystem::create_symlink("../t.csv", root + "/model/link.csv");
  std::filesystem::create_directory_symlink("..", root + "/model/up");
  std::filesystem::create_hard_link(root + "/t.csv", root + "/model/hard.csv");
  s.options.files.directory = root + "/model";
  for (std::string name : {"../t.csv", "x/../../t.csv", "link.csv", "up/t.csv", "hard.csv"}) {
    s.source().file = name;
    EXPECT_EQ(s.error().code, Code::io) << name;
  }
  s.source().file = root + "/model/t.csv";
  expect_message(s.error(), Code::io, {"absolute file name", "--data"});
  s.source().file = "./t.csv";
  OpenedData d = s.open();
  EXPECT_EQ(s.order(*d.train), (std::vector<int>{7}));
  s.options.files.confined = false; // named on the command line
  s.source().file = "link.csv";
  EXPECT_EQ(s.open().train->samples(), 3);
}

} // namespace
} // namespace dlcc::data

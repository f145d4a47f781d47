// Transforms against the same computed plainly in double; BAD_INPUTS G6.
#include "runtime/core/philox.h"
#include "tests/data/files.h"

#include <algorithm>
#include <cmath>

namespace dlcc::data {
namespace {

constexpr int rows = 40, columns = 3;

// 40 x 3 values of different size and offset; the last column is constant if asked for.
std::vector<float> table(bool constant) {
  std::vector<float> v;
  for (uint32_t i = 0; i < rows * columns; ++i) {
    double u = runtime::philox4x32_10({i, 0, 0, 0}, {1, 2})[0] * 0x1p-32;
    double scale[] = {1, 1000, 0.001}, offset[] = {0, 5000, -3};
    v.push_back(static_cast<float>(constant && i % 3 == 2 ? 0.1 : offset[i % 3] + scale[i % 3] * u));
  }
  return v;
}

struct TransformScenario : Scenario {
  std::vector<float> raw;
  explicit TransformScenario(std::vector<TransformSpec> transforms, std::vector<int64_t> shape = {3},
                             bool constant = false)
      : raw(table(constant)) {
    source().format = Format::npy;
    folder.write("x.npy", npy_file("<f4", "(40, 3)", bytes_of(raw)));
    add({"x", ElementType::f32, std::move(shape)}, "x.npy");
    data.transforms = std::move(transforms);
    for (TransformSpec& t : data.transforms) t.input = "x", t.place = {20, 7};
    train.batch_size = 7;
  }
  std::vector<float> result() {
    OpenedData d = open();
    return rows_of<float>(*d.train, tensors, 0);
  }
};

TransformSpec transform(TransformKind kind, std::vector<double> values = {}) {
  TransformSpec t;
  t.kind = kind;
  t.values = std::move(values);
  return t;
}

void expect_near(const std::vector<float>& actual, const std::vector<double>& expected, double tolerance = 1e-5) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i)
    EXPECT_NEAR(actual[i], expected[i], tolerance * std::max(1.0, std::fabs(expected[i]))) << i;
}

// Mean and population deviation of column c of the first n rows.
std::pair<double, double> moments(const std::vector<float>& v, int c, int n) {
  long double sum = 0, square = 0;
  for (int i = 0; i < n; ++i) sum += v[static_cast<size_t>(i * columns + c)];
  for (int i = 0; i < n; ++i) square += std::pow(v[static_cast<size_t>(i * columns + c)] - sum / n, 2);
  return {static_cast<double>(sum / n), static_cast<double>(std::sqrt(square / n))};
}

TEST(Transforms, DivideAndSubtractFold) {
  TransformScenario s({transform(TransformKind::divide, {255}), transform(TransformKind::subtract, {0.5}),
                       transform(TransformKind::divide, {1, 2, 4})});
  std::vector<double> expected;
  for (size_t i = 0; i < s.raw.size(); ++i) expected.push_back((s.raw[i] / 255.0 - 0.5) / (1 << i % 3));
  expect_near(s.result(), expected, 1e-6);
}

TEST(Transforms, StandardizeIsFittedOnTheTrainingPart) {
  TransformScenario s({transform(TransformKind::standardize)});
  s.train.validation_split = 0.25;
  OpenedData d = s.open();
  std::vector<double> expected;
  for (size_t i = 0; i < s.raw.size(); ++i) {
    auto [mean, deviation] = moments(s.raw, static_cast<int>(i % 3), 30);
    expected.push_back((s.raw[i] - mean) / deviation);
  }
  std::vector<float> all = rows_of<float>(*d.train, s.tensors, 0), rest = rows_of<float>(*d.validation, s.tensors, 0);
  all.insert(all.end(), rest.begin(), rest.end());
  expect_near(all, expected, 2e-4); // 5000 + u in f32 has 4e-4 of a unit
}

TEST(Transforms, StandardizeOnAllOnDemand) {
  TransformScenario s({transform(TransformKind::standardize)});
  s.data.transforms[0].fit_on_all = true;
  s.train.validation_split = 0.25;
  std::vector<float> x = s.result();
  auto [mean, deviation] = moments(s.raw, 0, 40);
  EXPECT_NEAR(x[0], (s.raw[0] - mean) / deviation, 1e-5);
}

TEST(Transforms, TestDataUseTheTrainingFit) {
  TransformScenario s({transform(TransformKind::standardize)});
  s.data.test = s.source();
  s.data.test->tensors[0].source =
      s.folder.write("t.npy", npy_file("<f4", "(1, 3)", bytes_of(std::vector<float>{0, 5000, -3})));
  s.options.train = false;
  OpenedData d = s.open();
  EXPECT_EQ(d.train, nullptr);
  std::vector<double> expected;
  for (int c = 0; c < 3; ++c) {
    auto [mean, deviation] = moments(s.raw, c, 40);
    expected.push_back((std::vector<double>{0, 5000, -3}[static_cast<size_t>(c)] - mean) / deviation);
  }
  expect_near(rows_of<float>(*d.test, s.tensors, 0), expected, 2e-4);
}

TEST(Transforms, Minmax) {
  TransformScenario s({transform(TransformKind::minmax, {-1, 3})});
  std::vector<double> low(3, INFINITY), high(3, -INFINITY), expected;
  for (size_t i = 0; i < s.raw.size(); ++i)
    low[i % 3] = std::min<double>(low[i % 3], s.raw[i]), high[i % 3] = std::max<double>(high[i % 3], s.raw[i]);
  for (size_t i = 0; i < s.raw.size(); ++i)
    expected.push_back(-1 + 4 * (s.raw[i] - low[i % 3]) / (high[i % 3] - low[i % 3]));
  expect_near(s.result(), expected, 2e-4);
}

TEST(Transforms, G6ConstantColumn) {
  TransformScenario s({transform(TransformKind::standardize)}, {3}, true);
  OpenedData d = s.open();
  ASSERT_EQ(d.warnings.size(), 1u);
  EXPECT_NE(d.warnings[0].find("x.npy: warning: column 2 of 'x' is constant"), std::string::npos) << d.warnings[0];
  std::vector<float> x = rows_of<float>(*d.train, s.tensors, 0);
  for (size_t i = 2; i < x.size(); i += 3) EXPECT_NEAR(x[i], 0, 1e-6);
  TransformScenario m({transform(TransformKind::minmax)}, {3}, true);
  std::vector<float> y = m.result();
  for (size_t i = 2; i < y.size(); i += 3) EXPECT_NEAR(y[i], 0, 1e-6);
}

TEST(Transforms, ReshapeAndFeaturesAreTheLastAxis) {
  TransformSpec reshape = transform(TransformKind::reshape);
  reshape.shape = {-1, 1};
  TransformScenario s({reshape, transform(TransformKind::standardize)}, {3, 1});
  long double sum = 0, square = 0;
  for (float v : s.raw) sum += v;
  for (float v : s.raw) square += std::pow(v - sum / 120, 2);
  std::vector<double> expected;
  for (float v : s.raw) expected.push_back(static_cast<double>((v - sum / 120) / std::sqrt(square / 120)));
  expect_near(s.result(), expected);
}

TEST(Transforms, OneHot) {
  Scenario s;
  s.source().format = Format::npy;
  s.folder.write("y.npy", npy_file("|u1", "(3,)", std::string("\x02\x00\x01", 3)));
  s.add({"y", ElementType::f32, {3}, true}, "y.npy");
  TransformSpec t = transform(TransformKind::one_hot);
  t.input = "y", t.classes = 3;
  s.data.transforms = {t};
  s.train.batch_size = 2;
  OpenedData d = s.open();
  EXPECT_EQ(rows_of<float>(*d.train, s.tensors, 0), (std::vector<float>{0, 0, 1, 1, 0, 0, 0, 1, 0}));
  s.folder.write("y.npy", npy_file("|u1", "(3,)", std::string("\x02\x00\x03", 3)));
  expect_message(s.error(), Code::data, {"/y.npy: error: label 3 at sample 2", "model has 3 classes"});
}

TEST(Transforms, OneHotOfCsvAndLabelsFromOne) {
  Scenario s;
  s.source().format = Format::csv;
  s.source().file = s.folder.write("t.csv", "y\n1\n3\n");
  s.add_csv({"y", ElementType::f32, {3}, true}, {{"y"}});
  TransformSpec minus = transform(TransformKind::subtract, {1}), t = transform(TransformKind::one_hot);
  minus.input = t.input = "y", t.classes = 3;
  s.data.transforms = {minus, t};
  OpenedData d = s.open();
  EXPECT_EQ(rows_of<float>(*d.train, s.tensors, 0), (std::vector<float>{1, 0, 0, 0, 0, 1}));
  s.tensors[0] = {"y", ElementType::i32, {}, true, 3};
  s.data.transforms = {minus};
  OpenedData sparse = s.open();
  EXPECT_EQ(rows_of<int32_t>(*sparse.train, s.tensors, 0), (std::vector<int32_t>{0, 2}));
}

TEST(Transforms, BytesAsMnistHasThem) {
  Scenario s;
  s.source().format = Format::idx;
  std::string pixels;
  for (int i = 0; i < 2 * 300; ++i) pixels += static_cast<char>(i % 256);
  s.folder.write("i", idx_file(8, {2, 300}, pixels));
  s.add({"x", ElementType::f32, {300}}, "i");
  TransformSpec t = transform(TransformKind::divide, {255});
  t.input = "x";
  s.data.transforms = {t};
  OpenedData d = s.open();
  std::vector<double> expected;
  for (int i = 0; i < 600; ++i) expected.push_back(i % 256 / 255.0);
  expect_near(rows_of<float>(*d.train, s.tensors, 0), expected, 1.2e-7);
}

TEST(Transforms, BadArguments) {
  auto message = [](TransformSpec t, std::vector<std::string> parts, std::vector<int64_t> shape = {3}) {
    TransformScenario s({std::move(t)}, std::move(shape));
    parts.insert(parts.begin(), "model.json:20:7: error: ");
    expect_message(s.error(), Code::data, parts);
  };
  message(transform(TransformKind::divide, {0}), {"divide of 'x': cannot divide by 0"});
  message(transform(TransformKind::divide, {1, 2}), {"2 numbers, expected 1 or 3"});
  message(transform(TransformKind::subtract, {NAN}), {"cannot subtract nan"});
  message(transform(TransformKind::minmax, {1, 1}), {"low < high expected"});
  TransformSpec reshape = transform(TransformKind::reshape);
  reshape.shape = {2, 2};
  message(reshape, {"[3] has 3 values, [2, 2] does not"});
  reshape.shape = {-1, -1};
  message(reshape, {"[-1, -1] is not one"});
  reshape.shape = {int64_t{1} << 62, 4};
  message(reshape, {"is not one"});
  TransformSpec one_hot = transform(TransformKind::one_hot);
  one_hot.classes = 5;
  TransformScenario s({one_hot}, {3});
  expect_message(s.error(), Code::data, {"model.json:20:7: error: one_hot of 'x': 5 classes do not fit the shape [3]"});
  TransformScenario unknown({transform(TransformKind::divide, {2})});
  unknown.data.transforms[0].input = "z";
  unknown.tensors[0].is_label = true;
  expect_message(unknown.error(), Code::data, {"model.json:20:7: error: transform of 'z', which is no input or label"});
}

} // namespace
} // namespace dlcc::data

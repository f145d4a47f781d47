// Every format with every transform: what training saw, new data see too, and undoing it gives the file's values back.
#include "runtime/data/synthetic.h"
#include "tests/data/files.h"

#include <algorithm>
#include <cmath>

namespace dlcc::data {
namespace {

constexpr int rows = 6, columns = 4;
// Small whole numbers, so that every format holds them exactly; the columns differ in mean and spread.
const std::vector<float> values = {1, 10, 3, 200, 2, 20, 9, 100, 4, 0,  0, 50,
                                   8, 70, 6, 75,  3, 40, 1, 25,  0, 30, 5, 125};

std::string table() {
  std::string out = "a,b,c,d\n";
  for (size_t i = 0; i < values.size(); ++i)
    out += std::to_string(static_cast<int>(values[i])) + (i % columns == columns - 1 ? "\n" : ",");
  return out;
}

struct Source {
  const char* name;
  void (*set)(Scenario&);
};
void map_to(Scenario& s, const std::string& source) { s.source().tensors = {{"x", source, {}, {}}}; }
const Source sources[] = {
    {"csv",
     [](Scenario& s) {
       s.source().format = Format::csv;
       s.source().file = s.folder.write("t.csv", table());
       map_to(s, "");
       s.source().tensors[0].columns = {{"a:d"}};
     }},
    {"npy",
     [](Scenario& s) {
       s.source().format = Format::npy;
       map_to(s, s.folder.write("x.npy", npy_file("<f4", "(6, 4)", bytes_of(values))));
     }},
    {"npz",
     [](Scenario& s) {
       s.source().format = Format::npz;
       s.source().file = s.folder.write(
           "d.npz", zip_file({{"x.npy", npy_file("<f8", "(6, 4)",
                                                 bytes_of(std::vector<double>(values.begin(), values.end())))}}));
       map_to(s, "x");
     }},
    {"idx",
     [](Scenario& s) {
       s.source().format = Format::idx;
       map_to(s, s.folder.write("x.idx", idx_file(8, {rows, columns},
                                                  bytes_of(std::vector<uint8_t>(values.begin(), values.end())))));
     }},
    {"safetensors",
     [](Scenario& s) {
       const std::string header = "{\"x\":{\"dtype\":\"F32\",\"shape\":[6,4],\"data_offsets\":[0,96]}}";
       s.source().format = Format::safetensors;
       s.source().file = s.folder.write("d.safetensors", bytes_of(uint64_t{header.size()}) + header + bytes_of(values));
       map_to(s, "x");
     }},
    {"synthetic",
     [](Scenario& s) {
       s.source().format = Format::synthetic;
       s.source().synthetic.generator = "random_uniform";
       s.source().synthetic.samples = rows;
     }},
};

struct Chain {
  const char* name;
  std::vector<TransformSpec> transforms;
  std::vector<int64_t> shape = {columns};
};
TransformSpec make(TransformKind kind, std::vector<double> numbers = {}, std::vector<int64_t> shape = {}) {
  TransformSpec t;
  t.kind = kind;
  t.input = "x";
  t.values = std::move(numbers);
  t.shape = std::move(shape);
  return t;
}
const Chain chains[] = {
    {"none", {}},
    {"divide", {make(TransformKind::divide, {7})}},
    {"divide by feature", {make(TransformKind::divide, {1, -2, 3, 1e6})}},
    {"subtract", {make(TransformKind::subtract, {4.5})}},
    {"standardize", {make(TransformKind::standardize)}},
    {"minmax", {make(TransformKind::minmax, {-1, 2})}},
    {"reshape", {make(TransformKind::reshape, {}, {2, 2})}, {2, 2}},
    {"reshape, standardize the last axis",
     {make(TransformKind::reshape, {}, {2, 2}), make(TransformKind::standardize)},
     {2, 2}},
    {"all",
     {make(TransformKind::subtract, {1}), make(TransformKind::minmax, {0, 1}), make(TransformKind::divide, {0.25}),
      make(TransformKind::standardize)}},
};

// The raw values of a scenario: what it gives without transforms.
std::vector<double> raw_of(Scenario& s, const std::vector<int64_t>& shape) {
  auto transforms = std::move(s.data.transforms);
  s.data.transforms.clear();
  s.tensors[0].shape = {columns};
  OpenedData o = s.open();
  std::vector<float> raw = rows_of<float>(*o.train, s.tensors, 0);
  s.data.transforms = std::move(transforms);
  s.tensors[0].shape = shape;
  return {raw.begin(), raw.end()};
}

TEST(RoundTrip, OfEveryFormatAndTransform) {
  for (const Source& source : sources)
    for (const Chain& chain : chains) {
      SCOPED_TRACE(std::string(source.name) + ", " + chain.name);
      Scenario s;
      source.set(s);
      s.tensors = {{"x", ElementType::f32, chain.shape}};
      s.train.batch_size = 4;
      const std::vector<double> raw = raw_of(s, chain.shape);
      s.data.transforms = chain.transforms;
      OpenedData trained = s.open();
      const std::vector<float> seen = rows_of<float>(*trained.train, s.tensors, 0);
      const runtime::FittedTransform& f = trained.fitted.at("x");
      for (size_t i = 0; i < seen.size(); ++i) {
        const auto element = static_cast<int64_t>(i % columns);
        EXPECT_NEAR(seen[i], f.apply(raw[i], element), 4e-7 * std::max(1.0f, std::fabs(seen[i]))) << i;
        EXPECT_NEAR(f.undo(f.apply(raw[i], element), element), raw[i], 1e-13 * std::max(1.0, std::fabs(raw[i]))) << i;
      }
      // The training file is gone, and other samples must not move the numbers.
      DataSpec later;
      later.test = s.source();
      later.transforms = chain.transforms;
      OpenOptions options = s.options;
      options.train = options.validation = false;
      options.fitted = trained.fitted;
      OpenedData opened = open_data(later, s.train, s.tensors, options);
      EXPECT_EQ(rows_of<float>(*opened.test, s.tensors, 0), seen) << "to the last bit";
    }
}

// What is written to a checkpoint is all there is to know.
TEST(RoundTrip, ThroughAttachments) {
  Scenario s;
  sources[0].set(s);
  s.source().missing = {MissingSpec::Rule::mean, 0, {"", "NA"}};
  ColumnRef text;
  text.name = "d";
  text.code = runtime::CellCode::one_hot;
  text.unknown = runtime::UnknownRule::extra;
  s.source().tensors[0].columns = {{"a:c"}, text};
  s.tensors = {{"x", ElementType::f32, {3 + rows + 1}}};
  s.data.transforms = {make(TransformKind::standardize)};
  OpenedData o = s.open();
  const runtime::FittedTransform& f = o.fitted.at("x");
  const auto attachments = runtime::to_attachments(f, "x");
  const auto find = [&](const std::string& name) -> std::optional<dlcc_view> {
    auto at = attachments.find(name);
    return at == attachments.end() ? std::nullopt : std::optional(at->second.view());
  };
  const auto back = runtime::from_attachments(find, "x");
  ASSERT_TRUE(back);
  EXPECT_EQ(back->center, f.center);
  EXPECT_EQ(back->scale, f.scale);
  EXPECT_EQ(back->missing_spellings, (std::vector<std::string>{"", "NA"}));
  ASSERT_EQ(back->columns.size(), 4u);
  EXPECT_EQ(back->columns[0].missing, 3); // the mean of a: (1 + 2 + 4 + 8 + 3 + 0) / 6
  EXPECT_EQ(back->columns[3].unknown, runtime::UnknownRule::extra);
  EXPECT_EQ(back->columns[3].categories.names(), (std::vector<std::string>{"100", "125", "200", "25", "50", "75"}));
  EXPECT_FALSE(runtime::from_attachments(find, "y"));
}

// Sums of squares of such numbers overflow, vanish or cancel.
TEST(RoundTrip, StandardizesNumbersOfAnySize) {
  for (double unit : {1e300, 8e307, 1e-300, 1e-307}) {
    Scenario s;
    const std::vector<double> x = {-2 * unit, -unit, unit, 2 * unit};
    s.source().format = Format::npy;
    s.add({"x", ElementType::f64, {1}}, s.folder.write("x.npy", npy_file("<f8", "(4, 1)", bytes_of(x))));
    s.data.transforms = {make(TransformKind::standardize)};
    OpenedData o = s.open();
    const std::vector<double> seen = rows_of<double>(*o.train, s.tensors, 0);
    const double deviation = std::sqrt(2.5); // of -2, -1, 1, 2
    for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(seen[i], x[i] / unit / deviation, 1e-14) << unit;
  }
  Scenario far;
  std::vector<double> x;
  for (int i = 0; i < 1000; ++i) x.push_back(1e9 + i % 2);
  far.source().format = Format::npy;
  far.add({"x", ElementType::f64, {1}}, far.folder.write("x.npy", npy_file("<f8", "(1000, 1)", bytes_of(x))));
  far.data.transforms = {make(TransformKind::standardize)};
  OpenedData o = far.open();
  EXPECT_EQ(o.fitted.at("x").center[0], 1e9 + 0.5);
  EXPECT_EQ(o.fitted.at("x").scale[0], 2);
}

// A csv cell keeps the digits that a transform brings to the front.
TEST(RoundTrip, TablesSubtractBeforeTheyRound) {
  Scenario s;
  s.source().format = Format::csv;
  s.source().file = s.folder.write("t.csv", "t\n1700000000\n1700000001\n1700000002\n");
  map_to(s, "");
  s.source().tensors[0].columns = {{"t"}};
  s.tensors = {{"x", ElementType::f32, {1}}};
  s.data.transforms = {make(TransformKind::subtract, {1.7e9})};
  OpenedData o = s.open();
  EXPECT_EQ(rows_of<float>(*o.train, s.tensors, 0), (std::vector<float>{0, 1, 2}));
}

// Values that are finite in the file and would not be in the model.
TEST(RoundTrip, OverflowIsRefused) {
  Scenario s;
  s.source().format = Format::npy;
  const std::vector<double> x = {1.7e308, -1.7e308};
  s.add({"x", ElementType::f64, {1}}, s.folder.write("x.npy", npy_file("<f8", "(2, 1)", bytes_of(x))));
  s.data.transforms = {make(TransformKind::subtract, {1e308})};
  expect_message(s.error(), Code::data, {"value -1.7e+308 at sample 1", "outside the range of f64"});
}

} // namespace
} // namespace dlcc::data

// npy and npz files: BAD_INPUTS H26 to H34, G5, E7.
#include "tests/data/files.h"

#include <cfloat>
#include <cmath>
#include <limits>

namespace dlcc::data {
namespace {

struct NpyScenario : Scenario {
  explicit NpyScenario(const std::string& x, TensorSpec t = {"x", ElementType::f32, {3}}) {
    source().format = Format::npy;
    folder.write("x.npy", x);
    add(std::move(t), "x.npy");
    train.batch_size = 2;
  }
  std::vector<float> x() {
    OpenedData d = open();
    return rows_of<float>(*d.train, tensors, 0);
  }
};
using Floats = std::vector<float>;
const Floats six{1, 2, 3, 4, 5, 6};

struct NpzScenario : Scenario {
  explicit NpzScenario(const std::string& archive) {
    source().format = Format::npz;
    source().file = folder.write("d.npz", archive);
    add({"x", ElementType::f32, {3}}, "features");
    add({"y", ElementType::i64, {}, true, 3}, "labels");
    train.batch_size = 2;
  }
};
const Member features{"features.npy", npy_file("<f4", "(2, 3)", bytes_of(six))};
const Member labels{"labels.npy", npy_file("<i8", "(2,)", bytes_of(std::vector<int64_t>{2, 0}))};

TEST(Npy, ReadsEveryVersion) {
  for (int version : {1, 2, 3}) {
    NpyScenario s(npy_file("<f4", "(2, 3)", bytes_of(six), false, version));
    EXPECT_EQ(s.x(), six) << version;
  }
}

TEST(Npy, ReadsFortranOrder) {
  NpyScenario s(npy_file("<f4", "(2, 3)", bytes_of(Floats{1, 4, 2, 5, 3, 6}), true));
  EXPECT_EQ(s.x(), six);
  // (2, 2, 2): element [i, j, k] stands at i + 2 j + 4 k.
  NpyScenario cube(npy_file("<f4", "(2, 2, 2)", bytes_of(Floats{0, 4, 2, 6, 1, 5, 3, 7}), true),
                   {"x", ElementType::f32, {2, 2}});
  EXPECT_EQ(cube.x(), (Floats{0, 1, 2, 3, 4, 5, 6, 7}));
}

TEST(Npy, H28ReadsEveryTypeInBothByteOrders) {
  auto check = [](const std::string& type, const auto& values) {
    for (bool big : {false, true}) {
      NpyScenario s(npy_file((big ? ">" : "<") + type, "(2, 3)", bytes_of(values, big)));
      EXPECT_EQ(s.x(), six) << type << big;
    }
  };
  check("f4", six);
  check("f8", std::vector<double>(six.begin(), six.end()));
  check("f2", std::vector<uint16_t>{0x3C00, 0x4000, 0x4200, 0x4400, 0x4500, 0x4600}); // 1 to 6 in IEEE binary16
  check("i1", std::vector<int8_t>(six.begin(), six.end()));
  check("i2", std::vector<int16_t>(six.begin(), six.end()));
  check("i4", std::vector<int32_t>(six.begin(), six.end()));
  check("i8", std::vector<int64_t>(six.begin(), six.end()));
  check("u1", std::vector<uint8_t>(six.begin(), six.end()));
  check("u2", std::vector<uint16_t>(six.begin(), six.end()));
  check("u4", std::vector<uint32_t>(six.begin(), six.end()));
  check("u8", std::vector<uint64_t>(six.begin(), six.end()));
  NpyScenario b(npy_file("|b1", "(2, 3)", std::string("\0\1\1\0\0\1", 6)));
  EXPECT_EQ(b.x(), (Floats{0, 1, 1, 0, 0, 1}));
}

TEST(Npy, HalfPrecisionSpecialValues) {
  NpyScenario s(
      npy_file("<f2", "(2, 3)", bytes_of(std::vector<uint16_t>{0x0001, 0x8000, 0x7C00, 0xFC00, 0x7E00, 0x03FF})));
  s.options.allow_nonfinite = true;
  Floats x = s.x();
  EXPECT_EQ(x[0], 0x1p-24f);
  EXPECT_TRUE(x[1] == 0 && std::signbit(x[1]));
  EXPECT_EQ(x[2], INFINITY);
  EXPECT_EQ(x[3], -INFINITY);
  EXPECT_TRUE(std::isnan(x[4]));
  EXPECT_EQ(x[5], 1023 * 0x1p-24f);
}

void expect_header_error(const std::string& header, const std::vector<std::string>& parts) {
  NpyScenario s(npy_raw(header, bytes_of(six)));
  expect_message(s.error(), Code::data, parts);
}

TEST(Npy, H26BadHeaders) {
  expect_header_error("{'descr': '<f4', 'fortran_order': False, }",
                      {"/x.npy: error: npy header, offset ", "no 'shape' key"});
  expect_header_error("{'descr': '<f4', 'shape': (2, 3), }", {"npy header, offset ", "no 'fortran_order' key"});
  expect_header_error("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}",
                      {"npy header, offset 35", "key 'descr' is repeated"});
  expect_header_error("{'descr': '<f4', 'fortran_order': False, 'shape': (2, -3)}",
                      {"npy header, offset 64", "dimension"});
  expect_header_error("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 99999999999999999999)}",
                      {"npy header, offset 64", "dimension"});
  expect_header_error("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)",
                      {"npy header, offset 66", "'}' expected"});
  expect_header_error("{'descr': '<f4', 'fortran_order': 0, 'shape': (2, 3)}", {"True or False expected"});
  expect_header_error("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), 'x': 1}", {"unknown key 'x'"});
  for (const char* junk : {" x", "\n\n1", "}", " {}"})
    expect_header_error("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}" + std::string(junk),
                        {"npy header, offset 6", "unexpected text after the dictionary"});
  expect_header_error("{'descr: <f4", {"string without an end"});
  expect_header_error("", {"'{' expected"});
  expect_header_error("{'descr': '<f\xC3\xA4'}", {"npy header, offset 23: not an ASCII character"});
  expect_header_error("{'descr': '<f4', 'fortran_order': False, 'shape': ()}", {"rank 0"});
  expect_header_error("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}",
                      {"[4294967296, 4294967296]", "overflows"});
  expect_header_error("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 3)}", {"promises 0 bytes", "holds 24"});
}

TEST(Npy, H26HeaderLongerThanTheFile) {
  NpyScenario s("\x93NUMPY\x01" + std::string(1, '\0') + "\xff\xff" + "{'descr'");
  expect_message(s.error(), Code::data, {"npy header of 65535 bytes at offset 10", "beyond the file"});
  NpyScenario two("\x93NUMPY\x02" + std::string(1, '\0') + "\xff\xff\xff\x7f" + "{'descr'");
  expect_message(two.error(), Code::data, {"npy header of 2147483647 bytes at offset 12", "beyond the file"});
}

TEST(Npy, NotNpyAndFutureVersion) {
  NpyScenario s("PK\x03\x04 something else");
  expect_message(s.error(), Code::data, {"/x.npy: error: ", "not an npy file"});
  NpyScenario next(npy_file("<f4", "(2, 3)", bytes_of(six), false, 4));
  expect_message(next.error(), Code::data, {"version 4, expected 1 to 3"});
}

TEST(Npy, H29UnsupportedTypes) {
  for (const char* type : {"|O", "<U10", "<c8", "<M8[ns]", "|V8", "|S5", "<f16"}) {
    NpyScenario s(npy_file(type, "(2, 3)", bytes_of(six)));
    expect_message(s.error(), Code::data, {"/x.npy: error: ", type, "not supported (pickle is never loaded)"});
  }
  expect_header_error("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}",
                      {"structured", "not supported (pickle is never loaded)"});
}

TEST(Npy, PayloadShortAndLong) {
  NpyScenario low(npy_file("<f4", "(2, 3)", bytes_of(six).substr(1)));
  expect_message(low.error(), Code::data, {"24 bytes", "holds 23"});
  NpyScenario high(npy_file("<f4", "(2, 3)", bytes_of(six) + "x"));
  expect_message(high.error(), Code::data, {"24 bytes", "holds 25"});
}

TEST(Npy, EveryTruncationAndEveryDamagedByte) {
  const std::string good = npy_file("<f4", "(2, 3)", bytes_of(six));
  expect_truncations_refused<NpyScenario>(good);
  expect_damage_survived<NpyScenario>(good);
}

TEST(Npy, G5NonFiniteFeature) {
  NpyScenario s(npy_file("<f4", "(2, 3)", bytes_of(Floats{1, 2, 3, 4, NAN, 6})));
  expect_message(
      s.error(), Code::data,
      {"/x.npy: error: value nan at sample 1, element 1 (offset ", "finite numbers expected (--allow-nonfinite"});
  s.options.allow_nonfinite = true;
  EXPECT_TRUE(std::isnan(s.x()[4]));
  NpyScenario inf(npy_file("<f8", "(2, 3)", bytes_of(std::vector<double>{1, 2, 3, 4, 5, -INFINITY})));
  expect_message(inf.error(), Code::data, {"value -inf at sample 1, element 2"});
}

TEST(Npy, E7DoublesForAFloatModel) {
  NpyScenario s(npy_file("<f8", "(2, 3)", bytes_of(std::vector<double>{1, 2, 3, 4, 5, 6.25})));
  OpenedData d = s.open();
  ASSERT_EQ(d.warnings.size(), 1u);
  EXPECT_NE(d.warnings[0].find("x.npy: note: f64 values of 'x' are converted to f32"), std::string::npos);
  EXPECT_EQ(rows_of<float>(*d.train, s.tensors, 0).back(), 6.25f);
  NpyScenario large(npy_file("<f8", "(2, 3)", bytes_of(std::vector<double>{1, 2, 3, -1e39, 5, 6})));
  expect_message(large.error(), Code::data,
                 {"/x.npy: error: value -1e+39 at sample 1, element 0 (offset ", "outside the range of f32"});
}

// To nearest, as IEEE 754 has it: what lies below the middle between the largest number and 2^128 is the largest
// number.
TEST(Npy, DoublesRoundToTheLargestFloat) {
  const double most = std::numeric_limits<float>::max(), middle = std::ldexp(2 - std::ldexp(1, -24), 127);
  NpyScenario s(npy_file(
      "<f8", "(2, 3)",
      bytes_of(std::vector<double>{3.4028235e38, -3.4028235e38, most, 5e-324, 1e-50, std::nextafter(middle, 0)})));
  EXPECT_EQ(s.x(), (Floats{FLT_MAX, -FLT_MAX, FLT_MAX, 0, 0, FLT_MAX}));
  NpyScenario beyond(npy_file("<f8", "(2, 3)", bytes_of(std::vector<double>{1, 2, 3, 4, 5, -middle})));
  expect_message(beyond.error(), Code::data, {"sample 1, element 2", "outside the range of f32"});
}

// What the model sees has to fit, not what the file holds.
TEST(Npy, DoublesBeyondF32MayBeBroughtIntoIt) {
  NpyScenario s(npy_file("<f8", "(2, 3)", bytes_of(std::vector<double>{1e40, 2e40, -3e40, 0, 1e200, 5e39})));
  s.data.transforms.push_back({{}, TransformKind::divide, "x", {1e39}});
  expect_message(s.error(), Code::data, {"value 1e+200 at sample 1, element 1", "outside the range of f32"});
  NpyScenario t(npy_file("<f8", "(2, 3)", bytes_of(std::vector<double>{1e40, 2e40, -3e40, 0, 1e70, 5e39})));
  t.data.transforms.push_back({{}, TransformKind::divide, "x", {1e39}});
  EXPECT_EQ(t.x()[0], 10.0f);
}

TEST(Npy, IntegersThatDoNotFitTheModel) {
  NpyScenario s(npy_file("<i8", "(2,)", bytes_of(std::vector<int64_t>{5, int64_t{1} << 31})),
                {"x", ElementType::i32, {}});
  expect_message(s.error(), Code::data, {"value 2.14748365e+09 at sample 1", "does not fit i32"});
  NpyScenario u(npy_file("<u8", "(2,)", bytes_of(std::vector<uint64_t>{5, uint64_t{1} << 63})),
                {"x", ElementType::i64, {}});
  expect_message(u.error(), Code::data, {"element 1 of type u64 does not fit i64"});
  NpyScenario half(npy_file("<f4", "(2,)", bytes_of(Floats{1, 1.5})), {"x", ElementType::i32, {}});
  expect_message(half.error(), Code::data, {"value 1.5 at sample 1", "an integer expected"});
}

TEST(Npy, G13TargetsOutsideTheirRange) {
  TensorSpec t{"x", ElementType::f32, {}, true};
  t.low = 0, t.high = 1;
  NpyScenario s(npy_file("<f4", "(3,)", bytes_of(Floats{0, 1, 1.5})), t);
  expect_message(s.error(), Code::data, {"/x.npy: error: label 1.5 at sample 2 (offset ", "values in [0, 1] expected"});
}

TEST(Npz, ReadsNamedArrays) {
  NpzScenario s(zip_file({labels, features}));
  OpenedData d = s.open();
  EXPECT_EQ(rows_of<float>(*d.train, s.tensors, 0), six);
  EXPECT_EQ(rows_of<int64_t>(*d.train, s.tensors, 1), (std::vector<int64_t>{2, 0}));
}

TEST(Npz, UnknownArrayListsTheOthers) {
  NpzScenario s(zip_file({features}));
  expect_message(s.error(), Code::data, {"/d.npz: error: no array 'labels'", "it has features"});
}

TEST(Npz, H33ZipBomb) {
  Member bomb = features;
  bomb.claimed_size = 4000u << 20;
  NpzScenario s(zip_file({bomb, labels}));
  expect_message(s.error(), Code::data,
                 {"/d.npz(features): error: ", "declares 4194304000 bytes", "94 packed bytes hold at most 94"});
}

// A ratio is no fault: what counts is what packed bytes can hold, and the memory.
TEST(Npz, OneHotMatricesPackWell) {
  constexpr int64_t rows = 40'000;
  Floats one_hot(rows * 3);
  for (int64_t i = 0; i < rows; ++i) one_hot[static_cast<size_t>(i * 3)] = 1;
  Member x{"features.npy", npy_file("<f4", "(40000, 3)", bytes_of(one_hot)), 8};
  Member y{"labels.npy", npy_file("<i8", "(40000,)", bytes_of(std::vector<int64_t>(rows))), 8};
  ASSERT_GT(x.bytes.size(), 100 * deflated(x.bytes, -15).size());
  NpzScenario s(zip_file({x, y}));
  OpenedData d = s.open();
  EXPECT_EQ(rows_of<float>(*d.train, s.tensors, 0), one_hot);
  s.options.files.memory_cap = rows * 3 * 4 + rows * 8 - 1;
  expect_message(
      s.error(), Code::resources,
      {"/d.npz(labels): error: ", "the values need 782 KiB of memory, expected at most 782 KiB; see --memory-limit"});
  x.claimed_size = static_cast<uint32_t>(1033 * deflated(x.bytes, -15).size());
  NpzScenario bomb(zip_file({x, y}));
  expect_message(bomb.error(), Code::data, {"/d.npz(features): error: ", "packed bytes hold at most"});
}

// Everything that headers say is compared before a value is read: the payloads here are missing or damaged.
TEST(Npz, HeadersAreJudgedBeforeValues) {
  std::string bytes = zip_file({features, {"labels.npy", npy_file("<i8", "(3,)", std::string(24, '\0'))}});
  bytes[bytes.find(bytes_of(six)) + 3] ^= 4;
  NpzScenario counts(bytes);
  expect_message(counts.error(), Code::data, {"3 samples for 'y', but 2 for 'x'"});
  bytes = zip_file({{"features.npy", npy_file("<f4", "(2, 4)", std::string(32, '\0'))}, labels});
  bytes[bytes.find("PK\x01\x02") - 1] ^= 4; // the last label
  NpzScenario shape(bytes);
  expect_message(shape.error(), Code::data, {"have shape [4], the model takes [3]"});
}

TEST(Npz, H33UnsafeName) {
  for (const char* name : {"../x.npy", "/x.npy", "a/../../x.npy", "..", "a\\x.npy"}) {
    NpzScenario s(zip_file({features, labels, {name, ""}}));
    expect_message(s.error(), Code::data, {"/d.npz: error: unsafe name '"});
  }
}

TEST(Npz, H33Encrypted) {
  Member locked = features;
  locked.flags = 1;
  NpzScenario s(zip_file({locked, labels}));
  expect_message(s.error(), Code::data, {"/d.npz(features): error: ", "encrypted"});
}

TEST(Npz, H33Deflate64) {
  Member odd = features;
  odd.method = 9;
  NpzScenario s(zip_file({odd, labels}));
  expect_message(s.error(), Code::data,
                 {"/d.npz(features): error: ", "compression method 9", "expected stored or deflate"});
}

TEST(Npz, H33DuplicateMember) {
  NpzScenario s(zip_file({features, labels, features}));
  expect_message(s.error(), Code::data, {"/d.npz: error: two members of the archive have the same name"});
}

TEST(Npz, H34CutInTheCentralDirectory) {
  std::string good = zip_file({features, labels});
  for (size_t cut : {size_t{1}, size_t{22}, size_t{23}, size_t{60}, good.size()}) {
    NpzScenario s(good.substr(0, good.size() - cut));
    expect_message(s.error(), Code::data, {"/d.npz: error: not a whole zip archive"});
  }
}

TEST(Npz, DamagedMember) {
  std::string bytes = zip_file({features, labels});
  bytes[bytes.find(bytes_of(six)) + 3] ^= 4; // a value; its checksum no longer fits
  NpzScenario s(bytes);
  expect_message(s.error(), Code::data, {"/d.npz(features): error: ", "damaged zip member"});
}

TEST(Npz, EveryTruncationAndEveryDamagedByte) {
  const std::string good = zip_file({features, labels});
  expect_truncations_refused<NpzScenario>(good);
  expect_damage_survived<NpzScenario>(good);
}

} // namespace
} // namespace dlcc::data

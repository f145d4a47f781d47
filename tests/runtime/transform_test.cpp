// What was fitted, as a session applies it for a C program; and attachments of it that nobody should believe.
#include "runtime/core/fitted_transform.h"
#include "tests/runtime/fake_module.h"

#include <cmath>

#include "runtime/core/cell.h"
#include "runtime/core/error.h"
#include "runtime/core/runtime.hpp"

using namespace dlcc::test;
using dlcc::runtime::Attachment;
using dlcc::runtime::Categories;
using dlcc::runtime::CellCode;
using dlcc::runtime::FittedColumn;
using dlcc::runtime::FittedTransform;
using dlcc::runtime::UnknownRule;

namespace {

// The fake module, with x: f32 [4, 2] and y: f32 [4].
class Transform : public testing::Test {
protected:
  void SetUp() override {
    static const int64_t x_dims[] = {4, 2};
    h.fake.tensor("x").dims = x_dims;
    h.fake.tensor("x").nbytes = 32;
    h.fake.tensor("y").dtype = DLCC_F32;
    h.open();
  }
  void set(const std::string& tensor, const FittedTransform& t) {
    for (const auto& [name, a] : to_attachments(t, tensor)) set(name, a);
  }
  void set(const std::string& name, const Attachment& a) {
    const dlcc_view v = a.view();
    ASSERT_EQ(dlcc_attachment_set(h.session, name.c_str(), &v, &h.error), DLCC_OK) << h.error.message;
  }
  template <class T> static dlcc_view view(std::vector<T>& values, int32_t dtype, const int64_t& n) {
    return {values.data(), dtype, 1, &n, values.size() * sizeof(T), {0, 0}};
  }
  std::vector<float> apply(const char* tensor, std::vector<double> in, size_t n_out) {
    std::vector<float> out(n_out, -1);
    const auto n = static_cast<int64_t>(in.size()), m = static_cast<int64_t>(n_out);
    dlcc_view from = view(in, DLCC_F64, n), to = view(out, DLCC_F32, m);
    EXPECT_EQ(dlcc_transform_apply(h.session, tensor, &from, &to, &h.error), DLCC_OK) << h.error.message;
    return out;
  }
  dlcc_status cells(std::vector<const char*> names, std::vector<const char*> cells, std::vector<float>& out,
                    dlcc_error* err) {
    const auto m = static_cast<int64_t>(out.size());
    dlcc_view to = view(out, DLCC_F32, m);
    const auto rows = static_cast<int64_t>(cells.size() / names.size());
    return dlcc_transform_cells(h.session, "x", names.data(), static_cast<int>(names.size()), cells.data(), rows, &to,
                                err);
  }

  Handles h;
};

FittedTransform table() {
  FittedTransform t;
  FittedColumn area, city;
  area.name = "area";
  area.missing = 7;
  city.name = "city";
  city.code = CellCode::index;
  city.unknown = UnknownRule::extra;
  city.categories = Categories({"Ulm", "Bonn"});
  t.columns = {area, city};
  t.missing_spellings = {"", "NA"};
  t.center = {1, 0};
  t.scale = {2, 1};
  return t;
}

TEST_F(Transform, AppliesAndUndoes) {
  set("x", {.center = {1, 10}, .scale = {2, 0.5}});
  EXPECT_EQ(apply("x", {1, 10, 2, 12}, 4), (std::vector<float>{0, 0, 2, 1}));
  set("y", {.center = {300}, .scale = {0.01}});
  std::vector<float> y{1, -1};
  std::vector<double> back(2);
  const int64_t n = 2;
  dlcc_view in = view(y, DLCC_F32, n), out = view(back, DLCC_F64, n);
  ASSERT_EQ(dlcc_transform_undo(h.session, "y", &in, &out, &h.error), DLCC_OK) << h.error.message;
  EXPECT_EQ(back, (std::vector<double>{400, 200}));
  // Each value of a sample by its own numbers.
  std::vector<float> x{0, 0, 2, 1};
  std::vector<double> raw(4);
  const int64_t m = 4;
  in = view(x, DLCC_F32, m), out = view(raw, DLCC_F64, m);
  ASSERT_EQ(dlcc_transform_undo(h.session, "x", &in, &out, &h.error), DLCC_OK) << h.error.message;
  EXPECT_EQ(raw, (std::vector<double>{1, 10, 2, 12}));
}

TEST_F(Transform, MakesRowsOfClasses) {
  set("x", {.classes = 2});
  EXPECT_EQ(apply("x", {1, 0, 0}, 6), (std::vector<float>{0, 1, 1, 0, 1, 0}));
  std::vector<double> one{2};
  std::vector<float> two(2);
  const int64_t n = 1, m = 2;
  dlcc_view in = view(one, DLCC_F64, n), out = view(two, DLCC_F32, m);
  EXPECT_FAILURE(dlcc_transform_apply(h.session, "x", &in, &out, &err), DLCC_E_ARG,
                 "'x': 2 in row 0 is none of 2 classes");
}

TEST_F(Transform, EncodesCells) {
  set("x", table());
  std::vector<float> out(8);
  ASSERT_EQ(cells({"more", "city", "area"},
                  {"?", "Bonn", "3", "", " Ulm ", "NA", "", "Berlin", "yes", "", nullptr, nullptr}, out, &h.error),
            DLCC_OK)
      << h.error.message;
  EXPECT_EQ(out, (std::vector<float>{4, 1, 12, 0, 0, 2, 12, 2}));
  char name[8];
  FittedTransform label;
  label.columns = {table().columns[1]};
  set("y", label);
  ASSERT_EQ(dlcc_class_name(h.session, "y", 1, name, sizeof name, &h.error), DLCC_OK);
  EXPECT_STREQ(name, "Bonn");
  EXPECT_FAILURE(dlcc_class_name(h.session, "y", 2, name, sizeof name, &err), DLCC_E_NOTFOUND, "'y' has no category 2");
  EXPECT_FAILURE(dlcc_class_name(h.session, "y", 1, name, 4, &err), DLCC_E_ARG, "size is 4, 'y' needs 5 bytes");
}

// The wrapper says the same.
TEST_F(Transform, FromCpp) {
  const auto step = dlcc::compiled_step::wrap(&h.fake.info);
  dlcc::session s(step);
  for (const char* tensor : {"x", "y"})
    for (const auto& [name, a] : to_attachments(
             std::string(tensor) == "x" ? table() : FittedTransform{.center = {300}, .scale = {0.01}}, tensor)) {
      const dlcc_view v = a.view();
      ASSERT_EQ(dlcc_attachment_set(s.get(), name.c_str(), &v, nullptr), DLCC_OK);
    }
  std::vector<float> x(2), y{1};
  s.transform_cells("x", {"city", "area"}, {"Bonn", "3"}, dlcc::tensor_view(x.data(), {1, 2}));
  EXPECT_EQ(x, (std::vector<float>{4, 1}));
  double back = 0;
  s.transform_undo("y", dlcc::tensor_view(y.data(), {1}), dlcc::tensor_view(&back, {1}));
  EXPECT_EQ(back, 400);
  s.transform_apply("y", dlcc::tensor_view(&back, {1}), dlcc::tensor_view(y.data(), {1}));
  EXPECT_EQ(y, std::vector<float>{1});
  EXPECT_THROW(s.class_name("y", 0), dlcc::error);
}

TEST_F(Transform, CellsThatMeanNothingAreRefused) {
  FittedTransform t = table();
  t.columns[0].missing = std::nan("");
  t.columns[1].unknown = UnknownRule::error;
  set("x", t);
  std::vector<float> out(2);
  EXPECT_FAILURE(cells({"area"}, {"1"}, out, &err), DLCC_E_ARG, "no column 'city'");
  EXPECT_FAILURE(cells({"a"}, {"1"}, out, &err), DLCC_E_ARG, "no column 'area', 'city'");
  EXPECT_FAILURE(cells({"area", "city"}, {"1", "Berlin"}, out, &err), DLCC_E_ARG,
                 "column 'city', row 0: 'Berlin' is none of the categories");
  EXPECT_FAILURE(cells({"area", "city"}, {"NA", "Ulm"}, out, &err), DLCC_E_ARG,
                 "column 'area', row 0: a missing value where a number is expected");
  EXPECT_FAILURE(cells({"area", "city"}, {"1e999", "Ulm"}, out, &err), DLCC_E_ARG,
                 "column 'area', row 0: '1e999' is no number of f64");
  EXPECT_FAILURE(cells({"area", "city"}, {"1e300", "Ulm"}, out, &err), DLCC_E_ARG,
                 "'x': 2e+300 in row 0 does not fit f32");
  std::vector<float> four(4);
  EXPECT_FAILURE(cells({"area", "city"}, {"1", "Ulm"}, four, &err), DLCC_E_SHAPE,
                 "out: 4 values, expected 2 for 1 rows of 'x'");
  std::vector<double> one{1, 2};
  const int64_t n = 2;
  dlcc_view in = view(one, DLCC_F64, n), to = view(out, DLCC_F32, n);
  EXPECT_FAILURE(dlcc_transform_apply(h.session, "x", &in, &to, &err), DLCC_E_ARG,
                 "'x' has columns of text: call dlcc_transform_cells");
}

TEST_F(Transform, NeedsOneAndOneThatFits) {
  std::vector<double> one{1};
  std::vector<float> out(1);
  const int64_t n = 1;
  dlcc_view in = view(one, DLCC_F64, n), to = view(out, DLCC_F32, n);
  EXPECT_FAILURE(dlcc_transform_apply(h.session, "x", &in, &to, &err), DLCC_E_NOTFOUND,
                 "the session knows no transform of 'x': load a checkpoint of a run of dlcc train");
  set("x", {.center = {1, 2, 3}, .scale = {1, 2, 3}});
  EXPECT_FAILURE(dlcc_transform_apply(h.session, "x", &in, &to, &err), DLCC_E_MISMATCH,
                 "the transform of 'x' is one of 3 values a sample, the model takes 2");
  set("nothing", FittedTransform{});
  EXPECT_FAILURE(dlcc_transform_apply(h.session, "nothing", &in, &to, &err), DLCC_E_NOTFOUND,
                 "the module has no tensor 'nothing'");
  set("x", FittedTransform{});
  EXPECT_FAILURE(dlcc_transform_apply(h.session, "x", &in, &to, &err), DLCC_E_SHAPE,
                 "in: 1 values, expected a multiple of 2 for 'x'");
}

// Each part of a transform damaged in every way that its reader tells apart.
TEST_F(Transform, DamagedOnesAreRefused) {
  auto damaged = [&](const std::string& part, const Attachment& a) {
    set("x", table());
    set("data/x/" + part, a);
    std::vector<float> out(2);
    dlcc_error err{};
    EXPECT_EQ(cells({"area", "city"}, {"1", "Ulm"}, out, &err), DLCC_E_CORRUPT) << part << ": " << err.message;
    EXPECT_NE(std::string(err.message).find("corrupt: 'data/x/" + part + "'"), std::string::npos) << err.message;
  };
  auto f64 = [](std::vector<double> v) {
    const auto p = reinterpret_cast<const char*>(v.data());
    return Attachment{DLCC_F64, {static_cast<int64_t>(v.size())}, {p, p + v.size() * sizeof(double)}};
  };
  auto bytes = [](std::string s) {
    return Attachment{DLCC_U8, {static_cast<int64_t>(s.size())}, {s.begin(), s.end()}};
  };
  using namespace std::string_literals;
  damaged("center", bytes("12345678"s));
  damaged("center", f64({}));
  damaged("center", f64({1, INFINITY}));
  damaged("scale", f64({1}));
  damaged("scale", f64({1, 0}));
  damaged("scale", f64({1, NAN}));
  damaged("classes", bytes("\0\0\0\0\0\0\0\0"s));
  damaged("classes", Attachment{DLCC_I64, {2}, std::vector<char>(16, 0)});
  damaged("classes", Attachment{DLCC_I64, {}, std::vector<char>(8, '\x7f')});
  damaged("columns", bytes(""s));
  damaged("columns", bytes("area\0city"s));
  damaged("codes", bytes("\0\0\1"s));
  damaged("codes", bytes("\0\0\3\0"s));
  damaged("codes", bytes("\0\0\1\3"s));
  damaged("codes", bytes("\0\0\1\1"s));
  damaged("missing", f64({1}));
  damaged("missing", f64({INFINITY, 1}));
  damaged("missing_spellings", bytes("NA"s));
  damaged("categories/1", bytes(""s));
  damaged("categories/1", bytes("Ulm\0Ulm\0"s));
  damaged("categories/1", bytes("Ulm"s));
  set("x", table());
  dlcc_attachment_set(h.session, "data/x/codes", nullptr, nullptr);
  std::vector<float> out(2);
  EXPECT_FAILURE(cells({"area", "city"}, {"1", "Ulm"}, out, &err), DLCC_E_CORRUPT,
                 "corrupt: 'data/x/codes' is missing");
}

TEST(Cell, NumbersAndWords) {
  using dlcc::runtime::cell_number;
  EXPECT_EQ(cell_number(" TRUE"), 1);
  EXPECT_EQ(cell_number("no "), 0);
  EXPECT_EQ(cell_number("1e-400"), 0);
  EXPECT_EQ(cell_number("-1e400"), -INFINITY);
  EXPECT_EQ(cell_number("truee"), std::nullopt);
  EXPECT_TRUE(dlcc::runtime::is_overflow("1e400", INFINITY));
  EXPECT_FALSE(dlcc::runtime::is_overflow("inf", INFINITY));
}

} // namespace

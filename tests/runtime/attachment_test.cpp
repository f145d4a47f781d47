// Attachments: named tensors beside the module's own, which travel with the parameters.
#include "tests/runtime/fake_module.h"

#include "runtime/core/checkpoint.h"
#include "runtime/core/error.h"

using namespace dlcc::test;

namespace {

class Attachments : public testing::Test {
protected:
  void SetUp() override {
    one.open();
    ASSERT_EQ(dlcc_init(one.session, 1, nullptr), DLCC_OK);
  }
  static void set(Handles& h, const char* name, std::vector<double> values) {
    const auto n = static_cast<int64_t>(values.size());
    const dlcc_view v{values.data(), DLCC_F64, 1, &n, values.size() * sizeof(double), {0, 0}};
    ASSERT_EQ(dlcc_attachment_set(h.session, name, &v, &h.error), DLCC_OK) << h.error.message;
  }
  // Empty if there is none.
  static std::vector<double> get(Handles& h, const char* name) {
    dlcc_view v{};
    if (dlcc_attachment_get(h.session, name, &v, nullptr) != DLCC_OK) return {};
    EXPECT_EQ(v.dtype, DLCC_F64);
    EXPECT_EQ(v.rank, 1);
    const auto data = static_cast<const double*>(v.data);
    return {data, data + v.dims[0]};
  }
  void save(uint32_t flags = 0) {
    ASSERT_EQ(dlcc_checkpoint_save(one.session, path.c_str(), flags, &one.error), DLCC_OK) << one.error.message;
  }

  TemporaryFolder folder;
  std::string path = folder / "a.safetensors";
  Handles one, two;
};

TEST_F(Attachments, AreKeptReplacedAndRemoved) {
  set(one, "data/x/center", {1, 2});
  set(one, "data/x/center", {3});
  EXPECT_EQ(get(one, "data/x/center"), std::vector<double>{3});
  ASSERT_EQ(dlcc_init(one.session, 2, nullptr), DLCC_OK);
  EXPECT_EQ(get(one, "data/x/center"), std::vector<double>{3}) << "init is about the module's own state";
  ASSERT_EQ(dlcc_attachment_set(one.session, "data/x/center", nullptr, nullptr), DLCC_OK);
  EXPECT_FAILURE([&](dlcc_view v = {}) { return dlcc_attachment_get(one.session, "data/x/center", &v, &err); }(),
                 DLCC_E_NOTFOUND, "the session has no attachment 'data/x/center'");
  ASSERT_EQ(dlcc_attachment_set(one.session, "data/x/center", nullptr, nullptr), DLCC_OK) << "again";
}

TEST_F(Attachments, TravelWithTheParameters) {
  set(one, "data/x/center", {1, 2, 0x1p-1074});
  set(one, "data/y", {});
  save();
  two.open();
  set(two, "data/of_before", {7});
  ASSERT_EQ(dlcc_checkpoint_load(two.session, path.c_str(), 0, &two.error), DLCC_OK) << two.error.message;
  EXPECT_EQ(get(two, "data/x/center"), (std::vector<double>{1, 2, 0x1p-1074}));
  EXPECT_EQ(get(two, "data/of_before"), std::vector<double>{}) << "a load replaces all";
  dlcc_view v{};
  ASSERT_EQ(dlcc_attachment_get(two.session, "data/y", &v, nullptr), DLCC_OK);
  EXPECT_EQ(v.nbytes, 0u);

  save(DLCC_SAVE_PARAMS);
  for (uint32_t flags : {DLCC_SAVE_PARAMS + 0u, DLCC_SAVE_PARAMS + DLCC_LOAD_PARTIAL + 0u}) {
    Handles other;
    other.open();
    ASSERT_EQ(dlcc_checkpoint_load(other.session, path.c_str(), flags, &other.error), DLCC_OK) << other.error.message;
    EXPECT_EQ(get(other, "data/x/center").size(), 3u) << flags;
  }
}

TEST_F(Attachments, StayWithoutTheParameters) {
  set(one, "data/x/center", {1});
  save(DLCC_SAVE_OPT | DLCC_SAVE_RNG);
  EXPECT_EQ(dlcc::runtime::CheckpointFile(path).find("data/x/center"), nullptr);
  save();
  two.open();
  ASSERT_EQ(dlcc_init(two.session, 1, nullptr), DLCC_OK);
  set(two, "data/x/center", {2});
  ASSERT_EQ(dlcc_checkpoint_load(two.session, path.c_str(), DLCC_SAVE_OPT, &two.error), DLCC_OK) << two.error.message;
  EXPECT_EQ(get(two, "data/x/center"), std::vector<double>{2});
}

// They are no part of the model: the same checkpoint fits with and without them, and no difference is blamed on them.
TEST_F(Attachments, DoNotMakeAnotherModel) {
  set(one, "data/x/center", {1});
  save();
  two.fake.info.model_hash[0] = 0xCD;
  two.open();
  ASSERT_EQ(dlcc_init(two.session, 1, nullptr), DLCC_OK);
  EXPECT_FAILURE(dlcc_checkpoint_load(two.session, path.c_str(), 0, &err), DLCC_E_MISMATCH,
                 "'" + path +
                     "': checkpoint of another model: fingerprint ab00000000000000 there, cd00000000000000 here; all "
                     "tensors agree");
  EXPECT_EQ(get(two, "data/x/center"), std::vector<double>{}) << "a load that fails changes nothing";
}

TEST_F(Attachments, DamageIsNoticed) {
  set(one, "data/x/center", {1});
  save();
  std::string bytes = read_file(path);
  const double value = 1;
  const size_t at = bytes.find(std::string(reinterpret_cast<const char*>(&value), sizeof value));
  ASSERT_NE(at, std::string::npos);
  bytes[at + 6] ^= 1;
  write_file(path, bytes);
  two.open();
  EXPECT_FAILURE(dlcc_checkpoint_load(two.session, path.c_str(), 0, &err), DLCC_E_CORRUPT,
                 "'" + path + "': corrupt: checksum of tensor 'data/x/center' differs");
}

TEST_F(Attachments, WrongOnesAreRefused) {
  const int64_t two_by_two[] = {2, 2}, negative[] = {-1, 2}, huge[] = {INT64_MAX, 4};
  double values[4] = {};
  auto set_view = [&](const char* name, const dlcc_view& v, dlcc_error* err) {
    return dlcc_attachment_set(one.session, name, &v, err);
  };
  const dlcc_view good{values, DLCC_F64, 2, two_by_two, sizeof values, {0, 0}};
  auto with = [&](auto change) {
    dlcc_view v = good;
    change(v);
    return v;
  };
  for (const char* name : {"", "x", "date/x", "param/dense/kernel"})
    EXPECT_FAILURE(set_view(name, good, &err), DLCC_E_ARG,
                   std::string("attachment '") + name +
                       "': expected a name of at most 1024 bytes of UTF-8 that begins with 'data/'");
  EXPECT_FAILURE_WITH(set_view("data/\xff", good, &err), DLCC_E_ARG, "UTF-8");
  EXPECT_FAILURE_WITH(set_view(("data/" + std::string(1020, 'x')).c_str(), good, &err), DLCC_E_ARG, "1024");
  EXPECT_FAILURE(set_view("data/x", with([](dlcc_view& v) { v.dtype = 99; }), &err), DLCC_E_DTYPE,
                 "attachment 'data/x': 99 is no dtype");
  EXPECT_FAILURE(set_view("data/x", with([](dlcc_view& v) { v.rank = 9; }), &err), DLCC_E_ARG,
                 "attachment 'data/x': expected 0 to 8 dimensions");
  EXPECT_FAILURE(set_view("data/x", with([](dlcc_view& v) { v.dims = nullptr; }), &err), DLCC_E_ARG,
                 "attachment 'data/x': expected 0 to 8 dimensions");
  EXPECT_FAILURE(set_view("data/x", with([&](dlcc_view& v) { v.dims = negative; }), &err), DLCC_E_SHAPE,
                 "attachment 'data/x': a dimension is -1");
  EXPECT_FAILURE(set_view("data/x", with([&](dlcc_view& v) { v.dims = huge; }), &err), DLCC_E_SHAPE,
                 "attachment 'data/x': a dimension is 9223372036854775807");
  EXPECT_FAILURE(set_view("data/x", with([](dlcc_view& v) { v.nbytes = 31; }), &err), DLCC_E_SHAPE,
                 "attachment 'data/x': 31 bytes, expected 32");
  EXPECT_FAILURE(set_view("data/x", with([](dlcc_view& v) { v.data = nullptr; }), &err), DLCC_E_ARG,
                 "attachment 'data/x': data is null");
  EXPECT_EQ(get(one, "data/x"), std::vector<double>{});
}

} // namespace

// Weights from another model's checkpoint or from somebody else's file: all of them by name, or what fits.
#include "tests/runtime/fake_module.h"

#include "runtime/core/checkpoint.h"
#include "runtime/core/safetensors.h"

using namespace dlcc::test;

namespace {

struct NamedTensor {
  std::string name;
  int32_t dtype = DLCC_F32;
  std::vector<int64_t> dims = {3};
};

// What a file holds beside the metadata, and what a load says of it.
struct Case {
  std::string name;
  std::vector<NamedTensor> tensors; // by the names of a checkpoint
  std::string differences;          // empty: it fits
  bool complete = true;             // with DLCC_LOAD_PARTIAL: all of the state is there
  bool nothing_fits = false;
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

const NamedTensor kernel = {"param/dense/kernel"}, buffer = {"buffer/mean", DLCC_F64, {2}};

const Case cases[] = {
    {"Whole", {kernel, buffer}, ""},
    {"WithAccumulatorsOfItsOwn", {kernel, buffer, {"buffer/auc", DLCC_F64, {9}}}, ""},
    {"WithAnAccumulatorOfAnotherType", {kernel, buffer, {"buffer/total", DLCC_F64, {9}}}, ""},
    {"WithSlots", {kernel, buffer, {"opt/dense/kernel/v"}}, ""},
    {"OneMissing", {buffer}, "missing: 'param/dense/kernel'", false},
    {"ABufferMissing", {kernel}, "missing: 'buffer/mean'", false},
    {"OneMore", {kernel, buffer, {"param/other/kernel"}}, "not in this model: 'param/other/kernel'"},
    {"OtherShape",
     {{"param/dense/kernel", DLCC_F32, {3, 1}}, buffer},
     "of another type: 'param/dense/kernel' is f32 [3, 1] there and f32 [3] here",
     false},
    {"OtherDtype",
     {{"param/dense/kernel", DLCC_F64}, buffer},
     "of another type: 'param/dense/kernel' is f64 [3] there and f32 [3] here",
     false},
    {"Renamed",
     {{"param/dense_1/kernel"}, buffer},
     "missing: 'param/dense/kernel'; not in this model: 'param/dense_1/kernel'",
     false},
    {"AllAtOnce",
     {{"param/a"}, {"param/b"}, {"buffer/mean", DLCC_F64, {4}}},
     "missing: 'param/dense/kernel'; of another type: 'buffer/mean' is f64 [4] there and f64 [2] here; not in this "
     "model: 'param/a', 'param/b'",
     false,
     true},
};

class WeightsFile : public testing::Test {
protected:
  // A running mean and an accumulator share the region of buffers.
  void open(Handles& h, bool ready) {
    static const int64_t dims[] = {2};
    dlcc_tensor_desc mean = h.fake.tensor("buffer/total");
    mean.name = "buffer/mean", mean.dims = dims, mean.offset = 16;
    h.fake.tensor("buffer/total").kind = DLCC_T_ACCUMULATOR;
    h.fake.tensors.push_back(mean);
    h.fake.info.tensors = h.fake.tensors.data(), ++h.fake.info.n_tensors;
    h.fake.regions[DLCC_REG_BUFFER] = 32;
    h.open();
    if (ready) {
      ASSERT_EQ(dlcc_init(h.session, 1, &h.error), DLCC_OK);
    }
  }
  void write(const Case& c, bool plain) const {
    std::vector<dlcc::runtime::TensorToSave> tensors;
    for (const NamedTensor& t : c.tensors) tensors.push_back({t.name, t.dtype, t.dims, values});
    if (!plain) return dlcc::runtime::write_checkpoint(path, {{"dlcc.format", "1"}, {"dlcc.flags", "1"}}, tensors);
    std::vector<dlcc::runtime::StoredTensor> stored;
    std::string data;
    for (const auto& t : tensors) {
      dlcc::runtime::StoredTensor& s = stored.emplace_back();
      s.name = t.name.substr(t.name.find('/') + 1), s.dtype = t.dtype, s.dims = t.dims;
    }
    const std::string header = dlcc::runtime::format_safetensors_header({}, stored);
    for (const auto& s : stored) data.append(reinterpret_cast<const char*>(values), s.bytes());
    write_file(path, header + data);
  }

  static constexpr double values[16] = {1.5, 2.5, 3.5};
  TemporaryFolder folder;
  std::string path = folder / "w.safetensors";
};

class Weights : public WeightsFile, public testing::WithParamInterface<Case> {};

} // namespace

TEST_P(Weights, MustAllFit) {
  const Case& c = GetParam();
  for (bool ready : {false, true}) {
    Handles h;
    open(h, ready);
    write(c, false);
    const std::vector<float> before = ready ? h.read("param/dense/kernel") : std::vector<float>{};
    if (c.differences.empty()) {
      ASSERT_EQ(dlcc_checkpoint_load(h.session, path.c_str(), DLCC_SAVE_PARAMS | DLCC_LOAD_WEIGHTS, &h.error), DLCC_OK)
          << h.error.message;
      EXPECT_EQ(h.read("param/dense/kernel")[1], reinterpret_cast<const float*>(values)[1]);
      continue;
    }
    EXPECT_FAILURE(dlcc_checkpoint_load(h.session, path.c_str(), DLCC_SAVE_PARAMS | DLCC_LOAD_WEIGHTS, &err),
                   DLCC_E_MISMATCH, "'" + path + "' does not fit this model: " + c.differences);
    if (ready) {
      EXPECT_EQ(h.read("param/dense/kernel"), before);
    }
    Batch b;
    EXPECT_EQ(h.train(b), ready ? DLCC_OK : DLCC_E_STATE) << "half a state";
  }
}

TEST_P(Weights, MayFitInPart) {
  const Case& c = GetParam();
  write(c, false);
  for (bool ready : {false, true}) {
    Handles h;
    open(h, ready);
    const dlcc_status expected = c.nothing_fits ? DLCC_E_MISMATCH : ready || c.complete ? DLCC_OK : DLCC_E_STATE;
    EXPECT_EQ(dlcc_checkpoint_load(h.session, path.c_str(), DLCC_SAVE_PARAMS | DLCC_LOAD_PARTIAL, &h.error), expected)
        << h.error.message;
    if (expected != DLCC_OK) {
      EXPECT_NE(std::string(h.error.message).find(c.differences), std::string::npos);
    }
  }
}

// A file of another program: bare names, no roles, so that every tensor counts.
TEST_P(Weights, OfAPlainFileLikewise) {
  const Case& c = GetParam();
  write(c, true);
  Handles h;
  open(h, true);
  const dlcc_status status =
      dlcc_checkpoint_load(h.session, path.c_str(), DLCC_SAVE_PARAMS | DLCC_LOAD_WEIGHTS, &h.error);
  const bool more = c.name == "WithAccumulatorsOfItsOwn" || c.name == "WithSlots";
  EXPECT_EQ(status, c.differences.empty() && !more ? DLCC_OK : DLCC_E_MISMATCH) << h.error.message;
  if (status == DLCC_OK) {
    EXPECT_EQ(h.read("param/dense/kernel")[1], reinterpret_cast<const float*>(values)[1]);
  }
}

INSTANTIATE_TEST_SUITE_P(All, Weights, testing::ValuesIn(cases), [](const auto& info) { return info.param.name; });

// However many differ: one line that a terminal can hold.
TEST_F(WeightsFile, ManyNamesAreCounted) {
  std::vector<dlcc::runtime::TensorToSave> tensors;
  for (int i = 0; i < 1000; ++i)
    tensors.push_back({"param/layer_" + std::to_string(i) + "/kernel", DLCC_F32, {3}, values});
  dlcc::runtime::write_checkpoint(path, {{"dlcc.format", "1"}, {"dlcc.flags", "1"}}, tensors);
  Handles h;
  open(h, true);
  EXPECT_FAILURE(dlcc_checkpoint_load(h.session, path.c_str(), DLCC_SAVE_PARAMS | DLCC_LOAD_WEIGHTS, &err),
                 DLCC_E_MISMATCH,
                 "'" + path +
                     "' does not fit this model: missing: 'param/dense/kernel', 'buffer/mean'; not in this model: "
                     "'param/layer_0/kernel', 'param/layer_1/kernel', 'param/layer_2/kernel' and 997 more");
}

// What a load asks for must be there, whatever the flags.
TEST_F(WeightsFile, AFileWithoutParametersHasNoWeights) {
  Handles h;
  open(h, true);
  ASSERT_EQ(dlcc_checkpoint_save(h.session, path.c_str(), DLCC_SAVE_OPT, &h.error), DLCC_OK);
  for (int how : {int{DLCC_LOAD_WEIGHTS}, int{DLCC_LOAD_PARTIAL}, 0})
    EXPECT_FAILURE(dlcc_checkpoint_load(h.session, path.c_str(), static_cast<uint32_t>(DLCC_SAVE_PARAMS | how), &err),
                   DLCC_E_NOTFOUND, "'" + path + "' has no parameters");
}

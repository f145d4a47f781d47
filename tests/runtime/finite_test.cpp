// Which parts of a state have to be finite: all that training changes, and nothing else.
#include "tests/runtime/fake_module.h"

#include <cmath>

using namespace dlcc::test;

namespace {

// One tensor holds a NaN or an infinity behind numbers; the others are as init left them.
dlcc_status check_with(Handles& h, const char* name, double bad, dlcc_error* err) {
  h.open();
  EXPECT_EQ(dlcc_init(h.session, 1, &h.error), DLCC_OK) << h.error.message;
  EXPECT_EQ(dlcc_check_finite(h.session, &h.error), DLCC_OK) << h.error.message;
  const dlcc_tensor_desc& t = h.fake.tensor(name);
  const auto n = static_cast<size_t>(t.dims[0]);
  std::vector<float> f32(n, 1);
  std::vector<double> f64(n, 1);
  f32[n - 1] = static_cast<float>(bad), f64[n - 1] = bad;
  void* data = t.dtype == DLCC_F32 ? static_cast<void*>(f32.data()) : f64.data();
  const dlcc_view view{data, t.dtype, t.rank, t.dims, t.nbytes, {0, 0}};
  EXPECT_EQ(dlcc_tensor_write(h.session, name, &view, &h.error), DLCC_OK) << h.error.message;
  return dlcc_check_finite(h.session, err);
}

} // namespace

TEST(Finite, WhatTrainingChanges) {
  for (double bad : {double{NAN}, double{INFINITY}, -double{INFINITY}})
    for (const char* name : {"param/dense/kernel", "opt/dense/kernel/m", "buffer/total"}) {
      Handles h;
      dlcc_error err{};
      EXPECT_EQ(check_with(h, name, bad, &err), DLCC_E_NONFINITE) << name;
      const std::string last = name == std::string("buffer/total") ? "1" : "2";
      EXPECT_NE(std::string(err.message).find("'" + std::string(name) + "' is not finite from element " + last + " on"),
                std::string::npos)
          << err.message;
    }
}

// What a metric adds up may have no finite value; a parameter without a gradient may be a mask of infinities.
TEST(Finite, NotMetricsNorFrozenParameters) {
  Handles metric, frozen;
  dlcc_error err{};
  metric.fake.tensor("buffer/total").kind = DLCC_T_ACCUMULATOR;
  EXPECT_EQ(check_with(metric, "buffer/total", NAN, &err), DLCC_OK) << err.message;
  frozen.fake.tensor("grad/dense/kernel").name = "grad/another/kernel";
  EXPECT_EQ(check_with(frozen, "param/dense/kernel", INFINITY, &err), DLCC_OK) << err.message;
}

// Every golden model, trained 100 steps in double and in single precision, against its trajectory from PyTorch's
// gradients and update rules written apart from dlcc (make_goldens.py).
#include "tests/goldens/golden.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace dlcc::goldens {
namespace {

class Parity : public testing::TestWithParam<std::string> {
protected:
  tools::LoadedModule load(const std::string& dtype) {
    tools::CompileOptions options;
    options.overrides.dtype = dtype;
    return tools::LoadedModule::wrap(compile(golden.model, options).jit());
  }

  Golden golden = read_golden(GetParam());
};

// Within `relative` of each value, or of a thousandth where the value is smaller than that.
void expect_close(const Tensor& got, const Tensor& want, double relative, const std::string& what) {
  ASSERT_EQ(got.dims, want.dims) << what;
  for (size_t i = 0; i < want.values.size(); ++i)
    ASSERT_NEAR(got.values[i], want.values[i], relative * std::max(std::abs(want.values[i]), 1e-3))
        << what << " [" << i << "]";
}

TEST_P(Parity, DoubleFollowsTheWholeTrajectory) {
  const tools::LoadedModule module = load("f64");
  Training run(golden.model, module, 2);
  run.start();
  ASSERT_EQ(golden.losses.size(), 100u);
  ASSERT_EQ(golden.parameters.count(100), 1u);
  for (int k = 0; k < 100; ++k) {
    const double want = golden.losses[static_cast<size_t>(k)];
    ASSERT_NEAR(run.step(), want, 1e-9 * std::max(std::abs(want), 1e-3)) << "loss of step " << k;
    if (!golden.parameters.count(k + 1)) continue;
    for (const auto& [name, value] : golden.parameters[k + 1])
      expect_close(run.read(name), value, 1e-9, name + " after " + std::to_string(k + 1) + " steps");
  }
}

TEST_P(Parity, SingleFollowsTheLosses) {
  const tools::LoadedModule module = load("f32");
  Training run(golden.model, module, 2);
  run.start();
  for (size_t k = 0; k < golden.losses.size(); ++k)
    ASSERT_NEAR(run.step(), golden.losses[k], 1e-4) << "loss of step " << k;
}

INSTANTIATE_TEST_SUITE_P(Goldens, Parity, testing::ValuesIn(golden_names()),
                         [](const auto& info) { return info.param; });

// A model without a file, or a file without a model, would go untested.
TEST(Goldens, EveryModelMovesItsParameters) {
  EXPECT_GE(golden_names().size(), 8u);
  for (const std::string& name : golden_names()) {
    Golden golden = read_golden(name);
    EXPECT_GE(golden.model.batches.size(), 2u) << name;
    EXPECT_NE(golden.losses.front(), golden.losses.back()) << name;
    for (const auto& [parameter, first] : golden.model.initial)
      EXPECT_EQ(first.values == golden.parameters[100][parameter].values, parameter.starts_with("fixed/"))
          << name << " " << parameter;
  }
}

} // namespace
} // namespace dlcc::goldens

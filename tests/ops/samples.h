// Operands for the samples of the operator records.
#pragma once

#include "ir/ops/ops.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace dlcc::testing {

/// Values within the sample's range; floats exact in their type and away from its kinks.
inline Tensor random_operand(const graph::Sample& sample, size_t k, std::mt19937& random) {
  Tensor t(sample.operands[k]);
  graph::Range range = is_integer(t.type.dtype) ? graph::Range{0, 8} : graph::Range{-2, 2};
  if (k < sample.ranges.size()) range = sample.ranges[k];
  std::uniform_real_distribution<double> draw(range.low, range.high);
  auto near_kink = [&](double x) {
    for (double kink : sample.kinks)
      if (std::fabs(x - kink) < 1e-3) return true;
    return false;
  };
  for (double& x : t.data) {
    do x = range.low == range.high ? range.low : draw(random);
    while (near_kink(x));
    if (is_integer(t.type.dtype)) x = std::min(std::floor(x), std::ceil(range.high) - 1);
    if (t.type.dtype == DType::boolean) x = x > 0.5 * (range.low + range.high);
    if (t.type.dtype == DType::f32) x = static_cast<double>(static_cast<float>(x));
  }
  return t;
}

inline std::vector<Tensor> random_operands(const graph::Sample& sample, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::vector<Tensor> operands;
  for (size_t k = 0; k < sample.operands.size(); ++k) operands.push_back(random_operand(sample, k, random));
  return operands;
}

inline std::string name_of(const graph::OpDef& op, const graph::Sample& sample) {
  std::string text(op.name);
  for (const Type& t : sample.operands) text += " " + to_string(t);
  for (auto& [name, value] : sample.attributes) text += " " + name;
  return text;
}

/// Calls test(operator, sample, operands) for every sample of every operator.
template <class Test> void for_each_sample(Test test) {
  for (const graph::OpDef* op : ops::all_ops())
    for (const graph::Sample& sample : op->samples()) {
      SCOPED_TRACE(name_of(*op, sample));
      test(*op, sample, random_operands(sample));
    }
}

/// |a - b| <= tolerance * max(1, |b|), NaN and infinities being equal to themselves.
inline void expect_close(double a, double b, double tolerance) {
  if (std::isnan(b)) {
    EXPECT_TRUE(std::isnan(a)) << a;
  } else if (std::isinf(b)) {
    EXPECT_EQ(a, b);
  } else {
    EXPECT_NEAR(a, b, tolerance * std::max(1.0, std::fabs(b)));
  }
}

inline void expect_close(const std::vector<double>& a, const std::vector<double>& b, double tolerance) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    SCOPED_TRACE("element " + std::to_string(i));
    expect_close(a[i], b[i], tolerance);
  }
}

} // namespace dlcc::testing

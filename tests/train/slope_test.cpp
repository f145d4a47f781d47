// Derivatives by differences: right where there is one, and known where there is none.
#include "tools/train/slope.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace dlcc::training::test {

namespace {

struct Function {
  std::string name;
  double (*f)(double);
  double (*slope)(double);
};

const Function smooth[] = {
    {"Sine", [](double x) { return std::sin(x); }, [](double x) { return std::cos(x); }},
    {"ExponentialOfFive", [](double x) { return std::exp(5 * x); }, [](double x) { return 5 * std::exp(5 * x); }},
    {"SteepTanh", [](double x) { return std::tanh(300 * x); },
     [](double x) { return 300 / std::pow(std::cosh(300 * x), 2); }},
    {"WithALargeConstant", [](double x) { return 1e4 + x * x * x; }, [](double x) { return 3 * x * x; }},
    {"Small", [](double x) { return 1e-6 * std::sin(x); }, [](double x) { return 1e-6 * std::cos(x); }},
    {"Large", [](double x) { return 1e9 * std::atan(x); }, [](double x) { return 1e9 / (1 + x * x); }},
    {"SquareRoot", [](double x) { return std::sqrt(x + 3); }, [](double x) { return 0.5 / std::sqrt(x + 3); }},
    {"Curved", [](double x) { return 40 * x * x + x; }, [](double x) { return 80 * x + 1; }},
};

// Points on both sides of 0, exact numbers and others.
constexpr double points[] = {-1.7, -0.5, -1e-3, 0, 1e-5, 0.013, 0.25, 1.1};

Slope slope(double x, const std::function<double(double)>& f, double typical) {
  SlopeRequest r;
  r.x = x, r.at_x = f(x), r.scale = std::max(std::fabs(x), 0.5), r.typical = typical, r.tolerance = 1e-7;
  return slope_at(r, f);
}

} // namespace

TEST(Slope, OfSmoothFunctions) {
  for (const Function& f : smooth)
    for (double x : points) {
      const double truth = f.slope(x);
      const Slope s = slope(x, f.f, std::fabs(truth));
      const std::string where = f.name + " at " + std::to_string(x);
      // What is beyond the digits of the values is said to be.
      if (s.kind == Slope::Kind::unclear) {
        EXPECT_LT(std::fabs(truth), 1e-4 * std::fabs(f.f(x))) << where;
        continue;
      }
      ASSERT_EQ(s.kind, Slope::Kind::smooth) << where;
      EXPECT_LE(std::fabs(s.value - truth), s.error + 1e-12 * std::fabs(truth)) << where;
      EXPECT_LE(s.error, std::max(1e-6 * std::fabs(truth), 1e-9 * std::fabs(f.f(x)))) << where;
    }
}

// Near a kink the slope is that of its side; on it there is none.
TEST(Slope, BesideAndOnKinks) {
  const std::function<double(double)> kinked[] = {
      [](double x) { return std::max(x, 0.0) + std::sin(x); }, [](double x) { return std::fabs(x) * 3; },
      [](double x) { return x > 0 ? 1.001 * x : x; }, [](double x) { return std::max(1e-3 * x, 0.0) + x * x; }};
  const double left[] = {1, -3, 1, 0}, right[] = {2, 3, 1.001, 1e-3};
  for (size_t i = 0; i < std::size(kinked); ++i)
    for (double distance = 1e-12; distance < 0.1; distance *= 3.7)
      for (double side : {-1.0, 1.0}) {
        const Slope s = slope(side * distance, kinked[i], std::fabs(right[i]));
        if (s.kind != Slope::Kind::smooth) continue;
        const double curved = i == 0 ? std::cos(distance) - 1 : i == 3 ? 2 * side * distance : 0;
        EXPECT_NEAR(s.value, (side < 0 ? left : right)[i] + curved, 1e-6 * std::fabs(right[i]) + s.error)
            << i << " at " << side * distance;
      }
  for (const auto& f : kinked) EXPECT_EQ(slope(0, f, 1).kind, Slope::Kind::kink);
  // Most points are not that near: all of these are seen.
  for (const auto& f : kinked) EXPECT_EQ(slope(1e-4, f, 1).kind, Slope::Kind::smooth);
}

TEST(Slope, ManyKinksLeaveRoomBetweenThem) {
  auto f = [](double x) {
    double sum = 0;
    for (int k = 0; k < 2000; ++k) sum += std::max(x - (k - 1000 + 0.37) * 1e-3, 0.0) * 1e-3;
    return sum;
  };
  EXPECT_NEAR(slope(0.2, f, 1).value, 1.2, 1e-6);
}

TEST(Slope, WhereTheFunctionIsNoNumber) {
  auto root = [](double x) { return std::sqrt(x); };
  EXPECT_NE(slope(0, root, 1).kind, Slope::Kind::smooth);
  EXPECT_NEAR(slope(1e-3, root, 10).value, 0.5 / std::sqrt(1e-3), 1e-5);
  auto none = [](double) { return std::numeric_limits<double>::quiet_NaN(); };
  EXPECT_EQ(slope(1, none, 1).kind, Slope::Kind::unclear);
}

} // namespace dlcc::training::test

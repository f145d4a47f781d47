// Mean and deviation of features, to the last bits also of numbers that are huge, tiny, or close together far from
// zero.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace dlcc::data {

struct Moments {
  std::vector<double> count, mean, deviation; ///< one a feature; of the population; 0 where nothing was seen
};

/// `visit(see)` calls `see(feature, number)` for every number, the same ones each time. Numbers are scaled by a power
/// of two to at most 1, so that no sum overflows and no square vanishes; the second sum corrects the mean (Chan, Golub
/// and LeVeque 1983, the corrected two-pass algorithm).
template <class Visit> Moments moments(size_t features, Visit visit) {
  Moments m{std::vector<double>(features, 0), std::vector<double>(features, 0), std::vector<double>(features, 0)};
  std::vector<double> largest(features, 0), unit(features, 1), rest(features, 0), square(features, 0);
  visit([&](size_t f, double y) { largest[f] = std::max(largest[f], std::fabs(y)), ++m.count[f]; });
  for (size_t f = 0; f < features; ++f)
    if (largest[f] > 0) unit[f] = std::ldexp(1, -std::clamp(std::ilogb(largest[f]), -1000, 1000));
  visit([&](size_t f, double y) { m.mean[f] += y * unit[f]; });
  for (size_t f = 0; f < features; ++f) m.mean[f] /= std::max(m.count[f], 1.0);
  visit([&](size_t f, double y) {
    const double d = y * unit[f] - m.mean[f];
    rest[f] += d, square[f] += d * d;
  });
  for (size_t f = 0; f < features; ++f) {
    const double n = std::max(m.count[f], 1.0);
    m.mean[f] = (m.mean[f] + rest[f] / n) / unit[f];
    m.deviation[f] = std::sqrt(std::max(square[f] - rest[f] * rest[f] / n, 0.0) / n) / unit[f];
  }
  return m;
}

} // namespace dlcc::data

#include "tools/train/slope.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace dlcc::training {

namespace {

constexpr int halvings = 3;                            // steps h, h/2, h/4
constexpr double first_step = 1e-2, shrink = 1.0 / 16; // relative to the scale; from one set of steps to the next
constexpr int sets = 5;                                // down to a step of 1.5e-7
constexpr double certainty = 4;                        // times its estimate an error is taken for
constexpr double noise_of_values = 16 * std::numeric_limits<double>::epsilon(); // of f, relative

struct Estimate {
  double value = 0, error = 0;
};

using Row = std::array<double, halvings>;

// Richardson: of two values for h and h/2 whose errors begin with h^p, the one without that term.
double without(int p, double h, double half) { return half + (half - h) / (std::exp2(p) - 1); }

// From rows whose errors are of orders p and q.
Estimate extrapolated(const Row& d, int p, int q) {
  const double first = without(p, d[0], d[1]), second = without(p, d[1], d[2]);
  const double last = without(q, first, second);
  return {last, std::max(std::fabs(last - second), std::fabs(second - first) / 64)};
}

struct Differences {
  Estimate slope, jump; // jump: between the slopes to the right and to the left
};

Differences differences(const SlopeRequest& r, double h, const std::function<double(double)>& f) {
  Row central{}, jump{};
  double largest = std::fabs(r.at_x);
  for (size_t k = 0; k < halvings; ++k, h /= 2) {
    const double up = r.x + h, down = r.x - h, above = f(up), below = f(down);
    central[k] = (above - below) / (up - down);
    jump[k] = (above - r.at_x) / (up - r.x) - (r.at_x - below) / (r.x - down);
    largest = std::max({largest, std::fabs(above), std::fabs(below)});
  }
  const double noise = noise_of_values * largest / (2 * h); // of the smallest step
  Differences d{extrapolated(central, 2, 4), extrapolated(jump, 1, 3)};
  d.slope.error += noise;
  d.jump.error += 4 * noise;
  return d;
}

} // namespace

Slope slope_at(const SlopeRequest& r, const std::function<double(double)>& f) {
  const double small = std::max(1e-3 * r.typical, 1e-4 * std::fabs(r.at_x) / r.scale);
  Slope best;
  best.error = std::numeric_limits<double>::infinity();
  bool kink = false;
  double h = first_step * r.scale;
  for (int set = 0; set < sets; ++set, h *= shrink) {
    const Differences d = differences(r, h, f);
    // A kink within the steps shifts the slope by less than its jump.
    const double error = certainty * d.slope.error + std::fabs(d.jump.value);
    if (!std::isfinite(d.slope.value) || !std::isfinite(error)) continue;
    const double wanted = r.tolerance * std::max(std::fabs(d.slope.value), small);
    kink = std::fabs(d.jump.value) > certainty * d.jump.error && std::fabs(d.jump.value) > wanted / 2;
    if (kink || error >= best.error) continue;
    best = {Slope::Kind::smooth, d.slope.value, error};
    if (error <= wanted) return best;
  }
  if (best.error > 1e-2 * std::max(std::fabs(best.value), small)) best.kind = Slope::Kind::unclear;
  if (kink) best.kind = Slope::Kind::kink;
  return best;
}

} // namespace dlcc::training

// slope.h: the derivative of a function by differences, with a bound of their error, or the reason why there is none.
#pragma once

#include <cstdint>
#include <functional>

namespace dlcc::training {

struct Slope {
  enum class Kind : uint8_t {
    smooth,
    kink,    ///< the function has two slopes there, or is no function of real numbers near it
    unclear, ///< it is too rough, or too large beside its changes, for differences to tell
  };
  Kind kind = Kind::unclear;
  double value = 0, error = 0; ///< of a smooth one
};

/// What differences need to know.
struct SlopeRequest {
  double x = 0;            ///< where
  double at_x = 0;         ///< the function there
  double scale = 1;        ///< how far x must move to matter: its own size, or that of its like
  double typical = 0;      ///< the size of slopes that matter; much smaller ones need only be seen to be small
  double tolerance = 1e-6; ///< the relative error that is good enough
};

/// Central differences extrapolated by Richardson, with smaller and smaller steps until their error is a small part of
/// the tolerance. Forward less backward differences, extrapolated too, tell a kink from curvature.
Slope slope_at(const SlopeRequest& request, const std::function<double(double)>& f);

} // namespace dlcc::training

#include "tools/train/watch.h"

#include "tools/train/text.h"

#include <algorithm>
#include <cmath>

namespace dlcc::training {

ReactiveSchedule ReactiveSchedule::plateau(double initial) {
  ReactiveSchedule s;
  s.kind = Kind::plateau;
  s.initial = initial;
  return s;
}

ReactiveSchedule ReactiveSchedule::adaptive(double initial) {
  ReactiveSchedule s;
  s.kind = Kind::adaptive;
  s.initial = initial;
  s.factor = 0.2;
  s.minimum = 1e-6;
  return s;
}

ReactiveSchedule ReactiveSchedule::inv_scaling(double initial, double power) {
  ReactiveSchedule s;
  s.kind = Kind::inv_scaling;
  s.initial = initial;
  s.power = power;
  return s;
}

bool Watch::update(double value, int64_t epoch) {
  const double gain = maximise ? value - best : best - value;
  // Infinities differ by NaN from themselves: no gain.
  if (std::isnan(value) || (best_epoch > 0 && !(gain > min_delta))) {
    ++wait;
    return false;
  }
  best = value;
  best_epoch = epoch;
  wait = 0;
  return true;
}

std::string Watch::text() const {
  return hex(best) + " " + std::to_string(best_epoch) + " " + std::to_string(wait) + " " + std::to_string(cooldown);
}

bool Watch::parse(const std::string& line) {
  const auto parts = split(line, ' ');
  return parts.size() == 4 && parse_double(parts[0], &best, true) && parse_integer(parts[1], &best_epoch) &&
         parse_integer(parts[2], &wait) && parse_integer(parts[3], &cooldown);
}

bool more_is_better(const std::vector<std::string>& maximised, const std::string& result) {
  const bool validates = result.starts_with("val_");
  return std::any_of(maximised.begin(), maximised.end(), [&](const std::string& metric) {
    return result == metric || (validates && result.substr(4) == metric);
  });
}

bool NoChange::too_long(double value, int64_t epoch) {
  // scikit-learn's _update_no_improvement_count: an epoch is without gain if it does not reach best + tol, while the
  // best itself moves with every gain however small.
  const bool first = watch.best_epoch == 0;
  const bool enough = watch.maximise ? value >= watch.best + tol : value <= watch.best - tol;
  const int64_t without = first || enough ? 0 : watch.wait + 1;
  watch.update(value, epoch);
  watch.wait = without;
  return without > patience;
}

double inv_scaling_rate(const ReactiveSchedule& s, int64_t samples) {
  return s.initial / std::pow(static_cast<double>(samples) + 1, s.power);
}

std::optional<double> plateau_rate(const ReactiveSchedule& s, Watch& watch, double value, int64_t epoch, double rate) {
  if (watch.cooldown > 0) {
    --watch.cooldown;
    watch.wait = 0;
  }
  const int64_t waited = watch.wait;
  if (watch.update(value, epoch)) return {};
  if (watch.cooldown > 0) watch.wait = waited;
  if (watch.wait < s.patience || watch.cooldown > 0) return {};
  watch.cooldown = s.cooldown;
  watch.wait = 0;
  if (!(rate > s.minimum)) return {};
  return std::max(rate * s.factor, s.minimum);
}

} // namespace dlcc::training

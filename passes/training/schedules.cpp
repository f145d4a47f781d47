#include "passes/training/schedules.h"

#include "ir/ops/build.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace dlcc::passes {

using namespace graph;
using ops::Term;

namespace {
struct Step {
  Builder& b;
  Term t;              ///< number of the update as f64
  const Attributes& a; ///< of the directive
  double initial;
  Term number(double x) const { return t.number(x); }
  /// `length`_steps in updates, or `length`_epochs in epochs of so many batches, of which some make one update.
  Term updates(const std::string& length) const;
};

Term Step::updates(const std::string& length) const {
  if (!a.has(length + "_epochs")) return number(a.number(length + "_steps", 1));
  constexpr const char* name = "steps_per_epoch";
  std::vector<Hyper>& hypers = b.module().hypers;
  auto hyper = std::find_if(hypers.begin(), hypers.end(), [&](const Hyper& h) { return h.name == name; });
  if (hyper == hypers.end()) hyper = hypers.insert(hypers.end(), {name, std::nan("")});
  Term steps{&b, b.hyper(name)};
  if (!std::isnan(hyper->value))
    steps = ops::where(steps == steps, steps, hyper->value); // NaN: the caller did not set it
  const Directive* accumulate = b.module().find_directive("accumulate");
  const double every = accumulate ? static_cast<double>(accumulate->attributes.integer("steps", 1)) : 1;
  return steps * (a.number(length + "_epochs") / every);
}

Term constant(Step s) { return s.number(s.initial); }

// initial * rate^(t / steps), the exponent whole with staircase
Term exponential(Step s) {
  Term p = s.t / s.updates("decay");
  if (s.a.boolean("staircase")) p = ops::floor(p);
  return s.initial * ops::power(s.a.number("decay_rate", 1), p);
}

// values[i] for boundaries[i-1] < t <= boundaries[i]
Term piecewise(Step s) {
  const auto& boundaries = s.a.numbers("boundaries");
  const auto& values = s.a.numbers("values");
  Term rate = s.number(values.back());
  for (size_t i = boundaries.size(); i-- > 0;) rate = ops::where(s.t <= boundaries[i], values[i], rate);
  return rate;
}

// (initial - end) * (1 - t / steps)^power + end; with cycle the steps grow to the next multiple that holds t
Term polynomial(Step s) {
  double end = s.a.number("end", 0.0001), power = s.a.number("power", 1);
  Term t = s.t, steps = s.updates("decay"), length = steps;
  if (s.a.boolean("cycle"))
    length = length * ops::maximum(-ops::floor(-(t / steps)), 1.0);
  else
    t = ops::minimum(t, steps);
  return (s.initial - end) * ops::power(1.0 - t / length, power) + end;
}

// initial / (1 + rate * t / steps)
Term inverse_time(Step s) {
  Term p = s.t / s.updates("decay");
  if (s.a.boolean("staircase")) p = ops::floor(p);
  return s.initial / (1.0 + s.a.number("decay_rate", 1) * p);
}

// From `rate` down to alpha * rate over the steps, along half a cosine.
Term cosine_decay(Term t, Term steps, double rate, double alpha) {
  Term fraction = ops::minimum(t, steps) / steps;
  Term decayed = 0.5 * (1.0 + ops::cos(fraction * std::numbers::pi));
  return rate * ((1.0 - alpha) * decayed + alpha);
}

// Keras' CosineDecay: linear warm-up from initial to warmup_target, then the decay from there.
Term cosine(Step s) {
  const double alpha = s.a.number("alpha", 0), target = s.a.number("warmup_target", s.initial);
  const Term steps = s.updates("decay");
  if (s.a.number("warmup_steps", 0) == 0 && s.a.number("warmup_epochs", 0) == 0)
    return cosine_decay(s.t, steps, target, alpha);
  const Term warmup = s.updates("warmup");
  Term rising = s.initial + (target - s.initial) * (s.t / warmup);
  return ops::where(s.t < warmup, rising, cosine_decay(s.t - warmup, steps, target, alpha));
}

// Keras' CosineDecayRestarts: period i lasts first * t_mul^i and starts at initial * m_mul^i.
Term cosine_restarts(Step s) {
  const double t_mul = s.a.number("t_mul", 2), m_mul = s.a.number("m_mul", 1), alpha = s.a.number("alpha", 0);
  Term completed = s.t / s.updates("first_decay"), period, fraction;
  if (t_mul == 1) {
    period = ops::floor(completed);
    fraction = completed - period;
  } else {
    // Geometric sum: 1 + m + ... + m^(i-1) = (1 - m^i) / (1 - m). The logarithm may round to just below a whole number.
    auto length = [&](Term i) { return (1.0 - ops::power(t_mul, i)) / (1.0 - t_mul); };
    period = ops::floor(ops::log(1.0 - completed * (1.0 - t_mul)) / std::log(t_mul));
    period = period + ops::where(length(period + 1.0) <= completed, 1.0, s.number(0));
    Term before = length(period);
    fraction = (completed - before) / ops::power(t_mul, period);
  }
  Term decayed = 0.5 * ops::power(m_mul, period) * (1.0 + ops::cos(fraction * std::numbers::pi));
  return s.initial * ((1.0 - alpha) * decayed + alpha);
}

struct ScheduleRow {
  std::string_view name;
  Term (*rate)(Step);
};
// The last three follow the results of epochs: the training loop sets the rate.
constexpr ScheduleRow schedules[] = {
    {"constant", constant},
    {"exponential", exponential},
    {"piecewise", piecewise},
    {"polynomial", polynomial},
    {"inverse_time", inverse_time},
    {"cosine", cosine},
    {"cosine_restarts", cosine_restarts},
    {"plateau", constant},
    {"adaptive", constant},
    {"inv_scaling", constant},
};
} // namespace

bool is_known_schedule(std::string_view name) {
  for (const ScheduleRow& row : schedules)
    if (row.name == name) return true;
  return false;
}

ValueId scheduled_rate(Builder& builder, const Directive& schedule) {
  Term t = ops::cast({&builder, builder.call_scalar("update")}, DType::f64);
  for (const ScheduleRow& row : schedules)
    if (row.name == schedule.name)
      return row.rate({builder, t, schedule.attributes, schedule.attributes.number("initial")});
  DLCC_CHECK(false, "unknown schedule '" + schedule.name + "'");
}

} // namespace dlcc::passes

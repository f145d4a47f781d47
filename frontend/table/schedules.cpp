// Learning rate schedules: those of Keras, plateau by epoch result, and scikit-learn's two.
#include "frontend/table/schema.h"

namespace dlcc::frontend {

namespace {
Key initial() { return number("initial").more_than(0).required("rate at step 0"); }
Key decay_steps() { return integer("decay_steps").at_least(1).optional("updates of the decay, or"); }
Key decay_epochs() { return number("decay_epochs").more_than(0).optional("its epochs"); }
Alternatives decay() { return {{"decay_steps", "decay_epochs"}, true}; }
Key decay_rate() { return number("decay_rate").more_than(0).required("strength of the decay"); }
Key staircase() { return boolean("staircase").defaults(false, "decay in whole steps"); }
Key alpha() {
  return number("alpha").at_least(0).at_most(1).defaults(0.0, "share of the rate that is left at the end");
}
} // namespace

std::vector<GroupDef> schedule_groups() {
  GroupDef g{Group::schedule, "schedule", "schedule", false, "constant"};
  g.records = {
      {"constant", "the same rate always", {initial()}, {}},
      {"exponential",
       "initial * decay_rate^(t / decay_steps)",
       {initial(), decay_steps(), decay_epochs(), decay_rate(), staircase()},
       {decay()}},
      {"inverse_time",
       "initial / (1 + decay_rate * t / decay_steps)",
       {initial(), decay_steps(), decay_epochs(), decay_rate(), staircase()},
       {decay()}},
      {"piecewise",
       "values[i] up to and with boundaries[i]",
       {list("boundaries", KeyKind::integers).at_least(0).at_least_entries(1).required("steps, ascending"),
        list("values", KeyKind::numbers).at_least(0).at_least_entries(2).required("rates, one more than boundaries")},
       {}},
      {"polynomial",
       "(initial - end) * (1 - t / decay_steps)^power + end",
       {initial(), decay_steps(), decay_epochs(), number("end").at_least(0).defaults(1e-4, "rate at the end"),
        number("power").more_than(0).defaults(1.0, "exponent"),
        boolean("cycle").defaults(false, "start again beyond the decay")},
       {decay()}},
      {"cosine",
       "half a cosine from initial to alpha * initial, after a linear warm-up",
       {number("initial").at_least(0).required("rate at step 0"), decay_steps(), decay_epochs(), alpha(),
        number("warmup_target").more_than(0).optional("rate at the end of the warm-up"),
        integer("warmup_steps").at_least(0).defaults(int64_t{0}, "updates of the warm-up, or"),
        number("warmup_epochs").at_least(0).optional("its epochs")},
       {decay(), {{"warmup_steps", "warmup_epochs"}}}},
      {"cosine_restarts",
       "cosine decay that starts again, each time t_mul longer and m_mul lower",
       {initial(), integer("first_decay_steps").at_least(1).optional("updates of the first decay, or"),
        number("first_decay_epochs").more_than(0).optional("its epochs"),
        number("t_mul").more_than(0).defaults(2.0, "factor on the length"),
        number("m_mul").more_than(0).defaults(1.0, "factor on the rate"), alpha()},
       {{{"first_decay_steps", "first_decay_epochs"}, true}}},
      {"plateau",
       "times factor after `patience` epochs without gain",
       {initial(), name_key("monitor").defaults("val_loss", "what is watched"),
        number("factor").more_than(0).below(1).defaults(0.1, "factor on the rate"),
        integer("patience").at_least(0).defaults(int64_t{10}, "epochs"),
        number("min_delta").at_least(0).defaults(1e-4, "the least gain that counts"),
        integer("cooldown").at_least(0).defaults(int64_t{0}, "epochs of rest after a reduction"),
        number("min").at_least(0).defaults(0.0, "the lowest rate")},
       {}},
      {"inv_scaling",
       "initial / (t + 1)^power after each epoch, t in samples (scikit-learn)",
       {initial(), number("power").at_least(0).defaults(0.5, "exponent")},
       {}},
      {"adaptive",
       "divided by 5 after more than n_iter_no_change (10) epochs without gain; at 1e-6 training ends (scikit-learn)",
       {initial()},
       {}},
  };
  return {g};
}

} // namespace dlcc::frontend

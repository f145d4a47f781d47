// Optimizers: names, arguments and defaults of Keras 3; the update rule of each stands at its builder.
#include "frontend/table/schema.h"

namespace dlcc::frontend {

namespace {
RecordDef optimizer(std::string name, std::string summary, double rate, std::vector<Key> own, double decay = 0.0) {
  std::vector<Key> keys;
  keys.push_back(record("learning_rate", Group::schedule).more_than(0).defaults(rate, "a number or a schedule"));
  for (Key& key : own) keys.push_back(std::move(key));
  keys.push_back(
      number("weight_decay").at_least(0).defaults(decay, "decoupled: w -= w * weight_decay * learning_rate"));
  keys.push_back(number("clip_norm").more_than(0).optional("largest norm of each parameter's gradient"));
  keys.push_back(number("clip_value").more_than(0).optional("largest magnitude of a gradient's element"));
  keys.push_back(number("clip_global_norm").more_than(0).optional("largest norm of all gradients together"));
  keys.push_back(integer("accumulate_steps")
                     .at_least(1)
                     .at_most(1e6)
                     .defaults(int64_t{1}, "batches whose mean gradient makes one update"));
  keys.push_back(choice("preset", {"keras", "sklearn"})
                     .defaults("keras", "whose defaults and rules for initial weights, penalty and stopping"));
  keys.push_back(number("alpha")
                     .only_with("preset", "sklearn")
                     .at_least(0)
                     .defaults(1e-4, "adds 0.5 * alpha * sum w^2 / batch size"));
  keys.push_back(integer("n_iter_no_change")
                     .only_with("preset", "sklearn")
                     .at_least(1)
                     .defaults(int64_t{10}, "epochs without gain before it stops"));
  keys.push_back(number("tol").only_with("preset", "sklearn").at_least(0).defaults(1e-4, "the least gain that counts"));
  keys.push_back(boolean("early_stopping")
                     .only_with("preset", "sklearn")
                     .defaults(false, "judge by a stratified part kept aside"));
  keys.push_back(
      number("validation_fraction").only_with("preset", "sklearn").more_than(0).below(1).defaults(0.1, "that part"));
  return {std::move(name), std::move(summary), std::move(keys), {{{"clip_norm", "clip_value", "clip_global_norm"}}}};
}
Key momentum() {
  return number("momentum").at_least(0).at_most(1).defaults(0.0, "share of the last update that is kept");
}
Key beta(std::string name, double value) {
  return number(std::move(name)).at_least(0).below(1).defaults(value, "decay of a running mean");
}
Key epsilon() { return number("epsilon").more_than(0).defaults(1e-7, "keeps the divisor from zero"); }
std::vector<Key> adam_keys() {
  return {beta("beta_1", 0.9), beta("beta_2", 0.999), epsilon(),
          boolean("amsgrad").defaults(false, "divide by the largest second moment so far")};
}
} // namespace

std::vector<GroupDef> optimizer_groups() {
  GroupDef g{Group::optimizer, "optimizer", "type", true};
  g.records = {
      optimizer("sgd", "v = momentum v - lr g; w += v", 0.01,
                {momentum(), boolean("nesterov").defaults(false, "w += momentum v - lr g")}),
      optimizer("adam", "w -= lr sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(v) + eps)", 0.001, adam_keys()),
      optimizer("adamw", "adam with decoupled weight decay", 0.001, adam_keys(), 0.004),
      optimizer("rmsprop", "w -= lr g / sqrt(v + eps)", 0.001,
                {number("rho").at_least(0).below(1).defaults(0.9, "decay of the mean square"), momentum(), epsilon(),
                 boolean("centered").defaults(false, "subtract the square of the mean gradient")}),
  };
  return {g};
}

} // namespace dlcc::frontend

#include "passes/training/optimizers.h"

namespace dlcc::passes {

using ops::Term;

namespace {
// v = momentum * v - lr * g;  w += v, or with Nesterov w += momentum * v - lr * g   (Sutskever et al. 2013)
Term sgd(UpdateContext& c) {
  double momentum = c.a.number("momentum", 0);
  Term step = c.narrow(c.rate) * c.g;
  if (momentum == 0) return c.w - step;
  Term v = momentum * c.slot("velocity") - step;
  c.set_slot("velocity", v);
  return c.a.boolean("nesterov") ? c.w + (momentum * v - step) : c.w + v;
}

// m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2;  w -= lr sqrt(1 - b2^t) / (1 - b1^t) * m / (sqrt(v) + eps)
// (Kingma & Ba 2015, section 2's last form)
Term adam(UpdateContext& c) {
  double b1 = c.a.number("beta_1", 0.9), b2 = c.a.number("beta_2", 0.999), epsilon = c.a.number("epsilon", 1e-7);
  Term m = b1 * c.slot("m") + (1 - b1) * c.g;
  Term v = b2 * c.slot("v") + (1 - b2) * ops::square(c.g);
  c.set_slot("m", m), c.set_slot("v", v);
  if (c.a.boolean("amsgrad")) { // Reddi et al. 2018
    v = ops::maximum(c.slot("v_max"), v);
    c.set_slot("v_max", v);
  }
  Term rate = c.rate * ops::sqrt(1.0 - ops::power(b2, c.t)) / (1.0 - ops::power(b1, c.t));
  return c.w - c.narrow(rate) * m / (ops::sqrt(v) + epsilon);
}

// v = rho v + (1 - rho) g^2, minus the squared mean gradient if centered;  w -= lr g / sqrt(v + eps)
// (Tieleman & Hinton 2012; Graves 2013 for the centered form)
Term rmsprop(UpdateContext& c) {
  double rho = c.a.number("rho", 0.9), momentum = c.a.number("momentum", 0), epsilon = c.a.number("epsilon", 1e-7);
  Term v = rho * c.slot("v") + (1 - rho) * ops::square(c.g);
  c.set_slot("v", v);
  Term spread = v + epsilon;
  if (c.a.boolean("centered")) {
    Term mean = rho * c.slot("mean") + (1 - rho) * c.g;
    c.set_slot("mean", mean);
    spread = spread - ops::square(mean);
  }
  Term step = c.narrow(c.rate) * c.g / ops::sqrt(spread);
  if (momentum == 0) return c.w - step;
  Term moved = momentum * c.slot("momentum") + step;
  c.set_slot("momentum", moved);
  return c.w - moved;
}

struct OptimizerRow {
  std::string_view name;
  UpdateRule rule;
};
// adamw is adam with decoupled weight decay (Loshchilov & Hutter 2019), which every optimizer may have.
constexpr OptimizerRow optimizers[] = {{"sgd", sgd}, {"adam", adam}, {"adamw", adam}, {"rmsprop", rmsprop}};
} // namespace

UpdateRule find_update_rule(std::string_view optimizer) {
  for (const OptimizerRow& row : optimizers)
    if (row.name == optimizer) return row.rule;
  return nullptr;
}

} // namespace dlcc::passes

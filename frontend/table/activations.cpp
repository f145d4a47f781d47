// Activations: names and arguments of Keras. The operator of the same name has the equation's source.
#include "frontend/table/schema.h"

namespace dlcc::frontend {

std::vector<GroupDef> activation_groups() {
  GroupDef g{Group::activation, "activation", "type", true};
  g.records = {
      {"linear", "x", {}, {}},
      {"relu", "max(x, 0)", {}, {}},
      {"relu6", "min(max(x, 0), 6)", {}, {}},
      {"leaky_relu",
       "x if x > 0, else negative_slope * x",
       {number("negative_slope").at_least(0).defaults(0.2, "slope below zero")},
       {}},
      {"elu",
       "x if x > 0, else alpha * (exp(x) - 1)",
       {number("alpha").at_least(0).defaults(1.0, "limit below zero")},
       {}},
      {"selu", "scaled elu that keeps mean 0 and variance 1", {}, {}},
      {"gelu", "x * Phi(x)", {boolean("approximate").defaults(false, "the tanh formula in place of erf")}, {}},
      {"silu", "x * sigmoid(x)", {}, {}},
      {"sigmoid", "1 / (1 + exp(-x))", {}, {}},
      {"hard_sigmoid", "relu6(x + 3) / 6", {}, {}},
      {"tanh", "hyperbolic tangent", {}, {}},
      {"softplus", "log(1 + exp(x))", {}, {}},
      {"softsign", "x / (1 + |x|)", {}, {}},
      {"exp", "exp(x)", {}, {}},
      {"softmax", "exp(x) / sum exp(x), over the last axis", {}, {}},
      {"log_softmax", "log(softmax(x))", {}, {}},
  };
  return {g};
}

} // namespace dlcc::frontend

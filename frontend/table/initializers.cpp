// Initialisers of parameters and penalties on them: names, arguments and defaults of Keras.
#include "frontend/table/schema.h"

namespace dlcc::frontend {

namespace {
Key deviation() { return number("stddev").at_least(0).defaults(0.05, "standard deviation"); }
Key mean() { return number("mean").defaults(0.0, "mean"); }
} // namespace

std::vector<GroupDef> initializer_groups() {
  GroupDef initializers{Group::initializer, "initializer", "type", true};
  initializers.records = {
      {"zeros", "0", {}, {}},
      {"ones", "1", {}, {}},
      {"constant", "the same value everywhere", {number("value").defaults(0.0, "the value")}, {}},
      {"random_normal", "normal", {mean(), deviation()}, {}},
      {"truncated_normal", "normal within two deviations", {mean(), deviation()}, {}},
      {"random_uniform",
       "uniform",
       {number("minval").defaults(-0.05, "least value"), number("maxval").defaults(0.05, "greatest value")},
       {}},
      {"glorot_uniform", "uniform(-b, b), b = sqrt(6 / (in + out))", {}, {}},
      {"glorot_normal", "truncated normal of variance 2 / (in + out)", {}, {}},
      {"he_uniform", "uniform(-b, b), b = sqrt(6 / in)", {}, {}},
      {"he_normal", "truncated normal of variance 2 / in", {}, {}},
      {"lecun_uniform", "uniform(-b, b), b = sqrt(3 / in)", {}, {}},
      {"lecun_normal", "truncated normal of variance 1 / in", {}, {}},
      {"variance_scaling",
       "variance scale / n, n by mode",
       {number("scale").more_than(0).defaults(1.0, "factor on the variance"),
        choice("mode", {"fan_in", "fan_out", "fan_avg"}).defaults("fan_in", "what n is"),
        choice("distribution", {"truncated_normal", "untruncated_normal", "uniform"})
            .defaults("truncated_normal", "shape")},
       {}},
      {fan_uniform,
       "uniform(-b, b), b = sqrt(factor / (in + out)) of the layer, for its bias too (scikit-learn)",
       {number("factor").more_than(0).defaults(6.0, "6, or 2 where hidden layers are logistic")},
       {}},
      {"orthogonal", "orthonormal rows or columns", {number("gain").defaults(1.0, "factor")}, {}},
      {"identity", "ones on the diagonal", {number("gain").defaults(1.0, "factor")}, {}},
  };
  GroupDef regularizers{Group::regularizer, "regularizer", "", true};
  regularizers.records = {{"regularizer",
                           "l1 * sum |w| + l2 * sum w^2, added to the loss",
                           {number("l1").at_least(0).defaults(0.0, "factor on the magnitudes"),
                            number("l2").at_least(0).defaults(0.0, "factor on the squares")},
                           {}}};
  return {initializers, regularizers};
}

} // namespace dlcc::frontend

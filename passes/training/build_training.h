// Differentiates the loss and writes the entries of training: train_step, gradients, apply,
// learning_rate, init.
//
// Expects of the module: a function `loss` (inputs, labels, n_valid, ... -> the loss as an f64 scalar; its metric
// updates come along), the directives `optimizer`, `schedule` and, optionally, `clip`, `accumulate` and `train`. Adds
// the optimizer's slots and the gradient accumulators to the states; drops functions that are no entries.
//
// The order within an update: gradients averaged over accumulated batches, clipped, decoupled weight decay
// w -= w * decay * rate, the optimizer's rule. Regularisers are part of the loss and so of its gradient.
#pragma once

#include "passes/pass.h"

namespace dlcc::passes {

graph::Module build_training(graph::Module module, PassContext& context);

} // namespace dlcc::passes

// Replaces numerically poor combinations by the operator that computes the same stably. Named rules, applied to every
// function before the gradient is taken, so that the gradient is stable too:
//
//   sigmoid-crossentropy          binary_crossentropy(sigmoid(z), y)              = bce_with_logits(z, y)
//   softmax-crossentropy          categorical_crossentropy(softmax(z), y)         = softmax_crossentropy(z, y)
//   softmax-sparse-crossentropy   sparse_categorical_crossentropy(softmax(z), y)  = sparse_softmax_crossentropy(z, y)
//   log-softmax                   log(softmax(z))                                 = log_softmax(z)
//   log-sigmoid                   log(sigmoid(z))                                 = -softplus(-z)
//
// The activation is seen through everything that moves or keeps its elements (probabilities.h): reshape, transpose,
// slice, concat, casts, times 1. Where a loss takes probabilities that were changed otherwise, a warning says so.
#pragma once

#include "passes/pass.h"

namespace dlcc::passes {

graph::Module stabilise(graph::Module module, PassContext& context);

} // namespace dlcc::passes

// Update rules of the optimizers: one function and one row of a table each, as MODEL_FORMAT's "Optimizers" states them
// (Keras 3's rules). A rule turns a parameter, its gradient and its slots into their next versions, as graph nodes.
#pragma once

#include "ir/ops/build.h"

#include <functional>
#include <string>

namespace dlcc::passes {

/// What a rule sees.
struct UpdateContext {
  graph::Builder& b;
  const Attributes& a; ///< of the optimizer directive
  ops::Term w, g;      ///< parameter and gradient, in the parameter's type
  ops::Term rate;      ///< learning rate of this parameter, f64 scalar
  ops::Term t;         ///< number of this update, from 1, f64 scalar
  /// The current value of the slot with that name, zeros at first, of the parameter's type; declared on first use.
  std::function<ops::Term(std::string_view)> slot;
  std::function<void(std::string_view, ops::Term)> set_slot;
  /// A double scalar in the parameter's element type.
  ops::Term narrow(ops::Term x) const { return ops::cast(x, w.dtype()); }
};

using UpdateRule = ops::Term (*)(UpdateContext&); ///< returns the next parameter
/// Null if there is no optimizer of that name.
UpdateRule find_update_rule(std::string_view optimizer);

} // namespace dlcc::passes

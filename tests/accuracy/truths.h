// What every elementwise operator, activation and loss has to give, and its derivatives, as formulas of MPFR numbers.
#pragma once

#include "ir/ops/ops.h"
#include "tests/accuracy/exact.h"

#include <functional>
#include <span>

namespace dlcc::testing {

/// The operands of one sample one after the other (a row of each), and which element of the row is asked for.
using Formula = std::function<Exact(const Exact* x, size_t element)>;

/// Elements of a row, for operators that work on rows.
inline constexpr size_t classes = 4;

/// Which operands a sample is made of.
enum class Points {
  line,           ///< one operand, every magnitude of both signs and zero
  pairs,          ///< two operands, a grid of magnitudes
  residuals,      ///< a prediction and a label whose difference has every magnitude
  signs,          ///< every magnitude with labels -1, 0, 1
  labels,         ///< every magnitude with labels 0, 1 and between
  counts,         ///< two operands that are not negative
  rows,           ///< rows of one operand whose elements have widely different magnitudes
  labelled,       ///< such rows with rows of labels
  indexed,        ///< such rows with the index of a class
  shares,         ///< rows of positive numbers with rows of labels
  indexed_shares, ///< such rows with the index of a class
};

struct Truth {
  const graph::OpDef* op;
  Points points;
  Formula value;
  std::vector<Formula> gradients = {}; ///< by operand; none: it has no derivative
  /// What the error is measured by where the record names it (graph::ErrorBound::of); otherwise the result itself.
  /// Infinite where nothing is promised.
  Formula value_scale = nullptr;
  std::vector<Formula> gradient_scales = {}; ///< by operand
  Attributes attributes = {};
  bool limits = true;       ///< the value at an infinity is the limit there
  bool first_alone = false; ///< the gradient is that of the first element of each row instead of the sum of all
};

/// In each type the constants of a formula are those of the type: epsilon = 1e-7 is its nearest f32.
std::vector<Truth> elementwise_truths(DType t);
std::vector<Truth> loss_truths(DType t);
std::vector<Truth> row_truths(DType t);

} // namespace dlcc::testing

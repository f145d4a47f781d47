// What every file that defines operators needs: the contract, the two builders' notation, and the check of a record.
#pragma once

#include "ir/graph/builder.h"
#include "ir/graph/op.h"
#include "ir/ops/build.h"
#include "ir/ops/dense.h"
#include "ir/ops/infer.h"
#include "ir/ops/ops.h"
#include "ir/ops/scalar.h"

namespace dlcc::ops {

using graph::AttributeDef;
using graph::AttributeKind;
using graph::GradientContext;
using graph::InferContext;
using graph::OpDef;
using graph::OpKind;
using graph::ReferenceContext;
using graph::Sample;
using graph::ValueId;
using loops::ElementContext;
using loops::ExprId;

/// The record itself; does not compile when a facet is missing.
consteval OpDef complete(OpDef op) {
  if (op.name.empty() || op.doc.empty()) throw "an operator needs a name and a doc";
  if (!op.infer) throw "an operator needs a shape rule";
  if (!op.samples) throw "an operator needs samples";
  bool composite = op.kind == OpKind::composite;
  if (composite ? !op.body : !op.element) throw "a composite needs a body, every other operator an element";
  if (!composite && !op.reference) throw "a primitive needs a reference";
  if (composite && op.element) throw "a composite has no element of its own";
  if (!composite && !op.gradient && op.no_gradient.empty()) throw "no gradient rule, and no reason for it";
  if (op.gradient && !op.no_gradient.empty()) throw "a gradient rule and a reason why there is none";
  return op;
}

inline constexpr std::string_view piecewise_constant = "it is piecewise constant: zero almost everywhere";
inline constexpr std::string_view integer_operand = "its operands are integers";
inline constexpr std::string_view no_operand = "it has no operands";

} // namespace dlcc::ops

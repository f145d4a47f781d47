// The contract of an operator: one constinit record of plain function pointers. Everything generic (parsing, printing,
// checking, differentiating, lowering, testing, documenting) reads these records and knows no operator by name.
#pragma once

#include "ir/base/tensor.h"
#include "ir/graph/graph.h"

#include <span>

namespace dlcc::loops {
class ElementContext; // ir/loops/element.h
}

namespace dlcc::graph {

class Builder; // ir/graph/builder.h

/// What a shape rule sees. A rule returns the result types, or calls fail() with the number of the violated constraint.
class InferContext {
public:
  InferContext(std::span<const Type> operands, const Attributes& attributes, const Module* module = nullptr)
      : operands_(operands), attributes_(attributes), module_(module) {}
  size_t count() const { return operands_.size(); }
  const Type& operand(size_t k) const { return operands_[k]; }
  const Attributes& attributes() const { return attributes_; }
  /// The module the node is in; only `call` looks at it.
  const Module* module() const { return module_; }
  /// Records the message "text (C<constraint>)" and returns an empty list, for `return context.fail(2, "...")`.
  std::vector<Type> fail(int constraint, std::string text);
  bool failed() const { return !message_.empty(); }
  const std::string& message() const { return message_; }

private:
  std::span<const Type> operands_;
  const Attributes& attributes_;
  const Module* module_;
  std::string message_;
};

/// What a gradient rule sees: it emits ordinary nodes through build() and hands back one contribution per operand.
class GradientContext {
public:
  virtual ~GradientContext() = default;
  virtual Builder& build() = 0;
  virtual const Node& node() const = 0;
  virtual ValueId operand(size_t k) const = 0;
  virtual ValueId result(size_t k = 0) const = 0;
  /// The gradient of the loss with respect to a result; not valid() if it is zero.
  virtual ValueId cotangent(size_t k = 0) const = 0;
  /// False: nobody needs the gradient of this operand (no float, or no path to a parameter); skip the work.
  virtual bool wanted(size_t k) const = 0;
  /// Adds `gradient` to the operand's. Its shape may be a broadcast of the operand's: it is summed back.
  virtual void contribute(size_t k, ValueId gradient) = 0;
};

/// What a reference sees: dense double tensors, whatever the element type; integers are exact below 2^53.
class ReferenceContext {
public:
  ReferenceContext(std::span<const Tensor* const> operands, const Attributes& attributes, std::span<Tensor> results)
      : operands_(operands), attributes_(attributes), results_(results) {}
  size_t count() const { return operands_.size(); }
  const Tensor& operand(size_t k) const { return *operands_[k]; }
  const Attributes& attributes() const { return attributes_; }
  Tensor& result(size_t k = 0) { return results_[k]; } ///< type and size are set, elements are to be filled in

private:
  std::span<const Tensor* const> operands_;
  const Attributes& attributes_;
  std::span<Tensor> results_;
};

/// Values an operand of a sample is drawn from, uniformly.
struct Range {
  double low = -2, high = 2;
};

/// A typical use of an operator; the generic tests run over all of them.
struct Sample {
  std::vector<Type> operands;
  Attributes attributes = {};
  std::vector<Range> ranges = {}; ///< one an operand; absent: [-2, 2], integers [0, 8)
  std::vector<double> kinks = {}; ///< operand values near which a numeric gradient is meaningless
};

/// How far compiled code may be from the formula, in units in the last place (ULP) of the exact result, for operands of
/// every magnitude; measured in tests/accuracy. An exception says of what else, or why more.
struct ErrorBound {
  double ulp = 4;
  std::string_view of = {}, because = {};
};

enum class AttributeKind : uint8_t { boolean, integer, number, dtype, string, integers, numbers };

struct AttributeDef {
  std::string_view name;
  AttributeKind kind;
  std::string_view doc;
  bool required = false;
};

/// Facts that fusion and scheduling may use; everything else they derive from the element expression.
enum class OpKind : uint8_t {
  map,       ///< an element of the result is a scalar expression of elements of the operands
  view,      ///< a map that only moves data: always computed where it is used, never stored for its own sake
  reduction, ///< an element of the result is a reduction
  contract,  ///< a reduction that the micro-kernel generator takes over
  composite, ///< a body of other operators; replaced by it before fusion
  effect,    ///< like a map, and may report a fault
};

struct OpDef {
  std::string_view name;
  OpKind kind = OpKind::map;
  std::string_view doc; ///< first a sentence with the formula, then numbered constraints: "(C1) ...", "(C2) ..."
  std::span<const AttributeDef> attributes = {};
  int min_operands = 1, max_operands = 1; ///< max_operands -1: any number

  /// A view whose result has the elements of operand 0 in the same row-major order: it may be the same storage.
  bool same_order = false;
  /// Of numbers, one rounding or none, as IEEE defines it: what is computed in double and rounded is what code
  /// computes.
  bool exactly_rounded = false;

  /// Result types; required.
  std::vector<Type> (*infer)(InferContext&) = nullptr;
  /// Gradient rule; null needs a reason in no_gradient, or, for a composite, means "that of the body".
  void (*gradient)(GradientContext&) = nullptr;
  std::string_view no_gradient = {};
  /// The element of the result at the context's indices (all kinds but composite).
  void (*element)(loops::ElementContext&) = nullptr;
  /// The results in terms of other operators (composite only).
  std::vector<ValueId> (*body)(Builder&, std::span<const ValueId> operands, const Attributes&) = nullptr;
  /// The same value in the one form that equal nodes have; not valid() if the node has it. Null: there is one form only.
  ValueId (*canonical)(Builder&, const Node&, std::span<const ValueId> operands) = nullptr;
  /// Double-precision semantics, written straight from the formula; a composite may leave it out (then it is the
  /// body's).
  void (*reference)(ReferenceContext&) = nullptr;
  /// Of elementwise operators, activations and losses.
  ErrorBound value_error = {}, gradient_error = {};
  /// Typical uses; required.
  std::vector<Sample> (*samples)() = nullptr;
};

std::string_view name_of(OpKind kind);
std::string_view name_of(AttributeKind kind);
/// Whether the value is of that kind; an integer where a number is wanted becomes one: text and C++ write `2` for
/// `2.0`.
bool make_kind(AttributeValue& value, AttributeKind kind);

/// The operators a parser or builder may use; ir/ops/ops.h has the table of all of them.
using OpTable = std::span<const OpDef* const>;
/// Null if there is none; `call` (ir/graph/call.h) is always there.
const OpDef* find_op(OpTable ops, std::string_view name);

} // namespace dlcc::graph

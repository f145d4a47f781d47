// The loop IR: a program of kernels over buffers, as a reader would write them by hand in C.
//
// A kernel is a function of its parameters (tensors): nests of `for` loops, scalar expressions, reductions, stores, and
// `contract` regions. An entry of the program is a tree of kernel calls. Buffers say where every tensor lives.
// What is legal at which stage: verify.h.
#pragma once

#include "ir/base/attributes.h"
#include "ir/base/diagnostics.h"
#include "ir/base/ids.h"
#include "ir/base/shape.h"

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace dlcc::loops {

using VarId = Id<struct VarTag>;       // a loop variable of a kernel
using ExprId = Id<struct ExprTag>;     // a scalar expression of a kernel
using LocalId = Id<struct LocalTag>;   // a scalar name of a kernel: let, sum, contract
using TensorId = Id<struct TensorTag>; // a parameter or scratch tensor of a kernel
using StmtId = Id<struct StmtTag>;     // a statement of a kernel
using BufferId = Id<struct BufferTag>; // a buffer of the program
using KernelId = Id<struct KernelTag>;

// ---- indices and scalar expressions ---------------------------------------------------------------------------------

/// constant + sum of coefficient * variable; terms sorted by variable, no zero coefficients.
struct Affine {
  int64_t constant = 0;
  std::vector<std::pair<VarId, int64_t>> terms;

  Affine() = default;
  Affine(int64_t c) : constant(c) {} // NOLINT: a number is an index
  Affine(VarId v) : terms{{v, 1}} {} // NOLINT: a variable is an index
  int64_t coefficient(VarId v) const;
  bool is_constant() const { return terms.empty(); }
  friend bool operator==(const Affine&, const Affine&) = default;
};
Affine operator+(const Affine& a, const Affine& b);
Affine operator*(const Affine& a, int64_t factor);

/// One index of a load or store: affine, plus the value of an integer expression where data decides (gather).
struct Index {
  Affine affine;
  ExprId indirect = {};
  Index() = default;
  Index(Affine a) : affine(std::move(a)) {} // NOLINT
  Index(VarId v) : affine(v) {}             // NOLINT
  Index(int64_t c) : affine(c) {}           // NOLINT
  friend bool operator==(const Index&, const Index&) = default;
};

enum class ScalarOp : uint8_t {
#define SCALAR_OP(name, operands, result, domain, cost) name,
#include "ir/loops/scalar_ops.def"
#undef SCALAR_OP
};
enum class ResultRule : uint8_t { same, boolean, given };
enum class Domain : uint8_t { floats, numbers, any };

/// A line of scalar_ops.def.
struct ScalarOpFacts {
  std::string_view name;
  int operands;
  ResultRule result;
  Domain domain;
  double cost; ///< in additions
};
const ScalarOpFacts& facts_of(ScalarOp op);
inline std::string_view name_of(ScalarOp op) { return facts_of(op).name; }
inline int operand_count(ScalarOp op) { return facts_of(op).operands; }
std::optional<ScalarOp> scalar_op_from_name(std::string_view name);

enum class ExprKind : uint8_t {
  constant, ///< value
  index,    ///< at[0] as an i64
  local,    ///< the value of a let, sum or contract
  load,     ///< an element of a tensor
  op,       ///< a scalar operator
};

/// Immutable; operands come before their users. Loads see the memory as it is when their statement runs.
struct Expr {
  ExprKind kind = ExprKind::constant;
  DType dtype = DType::f32;
  double value = 0; ///< constants are double and rounded to dtype at use
  ScalarOp op = ScalarOp::add;
  std::vector<ExprId> operands;
  TensorId tensor;
  std::vector<Index> at;
  bool padded = false; ///< load: an index outside the tensor reads as zero
  LocalId local;
  friend bool operator==(const Expr&, const Expr&) = default;
};

// ---- statements -----------------------------------------------------------------------------------------------------

enum class Mark : uint8_t {
  serial,
  tasks,  ///< outermost loop of a kernel: cut into the kernel's tasks
  vector, ///< iterations side by side in the lanes of a vector
  unroll,
};

enum class Combine : uint8_t { sum, product, max, min };

/// The order of a reduction is semantics, a function of extents and layout alone, never of the machine:
enum class Order : uint8_t {
  sequential, ///< one chain
  lanes,      ///< one logical vector of lanes x 4 accumulators, blocks of 4096, then a pairwise tree
  blocks,     ///< chains of 256, added up in order: reductions over an axis that is not contiguous, like a contraction
};

struct LoopVar {
  VarId var;
  int64_t extent = 0;
  friend bool operator==(const LoopVar&, const LoopVar&) = default;
};

/// How a contraction is cut; set by the schedule, zero before it.
struct Tiling {
  int64_t rows = 0;                        ///< of the register tile
  int64_t columns = 0;                     ///< of the register tile, a multiple of the lanes of a logical vector
  int64_t task_rows = 0, task_columns = 0; ///< of one task: multiples of the register tile
  bool pack_a = false, pack_b = false;     ///< copy the panel to scratch first
  friend bool operator==(const Tiling&, const Tiling&) = default;
};

/// A fault a check may report.
struct Fault {
  int32_t code = 0; ///< DLCC_E_... of the C ABI
  std::string what; ///< name of the input or output it is about, for the message
  friend bool operator==(const Fault&, const Fault&) = default;
};

/// for var in extent: body
struct Loop {
  LoopVar range;
  Mark mark = Mark::serial;
  std::vector<StmtId> body;
  friend bool operator==(const Loop&, const Loop&) = default;
};

/// local = value
struct Let {
  LocalId local;
  ExprId value;
  friend bool operator==(const Let&, const Let&) = default;
};

/// local = combine over ranges of value
struct Reduce {
  LocalId local;
  Combine combine = Combine::sum;
  std::vector<LoopVar> ranges;
  Order order = Order::sequential;
  Mark mark = Mark::serial; ///< vector: its lanes are vector lanes
  ExprId value;
  friend bool operator==(const Reduce&, const Reduce&) = default;
};

/// tensor[at] = value
struct Store {
  TensorId tensor;
  std::vector<Index> at;
  ExprId value;
  friend bool operator==(const Store&, const Store&) = default;
};

/// local[m, n] = sum over k of a[m, k] * b[k, n]; then body for every (m, n)
struct Contract {
  LocalId local;
  std::vector<LoopVar> m, n, k;
  ExprId a, b;
  Tiling tiling;
  std::vector<StmtId> body;
  friend bool operator==(const Contract&, const Contract&) = default;
};

/// If the condition (a boolean) is true: report a fault to the tensor (the fault buffer).
struct Check {
  ExprId condition;
  ExprId sample; ///< its number; may be missing
  ExprId value;  ///< what was found; may be missing
  TensorId tensor;
  Fault fault;
  friend bool operator==(const Check&, const Check&) = default;
};

using Stmt = std::variant<Loop, Let, Reduce, Store, Contract, Check>;

// ---- kernels --------------------------------------------------------------------------------------------------------

enum class Access : uint8_t { in, out, inout, scratch };

/// A tensor a kernel works on. Scratch is private to a thread and to an iteration of the outermost loop (to a lane, if
/// that loop is a vector loop).
struct KernelTensor {
  std::string name;
  Type type;
  Access access = Access::in;
  friend bool operator==(const KernelTensor&, const KernelTensor&) = default;
};

struct Local {
  std::string name;
  DType dtype;
  friend bool operator==(const Local&, const Local&) = default;
};

struct Kernel {
  std::string name;
  std::vector<std::string> notes; ///< layers, cost, reasons
  Location where;
  IdVector<TensorId, KernelTensor> tensors; ///< parameters first, then scratch
  IdVector<VarId, std::string> vars;
  IdVector<LocalId, Local> locals;
  IdVector<ExprId, Expr> exprs;
  IdVector<StmtId, Stmt> stmts;
  std::vector<StmtId> body;
  int64_t tasks = 1; ///< a function of the shape; thread t of T runs tasks [tasks*t/T, tasks*(t+1)/T)

  size_t parameter_count() const;
};

// ---- buffers and the tree -------------------------------------------------------------------------------------------

enum class Region : uint8_t {
  input,  ///< the caller's inputs and labels
  output, ///< the caller's outputs
  call,   ///< scalars of the call: n_valid, batch, update, seed
  hyper,  ///< the overridable numbers
  param,
  slot,
  buffer,
  grad,
  arena, ///< lives within one call; the memory plan gives it a place
  constant,
  fault, ///< one i32 word (and the record behind it): set by checks, read by exits
};
std::string_view name_of(Region region);
std::optional<Region> region_from_name(std::string_view name);

/// What an input or output is for, and which buffers are a metric's; becomes the kind of the tensor in the C ABI.
enum class TensorRole : uint8_t { none, input, label, weight, output, loss, metric };
std::string_view name_of(TensorRole role);
std::optional<TensorRole> tensor_role_from_name(std::string_view name);

struct Buffer {
  std::string name;
  Type type;
  Region region = Region::arena;
  BufferId view_of;                   ///< the same storage under another shape or a later version (an update in place)
  int64_t offset = -1;                ///< bytes from the start of the region, from the memory plan on
  std::string entry;                  ///< arena: the entry it belongs to
  TensorRole role = TensorRole::none; ///< input, output, accumulator of a metric
  int32_t batch_axis = -1;            ///< input, output: the axis of the samples, -1 if there is none
  Location where;
  std::vector<double> data = {}; ///< constant
};

struct Call {
  KernelId kernel;
  std::vector<BufferId> arguments; ///< one a parameter of the kernel
};

enum class StepKind : uint8_t {
  call,
  exit,     ///< leave the entry if a check has reported a fault
  serial,   ///< children run by one thread
  parallel, ///< one region of threads; its children are phases
  phase,    ///< ends with a barrier; its calls may depend on each other only task by task with equal task counts
};

struct Step {
  StepKind kind = StepKind::call;
  Call call;
  std::vector<Step> children;
};

/// One function of the artefact.
struct Entry {
  std::string name; ///< train_step, eval_step, predict, init, gradients, apply, metrics_reset, metrics_result,
                    ///< learning_rate
  std::vector<BufferId> inputs, outputs;
  std::vector<Step> steps;
  std::vector<std::string> notes; ///< the memory plan's proof
  int64_t arena_bytes = 0;        ///< from the memory plan on
};

enum class Stage : uint8_t { loops, scheduled, planned };
std::string_view name_of(Stage stage);
std::optional<Stage> stage_from_name(std::string_view name);

struct Hyper {
  std::string name;
  double value = 0;
};

struct Program {
  std::string name;
  Stage stage = Stage::loops;
  std::string file; ///< the model file that locations point into
  int64_t batch = 0;
  std::vector<Hyper> hypers;
  IdVector<BufferId, Buffer> buffers;
  IdVector<KernelId, Kernel> kernels;
  std::vector<Entry> entries;

  const Entry* find_entry(std::string_view entry) const;
  /// The buffer whose storage this one shares, itself if it is no view.
  BufferId storage(BufferId b) const;
};

} // namespace dlcc::loops

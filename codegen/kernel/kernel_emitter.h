// Emits one kernel of the loop IR as an LLVM function; internal to codegen.
//
// Values are scalars, or vectors with one element a lane of the vector loop being emitted; a value that is the same in
// all lanes stays scalar until it meets a vector. The bits of a result never depend on that form.
#pragma once

#include "ir/base/machine.h"
#include "ir/loops/walk.h"

#include <llvm/ADT/STLFunctionalExtras.h>
#include <llvm/ADT/SmallVector.h>
#include <llvm/IR/IRBuilder.h>

#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

namespace dlcc::codegen {

using Values = llvm::SmallVector<llvm::Value*, 8>;

/// Lanes of a logical vector of elements of this type: 64 bytes, at most 16.
inline unsigned lanes_of(DType t) { return byte_size(t) == 8 ? 8 : 16; }

/// What the program says about a kernel beyond its body.
struct KernelFacts {
  std::string symbol;
  bool shared = false;          ///< called from other modules: a hidden symbol instead of an internal one
  bool avx512 = false;          ///< hardware vectors of 64 bytes
  Machine machine;              ///< for contractions that the schedule left untiled
  std::string cpu, features;    ///< attributes of the function
  std::vector<bool> unaliased;  ///< parameter i overlaps no other one in any call
  std::vector<int64_t> aligned; ///< bytes that parameter i is aligned to in every call
  std::function<int32_t(const std::string&)> tensor_index; ///< place in the module's table of tensors, -1: none
};

/// The value of a loop variable in the code being emitted: base, base + lane, or a vector of any values.
struct Binding {
  llvm::Value* base = nullptr;
  bool lane = false;
  llvm::Value* vector = nullptr;
};

/// Loop variables taken together as one index that counts row-major through all of them.
struct Axis {
  std::vector<loops::LoopVar> vars;
  int64_t extent = 1;
  bool linear = true; ///< every use is linear in the joint index, so it may stand in the innermost variable
};

/// Where an element, or one element a lane, lies: base + index + offset + lane * stride + vector, in elements.
struct Place {
  llvm::Value* base = nullptr;
  llvm::Type* element = nullptr;
  llvm::Value* index = nullptr; ///< null: 0
  int64_t offset = 0, stride = 0;
  llvm::Value* vector = nullptr; ///< null: none
  llvm::Value* inside = nullptr; ///< null: always inside the tensor
  bool empty = false;            ///< the tensor has no element, not even one to read and discard
  bool wide() const { return stride != 0 || vector || (inside && inside->getType()->isVectorTy()); }
};

class KernelEmitter {
public:
  KernelEmitter(llvm::Module& module, const loops::Kernel& kernel, const KernelFacts& facts);

  /// void symbol(ptr parameter..., ptr fault, ptr scratch, i64 task_begin, i64 task_end)
  llvm::Function* emit();
  /// Scratch one thread needs; known after emit().
  int64_t scratch_bytes() const { return scratch_bytes_; }

  // ---- shared by the parts of code generation (emit_*.cpp, microkernels/) -------------------------------------------
  llvm::IRBuilder<> b;
  const loops::Kernel& kernel;
  const KernelFacts& facts;

  unsigned lanes() const { return lanes_; }
  llvm::Value* mask() const { return mask_; }
  llvm::Type* type_of(DType t);        ///< of a value: bool is i1
  llvm::Type* memory_type_of(DType t); ///< bool is i8
  llvm::Value* i64(int64_t v) { return b.getInt64(static_cast<uint64_t>(v)); }
  llvm::Value* times(llvm::Value* v, int64_t c) { return c == 1 ? v : c == 0 ? i64(0) : b.CreateNSWMul(v, i64(c)); }
  llvm::Value* element_at(llvm::Type* type, llvm::Value* base, int64_t index) {
    return index == 0 ? base : b.CreateInBoundsGEP(type, base, i64(index));
  }
  llvm::Value* widen(llvm::Value* v); ///< to all lanes
  llvm::Value* lane_numbers();        ///< <0, 1, 2, ...> as i64
  llvm::Value* prefix_mask(int64_t active, unsigned lanes);

  /// for (i = begin; i < end; i += step) with values carried around; returns them after the loop.
  Values for_range(llvm::Value* begin, llvm::Value* end, int64_t step, Values carried,
                   llvm::function_ref<Values(llvm::Value*, const Values&)> body);
  void for_range(llvm::Value* begin, llvm::Value* end, int64_t step, llvm::function_ref<void(llvm::Value*)> body);
  /// if (condition) body()
  void when(llvm::Value* condition, llvm::function_ref<void()> body);
  /// Runs the body with this many lanes, of which those in the mask (null: all) are active.
  void with_lanes(unsigned lanes, llvm::Value* mask, llvm::function_ref<void()> body);
  /// Covers [begin, end) of an axis of this extent with vectors; begin and end are multiples of the lanes, or the
  /// extent. The body gets the index of lane 0 and runs under with_lanes.
  void for_lanes(llvm::Value* begin, llvm::Value* end, int64_t extent, unsigned lanes,
                 llvm::function_ref<void(llvm::Value*)> body);

  Binding& binding(loops::VarId v) { return vars_[v]; }
  llvm::Value*& local(loops::LocalId l) { return locals_[l]; }
  /// `uses` and `body`: all that the variables occur in.
  Axis make_axis(std::vector<loops::LoopVar> vars, const std::vector<loops::ExprId>& uses,
                 const std::vector<loops::StmtId>& body = {}) const;
  /// Elements between neighbours along the axis, which must be linear; 0 if the access does not depend on it.
  int64_t stride_along(const Axis& axis, loops::TensorId t, const std::vector<loops::Index>& at) const;
  /// Sets the variables of the axis to its element `index`, or to element index + lane in each lane.
  void bind(const Axis& axis, llvm::Value* index, bool lane);

  /// Evaluates all roots at one moment; value() then gives each of them and whatever they are made of.
  void evaluate(const std::vector<loops::ExprId>& roots);
  llvm::Value* value(loops::ExprId e) { return memo_[e.index]; }
  llvm::Value* eval(loops::ExprId e) {
    evaluate({e});
    return value(e);
  }
  Place place_of(loops::TensorId t, const std::vector<loops::Index>& at, bool padded = false);
  llvm::Value* address(const Place& p);
  llvm::Value* load(const Place& p, DType t);
  llvm::Value* load_scalar(const Place& p, llvm::Align align);
  void store(const Place& p, llvm::Value* value, DType t);
  void emit_body(const std::vector<loops::StmtId>& body);

  /// Bytes of the thread's scratch, aligned to 64.
  llvm::Value* allocate_scratch(int64_t bytes);
  /// All expressions that e needs, operands first, e last.
  const std::vector<loops::ExprId>& closure(loops::ExprId e) const;
  /// Every expression and statement a body runs, however deep.
  void visit(const std::vector<loops::StmtId>& body, llvm::function_ref<void(const loops::Stmt&)> on_stmt,
             llvm::function_ref<void(const loops::Expr&)> on_expr) const;

  llvm::Value* task_begin = nullptr;
  llvm::Value* task_end = nullptr;

  /// combine(a, b) of a reduction, and its neutral element.
  llvm::Value* combine(loops::Combine c, DType t, llvm::Value* a, llvm::Value* b);
  llvm::Constant* neutral(loops::Combine c, DType t);

private:
  void declare();
  void emit_stmt(const loops::Stmt& s, bool outermost);
  void emit_loop(const loops::Loop& s, bool outermost);
  void emit_vector_loop(const loops::Loop& s, llvm::Value* begin, llvm::Value* end, unsigned lanes, bool outermost);
  void emit_store(const loops::Store& s);
  void emit_check(const loops::Check& s);
  bool may_vectorise(const loops::Loop& loop) const;
  unsigned lanes_of_loop(const loops::Loop& loop) const;

  void emit_reduce(const loops::Reduce& s);
  llvm::Value* chain(const loops::Reduce& s, const Axis& axis, llvm::Value* begin, llvm::Value* end);
  llvm::Value* reduce_in_blocks(const loops::Reduce& s, const Axis& axis);
  llvm::Value* reduce_in_lanes(const loops::Reduce& s, const Axis& axis);
  llvm::Value* block_of_lanes(const loops::Reduce& s, const Axis& axis, llvm::Value* begin, int64_t size);
  llvm::Value* pairwise_tree(const loops::Reduce& s, int64_t full_blocks,
                             llvm::function_ref<llvm::Value*(llvm::Value*)> block, llvm::Value* tail);
  llvm::Value* accumulate(const loops::Reduce& s, llvm::Value* accumulator);

  bool is_joint(const Axis& axis, const Shape& strides, const std::vector<loops::Index>& at, bool padded) const;
  llvm::Value* indirect_of(const loops::Index& i); ///< i64
  llvm::Value* eval_one(const loops::Expr& e);
  llvm::Value* eval_op(const loops::Expr& e, Values args);
  llvm::Value* eval_integer_division(const loops::Expr& e, llvm::Value* a, llvm::Value* d);
  llvm::Value* eval_cast(DType from, DType to, llvm::Value* v);
  llvm::Value* eval_random_uniform(const loops::Expr& e, llvm::ArrayRef<llvm::Value*> args);
  llvm::Value* extremum(DType t, llvm::Value* a, llvm::Value* c, bool largest);
  llvm::Constant* constant(double value, DType t);
  llvm::Value* value_of(const loops::Affine& a); ///< i64, a vector if a lane variable takes part
  std::pair<int64_t, int64_t> range_of(const loops::Affine& a) const;
  llvm::Value* lanes_if(llvm::Value* condition); ///< all lanes or none, by an i1; a mask stays as it is
  llvm::Value* lane_mask(llvm::Value* extra);    ///< mask() and extra, null: all lanes

  llvm::Module& module_;
  llvm::Function* function_ = nullptr;
  llvm::Value* fault_ = nullptr;
  llvm::Value* scratch_ = nullptr;
  int64_t scratch_bytes_ = 0;
  IdVector<loops::TensorId, llvm::Value*> tensors_;
  IdVector<loops::VarId, Binding> vars_;
  IdVector<loops::VarId, int64_t> extents_;
  IdVector<loops::LocalId, llvm::Value*> locals_;
  unsigned lanes_ = 1;
  llvm::Value* mask_ = nullptr;
  unsigned private_lanes_ = 1; ///< scratch holds one element a lane of the outermost loop
  Values memo_;
  mutable loops::ExprWalk walk_;
  mutable std::unordered_map<uint32_t, std::vector<loops::ExprId>> closures_;
};

} // namespace dlcc::codegen

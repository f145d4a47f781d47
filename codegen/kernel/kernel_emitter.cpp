#include "codegen/kernel/kernel_emitter.h"

#include <llvm/IR/Module.h>

#include <algorithm>

namespace dlcc::codegen {

using namespace loops;

KernelEmitter::KernelEmitter(llvm::Module& module, const Kernel& kernel, const KernelFacts& facts)
    : b(module.getContext()), kernel(kernel), facts(facts), module_(module), tensors_(kernel.tensors.size()),
      vars_(kernel.vars.size()), extents_(kernel.vars.size()), locals_(kernel.locals.size()), walk_(kernel) {
  for (const Stmt& s : kernel.stmts) for_each_range(s, [&](const LoopVar& v) { extents_[v.var] = v.extent; });
}

llvm::Type* KernelEmitter::memory_type_of(DType t) { return t == DType::boolean ? b.getInt8Ty() : type_of(t); }

llvm::Type* KernelEmitter::type_of(DType t) {
  switch (t) {
  case DType::f32:
    return b.getFloatTy();
  case DType::f64:
    return b.getDoubleTy();
  case DType::i8:
  case DType::u8:
    return b.getInt8Ty();
  case DType::i32:
    return b.getInt32Ty();
  case DType::i64:
    return b.getInt64Ty();
  case DType::boolean:
    return b.getInt1Ty();
  }
  internal_error(__FILE__, __LINE__, "an element type without an LLVM type");
}

void KernelEmitter::declare() {
  size_t parameters = kernel.parameter_count();
  llvm::SmallVector<llvm::Type*, 16> types(parameters + 2, b.getPtrTy());
  types.append(2, b.getInt64Ty());
  auto linkage = facts.shared ? llvm::Function::ExternalLinkage : llvm::Function::InternalLinkage;
  function_ =
      llvm::Function::Create(llvm::FunctionType::get(b.getVoidTy(), types, false), linkage, facts.symbol, module_);
  if (facts.shared) function_->setVisibility(llvm::GlobalValue::HiddenVisibility);
  function_->addFnAttr(llvm::Attribute::NoUnwind);
  function_->addFnAttr("target-cpu", facts.cpu);
  function_->addFnAttr("target-features", facts.features);
  if (facts.avx512) function_->addFnAttr("prefer-vector-width", "512");
  for (TensorId t : kernel.tensors.ids()) {
    const KernelTensor& tensor = kernel.tensors[t];
    if (tensor.access == Access::scratch) continue;
    llvm::Argument* a = function_->getArg(t.index);
    a->setName(tensor.name);
    a->addAttr(llvm::Attribute::NoCapture);
    int64_t bytes = byte_count(tensor.type);
    if (bytes > 0) {
      a->addAttr(llvm::Attribute::getWithDereferenceableBytes(b.getContext(), static_cast<uint64_t>(bytes)));
      a->addAttr(llvm::Attribute::NoUndef);
    }
    if (tensor.access == Access::in) a->addAttr(llvm::Attribute::ReadOnly);
    if (t.index < facts.unaliased.size() && facts.unaliased[t.index]) a->addAttr(llvm::Attribute::NoAlias);
    if (t.index < facts.aligned.size() && facts.aligned[t.index] > 1)
      a->addAttr(llvm::Attribute::getWithAlignment(b.getContext(),
                                                   llvm::Align(static_cast<uint64_t>(facts.aligned[t.index]))));
    tensors_[t] = a;
  }
  auto hidden = [&](size_t i, const char* name) {
    function_->getArg(static_cast<unsigned>(parameters + i))->setName(name);
    return function_->getArg(static_cast<unsigned>(parameters + i));
  };
  fault_ = hidden(0, "fault");
  scratch_ = hidden(1, "scratch");
  for (unsigned i : {0u, 1u})
    function_->getArg(static_cast<unsigned>(parameters) + i)->addAttr(llvm::Attribute::NoAlias);
  task_begin = hidden(2, "task_begin");
  task_end = hidden(3, "task_end");
}

llvm::Function* KernelEmitter::emit() {
  declare();
  b.SetInsertPoint(llvm::BasicBlock::Create(b.getContext(), "entry", function_));
  // Scratch tensors hold 16 elements each where lanes have one of their own.
  bool lanes_apart = std::any_of(kernel.body.begin(), kernel.body.end(), [&](StmtId s) {
    auto* loop = std::get_if<Loop>(&kernel.stmts[s]);
    return loop && loop->mark == Mark::vector;
  });
  for (TensorId t : kernel.tensors.ids())
    if (kernel.tensors[t].access == Access::scratch)
      tensors_[t] = allocate_scratch(byte_count(kernel.tensors[t].type) * (lanes_apart ? 16 : 1));
  for (StmtId s : kernel.body) emit_stmt(kernel.stmts[s], true);
  b.CreateRetVoid();
  return function_;
}

llvm::Value* KernelEmitter::allocate_scratch(int64_t bytes) {
  llvm::IRBuilder<>::InsertPointGuard guard(b);
  llvm::BasicBlock& entry = function_->getEntryBlock();
  b.SetInsertPoint(&entry, entry.getFirstInsertionPt());
  llvm::Value* p = element_at(b.getInt8Ty(), scratch_, scratch_bytes_);
  scratch_bytes_ += (bytes + 63) / 64 * 64;
  return p;
}

// ---- lanes and loops ------------------------------------------------------------------------------------------------

llvm::Value* KernelEmitter::widen(llvm::Value* v) {
  if (lanes_ == 1 || v->getType()->isVectorTy()) return v;
  return b.CreateVectorSplat(lanes_, v);
}

llvm::Value* KernelEmitter::lane_numbers() {
  llvm::SmallVector<uint64_t, 16> n(lanes_);
  for (unsigned i = 0; i < lanes_; ++i) n[i] = i;
  return llvm::ConstantDataVector::get(b.getContext(), n);
}

llvm::Value* KernelEmitter::prefix_mask(int64_t active, unsigned lanes) {
  if (active >= static_cast<int64_t>(lanes)) return nullptr;
  llvm::SmallVector<llvm::Constant*, 16> bits(lanes);
  for (unsigned i = 0; i < lanes; ++i) bits[i] = b.getInt1(static_cast<int64_t>(i) < active);
  return llvm::ConstantVector::get(bits);
}

// Not a splat of the condition: LLVM 19 splits a masked load for AVX2 wrongly, or ends, if the mask is a splat and a
// constant with a half that is false.
llvm::Value* KernelEmitter::lanes_if(llvm::Value* condition) {
  if (condition->getType()->isVectorTy()) return condition;
  llvm::Value* count = b.CreateSelect(condition, i64(lanes_), i64(0));
  return b.CreateICmpULT(lane_numbers(), b.CreateVectorSplat(lanes_, count));
}

llvm::Value* KernelEmitter::lane_mask(llvm::Value* extra) {
  if (!extra) return mask_;
  extra = lanes_if(extra);
  return mask_ ? b.CreateAnd(mask_, extra) : extra;
}

Values KernelEmitter::for_range(llvm::Value* begin, llvm::Value* end, int64_t step, Values carried,
                                llvm::function_ref<Values(llvm::Value*, const Values&)> body) {
  auto* first = llvm::dyn_cast<llvm::ConstantInt>(begin);
  auto* last = llvm::dyn_cast<llvm::ConstantInt>(end);
  bool known = first && last;
  if (known && first->getSExtValue() >= last->getSExtValue()) return carried;
  if (known && first->getSExtValue() + step >= last->getSExtValue()) return body(begin, carried);

  auto block = [&](const char* name) { return llvm::BasicBlock::Create(b.getContext(), name, function_); };
  llvm::BasicBlock *before = b.GetInsertBlock(), *ahead = before, *loop = block("loop"), *after = block("after");
  if (known) {
    b.CreateBr(loop);
  } else {
    ahead = block("ahead");
    b.CreateCondBr(b.CreateICmpSLT(begin, end), ahead, after);
    b.SetInsertPoint(ahead);
    b.CreateBr(loop);
  }
  b.SetInsertPoint(loop);
  llvm::PHINode* i = b.CreatePHI(b.getInt64Ty(), 2, "i");
  Values inside;
  for (llvm::Value* v : carried) {
    llvm::PHINode* phi = b.CreatePHI(v->getType(), 2);
    phi->addIncoming(v, ahead);
    inside.push_back(phi);
  }
  Values next = body(i, inside);
  llvm::Value* following = b.CreateNSWAdd(i, i64(step));
  llvm::BasicBlock* latch = b.GetInsertBlock();
  b.CreateCondBr(b.CreateICmpSLT(following, end), loop, after);
  i->addIncoming(begin, ahead);
  i->addIncoming(following, latch);
  b.SetInsertPoint(after);
  Values results;
  for (size_t k = 0; k < carried.size(); ++k) {
    llvm::cast<llvm::PHINode>(inside[k])->addIncoming(next[k], latch);
    llvm::PHINode* phi = b.CreatePHI(next[k]->getType(), 2);
    phi->addIncoming(next[k], latch);
    if (!known) phi->addIncoming(carried[k], before);
    results.push_back(phi);
  }
  return results;
}

void KernelEmitter::for_range(llvm::Value* begin, llvm::Value* end, int64_t step,
                              llvm::function_ref<void(llvm::Value*)> body) {
  for_range(begin, end, step, {}, [&](llvm::Value* i, const Values&) { return body(i), Values(); });
}

void KernelEmitter::when(llvm::Value* condition, llvm::function_ref<void()> body) {
  llvm::BasicBlock* yes = llvm::BasicBlock::Create(b.getContext(), "when", function_);
  llvm::BasicBlock* after = llvm::BasicBlock::Create(b.getContext(), "after", function_);
  b.CreateCondBr(condition, yes, after);
  b.SetInsertPoint(yes);
  body();
  b.CreateBr(after);
  b.SetInsertPoint(after);
}

void KernelEmitter::with_lanes(unsigned lanes, llvm::Value* mask, llvm::function_ref<void()> body) {
  std::swap(lanes_, lanes);
  std::swap(mask_, mask);
  body();
  std::swap(lanes_, lanes);
  std::swap(mask_, mask);
}

void KernelEmitter::for_lanes(llvm::Value* begin, llvm::Value* end, int64_t extent, unsigned lanes,
                              llvm::function_ref<void(llvm::Value*)> body) {
  const int64_t rest = extent % lanes, full = extent - rest;
  llvm::Value* full_end = end;
  bool known = llvm::isa<llvm::ConstantInt>(end);
  if (rest != 0)
    full_end = known ? i64(std::min(full, llvm::cast<llvm::ConstantInt>(end)->getSExtValue()))
                     : b.CreateBinaryIntrinsic(llvm::Intrinsic::smin, end, i64(full));
  if (full > 0) with_lanes(lanes, nullptr, [&] { for_range(begin, full_end, lanes, body); });
  if (rest == 0) return;
  auto tail = [&] { with_lanes(lanes, prefix_mask(rest, lanes), [&] { body(i64(full)); }); };
  // Only who owns the last element has the tail: ranges end at multiples of the lanes or at the extent.
  if (!known)
    when(b.CreateAnd(b.CreateICmpSGT(end, i64(full)), b.CreateICmpSLE(begin, i64(full))), tail);
  else if (llvm::cast<llvm::ConstantInt>(end)->getSExtValue() == extent)
    tail();
}

// ---- axes -----------------------------------------------------------------------------------------------------------

namespace {
int64_t coefficient(const Shape& strides, const std::vector<Index>& at, VarId v) {
  int64_t c = 0;
  for (size_t d = 0; d < at.size(); ++d) c += at[d].affine.coefficient(v) * strides[d];
  return c;
}
} // namespace

// True if the access is linear in the joint row-major index of the axis.
bool KernelEmitter::is_joint(const Axis& axis, const Shape& strides, const std::vector<Index>& at, bool padded) const {
  bool used = false, joint = true;
  for (size_t i = 0; i < axis.vars.size(); ++i) {
    for (const Index& x : at) used |= x.affine.coefficient(axis.vars[i].var) != 0;
    if (i + 1 == axis.vars.size()) break;
    const LoopVar &outer = axis.vars[i], &inner = axis.vars[i + 1];
    joint &= coefficient(strides, at, outer.var) == coefficient(strides, at, inner.var) * inner.extent;
  }
  return !used || (joint && !padded);
}

Axis KernelEmitter::make_axis(std::vector<LoopVar> vars, const std::vector<ExprId>& uses,
                              const std::vector<StmtId>& body) const {
  Axis axis{std::move(vars), 1, true};
  axis.extent = extent_of(axis.vars);
  if (axis.vars.size() <= 1) return axis;
  auto on_expr = [&](const Expr& e) {
    if (e.kind == ExprKind::load)
      axis.linear &= is_joint(axis, strides_of(kernel.tensors[e.tensor].type.shape), e.at, e.padded);
    if (e.kind == ExprKind::index) axis.linear &= is_joint(axis, {1}, e.at, false);
  };
  for (ExprId root : uses)
    for (ExprId id : closure(root)) on_expr(kernel.exprs[id]);
  visit(
      body,
      [&](const Stmt& s) {
        if (auto* store = std::get_if<Store>(&s))
          axis.linear &= is_joint(axis, strides_of(kernel.tensors[store->tensor].type.shape), store->at, false);
      },
      on_expr);
  return axis;
}

int64_t KernelEmitter::stride_along(const Axis& axis, TensorId t, const std::vector<Index>& at) const {
  if (axis.vars.empty()) return 0;
  return coefficient(strides_of(kernel.tensors[t].type.shape), at, axis.vars.back().var);
}

void KernelEmitter::bind(const Axis& axis, llvm::Value* index, bool lane) {
  if (axis.vars.empty()) return;
  if (axis.vars.size() == 1 || axis.linear) {
    for (const LoopVar& v : axis.vars) vars_[v.var] = {i64(0), false, nullptr};
    vars_[axis.vars.back().var] = {index, lane, nullptr};
    return;
  }
  // Digits of the index, innermost first. While the lanes stay within one run of the innermost variable only that one
  // differs between them.
  bool apart = lane && axis.vars.back().extent % static_cast<int64_t>(lanes_) != 0;
  llvm::Value* rest = apart ? b.CreateAdd(widen(index), lane_numbers()) : index;
  for (size_t i = axis.vars.size(); i-- > 0;) {
    llvm::Value* extent = i64(axis.vars[i].extent);
    if (apart) extent = widen(extent);
    llvm::Value* digit = i == 0 ? rest : b.CreateURem(rest, extent);
    bool with_lane = lane && !apart && i + 1 == axis.vars.size();
    vars_[axis.vars[i].var] = apart ? Binding{i64(0), false, digit} : Binding{digit, with_lane, nullptr};
    if (i != 0) rest = b.CreateUDiv(rest, extent);
  }
}

// ---- walking the kernel ---------------------------------------------------------------------------------------------

const std::vector<ExprId>& KernelEmitter::closure(ExprId e) const {
  auto [at, fresh] = closures_.try_emplace(e.index);
  std::vector<ExprId>& all = at->second;
  if (!fresh) return all;
  walk_.from(e, [&](ExprId x, const Expr&) { all.push_back(x); });
  // Operands have smaller numbers than their users, so ascending order is an order of evaluation.
  std::sort(all.begin(), all.end());
  return all;
}

void KernelEmitter::visit(const std::vector<StmtId>& body, llvm::function_ref<void(const Stmt&)> on_stmt,
                          llvm::function_ref<void(const Expr&)> on_expr) const {
  std::vector<StmtId> work(body.rbegin(), body.rend());
  while (!work.empty()) {
    const Stmt& s = kernel.stmts[work.back()];
    work.pop_back();
    on_stmt(s);
    for_each_root(s, [&](ExprId root) {
      for (ExprId e : closure(root)) on_expr(kernel.exprs[e]);
    });
    auto inner = body_of(s);
    work.insert(work.end(), inner.rbegin(), inner.rend());
  }
}

} // namespace dlcc::codegen

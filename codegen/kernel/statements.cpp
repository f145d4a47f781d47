// Statements: loops, lets, stores, checks.
#include "codegen/kernel/kernel_emitter.h"
#include "codegen/layout.h"
#include "codegen/microkernels/contract.h"
#include "ir/loops/tiling.h"

#include <llvm/IR/Intrinsics.h>
#include <llvm/IR/MDBuilder.h>

namespace dlcc::codegen {

using namespace loops;

// Loops marked unroll are written out up to here; beyond it the code only grows.
static constexpr int64_t most_unrolled = 16;

void KernelEmitter::emit_body(const std::vector<StmtId>& body) {
  for (StmtId s : body) emit_stmt(kernel.stmts[s], false);
}

void KernelEmitter::emit_stmt(const Stmt& statement, bool outermost) {
  // A statement beside the task loops belongs to task 0 if it writes.
  auto once = [&](llvm::function_ref<void()> body) {
    if (outermost && kernel.tasks > 1)
      when(b.CreateICmpEQ(task_begin, i64(0)), body);
    else
      body();
  };
  std::visit(Overloaded{
                 [&](const Loop& s) { emit_loop(s, outermost); },
                 [&](const Let& s) { locals_[s.local] = eval(s.value); },
                 [&](const Reduce& s) { emit_reduce(s); },
                 [&](const Store& s) { once([&] { emit_store(s); }); },
                 [&](const Contract& s) { emit_contract(*this, s, outermost); },
                 [&](const Check& s) { once([&] { emit_check(s); }); },
             },
             statement);
}

void KernelEmitter::emit_store(const Store& s) {
  std::vector<ExprId> roots = {s.value};
  for (const Index& i : s.at)
    if (i.indirect.valid()) roots.push_back(i.indirect);
  evaluate(roots);
  store(place_of(s.tensor, s.at), value(s.value), kernel.tensors[s.tensor].type.dtype);
}

bool KernelEmitter::may_vectorise(const Loop& loop) const {
  // A reduction in lanes, or a contraction, takes the vectors for itself.
  bool free = loop.mark == Mark::vector && lanes_ == 1;
  visit(
      loop.body,
      [&](const Stmt& s) {
        auto* reduce = std::get_if<Reduce>(&s);
        free &= !std::holds_alternative<Contract>(s) && !(reduce && reduce->order == Order::lanes);
      },
      [](const Expr&) {});
  return free;
}

unsigned KernelEmitter::lanes_of_loop(const Loop& loop) const {
  std::vector<DType> accessed;
  visit(
      loop.body,
      [&](const Stmt& s) {
        if (auto* store = std::get_if<Store>(&s)) accessed.push_back(kernel.tensors[store->tensor].type.dtype);
      },
      [&](const Expr& e) {
        if (e.kind == ExprKind::load) accessed.push_back(e.dtype);
      });
  return lanes_for(accessed);
}

void KernelEmitter::emit_loop(const Loop& s, bool outermost) {
  const LoopVar& v = s.range;
  bool vector = may_vectorise(s);
  const unsigned lanes = vector ? lanes_of_loop(s) : 1;
  llvm::Value *begin = i64(0), *end = i64(v.extent);
  if (outermost && kernel.tasks > 1) {
    // Task i of P covers [R*i/P, R*(i+1)/P), in units of whole vectors.
    int64_t units = (v.extent + lanes - 1) / lanes;
    auto edge = [&](llvm::Value* task) {
      llvm::Value* unit =
          kernel.tasks == units ? task : b.CreateUDiv(b.CreateNUWMul(task, i64(units)), i64(kernel.tasks));
      return lanes == 1 ? unit : b.CreateNUWMul(unit, i64(lanes));
    };
    begin = edge(task_begin), end = edge(task_end);
  }
  if (vector) return emit_vector_loop(s, begin, end, lanes, outermost);
  auto iteration = [&](llvm::Value* i) {
    vars_[v.var] = {i, false, nullptr};
    emit_body(s.body);
  };
  if (s.mark == Mark::unroll && !outermost && v.extent <= most_unrolled)
    for (int64_t i = 0; i < v.extent; ++i) iteration(i64(i));
  else
    for_range(begin, end, 1, iteration);
}

void KernelEmitter::emit_vector_loop(const Loop& s, llvm::Value* begin, llvm::Value* end, unsigned lanes,
                                     bool outermost) {
  if (outermost) private_lanes_ = lanes;
  for_lanes(begin, end, s.range.extent, lanes, [&](llvm::Value* i) {
    vars_[s.range.var] = {i, true, nullptr};
    emit_body(s.body);
  });
  private_lanes_ = 1;
}

// The first fault stays. A kernel with checks has one task, so "first" is the lowest sample.
void KernelEmitter::emit_check(const Check& s) {
  llvm::Value* condition = eval(s.condition);
  bool wide = condition->getType()->isVectorTy();
  if (wide && mask_) condition = b.CreateAnd(condition, mask_);
  llvm::Value* any = wide ? b.CreateOrReduce(condition) : condition;
  auto field = [&](size_t offset) { return b.CreateConstInBoundsGEP1_64(b.getInt8Ty(), fault_, offset); };
  llvm::Value* status = b.CreateLoad(b.getInt32Ty(), field(offsetof(FaultState, status)));
  any = b.CreateAnd(any, b.CreateIsNull(status));
  // The reported numbers are evaluated outside the branch: expressions have no effects.
  llvm::Value* sample = s.sample.valid() ? eval(s.sample) : i64(-1);
  llvm::Value* value =
      s.value.valid() ? eval_cast(kernel.exprs[s.value].dtype, DType::f64, eval(s.value)) : constant(0, DType::f64);
  when(any, [&] {
    auto first = [&](llvm::Value* v) {
      if (!v->getType()->isVectorTy()) return v;
      if (!wide) return b.CreateExtractElement(v, uint64_t{0});
      llvm::Value* bits = b.CreateBitCast(condition, b.getIntNTy(lanes_));
      return b.CreateExtractElement(v, b.CreateBinaryIntrinsic(llvm::Intrinsic::cttz, bits, b.getTrue()));
    };
    constexpr size_t record = offsetof(FaultState, record);
    b.CreateStore(b.getInt32(static_cast<uint32_t>(s.fault.code)), field(offsetof(FaultState, status)));
    b.CreateStore(b.getInt32(static_cast<uint32_t>(fault_code(s.fault.code))),
                  field(record + offsetof(dlcc_fault, code)));
    int32_t node = facts.tensor_index ? facts.tensor_index(s.fault.what) : -1;
    b.CreateStore(b.getInt32(static_cast<uint32_t>(node)), field(record + offsetof(dlcc_fault, node)));
    b.CreateStore(first(sample), field(record + offsetof(dlcc_fault, sample)));
    b.CreateStore(first(value), field(record + offsetof(dlcc_fault, value)));
    b.CreateStore(constant(0, DType::f64), field(record + offsetof(dlcc_fault, limit)));
  });
}

} // namespace dlcc::codegen

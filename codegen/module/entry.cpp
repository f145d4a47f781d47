// An entry: int32_t fn(const dlcc_call_v1*), its steps in order, and a function for each parallel region.
#include "codegen/module/places.h"

#include "ir/base/diagnostics.h"

#include <llvm/ADT/STLFunctionalExtras.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

#include <algorithm>
#include <span>

namespace dlcc::codegen {

using namespace loops;

namespace {

// A call with more takes them from a table: as code, hundreds of arguments at each of hundreds of calls are more than
// LLVM's register allocator gets through in a reasonable time.
constexpr size_t most_direct_arguments = 32;

// LLVM's time grows faster than the number of calls in a function: a longer list of steps becomes several functions.
constexpr size_t most_steps_of_a_function = 128;

using Steps = std::span<const Step>;

bool has_exit(Steps steps) {
  return std::any_of(steps.begin(), steps.end(),
                     [](const Step& s) { return s.kind == StepKind::exit || has_exit(s.children); });
}

bool has_check(const Program& p, Steps steps) {
  return std::any_of(steps.begin(), steps.end(), [&](const Step& s) {
    if (s.kind != StepKind::call) return has_check(p, s.children);
    const auto& stmts = p.kernels[s.call.kernel].stmts;
    return std::any_of(stmts.begin(), stmts.end(), [](const Stmt& t) { return std::holds_alternative<Check>(t); });
  });
}

class EntryEmitter {
public:
  EntryEmitter(llvm::Module& module, const ModulePlan& plan, const Entry& entry)
      : module_(module), plan_(plan), p_(plan.program), entry_(entry), b_(module.getContext()) {}

  void emit();

private:
  llvm::Function* function(const std::string& name, llvm::Type* result, llvm::ArrayRef<llvm::Type*> types,
                           bool exported);
  llvm::Value* byte_offset(llvm::Value* base, int64_t bytes) {
    return bytes == 0 ? base : b_.CreateConstInBoundsGEP1_64(b_.getInt8Ty(), base, static_cast<uint64_t>(bytes));
  }
  llvm::Value* load_pointer(llvm::Value* from, int64_t bytes) {
    return b_.CreateLoad(b_.getPtrTy(), byte_offset(from, bytes));
  }
  llvm::Value* i64(int64_t v) { return b_.getInt64(static_cast<uint64_t>(v)); }
  void fill_context(llvm::Value* call);
  llvm::Value* constants();
  /// A pointer of the context. Loaded where it is used: hundreds of calls with it in registers are slow to allocate.
  llvm::Value* slot(unsigned i) { return load_pointer(context_, 8 * static_cast<int64_t>(i)); }
  llvm::Value* address(BufferId b);
  llvm::FunctionCallee kernel(KernelId k);
  llvm::Function* kernel_by_table(KernelId k);
  void define(llvm::Function* f, llvm::function_ref<void()> steps);
  llvm::Constant* table_of(const Call& c);
  llvm::Value* status() { return b_.CreateLoad(b_.getInt32Ty(), slot(context_fault)); }
  void call(const Call& c, llvm::Value* scratch, llvm::Value* begin, llvm::Value* end);
  void when(llvm::Value* condition, llvm::function_ref<void()> body);
  void leave_if_faulty();
  void serial(Steps steps);
  void serial_part(Steps steps);
  void parallel(const Step& region);
  void parallel_body(const Step& region, llvm::Value* thread, llvm::Value* threads);
  void barrier(llvm::Value* threads);
  void finish();
  llvm::Value* library(const char* name, llvm::Type* result, llvm::ArrayRef<llvm::Type*> types,
                       llvm::ArrayRef<llvm::Value*> arguments);

  llvm::Module& module_;
  const ModulePlan& plan_;
  const Program& p_;
  const Entry& entry_;
  llvm::IRBuilder<> b_;
  std::map<KernelId, llvm::Function*> by_table_;
  // Of the function being emitted:
  llvm::Function* function_ = nullptr;
  llvm::Value* context_ = nullptr;
  llvm::BasicBlock* leave_ = nullptr;
  int regions_ = 0, parts_ = 0;
};

llvm::Function* EntryEmitter::function(const std::string& name, llvm::Type* result, llvm::ArrayRef<llvm::Type*> types,
                                       bool exported) {
  auto linkage = exported ? llvm::Function::ExternalLinkage : llvm::Function::InternalLinkage;
  auto* f = llvm::Function::Create(llvm::FunctionType::get(result, types, false), linkage, name, module_);
  if (exported) f->setVisibility(llvm::GlobalValue::HiddenVisibility);
  f->addFnAttr(llvm::Attribute::NoUnwind);
  f->addFnAttr("target-cpu", plan_.target.cpu);
  f->addFnAttr("target-features", plan_.target.features);
  return f;
}

llvm::Value* EntryEmitter::library(const char* name, llvm::Type* result, llvm::ArrayRef<llvm::Type*> types,
                                   llvm::ArrayRef<llvm::Value*> arguments) {
  auto callee = module_.getOrInsertFunction(name, llvm::FunctionType::get(result, types, false));
  llvm::cast<llvm::Function>(callee.getCallee())->addFnAttr(llvm::Attribute::NoUnwind);
  return b_.CreateCall(callee, arguments);
}

llvm::Value* EntryEmitter::constants() {
  auto* bytes = llvm::ArrayType::get(b_.getInt8Ty(), static_cast<uint64_t>(plan_.region_bytes[DLCC_REG_CONST]));
  auto* global = llvm::cast<llvm::GlobalVariable>(module_.getOrInsertGlobal(constants_symbol, bytes));
  global->setConstant(true);
  global->setVisibility(llvm::GlobalValue::HiddenVisibility);
  return global;
}

// The context is complete before anything reads it, so parallel bodies see all of it.
void EntryEmitter::fill_context(llvm::Value* call) {
  const size_t tensors = entry_.inputs.size() + entry_.outputs.size();
  context_ = b_.CreateAlloca(b_.getPtrTy(), i64(static_cast<int64_t>(context_tensors + tensors)));
  auto set = [&](unsigned i, llvm::Value* v) { b_.CreateStore(v, byte_offset(context_, 8 * static_cast<int64_t>(i))); };
  set(context_call, call);
  if (!p_.hypers.empty()) set(context_hyper, load_pointer(call, offsetof(dlcc_call_v1, hyper)));
  llvm::Value* regions = load_pointer(call, offsetof(dlcc_call_v1, regions));
  for (unsigned r = 0; r < region_count; ++r)
    if (plan_.region_bytes[r] > 0 && r != DLCC_REG_CONST)
      set(static_cast<unsigned>(context_regions) + r, load_pointer(regions, 8 * static_cast<int64_t>(r)));
  if (plan_.region_bytes[DLCC_REG_CONST] > 0) set(context_regions + unsigned{DLCC_REG_CONST}, constants());
  llvm::Value* work = slot(context_regions + unsigned{DLCC_REG_WORK});
  set(context_fault, byte_offset(work, plan_.fault_offset));
  set(context_scratch, byte_offset(work, plan_.region_bytes[DLCC_REG_WORK]));
  auto at = static_cast<unsigned>(context_tensors);
  if (!entry_.inputs.empty()) {
    llvm::Value* inputs = load_pointer(call, offsetof(dlcc_call_v1, inputs));
    for (size_t i = 0; i < entry_.inputs.size(); ++i) set(at++, load_pointer(inputs, 8 * static_cast<int64_t>(i)));
  }
  if (entry_.outputs.empty()) return;
  llvm::Value* outputs = load_pointer(call, offsetof(dlcc_call_v1, outputs));
  int64_t spill = plan_.spill_offset;
  for (size_t i = 0; i < entry_.outputs.size(); ++i) { // null: the caller does not want it
    llvm::Value* given = load_pointer(outputs, 8 * static_cast<int64_t>(i));
    set(at++, b_.CreateSelect(b_.CreateIsNull(given), byte_offset(work, spill), given));
    spill += round_up(byte_count(p_.buffers[entry_.outputs[i]].type), 64);
  }
}

llvm::Value* EntryEmitter::address(BufferId id) {
  const BufferPlace place = place_of(plan_, entry_, id);
  return byte_offset(slot(place.slot), place.offset);
}

llvm::FunctionCallee EntryEmitter::kernel(KernelId k) {
  llvm::SmallVector<llvm::Type*, 16> types(p_.kernels[k].parameter_count() + 2, b_.getPtrTy());
  types.append(2, b_.getInt64Ty());
  auto callee =
      module_.getOrInsertFunction(plan_.kernel_symbol(k), llvm::FunctionType::get(b_.getVoidTy(), types, false));
  auto* f = llvm::cast<llvm::Function>(callee.getCallee());
  if (f->isDeclaration()) f->setVisibility(llvm::GlobalValue::HiddenVisibility);
  return callee;
}

// f(context, table, scratch, begin, end) calls the kernel with the places that a table lists.
llvm::Function* EntryEmitter::kernel_by_table(KernelId k) {
  llvm::Function*& f = by_table_[k];
  if (f) return f;
  llvm::Type *pointer = b_.getPtrTy(), *word = b_.getInt64Ty();
  f = function(plan_.kernel_symbol(k) + ".by_table." + entry_.name, b_.getVoidTy(),
               {pointer, pointer, pointer, word, word}, false);
  llvm::IRBuilder<>::InsertPointGuard guard(b_);
  b_.SetInsertPoint(llvm::BasicBlock::Create(b_.getContext(), "entry", f));
  llvm::Value *context = f->getArg(0), *table = f->getArg(1);
  llvm::SmallVector<llvm::Value*, 16> arguments;
  for (int64_t i = 0; i < static_cast<int64_t>(p_.kernels[k].parameter_count()); ++i) {
    llvm::Value* from = b_.CreateLoad(word, byte_offset(table, 16 * i));
    llvm::Value* bytes = b_.CreateLoad(word, byte_offset(table, 16 * i + 8));
    llvm::Value* base = b_.CreateLoad(pointer, b_.CreateInBoundsGEP(pointer, context, from));
    arguments.push_back(b_.CreateInBoundsGEP(b_.getInt8Ty(), base, bytes));
  }
  arguments.append({load_pointer(context, 8 * context_fault), f->getArg(2), f->getArg(3), f->getArg(4)});
  b_.CreateCall(kernel(k), arguments);
  b_.CreateRetVoid();
  return f;
}

llvm::Constant* EntryEmitter::table_of(const Call& c) {
  std::vector<uint64_t> rows;
  for (BufferId b : c.arguments) {
    const BufferPlace place = place_of(plan_, entry_, b);
    rows.insert(rows.end(), {place.slot, static_cast<uint64_t>(place.offset)});
  }
  llvm::Constant* data = llvm::ConstantDataArray::get(b_.getContext(), rows);
  return new llvm::GlobalVariable(module_, data->getType(), true, llvm::GlobalValue::PrivateLinkage, data);
}

void EntryEmitter::call(const Call& c, llvm::Value* scratch, llvm::Value* begin, llvm::Value* end) {
  if (c.arguments.size() > most_direct_arguments) {
    b_.CreateCall(kernel_by_table(c.kernel), {context_, table_of(c), scratch, begin, end});
    return;
  }
  llvm::SmallVector<llvm::Value*, 16> arguments;
  for (BufferId b : c.arguments) arguments.push_back(address(b));
  arguments.append({slot(context_fault), scratch, begin, end});
  b_.CreateCall(kernel(c.kernel), arguments);
}

void EntryEmitter::when(llvm::Value* condition, llvm::function_ref<void()> body) {
  auto* yes = llvm::BasicBlock::Create(b_.getContext(), "when", function_);
  auto* after = llvm::BasicBlock::Create(b_.getContext(), "after", function_);
  b_.CreateCondBr(condition, yes, after);
  b_.SetInsertPoint(yes);
  body();
  b_.CreateBr(after);
  b_.SetInsertPoint(after);
}

void EntryEmitter::leave_if_faulty() {
  auto* next = llvm::BasicBlock::Create(b_.getContext(), "next", function_);
  b_.CreateCondBr(b_.CreateIsNotNull(status()), leave_, next);
  b_.SetInsertPoint(next);
}

/// Defines a function of the context: the steps, which may leave it early.
void EntryEmitter::define(llvm::Function* f, llvm::function_ref<void()> steps) {
  llvm::IRBuilder<>::InsertPointGuard guard(b_);
  auto saved = std::tuple(function_, context_, leave_);
  function_ = f, context_ = f->getArg(0);
  b_.SetInsertPoint(llvm::BasicBlock::Create(b_.getContext(), "entry", f));
  leave_ = llvm::BasicBlock::Create(b_.getContext(), "leave", f);
  steps();
  b_.CreateBr(leave_);
  b_.SetInsertPoint(leave_);
  b_.CreateRetVoid();
  std::tie(function_, context_, leave_) = saved;
}

void EntryEmitter::serial_part(Steps steps) {
  const std::string name = ModulePlan::entry_symbol(entry_.name) + ".part" + std::to_string(parts_++);
  llvm::Function* part = function(name, b_.getVoidTy(), {b_.getPtrTy()}, false);
  part->addFnAttr(llvm::Attribute::NoInline);
  define(part, [&] { serial(steps); });
  b_.CreateCall(part, {context_});
  if (has_exit(steps)) leave_if_faulty();
}

void EntryEmitter::serial(Steps steps) {
  if (constexpr size_t most = most_steps_of_a_function; steps.size() > most) {
    for (size_t i = 0; i < steps.size(); i += most) serial_part(steps.subspan(i, std::min(most, steps.size() - i)));
    return;
  }
  for (const Step& s : steps) switch (s.kind) {
    case StepKind::call:
      call(s.call, slot(context_scratch), i64(0), i64(p_.kernels[s.call.kernel].tasks));
      break;
    case StepKind::exit:
      leave_if_faulty();
      break;
    case StepKind::serial:
    case StepKind::phase:
      serial(s.children);
      break;
    case StepKind::parallel:
      parallel(s);
      break;
    }
}

void EntryEmitter::barrier(llvm::Value* threads) {
  when(b_.CreateICmpUGT(threads, i64(1)), [&] { library("GOMP_barrier", b_.getVoidTy(), {}, {}); });
}

// Thread t of T runs tasks [P*t/T, P*(t+1)/T) of every kernel.
void EntryEmitter::parallel_body(const Step& region, llvm::Value* thread, llvm::Value* threads) {
  llvm::Value* scratch = b_.CreateInBoundsGEP(b_.getInt8Ty(), slot(context_scratch),
                                              b_.CreateMul(thread, i64(round_up(plan_.scratch_bytes, 64))));
  auto share = [&](const Call& c) {
    const int64_t tasks = p_.kernels[c.kernel].tasks;
    auto edge = [&](llvm::Value* t) { return b_.CreateUDiv(b_.CreateMul(t, i64(tasks)), threads); };
    llvm::Value *begin = edge(thread), *end = edge(b_.CreateAdd(thread, i64(1)));
    when(b_.CreateICmpULT(begin, end), [&] { call(c, scratch, begin, end); });
  };
  const std::vector<Step>& steps = region.children;
  auto works = [](const Step& s) { return s.kind != StepKind::exit; };
  for (size_t i = 0; i < steps.size(); ++i) {
    const Step& s = steps[i];
    const bool last = std::none_of(steps.begin() + static_cast<std::ptrdiff_t>(i) + 1, steps.end(), works);
    switch (s.kind) {
    case StepKind::exit:
      if (last) break; // the entry itself looks, after the region
      leave_if_faulty();
      // Nobody may report a new fault while another thread still has to read the old state.
      if (has_check(p_, Steps(steps).subspan(i + 1))) barrier(threads);
      break;
    case StepKind::call:
      share(s.call);
      if (!last) barrier(threads);
      break;
    case StepKind::phase:
      for (const Step& c : s.children) share(c.call);
      if (!last) barrier(threads);
      break;
    case StepKind::serial:
      when(b_.CreateICmpEQ(thread, i64(0)), [&] {
        for (const Step& c : s.children) call(c.call, scratch, i64(0), i64(p_.kernels[c.call.kernel].tasks));
      });
      if (!last) barrier(threads);
      break;
    case StepKind::parallel:
      internal_error(__FILE__, __LINE__, "a parallel region inside another one");
    }
  }
}

void EntryEmitter::parallel(const Step& region) {
  const std::string name = ModulePlan::entry_symbol(entry_.name) + ".parallel" + std::to_string(regions_++);
  llvm::Type *pointer = b_.getPtrTy(), *word = b_.getInt64Ty(), *status_type = b_.getInt32Ty();
  llvm::Function* body = function(name + ".body", b_.getVoidTy(), {pointer, word, word}, false);
  llvm::Function* outlined = function(name, b_.getVoidTy(), {pointer}, false);
  define(body, [&] { parallel_body(region, body->getArg(1), body->getArg(2)); });
  {
    llvm::IRBuilder<>::InsertPointGuard guard(b_);
    b_.SetInsertPoint(llvm::BasicBlock::Create(b_.getContext(), "entry", outlined));
    auto number = [&](const char* what) { return b_.CreateSExt(library(what, status_type, {}, {}), word); };
    llvm::Value *thread = number("omp_get_thread_num"), *threads = number("omp_get_num_threads");
    b_.CreateCall(body, {outlined->getArg(0), thread, threads});
    b_.CreateRetVoid();
  }
  llvm::Value* threads =
      b_.CreateLoad(status_type, byte_offset(slot(context_call), offsetof(dlcc_call_v1, num_threads)));
  llvm::Value* many = b_.CreateICmpSGT(threads, b_.getInt32(1));
  when(many, [&] {
    library("GOMP_parallel", b_.getVoidTy(), {pointer, pointer, status_type, status_type},
            {outlined, context_, threads, b_.getInt32(0)});
  });
  when(b_.CreateNot(many), [&] { b_.CreateCall(body, {context_, i64(0), i64(1)}); });
  if (has_exit(region.children)) leave_if_faulty();
}

void EntryEmitter::finish() {
  llvm::Value* result = b_.getInt32(0);
  if (has_check(p_, entry_.steps)) {
    result = status();
    llvm::Value* wanted = load_pointer(slot(context_call), offsetof(dlcc_call_v1, fault));
    when(b_.CreateAnd(b_.CreateIsNotNull(result), b_.CreateIsNotNull(wanted)), [&] {
      b_.CreateMemCpyInline(wanted, llvm::Align(8), byte_offset(slot(context_fault), offsetof(FaultState, record)),
                            llvm::Align(8), i64(sizeof(dlcc_fault)));
    });
  }
  b_.CreateRet(result);
}

void EntryEmitter::emit() {
  function_ =
      function(ModulePlan::entry_symbol(entry_.name), b_.getInt32Ty(), {b_.getPtrTy()}, !plan_.options.one_unit);
  b_.SetInsertPoint(llvm::BasicBlock::Create(b_.getContext(), "entry", function_));
  leave_ = llvm::BasicBlock::Create(b_.getContext(), "leave", function_);
  fill_context(function_->getArg(0));
  b_.CreateStore(b_.getInt32(0), slot(context_fault));
  serial(entry_.steps);
  b_.CreateBr(leave_);
  b_.SetInsertPoint(leave_);
  finish();
}

} // namespace

void emit_entry(llvm::Module& module, const ModulePlan& plan, const Entry& entry) {
  EntryEmitter(module, plan, entry).emit();
}

} // namespace dlcc::codegen

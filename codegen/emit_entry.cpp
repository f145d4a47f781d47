// An entry: int32_t fn(const dlcc_call_v1*), its steps in order, and a function for each parallel region.
#include "codegen/module_plan.h"

#include "ir/base/diagnostics.h"

#include <llvm/ADT/STLFunctionalExtras.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

#include <algorithm>

namespace dlcc::codegen {

using namespace loops;

namespace {

bool has_check(const Program& p, const std::vector<Step>& steps) {
  return std::any_of(steps.begin(), steps.end(), [&](const Step& s) {
    if (s.kind != StepKind::call) return has_check(p, s.children);
    const auto& stmts = p.kernels[s.call.kernel].stmts;
    return std::any_of(stmts.begin(), stmts.end(), [](const Stmt& t) { return t.kind == StmtKind::check; });
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
  llvm::Value* slot(unsigned i); ///< a pointer of the context, loaded once a function
  llvm::Value* address(BufferId b);
  llvm::Value* status() { return b_.CreateLoad(b_.getInt32Ty(), slot(context_fault)); }
  void call(const Call& c, llvm::Value* scratch, llvm::Value* begin, llvm::Value* end);
  void when(llvm::Value* condition, llvm::function_ref<void()> body);
  void leave_if_faulty();
  void serial(const std::vector<Step>& steps);
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
  // Of the function being emitted:
  llvm::Function* function_ = nullptr;
  llvm::Value* context_ = nullptr;
  std::vector<llvm::Value*> slots_;
  llvm::BasicBlock* leave_ = nullptr;
  int regions_ = 0;
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

// The context is complete before anything reads it, so parallel bodies see all of it.
void EntryEmitter::fill_context(llvm::Value* call) {
  const size_t tensors = entry_.inputs.size() + entry_.outputs.size();
  context_ = b_.CreateAlloca(b_.getPtrTy(), i64(static_cast<int64_t>(context_tensors + tensors)));
  slots_.assign(context_tensors + tensors, nullptr);
  auto set = [&](unsigned i, llvm::Value* v) {
    b_.CreateStore(v, byte_offset(context_, 8 * static_cast<int64_t>(i)));
    slots_[i] = v;
  };
  set(context_call, call);
  llvm::Value* regions = load_pointer(call, offsetof(dlcc_call_v1, regions));
  for (unsigned r = 0; r < region_count; ++r)
    if (plan_.region_bytes[r] > 0 && r != DLCC_REG_CONST)
      set(static_cast<unsigned>(context_regions) + r, load_pointer(regions, 8 * static_cast<int64_t>(r)));
  llvm::Value* work = slots_[context_regions + unsigned{DLCC_REG_WORK}];
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

llvm::Value* EntryEmitter::slot(unsigned i) {
  if (slots_[i]) return slots_[i];
  llvm::IRBuilder<>::InsertPointGuard guard(b_);
  llvm::BasicBlock& first = function_->getEntryBlock();
  b_.SetInsertPoint(&first, first.getFirstInsertionPt());
  return slots_[i] = load_pointer(context_, 8 * static_cast<int64_t>(i));
}

llvm::Value* EntryEmitter::address(BufferId id) {
  const BufferId storage = p_.storage(id);
  const Buffer& s = p_.buffers[storage];
  auto position = [&](const std::vector<BufferId>& list) -> int64_t {
    for (size_t i = 0; i < list.size(); ++i)
      if (p_.storage(list[i]) == storage) return static_cast<int64_t>(i);
    internal_error(__FILE__, __LINE__, "'" + s.name + "' is no input or output of entry '" + entry_.name + "'");
  };
  switch (s.region) {
  case Region::input:
    return slot(static_cast<unsigned>(context_tensors + position(entry_.inputs)));
  case Region::output:
    return slot(
        static_cast<unsigned>(context_tensors + entry_.inputs.size() + static_cast<size_t>(position(entry_.outputs))));
  case Region::call: {
    static constexpr std::pair<std::string_view, size_t> fields[] = {{"n_valid", offsetof(dlcc_call_v1, n_valid)},
                                                                     {"seed", offsetof(dlcc_call_v1, seed)},
                                                                     {"batch", offsetof(dlcc_call_v1, batch)},
                                                                     {"update", offsetof(dlcc_call_v1, update)}};
    DLCC_CHECK(s.type == (Type{DType::i64, {}}), "scalar '" + s.name + "' of the call is no i64");
    for (auto& [name, offset] : fields)
      if (s.name == name || s.name.starts_with(std::string(name) + "."))
        return byte_offset(slot(context_call), static_cast<int64_t>(offset));
    internal_error(__FILE__, __LINE__, "a call has no scalar '" + s.name + "'");
  }
  case Region::hyper: {
    DLCC_CHECK(s.type == (Type{DType::f64, {}}), "hyper-parameter '" + s.name + "' is no f64");
    auto at = std::find_if(p_.hypers.begin(), p_.hypers.end(), [&](const Hyper& h) { return h.name == s.name; });
    DLCC_CHECK(at != p_.hypers.end(), "unknown hyper-parameter '" + s.name + "'");
    return byte_offset(load_pointer(slot(context_call), offsetof(dlcc_call_v1, hyper)), 8 * (at - p_.hypers.begin()));
  }
  case Region::fault:
    return slot(context_fault);
  case Region::constant: {
    auto* bytes = llvm::ArrayType::get(b_.getInt8Ty(), static_cast<uint64_t>(plan_.region_bytes[DLCC_REG_CONST]));
    auto* global = llvm::cast<llvm::GlobalVariable>(module_.getOrInsertGlobal(constants_symbol, bytes));
    global->setConstant(true);
    global->setVisibility(llvm::GlobalValue::HiddenVisibility);
    return byte_offset(global, s.offset);
  }
  default:
    return byte_offset(slot(context_regions + static_cast<unsigned>(abi_region(s.region))), s.offset);
  }
}

void EntryEmitter::call(const Call& c, llvm::Value* scratch, llvm::Value* begin, llvm::Value* end) {
  llvm::SmallVector<llvm::Value*, 16> arguments;
  for (BufferId b : c.arguments) arguments.push_back(address(b));
  arguments.append({slot(context_fault), scratch, begin, end});
  llvm::SmallVector<llvm::Type*, 16> types;
  for (llvm::Value* v : arguments) types.push_back(v->getType());
  auto callee =
      module_.getOrInsertFunction(plan_.kernel_symbol(c.kernel), llvm::FunctionType::get(b_.getVoidTy(), types, false));
  auto* f = llvm::cast<llvm::Function>(callee.getCallee());
  if (f->isDeclaration()) f->setVisibility(llvm::GlobalValue::HiddenVisibility);
  b_.CreateCall(callee, arguments);
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

void EntryEmitter::serial(const std::vector<Step>& steps) {
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
      if (has_check(p_, {steps.begin() + static_cast<std::ptrdiff_t>(i) + 1, steps.end()})) barrier(threads);
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
  {
    llvm::IRBuilder<>::InsertPointGuard guard(b_);
    auto saved = std::tuple(function_, context_, std::move(slots_), leave_);
    function_ = body, context_ = body->getArg(0);
    slots_.assign(std::get<2>(saved).size(), nullptr);
    auto* start = llvm::BasicBlock::Create(b_.getContext(), "entry", body);
    leave_ = llvm::BasicBlock::Create(b_.getContext(), "leave", body);
    b_.SetInsertPoint(llvm::BasicBlock::Create(b_.getContext(), "steps", body));
    llvm::BasicBlock* steps = b_.GetInsertBlock();
    parallel_body(region, body->getArg(1), body->getArg(2));
    b_.CreateBr(leave_);
    b_.SetInsertPoint(leave_);
    b_.CreateRetVoid();
    b_.SetInsertPoint(start);
    b_.CreateBr(steps);
    std::tie(function_, context_, slots_, leave_) = std::move(saved);

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
  bool exits = std::any_of(region.children.begin(), region.children.end(),
                           [](const Step& s) { return s.kind == StepKind::exit; });
  if (exits) leave_if_faulty();
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

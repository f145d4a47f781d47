#include "tests/codegen_math/jit_kernel.h"

#include <llvm/ExecutionEngine/Orc/JITTargetMachineBuilder.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/raw_ostream.h>
#include <stdexcept>

namespace dlcc::codegen::test {
namespace {

using namespace llvm;

template <class T> T value_or_throw(Expected<T> value) {
  if (!value) throw std::runtime_error(toString(value.takeError()));
  return std::move(*value);
}

Type* element_type(LLVMContext& context, Element e) {
  switch (e) {
  case Element::f32:
    return Type::getFloatTy(context);
  case Element::f64:
    return Type::getDoubleTy(context);
  case Element::i32:
    return Type::getInt32Ty(context);
  }
  return nullptr;
}

/// void kernel(ptr in, ptr out, i64 n): for (i = 0; i < n; i += lanes) out[*][i...] = emit(in[*][i...])
void build_loop(Module& module, const KernelSpec& spec, const Emitter& emit) {
  LLVMContext& c = module.getContext();
  IRBuilder<> b(c);
  Type *ptr = b.getPtrTy(), *i64 = b.getInt64Ty();
  auto* type = FunctionType::get(b.getVoidTy(), {ptr, ptr, i64}, false);
  auto* f = Function::Create(type, Function::ExternalLinkage, "kernel", module);
  f->addFnAttr("prefer-vector-width", "512");
  auto* entry = BasicBlock::Create(c, "entry", f);
  auto* loop = BasicBlock::Create(c, "loop", f);
  auto* exit = BasicBlock::Create(c, "exit", f);
  Type* scalar = element_type(c, spec.element);
  Type* lanes = spec.lanes == 1 ? scalar : FixedVectorType::get(scalar, spec.lanes);
  const Align align(scalar->getScalarSizeInBits() / 8);

  b.SetInsertPoint(entry);
  auto array = [&](Value* table, unsigned i) { return b.CreateLoad(ptr, b.CreateConstGEP1_64(ptr, table, i)); };
  std::vector<Value*> in, out;
  for (unsigned i = 0; i < spec.inputs; ++i) in.push_back(array(f->getArg(0), i));
  for (unsigned i = 0; i < spec.outputs; ++i) out.push_back(array(f->getArg(1), i));
  b.CreateCondBr(b.CreateICmpSGT(f->getArg(2), b.getInt64(0)), loop, exit);

  b.SetInsertPoint(loop);
  PHINode* i = b.CreatePHI(i64, 2);
  i->addIncoming(b.getInt64(0), entry);
  std::vector<Value*> arguments;
  for (Value* p : in) arguments.push_back(b.CreateAlignedLoad(lanes, b.CreateGEP(scalar, p, i), align));
  if (spec.fast_flags) b.setFastMathFlags(FastMathFlags::getFast());
  std::vector<Value*> results = emit(b, arguments);
  for (size_t k = 0; k < results.size(); ++k) b.CreateAlignedStore(results[k], b.CreateGEP(scalar, out[k], i), align);
  Value* next = b.CreateAdd(i, b.getInt64(spec.lanes));
  i->addIncoming(next, loop);
  b.CreateCondBr(b.CreateICmpSLT(next, f->getArg(2)), loop, exit);

  b.SetInsertPoint(exit);
  b.CreateRetVoid();
}

/// The usual pipeline without its own vectorisation, so that the width is the one asked for.
void optimize(Module& module, TargetMachine& machine) {
  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager sccs;
  ModuleAnalysisManager modules;
  PipelineTuningOptions options;
  options.LoopVectorization = options.SLPVectorization = false;
  PassBuilder builder(&machine, options);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(sccs);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, sccs, modules);
  builder.buildPerModuleDefaultPipeline(OptimizationLevel::O2).run(module, modules);
}

} // namespace

bool can_run(Cpu cpu) {
  if (cpu == Cpu::avx2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd");
}

Kernel::Kernel(const KernelSpec& spec, const Emitter& emit) {
  InitializeNativeTarget();
  InitializeNativeTargetAsmPrinter();
  orc::JITTargetMachineBuilder target(Triple("x86_64-unknown-linux-gnu"));
  target.setCPU(spec.cpu == Cpu::avx2 ? "x86-64-v3" : "x86-64-v4");
  std::unique_ptr<TargetMachine> machine = value_or_throw(target.createTargetMachine());

  auto context = std::make_unique<LLVMContext>();
  auto module = std::make_unique<Module>("math", *context);
  module->setTargetTriple(machine->getTargetTriple().str());
  module->setDataLayout(machine->createDataLayout());
  build_loop(*module, spec, emit);
  raw_string_ostream(ir_text) << *module;
  if (verifyModule(*module, &errs())) throw std::runtime_error("the emitted IR is not valid");
  optimize(*module, *machine);

  jit = value_or_throw(orc::LLJITBuilder()
                           .setJITTargetMachineBuilder(target)
                           .setLinkProcessSymbolsByDefault(false) // a call of libm would not link
                           .setPlatformSetUp(orc::setUpInactivePlatform)
                           .create());
  if (Error e = jit->addIRModule({std::move(module), std::move(context)}))
    throw std::runtime_error(toString(std::move(e)));
  run = value_or_throw(jit->lookup("kernel")).toPtr<void (*)(const void* const*, void* const*, int64_t)>();
}

void Kernel::operator()(const std::vector<const void*>& in, const std::vector<void*>& out, size_t n) const {
  run(in.data(), out.data(), static_cast<int64_t>(n));
}

} // namespace dlcc::codegen::test

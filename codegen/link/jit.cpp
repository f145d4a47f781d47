#include "codegen/link/jit.h"

#include "ir/base/diagnostics.h"

#include <llvm/ExecutionEngine/JITLink/JITLinkMemoryManager.h>
#include <llvm/ExecutionEngine/Orc/Core.h>
#include <llvm/ExecutionEngine/Orc/ExecutorProcessControl.h>
#include <llvm/ExecutionEngine/Orc/ObjectLinkingLayer.h>

#include <llvm/Support/SmallVectorMemoryBuffer.h>

#include <dlfcn.h>

namespace dlcc::codegen {

namespace orc = llvm::orc;

// Everything generated code calls outside itself.
static constexpr const char* library_functions[] = {"GOMP_parallel", "GOMP_barrier", "omp_get_thread_num",
                                                    "omp_get_num_threads"};

struct JitModule::Session {
  orc::ExecutionSession execution;
  orc::ObjectLinkingLayer layer;

  explicit Session(std::unique_ptr<orc::ExecutorProcessControl> process)
      : execution(std::move(process)), layer(execution) {}
  ~Session() { llvm::consumeError(execution.endSession()); }
};

namespace {
void must(llvm::Error error, const char* what) {
  if (error) internal_error(__FILE__, __LINE__, std::string(what) + ": " + llvm::toString(std::move(error)));
}
template <class T> T must(llvm::Expected<T> value, const char* what) {
  if (!value) must(value.takeError(), what);
  return std::move(*value);
}

// libgomp or whatever else with its interface the process has already; loaded once and kept.
void* openmp(const char* name) {
  if (void* f = dlsym(RTLD_DEFAULT, name)) return f;
  static void* library = [] {
    for (const char* candidate : {"libgomp.so.1", "libomp.so.5", "libomp.so"})
      if (void* l = dlopen(candidate, RTLD_NOW | RTLD_GLOBAL)) return l;
    return static_cast<void*>(nullptr);
  }();
  void* f = library ? dlsym(library, name) : nullptr;
  if (!f)
    throw UserError(ExitCode::environment, "no-openmp",
                    std::string("no OpenMP runtime has ") + name + ", expected libgomp.so.1 or libomp.so");
  return f;
}
} // namespace

JitModule::JitModule(std::vector<ObjectCode> objects) {
  session_ = std::make_unique<Session>(must(orc::SelfExecutorProcessControl::Create(), "cannot start the JIT"));
  orc::ExecutionSession& execution = session_->execution;
  execution.setErrorReporter([](llvm::Error e) { llvm::consumeError(std::move(e)); }); // lookup() returns it too
  orc::JITDylib& dylib = execution.createBareJITDylib("dlcc");
  orc::SymbolMap library;
  for (const char* name : library_functions)
    library[execution.intern(name)] = {orc::ExecutorAddr::fromPtr(openmp(name)),
                                       llvm::JITSymbolFlags::Exported | llvm::JITSymbolFlags::Callable};
  must(dylib.define(orc::absoluteSymbols(std::move(library))), "cannot define library functions");
  for (ObjectCode& object : objects)
    must(session_->layer.add(dylib, std::make_unique<llvm::SmallVectorMemoryBuffer>(std::move(object), false)),
         "cannot load object code");
  auto symbol = must(
      execution.lookup({{&dylib, orc::JITDylibLookupFlags::MatchAllSymbols}}, execution.intern("dlcc_module_query")),
      "cannot link object code");
  module_ = symbol.getAddress().toPtr<const dlcc_module_v1* (*)(uint32_t)>()(DLCC_MODULE_ABI);
  DLCC_CHECK(module_ != nullptr, "a module of another ABI");
}

JitModule::JitModule(JitModule&&) noexcept = default;
JitModule& JitModule::operator=(JitModule&&) noexcept = default;
JitModule::~JitModule() = default;

} // namespace dlcc::codegen

#include "codegen/target.h"

#include "ir/base/diagnostics.h"

#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/TargetParser/Host.h>

#include <array>
#include <cstdio>
#include <mutex>
#include <unistd.h>

namespace dlcc::codegen {

namespace {

// What code may use beyond the x86-64 baseline. Nothing else is taken from the host, so that an artefact asks for no
// more than these; cx16, sahf and the like are of no use to numeric code.
constexpr std::array v3_features = {"avx",   "avx2",  "bmi",    "bmi2", "crc32",  "f16c",   "fma",
                                    "lzcnt", "movbe", "popcnt", "sse3", "sse4.1", "sse4.2", "ssse3"};
constexpr std::array v4_features = {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"};

void add(std::string& list, const char* feature) {
  if (!list.empty()) list += ',';
  list += '+';
  list += feature;
}

int64_t cache_bytes(int name, int64_t otherwise) {
  long bytes = sysconf(name);
  return bytes > 0 ? bytes : otherwise;
}

Target level(bool avx512) {
  Target t;
  t.cpu = avx512 ? "x86-64-v4" : "x86-64-v3";
  t.avx512 = avx512;
  for (const char* f : v3_features) add(t.features, f);
  if (avx512) {
    for (const char* f : v4_features) add(t.features, f);
    t.machine.vector_bytes = 64;
    t.machine.vector_registers = 32;
  }
  return t;
}

Target native() {
  auto host = llvm::sys::getHostCPUFeatures();
  auto has = [&](const char* f) { return host.lookup(f); };
  for (const char* f : {"avx2", "fma"})
    if (!has(f))
      throw UserError(ExitCode::environment, "cpu-too-old",
                      std::string("this CPU lacks ") + f + ", dlcc needs AVX2 and FMA (x86-64-v3)");
  bool avx512 = true;
  for (const char* f : v4_features) avx512 = avx512 && has(f);
  Target t = level(avx512);
  t.features.clear();
  for (const char* f : v3_features)
    if (has(f)) add(t.features, f);
  if (avx512)
    for (const char* f : v4_features) add(t.features, f);
  t.machine.l1_bytes = cache_bytes(_SC_LEVEL1_DCACHE_SIZE, t.machine.l1_bytes);
  t.machine.l2_bytes = cache_bytes(_SC_LEVEL2_CACHE_SIZE, t.machine.l2_bytes);
  return t;
}

} // namespace

Target make_target(std::string_view name) {
  if (name == "native") return native();
  if (name == "x86-64-v3") return level(false);
  if (name == "x86-64-v4") return level(true);
  throw UserError(ExitCode::usage, "unknown-target",
                  "unknown target '" + escape(name) + "', expected native, x86-64-v3 or x86-64-v4");
}

std::unique_ptr<llvm::TargetMachine> make_target_machine(const Target& target) {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    LLVMInitializeX86AsmParser();
  });
  std::string error;
  const llvm::Target* x86 = llvm::TargetRegistry::lookupTarget(target.triple, error);
  DLCC_CHECK(x86 != nullptr, "LLVM has no target for " + target.triple + ": " + error);
  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict; // multiply and add are fused only where the IR says fma
  // The module's own attributes carry CPU and features: the query function must stay at the baseline.
  std::unique_ptr<llvm::TargetMachine> machine(x86->createTargetMachine(
      target.triple, "x86-64", "", options, llvm::Reloc::PIC_, llvm::CodeModel::Small, llvm::CodeGenOptLevel::Default));
  DLCC_CHECK(machine != nullptr, "LLVM cannot make code for " + target.triple);
  return machine;
}

} // namespace dlcc::codegen

#include "codegen/target.h"

#include "ir/base/diagnostics.h"

#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/TargetParser/Host.h>
#include <llvm/TargetParser/X86TargetParser.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <unistd.h>

namespace dlcc::codegen {

namespace {

// What code may use beyond the x86-64 baseline. Nothing else is taken from the host, so that an artefact asks for no
// more than these; cx16, sahf and the like are of no use to numeric code.
constexpr std::array v3_features = {"avx",   "avx2",  "bmi",    "bmi2", "crc32",  "f16c",   "fma",
                                    "lzcnt", "movbe", "popcnt", "sse3", "sse4.1", "sse4.2", "ssse3"};
constexpr std::array v4_features = {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"};
constexpr std::string_view native = "native";

using Features = llvm::StringMap<bool>;

bool has(const Features& features, const char* name) { return features.lookup(name); }

bool is_known(std::string_view feature) {
  const auto is = [&](const char* f) { return feature == f; };
  return std::any_of(v3_features.begin(), v3_features.end(), is) ||
         std::any_of(v4_features.begin(), v4_features.end(), is);
}

int64_t cache_bytes(int name, int64_t otherwise) {
  long bytes = sysconf(name);
  return bytes > 0 ? bytes : otherwise;
}

// With what the feature implies, or what needs it.
void set(Features& features, llvm::StringRef name, bool on) {
  features[name] = on;
  llvm::X86::updateImpliedFeatures(name, on, features);
}

Features features_of(std::string_view cpu) {
  if (cpu == native) return llvm::sys::getHostCPUFeatures();
  if (llvm::X86::parseArchX86(cpu, /*Only64Bit=*/true) == llvm::X86::CK_None)
    throw UserError(ExitCode::usage, "unknown-target",
                    "unknown target '" + escape(cpu, 60) +
                        "', expected native, x86-64-v3, x86-64-v4 or a CPU such as znver4");
  llvm::SmallVector<llvm::StringRef, 64> names;
  llvm::X86::getFeaturesForCPU(cpu, names);
  Features features;
  for (llvm::StringRef name : names) set(features, name, true);
  return features;
}

// "+avx512vl,-avx512f"
void change(Features& features, std::string_view attributes) {
  while (!attributes.empty()) {
    const std::string_view word = attributes.substr(0, attributes.find(','));
    attributes.remove_prefix(std::min(attributes.size(), word.size() + 1));
    const bool on = word.starts_with('+');
    if ((!on && !word.starts_with('-')) || !is_known(word.substr(1)))
      throw UserError(ExitCode::usage, "unknown-target",
                      "unknown feature '" + escape(word, 60) + "', expected + or - and one of AVX2's or AVX-512's");
    set(features, word.substr(1), on);
  }
}

void check_fused_multiply(const Features& features, std::string_view name, bool changed) {
  const bool here = name == native && !changed;
  for (const char* f : {"avx2", "fma"})
    if (!has(features, f))
      throw UserError(here ? ExitCode::environment : ExitCode::usage, "cpu-too-old",
                      (here ? "this CPU" : "the target '" + escape(name, 60) + "'") + " lacks " + f +
                          ", dlcc needs AVX2 and FMA (x86-64-v3)");
}

} // namespace

Target make_target(std::string_view name, std::string_view attributes) {
  Features features = features_of(name);
  change(features, attributes);
  check_fused_multiply(features, name, !attributes.empty());
  Target t;
  const auto use = [&](const char* f) {
    if (has(features, f)) t.features += (t.features.empty() ? "+" : ",+") + std::string(f);
  };
  for (const char* f : v3_features) use(f);
  t.avx512 = std::all_of(v4_features.begin(), v4_features.end(), [&](const char* f) { return has(features, f); });
  t.cpu = t.avx512 ? "x86-64-v4" : "x86-64-v3";
  if (t.avx512) {
    for (const char* f : v4_features) use(f);
    t.machine.vector_bytes = 64;
    t.machine.vector_registers = 32;
  }
  if (name == native) {
    t.machine.l1_bytes = cache_bytes(_SC_LEVEL1_DCACHE_SIZE, t.machine.l1_bytes);
    t.machine.l2_bytes = cache_bytes(_SC_LEVEL2_CACHE_SIZE, t.machine.l2_bytes);
  }
  return t;
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

// The CPU that code is made for: a named level or this machine, with its features listed one by one.
#pragma once

#include "ir/base/machine.h"

#include <memory>
#include <string>
#include <string_view>

namespace llvm {
class TargetMachine;
}

namespace dlcc::codegen {

struct Target {
  std::string triple = "x86_64-unknown-linux-gnu";
  std::string cpu;      ///< LLVM's name for the cost tables; never a source of features
  std::string features; ///< "+avx,+avx2,...": all that the code may use, as dlcc_module_v1.cpu_features
  bool avx512 = false;  ///< 64-byte vectors: avx512f, bw, cd, dq and vl are all there
  Machine machine;
};

/// "native", "x86-64-v3", "x86-64-v4" or a CPU as LLVM calls it ("znver4"); `attributes` adds and removes features:
/// "-avx512f,+movbe". Throws UserError(usage) for other words, and where AVX2 or FMA lacks: without FMA the results
/// would have other bits; UserError(environment) if that is this CPU.
Target make_target(std::string_view name, std::string_view attributes = {});

/// A new LLVM target machine; the caller owns it. One thread may use it at a time.
std::unique_ptr<llvm::TargetMachine> make_target_machine(const Target& target);

} // namespace dlcc::codegen

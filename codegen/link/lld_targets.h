// What lld asks for only in link-time optimisation, which never runs here: every other target of LLVM, and Polly. Empty
// definitions keep some 60 MB of code out of the executable. For link.cpp alone.
#pragma once

#include <llvm/Passes/PassPlugin.h>

#define DLCC_NO_TARGET(name)                                                                                           \
  void LLVMInitialize##name##TargetInfo() {}                                                                           \
  void LLVMInitialize##name##Target() {}                                                                               \
  void LLVMInitialize##name##TargetMC() {}                                                                             \
  void LLVMInitialize##name##AsmPrinter() {}                                                                           \
  void LLVMInitialize##name##AsmParser() {}

extern "C" {
DLCC_NO_TARGET(AArch64)
DLCC_NO_TARGET(AMDGPU)
DLCC_NO_TARGET(ARM)
DLCC_NO_TARGET(AVR)
DLCC_NO_TARGET(BPF)
DLCC_NO_TARGET(Hexagon)
DLCC_NO_TARGET(Lanai)
DLCC_NO_TARGET(LoongArch)
DLCC_NO_TARGET(M68k)
DLCC_NO_TARGET(MSP430)
DLCC_NO_TARGET(Mips)
DLCC_NO_TARGET(NVPTX)
DLCC_NO_TARGET(PowerPC)
DLCC_NO_TARGET(RISCV)
DLCC_NO_TARGET(Sparc)
DLCC_NO_TARGET(SystemZ)
DLCC_NO_TARGET(VE)
DLCC_NO_TARGET(WebAssembly)
DLCC_NO_TARGET(XCore)
DLCC_NO_TARGET(Xtensa)
}
#undef DLCC_NO_TARGET

llvm::PassPluginLibraryInfo getPollyPluginInfo() {
  return {LLVM_PLUGIN_API_VERSION, "no Polly", "", [](llvm::PassBuilder&) {}};
}

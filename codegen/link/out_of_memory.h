// out_of_memory.h: how a program that compiles ends when LLVM finds no memory.
#pragma once

namespace dlcc::codegen {

/// From now on the process prints one line on standard error and ends with this code when an allocation inside LLVM
/// or by operator new fails; without it LLVM aborts or is left half made. For programs, not for libraries.
void exit_when_out_of_memory(int exit_code);

} // namespace dlcc::codegen

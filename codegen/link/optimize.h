// The short list of LLVM passes that generated code goes through before instruction selection.
#pragma once

namespace llvm {
class Module;
class TargetMachine;
} // namespace llvm

namespace dlcc::codegen {

/// Rewrites the module in place. Vectors, tiles and unrolling were decided before; nothing here changes a result's
/// bits.
void optimize(llvm::Module& module, llvm::TargetMachine& machine);

} // namespace dlcc::codegen

// One LLVM module on its way to machine code; units are compiled side by side.
#pragma once

#include "codegen/target.h"

#include <memory>
#include <string>

namespace llvm {
class LLVMContext;
class Module;
} // namespace llvm

namespace dlcc::codegen {

/// One LLVM module with the context it lives in.
struct CodeUnit {
  std::string name;
  std::unique_ptr<llvm::LLVMContext> context;
  std::unique_ptr<llvm::Module> module;

  CodeUnit(std::string name, const Target& target);
  CodeUnit(CodeUnit&&) noexcept;
  CodeUnit& operator=(CodeUnit&&) noexcept;
  ~CodeUnit();
};

} // namespace dlcc::codegen

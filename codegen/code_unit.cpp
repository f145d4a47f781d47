#include "codegen/code_unit.h"

#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>

namespace dlcc::codegen {

CodeUnit::CodeUnit(std::string name, const Target& target)
    : name(std::move(name)), context(std::make_unique<llvm::LLVMContext>()),
      module(std::make_unique<llvm::Module>(this->name, *context)) {
  context->setDiscardValueNames(false);
  module->setTargetTriple(target.triple);
  module->setDataLayout("e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128");
  module->setPICLevel(llvm::PICLevel::BigPIC);
}
CodeUnit::CodeUnit(CodeUnit&&) noexcept = default;
CodeUnit& CodeUnit::operator=(CodeUnit&& other) noexcept {
  // Swapped, so that no context dies before the module in it.
  name.swap(other.name), context.swap(other.context), module.swap(other.module);
  return *this;
}
CodeUnit::~CodeUnit() = default;

} // namespace dlcc::codegen

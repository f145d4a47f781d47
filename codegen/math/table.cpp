#include "codegen/math/functions.h"

#include <llvm/Support/ErrorHandling.h>

namespace dlcc::codegen {
namespace {

using Unary = llvm::Value* (*)(llvm::IRBuilderBase&, llvm::Value*);
using Binary = llvm::Value* (*)(llvm::IRBuilderBase&, llvm::Value*, llvm::Value*);

llvm::Value* call(Unary emit, llvm::IRBuilderBase& b, llvm::ArrayRef<llvm::Value*> a) { return emit(b, a[0]); }
llvm::Value* call(Binary emit, llvm::IRBuilderBase& b, llvm::ArrayRef<llvm::Value*> a) { return emit(b, a[0], a[1]); }

} // namespace

llvm::Value* emit_math(llvm::IRBuilderBase& b, MathFunction function, llvm::ArrayRef<llvm::Value*> arguments) {
  switch (function) {
#define DLCC_MATH_FUNCTION(name, arity, ulp_f32, ulp_f64)                                                              \
  case MathFunction::name:                                                                                             \
    return call(emit_##name, b, arguments);
#include "codegen/math/math_functions.def"
  }
  llvm_unreachable("not a MathFunction");
}

} // namespace dlcc::codegen

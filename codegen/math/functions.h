/// dlcc's own elementary functions, emitted as branch-free LLVM IR for float and double, scalar or any fixed vector.
///
/// Every emitter takes values of one type (float, double or a fixed vector of them) and returns a value of that type.
/// The result of a lane depends on that lane alone and has the same bits for every vector width, and on every x86-64-v3
/// CPU: only exactly rounded operations are emitted (+ - * / fma sqrt rint, integer operations, selects), no call, no
/// fast-math flag whatever the builder carries. Gradual underflow is kept, NaN propagates. Error bounds:
/// math_functions.def.
#pragma once

#include <array>
#include <llvm/IR/IRBuilder.h>
#include <string_view>

namespace dlcc::codegen {

enum class MathFunction {
#define DLCC_MATH_FUNCTION(name, arity, ulp_f32, ulp_f64) name,
#include "codegen/math/math_functions.def"
};

/// One row of math_functions.def.
struct MathFunctionInfo {
  MathFunction function;
  std::string_view name;
  int arity;
  double ulp_f32, ulp_f64; ///< largest error in units in the last place of the exact result
};

inline constexpr MathFunctionInfo math_functions[] = {
#define DLCC_MATH_FUNCTION(name, arity, ulp_f32, ulp_f64) {MathFunction::name, #name, arity, ulp_f32, ulp_f64},
#include "codegen/math/math_functions.def"
};

/// Emits any function of the table; `arguments` holds as many values as its arity.
llvm::Value* emit_math(llvm::IRBuilderBase& b, MathFunction function, llvm::ArrayRef<llvm::Value*> arguments);

/// e^x (Cody and Waite 1980, Tang 1989: reduction by multiples of ln 2, compensated).
llvm::Value* emit_exp(llvm::IRBuilderBase& b, llvm::Value* x);
/// 2^x.
llvm::Value* emit_exp2(llvm::IRBuilderBase& b, llvm::Value* x);
/// e^x - 1, accurate near 0; -0 is kept.
llvm::Value* emit_expm1(llvm::IRBuilderBase& b, llvm::Value* x);
/// Natural logarithm; log(+-0) = -inf, log of a negative number is NaN.
llvm::Value* emit_log(llvm::IRBuilderBase& b, llvm::Value* x);
/// log(1 + x), accurate near 0; -0 is kept.
llvm::Value* emit_log1p(llvm::IRBuilderBase& b, llvm::Value* x);
/// Hyperbolic tangent, exactly odd, in [-1, 1].
llvm::Value* emit_tanh(llvm::IRBuilderBase& b, llvm::Value* x);
/// 1 / (1 + e^-x), in [0, 1]; keeps its accuracy where the result is subnormal.
llvm::Value* emit_sigmoid(llvm::IRBuilderBase& b, llvm::Value* x);
/// log(1 + e^x) without overflow or cancellation.
llvm::Value* emit_softplus(llvm::IRBuilderBase& b, llvm::Value* x);
/// Error function, exactly odd, in [-1, 1].
llvm::Value* emit_erf(llvm::IRBuilderBase& b, llvm::Value* x);
/// Sine and cosine of all finite x, however large (Payne and Hanek 1983); NaN for infinities.
llvm::Value* emit_sin(llvm::IRBuilderBase& b, llvm::Value* x);
llvm::Value* emit_cos(llvm::IRBuilderBase& b, llvm::Value* x);
/// x^y with the special cases of C99 (annex F.9.4.4).
llvm::Value* emit_pow(llvm::IRBuilderBase& b, llvm::Value* x, llvm::Value* y);

/// The z with Phi(z) = u: maps uniforms of (0, 1) to standard normals (Wichura 1988, AS 241: PPND7 for float, PPND16
/// for double). 0 gives -inf, 1 gives +inf, anything else outside (0, 1) NaN. Exactly odd about u = 1/2 where 1 - u is
/// exact.
llvm::Value* emit_normal_from_uniform(llvm::IRBuilderBase& b, llvm::Value* u);

/// Philox 4x32-10 (Salmon et al. 2011): four words of 32 random bits for each lane of the counter `c`, least
/// significant word first. The counters are i32 or vectors of i32; a scalar key serves all lanes.
std::array<llvm::Value*, 4> emit_philox4x32_10(llvm::IRBuilderBase& b, std::array<llvm::Value*, 4> c,
                                               std::array<llvm::Value*, 2> key);

} // namespace dlcc::codegen

// Scalar expressions of the loop IR, as scalars or as one value a lane.
#include "codegen/kernel/kernel_emitter.h"
#include "codegen/math/functions.h"

#include <llvm/IR/Intrinsics.h>

namespace dlcc::codegen {

using namespace loops;

llvm::Constant* KernelEmitter::constant(double value, DType t) {
  if (is_float(t)) // rounds to nearest even, in the type itself
    return t == DType::f32 ? llvm::ConstantFP::get(b.getContext(), llvm::APFloat(static_cast<float>(value)))
                           : llvm::ConstantFP::get(b.getContext(), llvm::APFloat(value));
  if (t == DType::boolean) return b.getInt1(value != 0);
  return llvm::ConstantInt::getSigned(type_of(t), static_cast<int64_t>(value));
}

void KernelEmitter::evaluate(const std::vector<ExprId>& roots) {
  memo_.assign(kernel.exprs.size(), nullptr);
  for (ExprId root : roots)
    for (ExprId e : closure(root))
      if (!memo_[e.index]) memo_[e.index] = eval_one(kernel.exprs[e]);
}

llvm::Value* KernelEmitter::indirect_of(const Index& i) {
  return eval_cast(kernel.exprs[i.indirect].dtype, DType::i64, memo_[i.indirect.index]);
}

llvm::Value* KernelEmitter::eval_one(const Expr& e) {
  switch (e.kind) {
  case ExprKind::constant:
    return constant(e.value, e.dtype);
  case ExprKind::index: {
    llvm::Value* v = value_of(e.at[0].affine);
    if (!e.at[0].indirect.valid()) return v;
    llvm::Value* indirect = indirect_of(e.at[0]);
    bool wide = v->getType()->isVectorTy() || indirect->getType()->isVectorTy();
    return wide ? b.CreateAdd(widen(v), widen(indirect)) : b.CreateAdd(v, indirect);
  }
  case ExprKind::local:
    return locals_[e.local];
  case ExprKind::load:
    return load(place_of(e.tensor, e.at, e.padded), kernel.tensors[e.tensor].type.dtype);
  case ExprKind::op:
    break;
  }
  Values args;
  bool wide = false;
  for (ExprId o : e.operands) {
    args.push_back(memo_[o.index]);
    wide |= args.back()->getType()->isVectorTy();
  }
  if (wide && e.op != ScalarOp::random_uniform)
    for (llvm::Value*& v : args) v = widen(v);
  return eval_op(e, std::move(args));
}

// maximum(a, c) = c if c > a or c is NaN, else a: one instruction where c is a constant, as in max(x, 0), and NaN
// passes from either side.
llvm::Value* KernelEmitter::extremum(DType t, llvm::Value* a, llvm::Value* c, bool largest) {
  if (!is_float(t)) {
    bool is_signed = t != DType::u8 && t != DType::boolean;
    llvm::CmpInst::Predicate p = largest ? (is_signed ? llvm::CmpInst::ICMP_SGT : llvm::CmpInst::ICMP_UGT)
                                         : (is_signed ? llvm::CmpInst::ICMP_SLT : llvm::CmpInst::ICMP_ULT);
    return b.CreateSelect(b.CreateICmp(p, c, a), c, a);
  }
  llvm::Value* r = b.CreateSelect(largest ? b.CreateFCmpOGT(c, a) : b.CreateFCmpOLT(c, a), c, a);
  auto* known = llvm::dyn_cast<llvm::Constant>(c);
  if (known && known->getType()->isVectorTy()) known = known->getSplatValue();
  auto* number = llvm::dyn_cast_or_null<llvm::ConstantFP>(known);
  if (number && !number->isNaN()) return r;
  return b.CreateSelect(b.CreateFCmpUNO(c, c), c, r);
}

llvm::Value* KernelEmitter::eval_integer_division(const Expr& e, llvm::Value* a, llvm::Value* d) {
  // x / 0 is 0 and x mod 0 is 0: no trap, whatever the data or a lane that is masked off holds.
  llvm::Type* type = a->getType();
  llvm::Constant *zero = llvm::Constant::getNullValue(type), *one = llvm::ConstantInt::get(type, 1);
  llvm::Value* undefined = b.CreateICmpEQ(d, zero);
  bool division = e.op == ScalarOp::divide;
  llvm::Value* r;
  if (e.dtype == DType::u8) {
    llvm::Value* by = b.CreateSelect(undefined, one, d);
    r = division ? b.CreateUDiv(a, by) : b.CreateURem(a, by);
  } else {
    // The lowest number / -1 wraps, so division by -1 is a negation.
    llvm::Value* minus_one = b.CreateICmpEQ(d, llvm::Constant::getAllOnesValue(type));
    llvm::Value* by = b.CreateSelect(b.CreateOr(undefined, minus_one), one, d);
    llvm::Value *quotient = b.CreateSDiv(a, by), *rest = b.CreateSub(a, b.CreateMul(quotient, by));
    llvm::Value* down = b.CreateAnd(b.CreateICmpNE(rest, zero), b.CreateICmpSLT(b.CreateXor(rest, by), zero));
    if (division)
      r = b.CreateSelect(minus_one, b.CreateNeg(a), b.CreateSub(quotient, b.CreateZExt(down, type)));
    else
      r = b.CreateSelect(minus_one, zero, b.CreateAdd(rest, b.CreateSelect(down, by, zero)));
  }
  return b.CreateSelect(undefined, zero, r);
}

llvm::Value* KernelEmitter::eval_cast(DType from, DType to, llvm::Value* v) {
  if (from == to) return v;
  llvm::Type* type = type_of(to);
  if (auto* vector = llvm::dyn_cast<llvm::FixedVectorType>(v->getType()))
    type = llvm::FixedVectorType::get(type, vector->getNumElements());
  bool from_unsigned = from == DType::u8 || from == DType::boolean;
  if (to == DType::boolean)
    return is_float(from) ? b.CreateFCmpUNE(v, llvm::Constant::getNullValue(v->getType())) : b.CreateIsNotNull(v);
  if (is_float(from) && is_float(to)) return b.CreateFPCast(v, type);
  if (is_float(to)) return from_unsigned ? b.CreateUIToFP(v, type) : b.CreateSIToFP(v, type);
  if (is_float(from)) // toward zero; out of range saturates, NaN is 0
    return b.CreateIntrinsic(to == DType::u8 ? llvm::Intrinsic::fptoui_sat : llvm::Intrinsic::fptosi_sat,
                             {type, v->getType()}, {v});
  return b.CreateIntCast(v, type, !from_unsigned);
}

// Words of Philox 4x32-10: block of 64 elements, counter block * 16 + lane, word w for element 64 * block + 16 * w +
// lane.
llvm::Value* KernelEmitter::eval_random_uniform(const Expr& e, llvm::ArrayRef<llvm::Value*> args) {
  llvm::Value *seed = args[0], *batch = args[1], *stream = args[2], *element = args[3];
  auto low = [&](llvm::Value* v) {
    llvm::Type* t = b.getInt32Ty();
    if (v->getType()->isVectorTy()) t = llvm::FixedVectorType::get(t, lanes_);
    return b.CreateTrunc(v, t);
  };
  auto like = [&](llvm::Value* v) { return element->getType()->isVectorTy() ? widen(v) : v; };
  llvm::Value* number = b.CreateAdd(b.CreateShl(b.CreateLShr(element, 6), 4), b.CreateAnd(element, 15));
  std::array<llvm::Value*, 4> counter = {low(number), low(b.CreateLShr(number, 32)), like(low(batch)),
                                         like(low(stream))};
  auto words = emit_philox4x32_10(b, counter, {low(seed), low(b.CreateLShr(seed, 32))});
  llvm::Value* which = b.CreateAnd(low(b.CreateLShr(element, 4)), 3);
  llvm::Value* word = words[3];
  for (unsigned w = 3; w-- > 0;)
    word = b.CreateSelect(b.CreateICmpEQ(which, llvm::ConstantInt::get(which->getType(), w)), words[w], word);
  llvm::Type* type = type_of(e.dtype);
  if (word->getType()->isVectorTy()) type = llvm::FixedVectorType::get(type, lanes_);
  llvm::Value* k = b.CreateSIToFP(b.CreateLShr(word, 9), type);
  return b.CreateFMul(b.CreateFAdd(k, llvm::ConstantFP::get(type, 0.5)), llvm::ConstantFP::get(type, 0x1p-23));
}

llvm::Value* KernelEmitter::eval_op(const Expr& e, Values args) {
  DType t = kernel.exprs[e.operands[0]].dtype;
  bool real = is_float(t), is_signed = t != DType::u8 && t != DType::boolean;
  llvm::Value *x = args[0], *y = args.size() > 1 ? args[1] : nullptr;
  auto number = [&](double v) -> llvm::Value* {
    llvm::Constant* c = constant(v, t);
    return x->getType()->isVectorTy() ? llvm::ConstantVector::getSplat(llvm::ElementCount::getFixed(lanes_), c) : c;
  };
  switch (e.op) {
  case ScalarOp::add:
    return real ? b.CreateFAdd(x, y) : b.CreateAdd(x, y);
  case ScalarOp::subtract:
    return real ? b.CreateFSub(x, y) : b.CreateSub(x, y);
  case ScalarOp::multiply:
    return real ? b.CreateFMul(x, y) : b.CreateMul(x, y);
  case ScalarOp::divide:
    return real ? b.CreateFDiv(x, y) : eval_integer_division(e, x, y);
  case ScalarOp::remainder: {
    if (!real) return eval_integer_division(e, x, y);
    llvm::Value* quotient = b.CreateUnaryIntrinsic(llvm::Intrinsic::floor, b.CreateFDiv(x, y));
    return b.CreateFSub(x, b.CreateFMul(quotient, y));
  }
  case ScalarOp::minimum:
    return extremum(t, x, y, false);
  case ScalarOp::maximum:
    return extremum(t, x, y, true);
  case ScalarOp::power:
    return emit_pow(b, x, y);
  case ScalarOp::negative:
    return real ? b.CreateFNeg(x) : b.CreateNeg(x);
  case ScalarOp::abs:
    if (real) return b.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, x);
    return is_signed ? b.CreateSelect(b.CreateICmpSLT(x, number(0)), b.CreateNeg(x), x) : x;
  case ScalarOp::sign: // zeros and NaN stay what they are
    if (real) {
      llvm::Value* below = b.CreateSelect(b.CreateFCmpOLT(x, number(0)), number(-1), x);
      return b.CreateSelect(b.CreateFCmpOGT(x, number(0)), number(1), below);
    }
    if (!is_signed) return b.CreateSelect(b.CreateICmpNE(x, number(0)), number(1), x);
    return b.CreateSelect(b.CreateICmpSGT(x, number(0)), number(1),
                          b.CreateSelect(b.CreateICmpSLT(x, number(0)), number(-1), x));
  case ScalarOp::floor:
    return real ? b.CreateUnaryIntrinsic(llvm::Intrinsic::floor, x) : x;
  case ScalarOp::sqrt:
    return b.CreateUnaryIntrinsic(llvm::Intrinsic::sqrt, x);
  case ScalarOp::exp:
    return emit_exp(b, x);
  case ScalarOp::expm1:
    return emit_expm1(b, x);
  case ScalarOp::log:
    return emit_log(b, x);
  case ScalarOp::log1p:
    return emit_log1p(b, x);
  case ScalarOp::sin:
    return emit_sin(b, x);
  case ScalarOp::cos:
    return emit_cos(b, x);
  case ScalarOp::tanh:
    return emit_tanh(b, x);
  case ScalarOp::sigmoid:
    return emit_sigmoid(b, x);
  case ScalarOp::softplus:
    return emit_softplus(b, x);
  case ScalarOp::erf:
    return emit_erf(b, x);
  case ScalarOp::normal_quantile:
    return emit_normal_from_uniform(b, x);
  case ScalarOp::less:
    return real ? b.CreateFCmpOLT(x, y) : is_signed ? b.CreateICmpSLT(x, y) : b.CreateICmpULT(x, y);
  case ScalarOp::less_equal:
    return real ? b.CreateFCmpOLE(x, y) : is_signed ? b.CreateICmpSLE(x, y) : b.CreateICmpULE(x, y);
  case ScalarOp::equal:
    return real ? b.CreateFCmpOEQ(x, y) : b.CreateICmpEQ(x, y);
  case ScalarOp::logical_and:
    return b.CreateAnd(x, y);
  case ScalarOp::logical_or:
    return b.CreateOr(x, y);
  case ScalarOp::logical_not:
    return b.CreateNot(x);
  case ScalarOp::select:
    return b.CreateSelect(x, y, args[2]);
  case ScalarOp::cast:
    return eval_cast(t, e.dtype, x);
  case ScalarOp::random_uniform:
    return eval_random_uniform(e, args);
  }
  internal_error(__FILE__, __LINE__, "a scalar operator that codegen does not know");
}

} // namespace dlcc::codegen

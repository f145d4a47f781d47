/// Operator notation for lane-wise IR, private to codegen/math: Real (a floating-point value), Word (the integer of the
/// same width) and Mask, scalar or vector alike, so that the functions read like the formulas they implement.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <llvm/IR/IRBuilder.h>
#include <span>

namespace dlcc::codegen::math {

struct Real;
struct Word;

/// The lane types of one emission and its builder, whose fast-math flags are cleared while this object lives.
class Lanes {
public:
  Lanes(llvm::IRBuilderBase& builder, llvm::Type* type)
      : b(builder), flags(builder), real_type(type), f64(type->getScalarType()->isDoubleTy()) {
    b.clearFastMathFlags();
    b.setDefaultFPMathTag(nullptr);
    b.setIsFPConstrained(false);
    word_type = real_type->getWithNewType(b.getIntNTy(width()));
  }
  Lanes(const Lanes&) = delete;

  unsigned width() const { return f64 ? 64 : 32; }
  unsigned fraction_bits() const { return f64 ? 52 : 23; }
  int bias() const { return f64 ? 1023 : 127; }

  /// The constant for the lane type of this emission.
  double pick(double for_f32, double for_f64) const { return f64 ? for_f64 : for_f32; }
  std::span<const double> pick(std::span<const double> for_f32, std::span<const double> for_f64) const {
    return f64 ? for_f64 : for_f32;
  }

  Real real(llvm::Value* value);
  Real real(double value);
  Word word(llvm::Value* value);
  Word word(uint64_t value);
  /// The bits of `value` as a Word.
  Word bits_of(double value);

  llvm::IRBuilderBase& b;

private:
  llvm::IRBuilderBase::FastMathFlagGuard flags;

public:
  llvm::Type* real_type;
  llvm::Type* word_type;
  bool f64;
};

struct Mask {
  Lanes* lanes;
  llvm::Value* value;
  Mask operator&(Mask o) const { return {lanes, lanes->b.CreateAnd(value, o.value)}; }
  Mask operator|(Mask o) const { return {lanes, lanes->b.CreateOr(value, o.value)}; }
  Mask operator!() const { return {lanes, lanes->b.CreateNot(value)}; }
};

/// Two's complement integers as wide as the Real; >> is logical.
struct Word {
  Lanes* lanes;
  llvm::Value* value;
  Word make(llvm::Value* v) const { return {lanes, v}; }
  Word operator+(Word o) const { return make(lanes->b.CreateAdd(value, o.value)); }
  Word operator-(Word o) const { return make(lanes->b.CreateSub(value, o.value)); }
  Word operator*(Word o) const { return make(lanes->b.CreateMul(value, o.value)); }
  Word operator&(Word o) const { return make(lanes->b.CreateAnd(value, o.value)); }
  Word operator|(Word o) const { return make(lanes->b.CreateOr(value, o.value)); }
  Word operator^(Word o) const { return make(lanes->b.CreateXor(value, o.value)); }
  Word operator<<(Word o) const { return make(lanes->b.CreateShl(value, o.value)); }
  Word operator>>(Word o) const { return make(lanes->b.CreateLShr(value, o.value)); }
  Word operator+(uint64_t o) const { return *this + lanes->word(o); }
  Word operator-(uint64_t o) const { return *this - lanes->word(o); }
  Word operator&(uint64_t o) const { return *this & lanes->word(o); }
  Word operator|(uint64_t o) const { return *this | lanes->word(o); }
  Word operator<<(uint64_t o) const { return *this << lanes->word(o); }
  Word operator>>(uint64_t o) const { return *this >> lanes->word(o); }
  Word arithmetic_shift(uint64_t o) const { return make(lanes->b.CreateAShr(value, lanes->word(o).value)); }
  Mask below(Word o) const { return {lanes, lanes->b.CreateICmpULT(value, o.value)}; }
  Mask nonzero() const { return {lanes, lanes->b.CreateICmpNE(value, lanes->word(uint64_t{0}).value)}; }
  Real as_real() const;
};

struct Real {
  Lanes* lanes;
  llvm::Value* value;
  Real make(llvm::Value* v) const { return {lanes, v}; }
  Real operator+(Real o) const { return make(lanes->b.CreateFAdd(value, o.value)); }
  Real operator-(Real o) const { return make(lanes->b.CreateFSub(value, o.value)); }
  Real operator*(Real o) const { return make(lanes->b.CreateFMul(value, o.value)); }
  Real operator/(Real o) const { return make(lanes->b.CreateFDiv(value, o.value)); }
  Real operator-() const { return make(lanes->b.CreateFNeg(value)); }
  Real operator+(double o) const { return *this + lanes->real(o); }
  Real operator-(double o) const { return *this - lanes->real(o); }
  Real operator*(double o) const { return *this * lanes->real(o); }
  friend Real operator+(double a, Real o) { return o.lanes->real(a) + o; }
  friend Real operator-(double a, Real o) { return o.lanes->real(a) - o; }
  friend Real operator/(double a, Real o) { return o.lanes->real(a) / o; }
  // Ordered comparisons: false when an operand is NaN.
  Mask operator<(Real o) const { return {lanes, lanes->b.CreateFCmpOLT(value, o.value)}; }
  Mask operator>(Real o) const { return {lanes, lanes->b.CreateFCmpOGT(value, o.value)}; }
  Mask operator==(Real o) const { return {lanes, lanes->b.CreateFCmpOEQ(value, o.value)}; }
  Mask operator<(double o) const { return *this < lanes->real(o); }
  Mask operator>(double o) const { return *this > lanes->real(o); }
  Mask operator==(double o) const { return *this == lanes->real(o); }
  Mask is_nan() const { return {lanes, lanes->b.CreateFCmpUNO(value, value)}; }
  Word bits() const { return {lanes, lanes->b.CreateBitCast(value, lanes->word_type)}; }
};

inline Real Lanes::real(llvm::Value* value) { return {this, value}; }
inline Real Lanes::real(double value) { return {this, llvm::ConstantFP::get(real_type, value)}; }
inline Word Lanes::word(llvm::Value* value) { return {this, value}; }
inline Word Lanes::word(uint64_t value) {
  return {this, llvm::ConstantInt::get(word_type, f64 ? value : uint64_t{static_cast<uint32_t>(value)})};
}
inline Word Lanes::bits_of(double value) {
  return word(f64 ? std::bit_cast<uint64_t>(value) : uint64_t{std::bit_cast<uint32_t>(static_cast<float>(value))});
}
inline Real Word::as_real() const { return {lanes, lanes->b.CreateBitCast(value, lanes->real_type)}; }

inline Real select(Mask m, Real a, Real b) { return a.make(a.lanes->b.CreateSelect(m.value, a.value, b.value)); }
inline Real select(Mask m, Real a, double b) { return select(m, a, a.lanes->real(b)); }
inline Real select(Mask m, double a, Real b) { return select(m, b.lanes->real(a), b); }
inline Word select(Mask m, Word a, Word b) { return a.make(a.lanes->b.CreateSelect(m.value, a.value, b.value)); }

/// a*b + c rounded once.
inline Real fma(Real a, Real b, Real c) {
  return a.make(a.lanes->b.CreateIntrinsic(llvm::Intrinsic::fma, {a.lanes->real_type}, {a.value, b.value, c.value}));
}
inline Real fma(Real a, double b, Real c) { return fma(a, a.lanes->real(b), c); }
inline Real fma(Real a, Real b, double c) { return fma(a, b, a.lanes->real(c)); }
inline Real unary(llvm::Intrinsic::ID id, Real a) {
  return a.make(a.lanes->b.CreateIntrinsic(id, {a.lanes->real_type}, {a.value}));
}
inline Real abs(Real a) { return unary(llvm::Intrinsic::fabs, a); }
inline Real sqrt(Real a) { return unary(llvm::Intrinsic::sqrt, a); }
/// The nearest integer, ties to even.
inline Real round_even(Real a) { return unary(llvm::Intrinsic::roundeven, a); }
inline Real copysign(Real magnitude, Real sign) {
  Lanes& l = *sign.lanes;
  return sign.make(l.b.CreateIntrinsic(llvm::Intrinsic::copysign, {l.real_type}, {magnitude.value, sign.value}));
}
/// a kept within the bound; NaN stays NaN.
inline Real at_most(Real a, double bound) { return select(a > bound, bound, a); }
inline Real at_least(Real a, double bound) { return select(a < bound, bound, a); }

/// c0 + c1 x + c2 x^2 + ... by Horner's rule.
inline Real polynomial(Real x, std::span<const double> c) {
  Real result = x.lanes->real(c.back());
  for (size_t i = c.size() - 1; i-- > 0;) result = fma(result, x, c[i]);
  return result;
}

/// An unevaluated sum head + tail, |tail| small against |head|.
struct Sum {
  Real head, tail;
};
/// a + b exactly, for |a| >= |b| or a = 0 (Dekker 1971).
inline Sum fast_two_sum(Real a, Real b) {
  Real head = a + b;
  return {head, b - (head - a)};
}
/// a * b exactly.
inline Sum two_product(Real a, Real b) {
  Real head = a * b;
  return {head, fma(a, b, -head)};
}

/// An integer-valued Real with the same integer as a Word.
struct Integer {
  Real real;
  Word word;
};
/// 1.5 * 2^fraction_bits: a Real near it holds a small integer in its low bits.
inline double integer_shift(const Lanes& l) { return l.pick(0x1.8p23, 0x1.8p52); }
/// The integer nearest to a * factor, for results below 2^21.
inline Integer nearest_integer(Real a, double factor) {
  Lanes& l = *a.lanes;
  const double shift = integer_shift(l);
  Real shifted = fma(a, factor, l.real(shift));
  return {shifted - shift, shifted.bits() - l.bits_of(shift)};
}
/// A small signed integer as a Real, exactly.
inline Real to_real(Word k) {
  const double shift = integer_shift(*k.lanes);
  return (k + k.lanes->bits_of(shift)).as_real() - shift;
}
/// 2^k for k within the exponents of normal numbers.
inline Real power_of_two(Word k) {
  Lanes& l = *k.lanes;
  return ((k + static_cast<uint64_t>(l.bias())) << l.fraction_bits()).as_real();
}

inline constexpr double infinity = std::numeric_limits<double>::infinity();
inline constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

} // namespace dlcc::codegen::math

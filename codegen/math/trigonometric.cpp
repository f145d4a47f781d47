// sin and cos: one integer Payne-Hanek reduction for every argument, then minimax polynomials on [-pi/4, pi/4].
#include "codegen/math/coefficients.h"
#include "codegen/math/functions.h"
#include "codegen/math/lanes.h"

#include <vector>

namespace dlcc::codegen {
namespace math {
namespace {

/// x = quadrant pi/2 + angle (mod 2 pi), |angle| <= pi/4.
struct Reduced {
  Word quadrant;
  Sum angle;
};

struct Product {
  Word high, low;
};

/// The full product of two words.
Product full_product(Word a, Word b) {
  Lanes& l = *a.lanes;
  if (!l.f64) {
    llvm::Type* wide = a.value->getType()->getWithNewType(l.b.getInt64Ty());
    llvm::Value* product = l.b.CreateMul(l.b.CreateZExt(a.value, wide), l.b.CreateZExt(b.value, wide));
    return {l.word(l.b.CreateTrunc(l.b.CreateLShr(product, 32), l.word_type)),
            l.word(l.b.CreateTrunc(product, l.word_type))};
  }
  constexpr uint64_t half = 0xffffffff;
  Word a0 = a & half, a1 = a >> 32, b0 = b & half, b1 = b >> 32;
  Word low = a0 * b0;
  Word middle = a1 * b0 + (low >> 32);
  Word other = a0 * b1 + (middle & half);
  return {a1 * b1 + (middle >> 32) + (other >> 32), (other << 32) | (low & half)};
}

/// Four consecutive words of 0.(0...0)(2/pi): one word of zeros, then 2/pi, from word `index` on. A barrel shifter of
/// selects, since a gather would be slower and need a table in memory.
std::vector<Word> two_over_pi_words(Word index) {
  Lanes& l = *index.lanes;
  const std::span<const uint64_t> digits =
      l.f64 ? std::span<const uint64_t>(two_over_pi_64) : std::span<const uint64_t>(two_over_pi_32);
  const unsigned stages = l.f64 ? 5 : 3;
  std::vector<Word> words;
  for (size_t i = 0; i < (size_t{1} << stages) + 3; ++i)
    words.push_back(l.word(i > 0 && i <= digits.size() ? digits[i - 1] : uint64_t{0}));
  for (unsigned stage = stages; stage-- > 0;) {
    const size_t step = size_t{1} << stage;
    Mask shift = (index & step).nonzero();
    for (size_t i = 0; i < 3 + step; ++i) words[i] = select(shift, words[i + step], words[i]);
  }
  return words;
}

/// A word as a double, exactly; the halves of a 64-bit word one by one.
llvm::Value* to_double(Word w, unsigned shift, bool is_signed) {
  Lanes& l = *w.lanes;
  llvm::Type* i32 = w.value->getType()->getWithNewType(l.b.getInt32Ty());
  llvm::Type* f64 = w.value->getType()->getWithNewType(l.b.getDoubleTy());
  llvm::Value* part = l.f64 ? l.b.CreateTrunc((w >> shift).value, i32) : w.value;
  return is_signed ? l.b.CreateSIToFP(part, f64) : l.b.CreateUIToFP(part, f64);
}

/// high:low, a two's complement number in units of 2^-62 quarter turns, times pi/2.
Sum angle_f32(Word high, Word low) {
  Lanes& l = *high.lanes;
  Lanes wide(l.b, l.real_type->getWithNewType(l.b.getDoubleTy()));
  Real turns = fma(wide.real(to_double(high, 0, true)), 0x1p32, wide.real(to_double(low, 0, false)));
  Real angle = turns * (pi_2_head_f64 * 0x1p-62);
  llvm::Value* head = l.b.CreateFPTrunc(angle.value, l.real_type);
  Real tail = angle - wide.real(l.b.CreateFPExt(head, wide.real_type));
  return {l.real(head), l.real(l.b.CreateFPTrunc(tail.value, l.real_type))};
}

/// The same in units of 2^-126 quarter turns.
Sum angle_f64(Word high, Word low) {
  Lanes& l = *high.lanes;
  Real a = l.real(to_double(high, 32, true)) * 0x1p-30, b = l.real(to_double(high, 0, false)) * 0x1p-62;
  Real c = l.real(to_double(low, 32, false)) * 0x1p-94, d = l.real(to_double(low, 0, false)) * 0x1p-126;
  Sum upper = fast_two_sum(a, b);
  Sum turns = fast_two_sum(upper.head, upper.tail + (c + d));
  Sum angle = two_product(turns.head, l.real(pi_2_head_f64));
  return {angle.head, fma(turns.head, pi_2_tail_f64, fma(turns.tail, pi_2_head_f64, angle.tail))};
}

/// For finite a >= 0: a = m 2^E with an integer m, so a 2/pi mod 4 needs only the bits of 2/pi from place 2 - E on.
Reduced reduce(Real a) {
  Lanes& l = *a.lanes;
  const unsigned width = l.width(), fraction = l.fraction_bits();
  const uint64_t implicit = uint64_t{1} << fraction;
  Word m = (a.bits() & (implicit - 1)) | implicit;
  // First bit wanted, counted in the table with its leading word of zeros: E - 2 + width.
  Word place = (a.bits() >> fraction) - (uint64_t(l.bias()) + fraction + 2 - width);
  std::vector<Word> t = two_over_pi_words(place >> (width == 64 ? 6 : 5));
  Word left = place & (width - 1), right = l.word(uint64_t{width - 1}) - left;
  auto window = [&](size_t i) { return (t[i] << left) | ((t[i + 1] >> 1) >> right); };
  // The top two words of the product modulo 4 turns; the third only rounds the last place.
  Product p1 = full_product(m, window(1)), p2 = full_product(m, window(2));
  Word low = p1.low + p2.high;
  Word carry = l.word(l.b.CreateZExt(low.below(p1.low).value, l.word_type));
  Word high = m * window(0) + p1.high + carry;
  Word quadrant = (high + (uint64_t{1} << (width - 3))) >> (width - 2);
  high = high - (quadrant << (width - 2));
  Sum angle = l.f64 ? angle_f64(high, low) : angle_f32(high, low);
  // Small arguments are exact as they are (and their place in the table would be before its beginning).
  Mask small = a < l.pick(0x1.921fb4p-1, 0x1.921fb54442d18p-1);
  return {select(small, l.word(uint64_t{0}), quadrant),
          {select(small, a, angle.head), select(small, l.real(0.0), angle.tail)}};
}

/// sin(r.head + r.tail) and cos of the same.
Real sin_polynomial(Sum r, Real z) {
  Lanes& l = *z.lanes;
  Real low = fma(r.tail, fma(z, -0.5, l.real(1.0)), r.head * z * polynomial(z, l.pick(sin_f32, sin_f64)));
  return r.head + low;
}
Real cos_polynomial(Sum r, Real z) {
  Lanes& l = *z.lanes;
  Sum main = fast_two_sum(l.real(1.0), z * -0.5);
  return main.head + (main.tail + fma(z * z, polynomial(z, l.pick(cos_f32, cos_f64)), -(r.head * r.tail)));
}

llvm::Value* emit_circular(llvm::IRBuilderBase& b, llvm::Value* x_value, bool cosine) {
  Lanes l(b, x_value->getType());
  Real x = l.real(x_value), a = abs(x);
  Reduced r = reduce(a);
  Word quadrant = cosine ? r.quadrant + 1 : r.quadrant;
  Real z = r.angle.head * r.angle.head;
  Real y = select((quadrant & 1).nonzero(), cos_polynomial(r.angle, z), sin_polynomial(r.angle, z));
  // Quadrants 2 and 3 are negative; sin is odd.
  Word sign = (quadrant & 2) << (l.width() - 2);
  if (!cosine) sign = sign ^ (x.bits() & (uint64_t{1} << (l.width() - 1)));
  y = (y.bits() ^ sign).as_real();
  return select(a < infinity, y, x - x).value;
}

} // namespace
} // namespace math

llvm::Value* emit_sin(llvm::IRBuilderBase& b, llvm::Value* x) { return math::emit_circular(b, x, false); }
llvm::Value* emit_cos(llvm::IRBuilderBase& b, llvm::Value* x) { return math::emit_circular(b, x, true); }

} // namespace dlcc::codegen

#include "codegen/math/functions.h"
#include "codegen/math/logarithm.h"

namespace dlcc::codegen {
namespace math {
namespace {

// AS 241 (Wichura, Applied Statistics 37, 1988): z = q R(0.425^2 - q^2) for |q| = |u - 1/2| <= 0.425; otherwise, with
// r = sqrt(-log(min(u, 1-u))), |z| = R(r - 1.6) for r <= 5 and R(r - 5) beyond. First PPND7, then PPND16.
constexpr double centre7_a[] = {3.3871327179, 50.434271938, 159.29113202, 59.109374720};
constexpr double centre7_b[] = {1.0, 17.895169469, 78.757757664, 67.187563600};
constexpr double middle7_a[] = {1.4234372777, 2.7568153900, 1.3067284816, 0.17023821103};
constexpr double middle7_b[] = {1.0, 0.73700164250, 0.12021132975};
constexpr double tail7_a[] = {6.6579051150, 3.0812263860, 0.42868294337, 0.017337203997};
constexpr double tail7_b[] = {1.0, 0.24197894225, 0.012258202635};
constexpr double centre16_a[] = {3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3,
                                 1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4,
                                 3.3430575583588128105e4, 2.5090809287301226727e3};
constexpr double centre16_b[] = {1.0,
                                 4.2313330701600911252e1,
                                 6.8718700749205790830e2,
                                 5.3941960214247511077e3,
                                 2.1213794301586595867e4,
                                 3.9307895800092710610e4,
                                 2.8729085735721942674e4,
                                 5.2264952788528545610e3};
constexpr double middle16_a[] = {1.42343711074968357734e0,  4.63033784615654529590e0, 5.76949722146069140550e0,
                                 3.64784832476320460504e0,  1.27045825245236838258e0, 2.41780725177450611770e-1,
                                 2.27238449892691845833e-2, 7.74545014278341407640e-4};
constexpr double middle16_b[] = {1.0,
                                 2.05319162663775882187e0,
                                 1.67638483018380384940e0,
                                 6.89767334985100004550e-1,
                                 1.48103976427480074590e-1,
                                 1.51986665636164571966e-2,
                                 5.47593808499534494600e-4,
                                 1.05075007164441684324e-9};
constexpr double tail16_a[] = {6.65790464350110377720e0,  5.46378491116411436990e0,  1.78482653991729133580e0,
                               2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
                               2.71155556874348757815e-5, 2.01033439929228813265e-7};
constexpr double tail16_b[] = {1.0,
                               5.99832206555887937690e-1,
                               1.36929880922735805310e-1,
                               1.48753612908506148525e-2,
                               7.86869131145613259100e-4,
                               1.84631831751005468180e-5,
                               1.42151175831644588870e-7,
                               2.04426310338993978564e-15};

/// Horner's rule with the coefficients of `large` where m holds, else of `other`.
Real selected_polynomial(Mask m, Real x, std::span<const double> large, std::span<const double> other) {
  Lanes& l = *x.lanes;
  auto coefficient = [&](size_t i) { return select(m, l.real(large[i]), l.real(other[i])); };
  Real result = coefficient(large.size() - 1);
  for (size_t i = large.size() - 1; i-- > 0;) result = fma(result, x, coefficient(i));
  return result;
}

} // namespace
} // namespace math

using namespace math;

llvm::Value* emit_normal_from_uniform(llvm::IRBuilderBase& b, llvm::Value* u_value) {
  Lanes l(b, u_value->getType());
  Real u = l.real(u_value), q = u - 0.5;
  Real t = fma(-q, q, 0.180625);
  Real centre = q * (polynomial(t, l.pick(centre7_a, centre16_a)) / polynomial(t, l.pick(centre7_b, centre16_b)));
  Mask lower = q < 0.0;
  Real r = sqrt(-log_of(select(lower, u, 1.0 - u)));
  Mask far = r > 5.0;
  Real shifted = r - select(far, l.real(5.0), l.real(1.6));
  Real tail = selected_polynomial(far, shifted, l.pick(tail7_a, tail16_a), l.pick(middle7_a, middle16_a)) /
              selected_polynomial(far, shifted, l.pick(tail7_b, tail16_b), l.pick(middle7_b, middle16_b));
  // r is infinite for u = 0 and u = 1, and NaN beyond.
  tail = copysign(select(r < infinity, tail, r), q);
  return select(abs(q) > 0.425, tail, centre).value;
}

std::array<llvm::Value*, 4> emit_philox4x32_10(llvm::IRBuilderBase& b, std::array<llvm::Value*, 4> c,
                                               std::array<llvm::Value*, 2> key) {
  llvm::Type* type = c[0]->getType();
  llvm::Type* wide = type->getWithNewType(b.getInt64Ty());
  auto multiply = [&](llvm::Value* a, uint64_t factor) {
    llvm::Value* product = b.CreateMul(b.CreateZExt(a, wide), llvm::ConstantInt::get(wide, factor));
    return std::pair{b.CreateTrunc(b.CreateLShr(product, 32), type), b.CreateTrunc(product, type)};
  };
  auto spread = [&](llvm::Value* k) {
    auto* vector = llvm::dyn_cast<llvm::VectorType>(type);
    return vector && !k->getType()->isVectorTy() ? b.CreateVectorSplat(vector->getElementCount(), k) : k;
  };
  for (int round = 0; round < 10; ++round) {
    auto [high0, low0] = multiply(c[0], 0xD2511F53);
    auto [high1, low1] = multiply(c[2], 0xCD9E8D57);
    c = {b.CreateXor(b.CreateXor(high1, c[1]), spread(key[0])), low1,
         b.CreateXor(b.CreateXor(high0, c[3]), spread(key[1])), low0};
    // The Weyl sequence of the keys; scalar keys stay scalar.
    key[0] = b.CreateAdd(key[0], llvm::ConstantInt::get(key[0]->getType(), 0x9E3779B9));
    key[1] = b.CreateAdd(key[1], llvm::ConstantInt::get(key[1]->getType(), 0xBB67AE85));
  }
  return c;
}

} // namespace dlcc::codegen

/// Constants and polynomial coefficients of the elementary functions, lowest degree first; written by
/// derive_coefficients.py (weighted minimax, rounded to the working precision). float tables hold floats exactly.
#pragma once

#include <cstdint>

namespace dlcc::codegen::math {

/// ln 2 = hi + lo; hi has 15 bits, so k*hi is exact for every exponent k.
inline constexpr double ln2_hi_f32 = 0x1.62e4000000000p-1, ln2_lo_f32 = 0x1.7f7d1c0000000p-20;
inline constexpr double ln2_head_f32 = 0x1.62e4300000000p-1, ln2_tail_f32 = -0x1.05c6100000000p-29;
inline constexpr double log2e_f32 = 0x1.7154760000000p+0;

/// ln 2 = hi + lo; hi has 41 bits, so k*hi is exact for every exponent k.
inline constexpr double ln2_hi_f64 = 0x1.62e42fefa4000p-1, ln2_lo_f64 = -0x1.8432a1b0e2634p-43;
inline constexpr double ln2_head_f64 = 0x1.62e42fefa39efp-1, ln2_tail_f64 = 0x1.abc9e3b39803fp-56;
inline constexpr double log2e_f64 = 0x1.71547652b82fep+0;

inline constexpr double pi_2_head_f64 = 0x1.921fb54442d18p+0, pi_2_tail_f64 = 0x1.1a62633145c07p-54;
inline constexpr double third_head_f64 = 0x1.5555555555555p-2, third_tail_f64 = 0x1.5555555555555p-56;

/// The first 288 bits of 2/pi in words of 32, most significant first.
inline constexpr std::uint64_t two_over_pi_32[] = {0xa2f9836eULL, 0x4e441529ULL, 0xfc2757d1ULL,
                                                   0xf534ddc0ULL, 0xdb629599ULL, 0x3c439041ULL,
                                                   0xfe5163abULL, 0xdebbc561ULL, 0xb7246e3aULL};

/// The first 1344 bits of 2/pi in words of 64, most significant first.
inline constexpr std::uint64_t two_over_pi_64[] = {
    0xa2f9836e4e441529ULL, 0xfc2757d1f534ddc0ULL, 0xdb6295993c439041ULL, 0xfe5163abdebbc561ULL, 0xb7246e3a424dd2e0ULL,
    0x6492eea09d1921cULL,  0xfe1deb1cb129a73eULL, 0xe88235f52ebb4484ULL, 0xe99c7026b45f7e41ULL, 0x3991d639835339f4ULL,
    0x9c845f8bbdf9283bULL, 0x1ff897ffde05980fULL, 0xef2f118b5a0a6d1fULL, 0x6d367ecf27cb09b7ULL, 0x4f463f669e5fea2dULL,
    0x7527bac7ebe5f17bULL, 0x3d0739f78a5292eaULL, 0x6bfb5fb11f8d5d08ULL, 0x56033046fc7b6babULL, 0xf0cfbc209af4361dULL,
    0xa9e391615ee61b08ULL};

/// e^r = 1 + r + r^2 Q(r), |r| <= ln2/2, relative to e^r - 1; largest error 2^-28.79.
inline constexpr double exp_f32[] = {0x1.0000000000000p-1, 0x1.5555540000000p-3,  0x1.5554b20000000p-5,
                                     0x1.11118a0000000p-7, 0x1.6d72100000000p-10, 0x1.a033120000000p-13};

/// e^r = 1 + r + r^2 Q(r), |r| <= ln2/2, relative to e^r - 1; largest error 2^-59.97.
inline constexpr double exp_f64[] = {0x1.0000000000000p-1,  0x1.5555555555559p-3,  0x1.555555555553fp-5,
                                     0x1.111111110f6d2p-7,  0x1.6c16c16c1f095p-10, 0x1.a01a01afd773ep-13,
                                     0x1.a01a017bc0196p-16, 0x1.71ddf874c6ac2p-19, 0x1.27e53632f85f8p-22,
                                     0x1.af5e87e585e10p-26, 0x1.1ee888e681fcfp-29};

/// log(1+f) = f - f^2/2 + f^3 P(f), f in [-1/4, 1/2], relative; largest error 2^-27.53.
inline constexpr double log_f32[] = {0x1.55555a0000000p-2,  -0x1.00006e0000000p-2, 0x1.9997880000000p-3,
                                     -0x1.5519b80000000p-3, 0x1.2460a00000000p-3,  -0x1.04aa400000000p-3,
                                     0x1.df42340000000p-4,  -0x1.7565ae0000000p-4, 0x1.349d0c0000000p-5};

/// 2 atanh(s) = 2s + s z Q(z), z = s^2 <= 1/25, relative; largest error 2^-61.4.
inline constexpr double log_f64[] = {0x1.555555555554fp-1, 0x1.999999999c0f7p-2, 0x1.24924921ec0ecp-2,
                                     0x1.c71c7488d914dp-3, 0x1.745c4c7aa489dp-3, 0x1.3b358bbd1ee2fp-3,
                                     0x1.0dcf127b9e8c8p-3, 0x1.1b69f6863c2e3p-3};

/// atanh(s)/s = 1 + z/3 + z^2 R(z), z = s^2, s <= tanh(ln(2)/4), absolute; largest error 2^-66.18.
inline constexpr double pow_log_f64[] = {0x1.9999999999995p-3, 0x1.2492492493061p-3, 0x1.c71c71c57b1b8p-4,
                                         0x1.745d1834dd55cp-4, 0x1.3b1362089e216p-4, 0x1.1120cfb35631ep-4,
                                         0x1.de2f4df974a66p-5, 0x1.eb3395b082704p-5};

/// log2((1+s)/(1-s)) = s G(z), z = s^2 <= 1/25, relative, in double; largest error 2^-42.44.
inline constexpr double pow_log2_f32[] = {0x1.71547652b7e94p+1, 0x1.ec709dcb58134p-1, 0x1.2776bc51fec96p-1,
                                          0x1.a61e9bddfba2fp-2, 0x1.46f3001e8dc2cp-2, 0x1.29cb6a902a705p-2};

/// 2^r, |r| <= 1/2, in double; largest error 2^-34.52.
inline constexpr double pow_exp2_f32[] = {0x1.ffffffffa708dp-1,  0x1.62e42fef6ccfbp-1, 0x1.ebfbe0aa12198p-3,
                                          0x1.c6b08e06f8b4fp-5,  0x1.3b29d8b12c79bp-7, 0x1.5d8715ac68a1dp-10,
                                          0x1.446c80a30f691p-13, 0x1.00f7b4df5514ap-16};

/// sin r = r + r z S(z), z = r^2, |r| <= pi/4, relative; largest error 2^-28.17.
inline constexpr double sin_f32[] = {-0x1.5555560000000p-3, 0x1.1111080000000p-7, -0x1.a00f9c0000000p-13,
                                     0x1.6cd7e00000000p-19};

/// cos r = 1 - z/2 + z^2 C(z), z = r^2, |r| <= pi/4; largest error 2^-30.9.
inline constexpr double cos_f32[] = {0x1.5555560000000p-5, -0x1.6c16b80000000p-10, 0x1.a0111e0000000p-16,
                                     -0x1.242a7a0000000p-22};

/// sin r = r + r z S(z), z = r^2, |r| <= pi/4, relative; largest error 2^-57.32.
inline constexpr double sin_f64[] = {-0x1.5555555555555p-3, 0x1.111111111110bp-7,   -0x1.a01a01a018adcp-13,
                                     0x1.71de3a5338c82p-19, -0x1.ae64529763aedp-26, 0x1.612092216ee2dp-33,
                                     -0x1.aaa4fb8f15a23p-41};

/// cos r = 1 - z/2 + z^2 C(z), z = r^2, |r| <= pi/4; largest error 2^-60.01.
inline constexpr double cos_f64[] = {0x1.5555555555555p-5,   -0x1.6c16c16c16c10p-10, 0x1.a01a01a018de3p-16,
                                     -0x1.27e4fb75fcfb8p-22, 0x1.1eed8ca31e821p-29,  -0x1.939337a218187p-37,
                                     0x1.aac5646680b83p-45};

/// erf x = x + x P(x^2), |x| <= 9/8, relative; largest error 2^-26.12.
inline constexpr double erf_small_f32[] = {0x1.06eba80000000p-3,  -0x1.8127460000000p-2,  0x1.ce2f220000000p-4,
                                           -0x1.b82cdc0000000p-6, 0x1.565b2a0000000p-8,   -0x1.c01e720000000p-11,
                                           0x1.f8c2d20000000p-14, -0x1.ecc3d00000000p-17, 0x1.8c30ce0000000p-20,
                                           -0x1.90acf00000000p-24};

/// 1 - erf x = P(x - 41/16)^4, x in [9/8, 4], absolute; largest error 2^-26.17.
inline constexpr double erf_tail_f32[] = {
    0x1.0b4bca0000000p-3, -0x1.6d94c20000000p-3,  0x1.7596840000000p-4,   -0x1.c35b460000000p-7, -0x1.727c0c0000000p-8,
    0x1.57d8400000000p-9, -0x1.a864d20000000p-14, -0x1.7677940000000p-13, 0x1.29504e0000000p-15, 0x1.6c48480000000p-17};

/// erf x = x + x P(x^2), |x| <= 1, relative; largest error 2^-56.16.
inline constexpr double erf_small_f64[] = {0x1.06eba8214db69p-3,   -0x1.812746b0379e7p-2,  0x1.ce2f21a042be2p-4,
                                           -0x1.b82ce31288b47p-6,  0x1.565bcd0e6a2f8p-8,   -0x1.c02db40036185p-11,
                                           0x1.f9a326f7b293ap-14,  -0x1.f4d25bfa5df32p-17, 0x1.b9e6c39bc081ep-20,
                                           -0x1.5f73c477d789dp-23, 0x1.fcbb3f24c812cp-27,  -0x1.517d3d14d8810p-30,
                                           0x1.9a12f2fa0cc08p-34,  -0x1.b41ea0c87c4f2p-38, 0x1.3c26e47fcb606p-42};

/// erfc x = e^(-x^2) P(1/(1+2x) - 1/5), x in [1, 6], absolute; largest error 2^-57.29.
inline constexpr double erf_tail_f64[] = {
    0x1.058671b52c776p-2,  0x1.55bfa95b5d99fp+0,   -0x1.2510f7fef7cfep-3, -0x1.bf10b1aae151ep+0, 0x1.71c0baa85b438p+1,
    0x1.70a21f3302931p-2,  -0x1.964fade75ee4bp+3,  0x1.f89bf8f856fdbp+4,  -0x1.8270037e97d27p+4, -0x1.a99053e89ead6p+6,
    0x1.faa8fd1bda7cep+8,  -0x1.10d87ada86e9dp+10, 0x1.05de28f47a2bep+9,  0x1.673b231e1eed4p+12, -0x1.869fe094b8749p+14,
    0x1.99d803f08edd2p+15, -0x1.7e44a048a8735p+15};

} // namespace dlcc::codegen::math

#!/usr/bin/env python3
"""Derives the polynomial coefficients of codegen/math/coefficients.h.

Every polynomial is the weighted minimax approximation found by Remez' exchange algorithm in 60-digit arithmetic, rounded
coefficient by coefficient to the working precision. The comment of each table in the header gives the largest weighted
error of the rounded polynomial, evaluated exactly on a dense grid.

    python3 derive_coefficients.py > coefficients.h && clang-format -i coefficients.h
"""
import struct

from mpmath import (atanh, cos, erf, erfc, exp, expm1, floor, ldexp, ln, log, lu_solve, matrix, mp, mpf, nstr, pi, sin,
                    sqrt)

mp.dps = 60


def to_f32(c):
    return mpf(struct.unpack('f', struct.pack('f', nearest(c, 24)))[0])


def to_f64(c):
    return mpf(nearest(c, 53))


def nearest(c, bits):
    """c rounded to `bits` significant bits (no tables here come near the ends of the exponent range)."""
    if c == 0:
        return 0.0
    e = int(floor(log(abs(c), 2))) + 1
    return float(ldexp(mp.nint(ldexp(c, bits - e)), e - bits))


def horner(coefficients, x):
    result = mpf(0)
    for c in reversed(coefficients):
        result = result * x + c
    return result


def chebyshev_grid(a, b, n):
    return [(a + b) / 2 - (b - a) / 2 * cos(pi * i / n) for i in range(n + 1)]


def remez(target, weight, degree, a, b, rounds=12):
    """Coefficients c minimising max |weight(x) (poly_c(x) - target(x))| on [a, b]."""
    a, b = mpf(a), mpf(b)
    grid = [x for x in chebyshev_grid(a, b, 40 * (degree + 2)) if weight(x) != 0]
    values = [(x, target(x), weight(x)) for x in grid]
    # Start: the extrema of the Chebyshev polynomial, as indices of the grid.
    m = degree + 2
    reference = [round(i * (len(grid) - 1) / (m - 1)) for i in range(m)]
    coefficients = None
    for _ in range(rounds):
        rows, right = [], []
        for k, i in enumerate(reference):
            x, t, w = values[i]
            rows.append([w * x**j for j in range(degree + 1)] + [(-1)**k])
            right.append(w * t)
        solution = lu_solve(matrix(rows), matrix(right))
        coefficients = list(solution)[:degree + 1]
        errors = [w * (horner(coefficients, x) - t) for x, t, w in values]
        # One extremum for each run of equal sign.
        extrema = []
        for i, e in enumerate(errors):
            if extrema and (errors[extrema[-1]] > 0) == (e > 0):
                if abs(e) > abs(errors[extrema[-1]]):
                    extrema[-1] = i
            else:
                extrema.append(i)
        while len(extrema) > m:
            extrema.pop(0 if abs(errors[extrema[0]]) < abs(errors[extrema[-1]]) else -1)
        if len(extrema) < m or extrema == reference:
            break
        reference = extrema
    return coefficients


def emit(name, comment, target, weight, degree, a, b, precision):
    rounding = to_f32 if precision == 32 else to_f64
    c = [rounding(x) for x in remez(target, weight, degree, a, b)]
    worst = max(weight(x) * abs(horner(c, x) - target(x)) for x in chebyshev_grid(mpf(a), mpf(b), 1000) if weight(x) != 0)
    print(f'/// {comment}; largest error 2^{nstr(log(worst, 2), 4)}.')
    print(f'inline constexpr double {name}[] = {{{", ".join(float(x).hex() for x in c)}}};\n')


def hexed(x):
    return float(x).hex()


def split(value, first_bits, working):
    """value = hi + lo, hi with first_bits significant bits so that small integers times hi are exact."""
    hi = mpf(nearest(value, first_bits))
    return hi, mpf(nearest(value - hi, working))


def constants():
    for suffix, bits, hi_bits in (('f32', 24, 15), ('f64', 53, 41)):
        hi, lo = split(ln(2), hi_bits, bits)
        print(f'/// ln 2 = hi + lo; hi has {hi_bits} bits, so k*hi is exact for every exponent k.')
        print(f'inline constexpr double ln2_hi_{suffix} = {hexed(hi)}, ln2_lo_{suffix} = {hexed(lo)};')
        hi, lo = split(ln(2), bits, bits)
        print(f'inline constexpr double ln2_head_{suffix} = {hexed(hi)}, ln2_tail_{suffix} = {hexed(lo)};')
        print(f'inline constexpr double log2e_{suffix} = {hexed(nearest(1 / ln(2), bits))};\n')
    for name, value in (('pi_2', pi / 2), ('third', mpf(1) / 3)):
        hi, lo = split(value, 53, 53)
        print(f'inline constexpr double {name}_head_f64 = {hexed(hi)}, {name}_tail_f64 = {hexed(lo)};')
    print()


def two_over_pi(word_bits, words):
    total = word_bits * words
    mp.dps, saved = int(total / 3) + 40, mp.dps
    whole = int(floor(ldexp(2 / pi, total)))
    mp.dps = saved
    mask = (1 << word_bits) - 1
    return [(whole >> (total - word_bits * (i + 1))) & mask for i in range(words)]


def reduction_tables():
    for width, words in ((32, 9), (64, 21)):
        print(f'/// The first {width * words} bits of 2/pi in words of {width}, most significant first.')
        listed = ', '.join(hex(w) + 'ULL' for w in two_over_pi(width, words))
        print(f'inline constexpr std::uint64_t two_over_pi_{width}[] = {{{listed}}};\n')


def series_or(small, series, formula):
    """formula(x), but the given limit series near 0 where the formula would divide 0 by 0."""
    return lambda x: series(x) if abs(x) < small else formula(x)


TINY = mpf(10)**-12


def exponential():
    q = series_or(TINY, lambda r: mpf(1) / 2 + r / 6 + r * r / 24, lambda r: (exp(r) - 1 - r) / r**2)
    weight = lambda r: r * r / abs(expm1(r)) if r != 0 else mpf(0)
    half = ln(2) / 2 * (1 + mpf(2)**-12)
    for bits, degree in ((32, 5), (64, 10)):
        emit(f'exp_f{bits}', 'e^r = 1 + r + r^2 Q(r), |r| <= ln2/2, relative to e^r - 1', q, weight, degree, -half, half, bits)


def logarithm():
    p = series_or(TINY, lambda f: mpf(1) / 3 - f / 4 + f * f / 5, lambda f: (mp.log1p(f) - f + f * f / 2) / f**3)
    emit('log_f32', 'log(1+f) = f - f^2/2 + f^3 P(f), f in [-1/4, 1/2], relative', p,
         lambda f: abs(f**3 / mp.log1p(f)) if f != 0 else mpf(0), 8, -0.25, 0.5, 32)
    # log(1+f) = 2 atanh(s), s = f/(2+f), z = s^2 <= 1/25
    q = series_or(TINY, lambda z: mpf(2) / 3 + 2 * z / 5, lambda z: (2 * atanh(sqrt(z)) / sqrt(z) - 2) / z)
    weight = lambda z: z / 2
    emit('log_f64', '2 atanh(s) = 2s + s z Q(z), z = s^2 <= 1/25, relative', q, weight, 7, 0, mpf(1) / 25, 64)
    r = series_or(mpf(10)**-9, lambda z: mpf(1) / 5 + z / 7, lambda z: (atanh(sqrt(z)) / sqrt(z) - 1 - z / 3) / z**2)
    emit('pow_log_f64', 'atanh(s)/s = 1 + z/3 + z^2 R(z), z = s^2, s <= tanh(ln(2)/4), absolute', r, lambda z: z * z, 7, 0,
         mpf(0.0295), 64)
    g = series_or(TINY, lambda z: 2 / ln(2) * (1 + z / 3), lambda z: 2 / ln(2) * atanh(sqrt(z)) / sqrt(z))
    emit('pow_log2_f32', 'log2((1+s)/(1-s)) = s G(z), z = s^2 <= 1/25, relative, in double', g, lambda z: mpf(1) / 3, 5, 0,
         mpf(1) / 25, 64)
    emit('pow_exp2_f32', '2^r, |r| <= 1/2, in double', lambda r: mpf(2)**r, lambda r: mpf(1), 7, -0.5, 0.5, 64)


def trigonometric():
    s = series_or(TINY, lambda z: -mpf(1) / 6 + z / 120, lambda z: (sin(sqrt(z)) / sqrt(z) - 1) / z)
    c = series_or(mpf(10)**-9, lambda z: mpf(1) / 24 - z / 720, lambda z: (cos(sqrt(z)) - 1 + z / 2) / z**2)
    edge = (pi / 4 * (1 + mpf(2)**-12))**2
    for bits, ds, dc in ((32, 3, 3), (64, 6, 6)):
        emit(f'sin_f{bits}', 'sin r = r + r z S(z), z = r^2, |r| <= pi/4, relative', s, lambda z: z, ds, 0, edge, bits)
        emit(f'cos_f{bits}', 'cos r = 1 - z/2 + z^2 C(z), z = r^2, |r| <= pi/4', c, lambda z: z * z, dc, 0, edge, bits)


def erfcx(x):
    return exp(x * x) * erfc(x)


def error_function():
    def over_x(z):
        return erf(sqrt(z)) / sqrt(z) - 1 if z > TINY else 2 / sqrt(pi) * (1 - z / 3) - 1
    emit('erf_small_f32', 'erf x = x + x P(x^2), |x| <= 9/8, relative', over_x, lambda z: mpf(1), 9, 0, mpf(81) / 64, 32)
    # The fourth root of erfc is smooth enough for one polynomial; its error counts 4 erfc^(3/4) times.
    emit('erf_tail_f32', '1 - erf x = P(x - 41/16)^4, x in [9/8, 4], absolute',
         lambda t: erfc(t + 2.5625)**(mpf(1) / 4), lambda t: 4 * erfc(t + 2.5625)**(mpf(3) / 4), 9, -1.4375, 1.4375, 32)
    emit('erf_small_f64', 'erf x = x + x P(x^2), |x| <= 1, relative', over_x, lambda z: mpf(1), 14, 0, 1, 64)
    # Over [1, 6) only 1 - erfc is wanted: an absolute error small against 2^-54. t = 1/(1+2x) - 1/5.
    x_of = lambda t: (1 / (t + mpf(1) / 5) - 1) / 2
    emit('erf_tail_f64', 'erfc x = e^(-x^2) P(1/(1+2x) - 1/5), x in [1, 6], absolute', lambda t: erfcx(x_of(t)),
         lambda t: exp(-x_of(t)**2), 16, mpf(1) / 13 - mpf(1) / 5, mpf(1) / 3 - mpf(1) / 5, 64)


if __name__ == '__main__':
    print('/// Constants and polynomial coefficients of the elementary functions, lowest degree first; written by\n'
          '/// derive_coefficients.py (weighted minimax, rounded to the working precision). float tables hold floats exactly.\n'
          '#pragma once\n\n#include <cstdint>\n\nnamespace dlcc::codegen::math {\n')
    constants()
    reduction_tables()
    exponential()
    logarithm()
    trigonometric()
    error_function()
    print('} // namespace dlcc::codegen::math')

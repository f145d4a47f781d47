// The random numbers of compiled code: Philox 4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as
// 1, 2, 3", SC 2011), a pure function of (seed, batch, stream, element).
//
// Layout, for every element type and machine alike:
//   block = element / 64, lane = element % 16, w = element % 64 / 16, position = 16 * block + lane
//   key = {seed low, seed high}
//   counter = {position low, position high, batch low, stream}
//   the element's 32 bits are word w of the result: four vectors of 16 lanes serve 64 neighbours
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace dlcc {

/// Ten rounds; the words of Random123's philox4x32.
std::array<uint32_t, 4> philox4x32_10(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

/// The 32 bits of an element.
uint32_t philox_bits(uint64_t seed, uint64_t batch, uint32_t stream, uint64_t element);

/// ((bits >> 9) + 0.5) * 2^-23: uniform in (0, 1), exact in f32 and f64.
double philox_uniform(uint64_t seed, uint64_t batch, uint32_t stream, uint64_t element);

/// The stream of a declared name: FNV-1a, 32 bits. Different names of one model must have different numbers.
uint32_t stream_of(std::string_view name);

} // namespace dlcc

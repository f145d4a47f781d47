// philox.h: the counter-based random generator Philox 4x32-10 of Salmon et al., "Parallel random numbers: as easy as
// 1, 2, 3" (SC 2011), and dlcc's way of numbering its streams.
#pragma once
#include <array>
#include <cstdint>

namespace dlcc::runtime {

// Ten rounds; the same words as Random123's philox4x32.
constexpr std::array<uint32_t, 4> philox4x32_10(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    uint64_t p0 = uint64_t{0xD2511F53u} * counter[0];
    uint64_t p1 = uint64_t{0xCD9E8D57u} * counter[2];
    counter = {static_cast<uint32_t>(p1 >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(p1),
               static_cast<uint32_t>(p0 >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(p0)};
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return counter;
}

// The 32 random bits of one element of a stream, numbered as compiled code does it: key = seed; counter = (64-bit
// position, batch, stream); blocks of 64 elements, where position block*16 + lane yields four words and word w belongs
// to element 64*block + 16*w + lane.
constexpr uint32_t random_bits(uint64_t seed, uint32_t stream, uint32_t batch, uint64_t element) {
  uint64_t position = element / 64 * 16 + element % 16;
  auto words = philox4x32_10({static_cast<uint32_t>(position), static_cast<uint32_t>(position >> 32), batch, stream},
                             {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)});
  return words[element % 64 / 16];
}

} // namespace dlcc::runtime

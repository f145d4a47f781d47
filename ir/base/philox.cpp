#include "ir/base/philox.h"

namespace dlcc {

std::array<uint32_t, 4> philox4x32_10(std::array<uint32_t, 4> c, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    uint64_t p0 = uint64_t{0xD2511F53} * c[0];
    uint64_t p1 = uint64_t{0xCD9E8D57} * c[2];
    c = {static_cast<uint32_t>(p1 >> 32) ^ c[1] ^ key[0], static_cast<uint32_t>(p1),
         static_cast<uint32_t>(p0 >> 32) ^ c[3] ^ key[1], static_cast<uint32_t>(p0)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return c;
}

uint32_t philox_bits(uint64_t seed, uint64_t batch, uint32_t stream, uint64_t element) {
  uint64_t position = element / 64 * 16 + element % 16;
  auto words = philox4x32_10(
      {static_cast<uint32_t>(position), static_cast<uint32_t>(position >> 32), static_cast<uint32_t>(batch), stream},
      {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)});
  return words[element % 64 / 16];
}

double philox_uniform(uint64_t seed, uint64_t batch, uint32_t stream, uint64_t element) {
  return ((philox_bits(seed, batch, stream, element) >> 9) + 0.5) * 0x1p-23;
}

uint32_t stream_of(std::string_view name) {
  uint32_t hash = 2166136261u;
  for (char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return hash;
}

} // namespace dlcc

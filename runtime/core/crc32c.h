// crc32c.h: CRC-32C (Castagnoli, polynomial 0x1EDC6F41 reflected, as in RFC 3720 appendix B.4), fed in pieces.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

namespace dlcc::runtime {

namespace detail {
// tables[k][b]: the remainder of byte b followed by k zero bytes; eight of them allow eight bytes a turn.
constexpr std::array<std::array<uint32_t, 256>, 8> crc32c_tables() {
  std::array<std::array<uint32_t, 256>, 8> t{};
  for (uint32_t b = 0; b < 256; ++b) {
    uint32_t r = b;
    for (int bit = 0; bit < 8; ++bit) r = (r >> 1) ^ (r & 1 ? 0x82F63B78u : 0u);
    t[0][b] = r;
  }
  for (size_t k = 1; k < 8; ++k)
    for (size_t b = 0; b < 256; ++b) t[k][b] = (t[k - 1][b] >> 8) ^ t[0][t[k - 1][b] & 255];
  return t;
}
inline constexpr auto crc32c_table = crc32c_tables();
} // namespace detail

// The CRC of the bytes that `crc` stands for (0: none) followed by `data`.
inline uint32_t crc32c(uint32_t crc, const void* data, size_t bytes) {
  const auto& t = detail::crc32c_table;
  auto p = static_cast<const uint8_t*>(data);
  crc = ~crc;
  for (; bytes >= 8; p += 8, bytes -= 8) {
    crc = t[7][(crc ^ p[0]) & 255] ^ t[6][((crc >> 8) ^ p[1]) & 255] ^ t[5][((crc >> 16) ^ p[2]) & 255] ^
          t[4][((crc >> 24) ^ p[3]) & 255] ^ t[3][p[4]] ^ t[2][p[5]] ^ t[1][p[6]] ^ t[0][p[7]];
  }
  for (; bytes > 0; ++p, --bytes) crc = (crc >> 8) ^ t[0][(crc ^ *p) & 255];
  return ~crc;
}

} // namespace dlcc::runtime

// sha256.h: SHA-256 (FIPS 180-4), fed in pieces.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace dlcc::runtime {

using Digest = std::array<uint8_t, 32>;

class Sha256 {
public:
  Sha256();
  void update(const void* data, size_t bytes);
  // The digest of all bytes so far. The object must not be used afterwards.
  Digest finish();

private:
  void block(const uint8_t* p);
  std::array<uint32_t, 8> state_;
  std::array<uint8_t, 64> buffer_;
  uint64_t bytes_ = 0;
};

Digest sha256(const void* data, size_t bytes);
std::string hex(const Digest& digest);

} // namespace dlcc::runtime

// Random numbers for generated data: Philox streams, the same on every machine.
#pragma once

#include "runtime/core/philox.h"

#include <array>
#include <cmath>
#include <cstdint>

namespace dlcc::data {

/// Stream `stream` of `seed`; streams are independent of each other.
class Random {
public:
  Random(uint64_t seed, uint32_t stream)
      : key_{static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)}, stream_(stream) {}

  uint32_t bits() {
    if (used_ == 4) {
      constexpr uint32_t tag = 0x64617461; // "data": apart from the streams of compiled code and of shuffling
      words_ = runtime::philox4x32_10(
          {static_cast<uint32_t>(block_), static_cast<uint32_t>(block_ >> 32), tag, stream_}, key_);
      ++block_;
      used_ = 0;
    }
    return words_[used_++];
  }
  uint64_t bits64() {
    uint64_t high = bits();
    return high << 32 | bits();
  }
  /// In [0, 1), 53 bits.
  double uniform() { return static_cast<double>(bits64() >> 11) * 0x1p-53; }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// In [0, n); 1 <= n <= 2^32. (The bias of at most n / 2^32 does not matter here.)
  uint64_t below(uint64_t n) { return (bits() * n) >> 32; }
  /// N(0, 1) by Marsaglia's polar method (SIAM Review 6, 1964).
  double normal() {
    if (spare_ready_) {
      spare_ready_ = false;
      return spare_;
    }
    double u, v, s;
    do {
      u = uniform(-1, 1), v = uniform(-1, 1);
      s = u * u + v * v;
    } while (s >= 1 || s == 0);
    double f = std::sqrt(-2 * std::log(s) / s);
    spare_ = v * f, spare_ready_ = true;
    return u * f;
  }

private:
  std::array<uint32_t, 2> key_;
  uint32_t stream_;
  uint64_t block_ = 0;
  std::array<uint32_t, 4> words_{};
  unsigned used_ = 4;
  double spare_ = 0;
  bool spare_ready_ = false;
};

} // namespace dlcc::data

// permutation.h: a keyed permutation of [0, n), computed element by element and never stored, for shuffling.
#pragma once
#include <array>
#include <bit>
#include <cstdint>

#include "runtime/core/philox.h"

namespace dlcc::runtime {

// A balanced Feistel network over the smallest even number of bits that holds n, with cycle walking (Black and Rogaway,
// "Ciphers with arbitrary finite domains", CT-RSA 2002): values that fall outside [0, n) are enciphered again, fewer
// than four times on average. The round keys are Philox words of (seed, epoch), so position and seed are the whole
// state.
class Permutation {
public:
  // n >= 1 and at most 2^62.
  constexpr Permutation(uint64_t n, uint64_t seed, uint64_t epoch) : n_(n) {
    half_ = (std::bit_width(n - 1) + 1) / 2;
    if (half_ == 0) half_ = 1;
    for (uint32_t i = 0; i < rounds / 2; ++i) {
      auto w = philox4x32_10({i, tag, static_cast<uint32_t>(epoch), static_cast<uint32_t>(epoch >> 32)},
                             {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)});
      keys_[2 * i] = (uint64_t{w[1]} << 32) | w[0];
      keys_[2 * i + 1] = (uint64_t{w[3]} << 32) | w[2];
    }
  }

  // The element at position i of the shuffled order; 0 <= i < n.
  constexpr uint64_t operator()(uint64_t i) const {
    do i = encipher(i);
    while (i >= n_);
    return i;
  }

  constexpr uint64_t size() const { return n_; }

private:
  static constexpr uint32_t rounds = 8;
  static constexpr uint32_t tag = 0x73687566; // keeps these counters apart from other uses of the seed

  // The finaliser of MurmurHash3: a bijection of 64 bits that mixes all of them.
  static constexpr uint64_t mix(uint64_t x) {
    x = (x ^ (x >> 33)) * 0xFF51AFD7ED558CCDu;
    x = (x ^ (x >> 33)) * 0xC4CEB9FE1A85EC53u;
    return x ^ (x >> 33);
  }

  constexpr uint64_t encipher(uint64_t x) const {
    const uint64_t mask = (uint64_t{1} << half_) - 1;
    uint64_t left = x >> half_, right = x & mask;
    for (uint64_t key : keys_) {
      uint64_t next = left ^ (mix(right + key) & mask);
      left = right, right = next;
    }
    return (left << half_) | right;
  }

  uint64_t n_;
  int half_;
  std::array<uint64_t, rounds> keys_{};
};

} // namespace dlcc::runtime

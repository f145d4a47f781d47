// Plain facts about the CPU that code is made for; filled in by codegen/target, read by passes/schedule.
#pragma once

#include <cstdint>

namespace dlcc {

/// Bytes of a logical vector: 16 x f32 or 8 x f64 on every CPU, so that sums have one order everywhere.
inline constexpr int64_t logical_vector_bytes = 64;

struct Machine {
  int vector_bytes = 32;        ///< width of a hardware register: 32 (AVX2) or 64 (AVX-512)
  int vector_registers = 16;    ///< 16 (AVX2) or 32 (AVX-512)
  int64_t l1_bytes = 32 * 1024; ///< data cache of one core
  int64_t l2_bytes = 1024 * 1024;
  friend bool operator==(const Machine&, const Machine&) = default;
};

} // namespace dlcc

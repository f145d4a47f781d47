// Element types: one row each in the table below.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace dlcc {

// name, bytes; the numbers are those of the C ABI (runtime/abi.h, DLCC_F32 ...).
#define DLCC_DTYPES(X)                                                                                                 \
  X(f32, 1, 4)                                                                                                         \
  X(f64, 2, 8)                                                                                                         \
  X(i8, 5, 1)                                                                                                          \
  X(u8, 6, 1)                                                                                                          \
  X(i32, 7, 4)                                                                                                         \
  X(i64, 8, 8)                                                                                                         \
  X(boolean, 9, 1)

enum class DType : uint8_t {
#define X(name, number, bytes) name = number,
  DLCC_DTYPES(X)
#undef X
};

constexpr size_t byte_size(DType t) {
  switch (t) {
#define X(name, number, bytes)                                                                                         \
  case DType::name:                                                                                                    \
    return bytes;
    DLCC_DTYPES(X)
#undef X
  }
  return 0;
}
constexpr bool is_float(DType t) { return t == DType::f32 || t == DType::f64; }
constexpr bool is_integer(DType t) { return t == DType::i8 || t == DType::u8 || t == DType::i32 || t == DType::i64; }

/// "f32", "i64", "bool", ...
std::string_view name_of(DType t);
std::optional<DType> dtype_from_name(std::string_view name);

} // namespace dlcc

// Parses one kernel of a program's text. Internal to ir/loops.
#pragma once

#include "ir/base/text.h"
#include "ir/loops/parse.h"

#include <array>

namespace dlcc::loops {

/// A kernel; the word `kernel` has been read. Adds the places of its statements.
Kernel parse_kernel(Lexer& lexer, TextPlaces::KernelPlaces& places);

/// An integer in [low, high].
int64_t parse_integer(Lexer& lexer, int64_t low, int64_t high);
/// A type whose size in bytes fits 63 bits.
Type parse_tensor_type(Lexer& lexer);

/// The number of the name in the list that comes next, which is taken; -1 and nothing taken if it is none of them.
template <size_t N> int accept_name(Lexer& lexer, const std::array<std::string_view, N>& names) {
  for (size_t i = 0; i < N; ++i)
    if (lexer.accept(names[i])) return static_cast<int>(i);
  return -1;
}

} // namespace dlcc::loops

// Reads the text of a loop-IR program back; print.h describes it. Takes hostile text: nesting is bounded by 64, sizes
// are checked, nothing is allocated from a number that the text merely claims. What is well-formed but makes no sense
// is left to verify.h.
#pragma once

#include "ir/base/text.h"
#include "ir/loops/program.h"

namespace dlcc::loops {

/// Throws TextError with the place of the first thing it does not understand.
Program parse_program(std::string_view text);

} // namespace dlcc::loops

// Object code and text of emitted modules.
#pragma once

#include "codegen/code_unit.h"

#include <llvm/ADT/SmallVector.h>

namespace dlcc::codegen {

/// A relocatable ELF file in memory.
using ObjectCode = llvm::SmallVector<char, 0>;

/// Optimises every unit and makes its object; several at a time if `threads` > 1. The units are used up.
/// The bytes depend on program, target and info alone.
std::vector<ObjectCode> compile(std::vector<CodeUnit> units, const Target& target, int threads = 1);

/// What a unit looks like: as it was emitted, or optimised.
std::string llvm_text(const CodeUnit& unit);
std::string bitcode(const CodeUnit& unit);
/// Optimises the unit and prints its assembly.
std::string assembly(CodeUnit& unit, const Target& target);

} // namespace dlcc::codegen

// cpu_features.h: compares the CPU features that a module names with those of this machine and its operating system.
#pragma once
#include <string>
#include <string_view>

namespace dlcc::runtime {

// `features` is a list in LLVM's spelling, "+avx2,+fma"; "-x" entries ask for nothing. Returns an empty string if this
// machine has them all, else why not: "needs avx512f, this CPU has avx2" or "needs feature 'xyz', which is not known".
std::string missing_cpu_features(std::string_view features);

} // namespace dlcc::runtime

// artefact.h: the trailer at the end of a compiled step on disk: made by the compiler, verified by the loader.
#pragma once
#include <cstddef>
#include <string_view>

#include "runtime/abi.h"

namespace dlcc::runtime {

// The 96 bytes to append to an ELF image of `bytes` bytes. `compiler` is a version such as "0.1.0", cut to 15 bytes.
dlcc_artefact_trailer make_artefact_trailer(const void* image, size_t bytes, std::string_view compiler);

// Checks a whole file (image and trailer); returns the length of the image. Throws Error: DLCC_E_CORRUPT if it is not a
// compiled step or damaged, DLCC_E_ABI if it is one of another module ABI. `path` is for the message only.
size_t verify_artefact(const void* file, size_t bytes, std::string_view path);

} // namespace dlcc::runtime

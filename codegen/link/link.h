// Objects to a shared library in memory, by lld inside this process.
#pragma once

#include "codegen/link/object.h"

namespace dlcc::codegen {

struct LinkOptions {
  std::string soname;
  bool need_libgomp = true; ///< DT_NEEDED libgomp.so.1; otherwise the host brings the OpenMP runtime
};

/// The ELF image of a shared library that exports dlcc_module_query and nothing else. Its bytes depend on the arguments
/// alone. Uses a private temporary folder that is removed again. Thread-safe; one link runs at a time.
/// Throws UserError(io) when temporary files cannot be written, InternalError with lld's message when it refuses.
std::vector<char> link_shared_library(const std::vector<ObjectCode>& objects, const LinkOptions& options = {});

} // namespace dlcc::codegen

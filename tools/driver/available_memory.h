// How much memory this process may still take.
#pragma once

#include <cstdint>

namespace dlcc::tools {

/// Bytes: the smallest of what the system has and what the control groups of this process leave.
int64_t available_memory();

} // namespace dlcc::tools

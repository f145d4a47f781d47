// How random numbers are named.
#pragma once

#include <cstdint>
#include <string_view>

namespace dlcc::ops {

/// The 32-bit number of the stream with that name (FNV-1a). Different names of one model must have different numbers.
uint32_t stream_number(std::string_view name);

} // namespace dlcc::ops

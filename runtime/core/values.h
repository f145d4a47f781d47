// values.h: numbers in a caller's memory, by their DLCC_ type.
#pragma once
#include <cstdint>
#include <string>

#include "runtime/core/dlcc_runtime.h"

namespace dlcc::runtime {

// Value `i` of a dense array. Throws Error(DLCC_E_DTYPE) if there is no such type.
double value_at(const void* values, int32_t dtype, int64_t i);

// How many values a dense view holds. Throws Error if its fields do not fit each other; `what` it is, for the message.
uint64_t value_count(const dlcc_view& view, const std::string& what);

} // namespace dlcc::runtime

// The memory that generated code and its callers agree on, taken from runtime/abi.h itself; internal to codegen.
#pragma once

#include "runtime/abi.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace dlcc::codegen {

/// The tail of the WORK region, behind the arena: what one call reports.
struct FaultState {
  int32_t status; ///< 0 or the DLCC_E_ code the entry returns
  int32_t reserved;
  dlcc_fault record;
};

inline constexpr int region_count = DLCC_REG_CACHE + 1;

/// What a parallel body needs, on the stack of the entry; one pointer each.
enum ContextSlot : unsigned {
  context_call,
  context_hyper,
  context_fault,
  context_scratch,      ///< block 0 of the per-thread scratch
  context_regions,      ///< region_count pointers
  context_tensors = 11, ///< behind region_count pointers: inputs, then outputs, of the entry
};

static_assert(context_tensors == context_regions + region_count);
static_assert(sizeof(void*) == 8, "generated code has 64-bit pointers");
static_assert(offsetof(dlcc_call_v1, regions) == 8 && offsetof(dlcc_call_v1, fault) == 72 &&
              sizeof(dlcc_call_v1) == 88);
static_assert(sizeof(dlcc_fault) == 32 && sizeof(FaultState) == 40);
static_assert(sizeof(dlcc_tensor_desc) == 56 && offsetof(dlcc_tensor_desc, name) == 16);
static_assert(sizeof(dlcc_entry_v1) == 48 && offsetof(dlcc_entry_v1, fn) == 16);
static_assert(sizeof(dlcc_module_v1) == 176 && offsetof(dlcc_module_v1, model_hash) == 64);

/// DLCC_FAULT_ code of an entry's status.
constexpr int32_t fault_code(int32_t status) {
  return status == DLCC_E_ARG ? DLCC_FAULT_INDEX : status == DLCC_E_NONFINITE ? DLCC_FAULT_NONFINITE : DLCC_FAULT_NONE;
}

constexpr int64_t round_up(int64_t bytes, int64_t to) { return (bytes + to - 1) / to * to; }

} // namespace dlcc::codegen

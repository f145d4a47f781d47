/* The tables of a compiled step that has an entry `init` alone, which the including file defines, and STEP_NAME. */
#include "runtime/abi.h"

static int32_t init(const dlcc_call_v1* call);

static const dlcc_entry_v1 entries[] = {{sizeof(dlcc_entry_v1), DLCC_FN_INIT, "init", init, 0, 0, 0, 0}};
static const uint64_t region_bytes[] = {0, 0, 0, 0, 0, 0, 0};
static const dlcc_module_v1 module = {DLCC_MODULE_MAGIC,
                                      DLCC_MODULE_ABI,
                                      sizeof(dlcc_module_v1),
                                      0,
                                      STEP_NAME,
                                      "0.1.0",
                                      "x86_64-unknown-linux-gnu",
                                      "",
                                      "{}",
                                      2,
                                      {8},
                                      0,
                                      entries,
                                      0,
                                      1,
                                      7,
                                      64,
                                      0,
                                      region_bytes,
                                      0,
                                      0,
                                      0,
                                      0};

__attribute__((visibility("default"))) const dlcc_module_v1* dlcc_module_query(uint32_t max_abi) {
  return max_abi >= DLCC_MODULE_ABI ? &module : 0;
}

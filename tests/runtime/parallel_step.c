/* A compiled step with a parallel region, which brings the OpenMP runtime it names. */
#include "runtime/abi.h"

static int32_t init(const dlcc_call_v1* call) {
  int32_t team = 0;
#pragma omp parallel num_threads(call->num_threads) reduction(+ : team)
  ++team;
  return team == call->num_threads ? DLCC_OK : DLCC_E_INTERNAL;
}

static const dlcc_entry_v1 entries[] = {{sizeof(dlcc_entry_v1), DLCC_FN_INIT, "init", init, 0, 0, 0, 0}};
static const uint64_t region_bytes[] = {0, 0, 0, 0, 0, 0, 0};
static const dlcc_module_v1 module = {DLCC_MODULE_MAGIC,
                                      DLCC_MODULE_ABI,
                                      sizeof(dlcc_module_v1),
                                      0,
                                      "parallel",
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

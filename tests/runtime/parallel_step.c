/* A compiled step with a parallel region, which brings the OpenMP runtime it names. */
#define STEP_NAME "parallel"
#include "tests/runtime/init_step.h"

static int32_t init(const dlcc_call_v1* call) {
  int32_t team = 0;
#pragma omp parallel num_threads(call->num_threads) reduction(+ : team)
  ++team;
  return team == call->num_threads ? DLCC_OK : DLCC_E_INTERNAL;
}

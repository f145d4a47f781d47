/* A compiled step that calls the OpenMP runtime without naming a library for it, as --openmp=host makes them. */
#define STEP_NAME "host_openmp"
#include "tests/runtime/init_step.h"

extern void GOMP_barrier(void);

static int32_t init(const dlcc_call_v1* call) {
  (void)call;
  GOMP_barrier();
  return 0;
}

/* A compiled step in miniature: one parameter, init sets it to the seed, train adds the sum of its input. */
#include "runtime/abi.h"

static int32_t init(const dlcc_call_v1* call) {
  ((double*)call->regions[DLCC_REG_PARAM])[0] = (double)call->seed;
  return 0;
}

static int32_t train(const dlcc_call_v1* call) {
  double* parameter = call->regions[DLCC_REG_PARAM];
  const double* x = call->inputs[0];
  double* loss = call->outputs[0];
  parameter[0] += x[0] + x[1];
  *loss = parameter[0];
  return 0;
}

static const int64_t input_dims[] = {2};
static const dlcc_tensor_desc tensors[] = {
    {sizeof(dlcc_tensor_desc), DLCC_T_INPUT, DLCC_F64, 1, "x", input_dims, -1, 0, 0, 16},
    {sizeof(dlcc_tensor_desc), DLCC_T_LOSS, DLCC_F64, 0, "loss", 0, -1, -1, 0, 8},
    {sizeof(dlcc_tensor_desc), DLCC_T_PARAM, DLCC_F64, 0, "param/w", 0, DLCC_REG_PARAM, -1, 0, 8},
};
static const int32_t train_inputs[] = {0}, train_outputs[] = {1};
static const dlcc_entry_v1 entries[] = {
    {sizeof(dlcc_entry_v1), DLCC_FN_INIT, "init", init, 0, 0, 0, 0},
    {sizeof(dlcc_entry_v1), DLCC_FN_TRAIN, "train_step", train, train_inputs, 1, 1, train_outputs},
};
static const uint64_t region_bytes[] = {8, 0, 0, 0, 0, 0, 0};
static const dlcc_module_v1 module = {DLCC_MODULE_MAGIC,
                                      DLCC_MODULE_ABI,
                                      sizeof(dlcc_module_v1),
                                      0,
                                      "tiny",
                                      "0.1.0",
                                      "x86_64-unknown-linux-gnu",
                                      "+sse2",
                                      "{}",
                                      2,
                                      {7},
                                      tensors,
                                      entries,
                                      3,
                                      2,
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

/* The same step linked into the program: no file to load, and all memory from one static array. It learns one batch of
 * made-up images by heart and prints the loss as it falls. See README.md for how to build it. */
#include "mnist_mlp.h"
#include <dlcc/runtime.h>
#include <stdio.h>

/* Everything a session takes: the regions, whose sizes mnist_mlp.h states, and room for the library's own tables. */
static unsigned char memory[MNIST_MLP_PARAM_BYTES + MNIST_MLP_OPT_BYTES + MNIST_MLP_BUFFER_BYTES +
                            MNIST_MLP_GRAD_BYTES + MNIST_MLP_WORK_BYTES + 16 * MNIST_MLP_WORK_BYTES_PER_THREAD +
                            (1 << 20)];
static size_t used;

static void* take(void* user, size_t bytes, size_t align) {
  (void)user;
  size_t start = (used + (size_t)memory + align - 1) / align * align - (size_t)memory;
  if (start + bytes > sizeof memory) return NULL;
  used = start + bytes;
  return memory + start;
}
static void give_back(void* user, void* p) { (void)user, (void)p; }

int main(void) {
  static float x[MNIST_MLP_BATCH * 784];
  static int32_t y[MNIST_MLP_BATCH];
  for (int i = 0; i < MNIST_MLP_BATCH; ++i) {
    y[i] = i % 10;
    for (int p = 0; p < 784; ++p) x[i * 784 + p] = (float)((i * 31 + p * 17) % 97) / 97;
  }
  int64_t x_dims[] = {MNIST_MLP_BATCH, 784}, y_dims[] = {MNIST_MLP_BATCH};
  dlcc_view in[] = {{x, DLCC_F32, 2, x_dims, sizeof x, {0}}, {y, DLCC_I32, 1, y_dims, sizeof y, {0}}};
  double loss = 0;
  dlcc_view out = {&loss, DLCC_F64, 0, NULL, sizeof loss, {0}};

  dlcc_session_options options = {.struct_size = sizeof options, .alloc = take, .dealloc = give_back};
  dlcc_module* module;
  dlcc_session* session;
  dlcc_error error;
  int failed = dlcc_module_wrap(mnist_mlp_query(DLCC_MODULE_ABI), &module, &error) ||
               dlcc_session_create(module, &options, &session, &error) || dlcc_init(session, 1, &error);
  for (int step = 1; !failed && step <= 100; ++step) {
    failed = dlcc_train_step(session, in, 2, &out, 1, MNIST_MLP_BATCH, &error);
    if (!failed && step % 25 == 0) printf("step %d: loss %.4f, %zu bytes of memory\n", step, loss, used);
  }
  if (failed) fprintf(stderr, "static_use: %s\n", error.message);
  return failed != 0;
}

/* Trains the network of examples/mnist_mlp.json, compiled to train_step.so, on MNIST: five epochs, then the accuracy
 * on the test set. Links libdlcc_rt only. Usage: train_mnist train_step.so FOLDER, with the unpacked idx files. */
#include <dlcc/runtime.h>
#include <stdio.h>
#include <stdlib.h>

enum { PIXELS = 784, BATCH = 128, EPOCHS = 5, TRAIN = 60000, TEST = 10000 };
typedef dlcc_status Step(dlcc_session*, const dlcc_view*, int, dlcc_view*, int, int64_t, dlcc_error*);
static unsigned char train_x[TRAIN * PIXELS], train_y[TRAIN], test_x[TEST * PIXELS], test_y[TEST];
static int order[TRAIN];
static dlcc_session* session;
static dlcc_error error;

static void stop_if(int failed, const char* what) {
  if (!failed) return;
  fprintf(stderr, "train_mnist: %s\n", what);
  exit(1);
}

static void read_idx(const char* folder, const char* name, int header, unsigned char* to, size_t size) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE* file = fopen(path, "rb");
  stop_if(!file || fseek(file, header, SEEK_SET) || fread(to, 1, size, file) != size, path);
  fclose(file);
}

/* Feeds the rows to one entry of the compiled step, a batch at a time in `order`; the mean of the batches' losses. */
static double run(Step* step, const unsigned char* pixels, const unsigned char* labels, int rows) {
  static float x[BATCH * PIXELS];
  static int32_t y[BATCH];
  double loss, sum = 0;
  for (int first = 0; first < rows; first += BATCH) {
    int64_t n = rows - first < BATCH ? rows - first : BATCH, x_dims[] = {n, PIXELS}; /* the last batch may be short */
    for (int i = 0; i < n; ++i) {
      y[i] = labels[order[first + i]];
      for (int p = 0; p < PIXELS; ++p) x[i * PIXELS + p] = (float)pixels[order[first + i] * PIXELS + p] / 255;
    }
    dlcc_view in[] = {{x, DLCC_F32, 2, x_dims, (uint64_t)n * PIXELS * sizeof *x, {0}},
                      {y, DLCC_I32, 1, &n, (uint64_t)n * sizeof *y, {0}}};
    dlcc_view out = {&loss, DLCC_F64, 0, NULL, sizeof loss, {0}};
    stop_if(step(session, in, 2, &out, 1, n, &error), error.message);
    sum += loss * (double)n;
  }
  return sum / rows;
}

int main(int argc, char** argv) {
  stop_if(argc != 3, "usage: train_mnist train_step.so FOLDER");
  read_idx(argv[2], "train-images-idx3-ubyte", 16, train_x, sizeof train_x);
  read_idx(argv[2], "train-labels-idx1-ubyte", 8, train_y, sizeof train_y);
  read_idx(argv[2], "t10k-images-idx3-ubyte", 16, test_x, sizeof test_x);
  read_idx(argv[2], "t10k-labels-idx1-ubyte", 8, test_y, sizeof test_y);
  dlcc_module* module;
  stop_if(dlcc_module_open(argv[1], &module, &error), error.message);
  stop_if(dlcc_session_create(module, NULL, &session, &error), error.message);
  stop_if(dlcc_init(session, 42, &error), error.message);
  for (int epoch = 1; epoch <= EPOCHS; ++epoch) {
    for (int i = 0; i < TRAIN; ++i) { /* a random order: Fisher and Yates */
      int j = rand() % (i + 1);
      order[i] = order[j], order[j] = i;
    }
    printf("epoch %d/%d: loss %.4f\n", epoch, EPOCHS, run(dlcc_train_step, train_x, train_y, TRAIN));
  }
  for (int i = 0; i < TEST; ++i) order[i] = i;
  stop_if(dlcc_metrics_reset(session, &error), error.message);
  double accuracy, loss = run(dlcc_eval_step, test_x, test_y, TEST);
  stop_if(dlcc_metrics_result(session, &accuracy, 1, &error), error.message);
  printf("test: loss %.4f, accuracy %.2f %%\n", loss, 100 * accuracy);
  dlcc_session_destroy(session);
  dlcc_module_close(module);
  return 0;
}

/* Trains the network of examples/mnist_mlp.json, compiled to train_step.so, on MNIST: five epochs, then the accuracy
 * on the test set. Links libdlcc_rt only. Usage: train_mnist train_step.so FOLDER, which holds the unpacked idx files.
 */
#include <dlcc/runtime.h>
#include <stdio.h>
#include <stdlib.h>

enum { PIXELS = 784, BATCH = 128, EPOCHS = 5 };
typedef struct {
  int64_t rows;
  unsigned char *pixels, *labels;
} Images;

static void stop(const char* what) {
  fprintf(stderr, "train_mnist: %s\n", what);
  exit(1);
}

static unsigned char* read_idx(const char* folder, const char* set, const char* kind, int header, int64_t bytes) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s-%s-ubyte", folder, set, kind);
  FILE* file = fopen(path, "rb");
  unsigned char* data = malloc((size_t)bytes);
  if (!file || !data || fseek(file, header, SEEK_SET) || fread(data, 1, (size_t)bytes, file) != (size_t)bytes)
    stop(path);
  fclose(file);
  return data;
}

static Images read_images(const char* folder, const char* set, int64_t rows) {
  return (Images){rows, read_idx(folder, set, "images-idx3", 16, rows * PIXELS),
                  read_idx(folder, set, "labels-idx1", 8, rows)};
}

typedef dlcc_status Step(dlcc_session*, const dlcc_view*, int, dlcc_view*, int, int64_t, dlcc_error*);

/* Feeds all rows in the given order to one entry of the step; the mean of the batches' losses. */
static double run(Step* step, dlcc_session* session, const Images* set, const int64_t* order) {
  static float x[BATCH * PIXELS];
  static int32_t y[BATCH];
  double loss, sum = 0;
  int64_t batches = 0;
  for (int64_t first = 0; first < set->rows; first += BATCH, ++batches) {
    int64_t n = set->rows - first < BATCH ? set->rows - first : BATCH; /* the last batch may be short */
    for (int64_t i = 0; i < n; ++i) {
      int64_t row = order[first + i];
      for (int p = 0; p < PIXELS; ++p) x[i * PIXELS + p] = (float)set->pixels[row * PIXELS + p] / 255;
      y[i] = set->labels[row];
    }
    int64_t x_dims[] = {n, PIXELS};
    dlcc_view in[] = {{x, DLCC_F32, 2, x_dims, (uint64_t)n * PIXELS * sizeof *x, {0}},
                      {y, DLCC_I32, 1, &n, (uint64_t)n * sizeof *y, {0}}};
    dlcc_view out = {&loss, DLCC_F64, 0, NULL, sizeof loss, {0}};
    dlcc_error error;
    if (step(session, in, 2, &out, 1, n, &error)) stop(error.message);
    sum += loss;
  }
  return sum / (double)batches;
}

int main(int argc, char** argv) {
  if (argc != 3) stop("usage: train_mnist train_step.so FOLDER");
  Images train = read_images(argv[2], "train", 60000), test = read_images(argv[2], "t10k", 10000);
  dlcc_module* module;
  dlcc_session* session;
  dlcc_error error;
  if (dlcc_module_open(argv[1], &module, &error)) stop(error.message);
  if (dlcc_session_create(module, NULL, &session, &error) || dlcc_init(session, 42, &error)) stop(error.message);

  static int64_t order[60000];
  for (int64_t i = 0; i < train.rows; ++i) order[i] = i;
  for (int epoch = 1; epoch <= EPOCHS; ++epoch) {
    for (int64_t i = train.rows - 1; i > 0; --i) { /* Fisher and Yates */
      int64_t j = rand() % (i + 1), t = order[i];
      order[i] = order[j], order[j] = t;
    }
    printf("epoch %d/%d: loss %.4f\n", epoch, EPOCHS, run(dlcc_train_step, session, &train, order));
  }
  for (int64_t i = 0; i < test.rows; ++i) order[i] = i;
  double accuracy;
  if (dlcc_metrics_reset(session, &error)) stop(error.message);
  double loss = run(dlcc_eval_step, session, &test, order);
  if (dlcc_metrics_result(session, &accuracy, 1, &error)) stop(error.message);
  printf("test: loss %.4f, accuracy %.2f %%\n", loss, 100 * accuracy);
  dlcc_session_destroy(session);
  dlcc_module_close(module);
}

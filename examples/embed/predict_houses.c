/* Predicts with a trained model from C: cells of a table in, prices out.
 *
 *   dlcc train examples/houses.json --out runs/houses && dlcc examples/houses.json -o houses.so
 *   predict_houses houses.so runs/houses/last.safetensors
 *
 * Means, deviations and categories come with the weights: the program knows the names of the columns and nothing else.
 */
#include <dlcc/runtime.h>

#include <stdio.h>
#include <stdlib.h>

enum { houses = 3, columns = 6, width = 13 };

/* In any order, and with columns that the model does not read; NULL is a missing cell. */
static const char* const names[columns] = {"city", "rooms", "area", "garden", "condition", "year"};
static const char* const cells[houses * columns] = {
    "Neustadt",  "5", "140",  "yes", "new",  "2015", /* */
    "Kirchheim", "3", "82.5", "no",  "good", NULL,   /* built nobody knows when */
    "Atlantis",  "3", "82.5", "no",  "good", "1970"  /* a city that training has not seen */
};

static void check(dlcc_status status, const dlcc_error* error) {
  if (status == DLCC_OK) return;
  fprintf(stderr, "%s\n", error->message);
  exit(1);
}

int main(int argc, char** argv) {
  dlcc_module* module;
  dlcc_session* session;
  dlcc_error error;
  float x[houses * width], estimate[houses];
  double price[houses];
  const int64_t x_dims[] = {houses, width}, y_dims[] = {houses, 1};
  dlcc_view in = {x, DLCC_F32, 2, x_dims, sizeof x, {0, 0}};
  dlcc_view out = {estimate, DLCC_F32, 2, y_dims, sizeof estimate, {0, 0}};
  dlcc_view prices = {price, DLCC_F64, 2, y_dims, sizeof price, {0, 0}};
  if (argc != 3) {
    fprintf(stderr, "usage: %s STEP.so WEIGHTS\n", argv[0]);
    return 2;
  }
  check(dlcc_module_open(argv[1], &module, &error), &error);
  check(dlcc_session_create(module, NULL, &session, &error), &error);
  check(dlcc_checkpoint_load(session, argv[2], DLCC_SAVE_PARAMS, &error), &error);

  check(dlcc_transform_cells(session, "house", names, columns, cells, houses, &in, &error), &error);
  check(dlcc_predict(session, &in, 1, &out, 1, houses, &error), &error);
  check(dlcc_transform_undo(session, "price", &out, &prices, &error), &error);
  for (int i = 0; i < houses; ++i) printf("%.0f\n", price[i]);

  dlcc_session_destroy(session);
  dlcc_module_close(module);
  return 0;
}

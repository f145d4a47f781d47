#include "tests/determinism/wide_models.h"

#include <cmath>
#include <random>

namespace dlcc::determinism {

namespace {
struct Wide {
  const char* name;
  const char* text;
  int64_t features, classes; ///< classes: 0 if the label is as wide as 40 numbers
};

constexpr Wide wide[] = {
    // Split contractions (k of several blocks), a short batch, random masks, the optimizer fused into gradients.
    {"wide_classes", R"({
  "dlcc": 1, "name": "wide_classes", "seed": 5,
  "inputs": { "x": { "shape": ["N", 784] } },
  "layers": [
    { "type": "Dense", "name": "a", "units": 128, "activation": "relu" },
    { "type": "Dropout", "rate": 0.3 },
    { "type": "Dense", "name": "b", "units": 96, "activation": "gelu" },
    { "type": "Dense", "name": "probs", "units": 10, "activation": "softmax" } ],
  "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"],
  "optimizer": { "type": "adam", "learning_rate": { "schedule": "cosine", "initial": 0.003, "decay_steps": 50 } },
  "train": { "batch_size": 128 } })",
     784, 10},
    // Sums over whole parameters and activities: penalties and a norm of all gradients; accumulation; reductions longer
    // than one block.
    {"wide_sums", R"({
  "dlcc": 1, "name": "wide_sums", "seed": 6,
  "inputs": { "x": { "shape": ["N", 300] } },
  "layers": [
    { "type": "Dense", "name": "a", "units": 257, "activation": "tanh", "kernel_regularizer": { "l1": 1e-5, "l2": 1e-4 },
      "activity_regularizer": { "l2": 1e-3 } },
    { "type": "Residual", "layers": [ { "type": "Dense", "name": "b", "units": 257, "activation": "silu" } ] },
    { "type": "Dense", "name": "c", "units": 40 } ],
  "loss": "mean_squared_error", "metrics": ["mae"],
  "optimizer": { "type": "rmsprop", "momentum": 0.5, "centered": true, "clip_global_norm": 0.5, "accumulate_steps": 2 },
  "train": { "batch_size": 160 } })",
     300, 0},
};

goldens::Tensor random_tensor(std::mt19937_64& random, std::vector<int64_t> dims, int64_t classes) {
  size_t count = 1;
  for (int64_t d : dims) count *= static_cast<size_t>(d);
  goldens::Tensor t{std::move(dims), std::vector<double>(count)};
  for (double& x : t.values)
    x = classes ? static_cast<double>(random() % static_cast<uint64_t>(classes))
                : std::ldexp(static_cast<double>(random() >> 40), -23) - 1;
  return t;
}
} // namespace

std::vector<std::string> wide_names() {
  std::vector<std::string> names;
  for (const Wide& w : wide) names.push_back(w.name);
  return names;
}

goldens::Model wide_model(const std::string& name) {
  for (const Wide& w : wide) {
    if (name != w.name) continue;
    goldens::Model model{name, w.text, {}, {}};
    std::mt19937_64 random(17);
    for (int64_t rows : w.classes ? std::vector<int64_t>{128, 128, 77} : std::vector<int64_t>{160, 160, 31}) {
      goldens::Tensors batch;
      batch["x"] = random_tensor(random, {rows, w.features}, 0);
      batch["label"] = w.classes ? random_tensor(random, {rows}, w.classes) : random_tensor(random, {rows, 40}, 0);
      model.batches.push_back(std::move(batch));
    }
    return model;
  }
  throw std::runtime_error("no model " + name);
}

} // namespace dlcc::determinism

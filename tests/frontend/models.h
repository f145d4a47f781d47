// Whole models that must be read: the format's own examples, as far as their layers exist, and one that uses
// everything.
#pragma once

namespace dlcc::frontend::testing {

inline constexpr const char* binary_classifier = R"({
  "$schema": "model-1.schema.json", "dlcc": 1, "name": "binary_20_64_64_1", "seed": 7,
  "inputs": { "x": { "shape": ["N", 20] } },
  "layers": [
    { "type": "Dense", "units": 64, "activation": "relu",
      "kernel_initializer": "he_normal", "kernel_regularizer": { "l2": 1e-4 } },
    { "type": "Dropout", "rate": 0.5 },
    { "type": "Dense", "units": 64, "activation": "relu",
      "kernel_initializer": "he_normal", "kernel_regularizer": { "l1": 1e-6, "l2": 1e-4 } },
    { "type": "Dropout", "rate": 0.5 },
    { "type": "Dense", "name": "p", "units": 1, "activation": "sigmoid" }
  ],
  "loss": { "type": "binary_crossentropy", "label_smoothing": 0.0 },
  "metrics": ["accuracy", { "type": "auc", "thresholds": 200 }],
  "optimizer": { "type": "sgd", "momentum": 0.9, "nesterov": true, "clip_global_norm": 5.0,
                 "learning_rate": { "schedule": "cosine", "initial": 0.05, "decay_steps": 500,
                                    "alpha": 0.01, "warmup_steps": 25, "warmup_target": 0.05 } },
  "train": { "batch_size": 32, "epochs": 50, "validation_split": 0.2, "shuffle": true,
             "last_batch": "mask",
             "early_stopping": { "monitor": "val_loss", "patience": 10, "restore_best": true } },
  "data": {
    "all": { "format": "synthetic", "generator": "make_classification",
             "samples": 1000, "features": 20, "informative": 10, "classes": 2, "seed": 7 },
    "transforms": [ { "type": "standardize", "input": "x", "fit_on": "train" } ]
  }
})";

inline constexpr const char* logistic_regression = R"({
  "dlcc": 1, "name": "logreg", "seed": 3,
  "inputs": { "x": { "shape": ["N", 20] } },
  "labels": { "y": { "shape": ["N"], "dtype": "f32" } },
  "params": { "w": { "shape": [20], "init": "glorot_uniform", "regularizer": { "l2": 0.01 } },
              "b": { "shape": [],   "init": "zeros" } },
  "nodes": [
    { "op": "matvec",  "inputs": ["x", "w"],   "output": "xw" },
    { "op": "add",     "inputs": ["xw", "b"],  "output": "z" },
    { "op": "sigmoid", "inputs": ["z"],        "output": "p" }
  ],
  "outputs": ["p"],
  "loss": { "type": "binary_crossentropy", "prediction": "z", "label": "y", "from_logits": true },
  "optimizer": "sgd"
})";

inline constexpr const char* everything = R"({
  "dlcc": 1, "x-note": {"free": [null]}, "dtype": "f64",
  "inputs": { "a": { "shape": ["N", "T", 3] }, "b": { "shape": ["N", "T", 3], "dtype": "u8", "x-unit": "cm" }, "x-why": 1 },
  "layers": [
    { "type": "Add", "name": "sum", "from": ["a", "b"] }, "Flatten",
    { "type": "Rescale", "scale": 2 },
    { "type": "Normalize", "mean": [1, 2.5], "variance": 4 },
    { "type": "Repeat", "name": "h", "times": 3, "layers": [
      { "type": "Residual", "layers": [ { "type": "Dense", "units": 6, "activation": { "type": "leaky_relu", "negative_slope": 0.3 } } ],
        "shortcut": [ { "type": "Dense", "units": 6, "trainable": false, "lr_mult": 0.5 } ] } ] },
    { "type": "Dense", "units": 3, "kernel": "@h_0/dense/kernel^T", "use_bias": false,
      "kernel_initializer": { "type": "variance_scaling", "scale": 2.0, "mode": "fan_avg" } },
    { "type": "Reshape", "target_shape": [1, -1] }, { "type": "Concat", "axis": 1 }
  ],
  "functions": { "twice": { "inputs": ["u"], "outputs": ["v"],
    "nodes": [ { "op": "add", "inputs": ["u", "u"], "output": ["v"], "attrs": { "k": [[1, 2], [3, 4.5]], "flag": true, "x-c": null } } ],
    "gradient": { "nodes": [ { "op": "add", "inputs": ["d.v", "d.v"], "output": "d.u" } ] } } },
  "loss": [ { "type": "sparse_categorical_crossentropy", "label": "digit", "class_weight": { "0": 0.4, "2": 3 }, "ignore_index": -1, "weight": 0.3 }, "poisson" ],
  "optimizer": { "type": "adam", "preset": "sklearn", "early_stopping": true, "alpha": 0.01 },
  "train": { "checkpoint": { "dir": "ckpt" }, "steps_per_epoch": 5 },
  "data": { "train": { "format": "csv", "file": "t.csv", "header": false, "separator": ";", "missing": {"rule": "mean", "spellings": ["", "?"]}, "a": [0, "c2", {"column": 9, "categories": ["u", "v"], "unknown": "zeros"}], "b": "c3:c9", "digit": 4 },
            "test": { "format": "npz", "file": "t.npz", "a": "x" },
            "transforms": [ { "type": "divide", "input": "a", "by": [2, 3] }, { "type": "minmax", "input": "b", "fit_on": "all" } ] },
  "compile": { "threads": 2, "fusion": false }
})";

} // namespace dlcc::frontend::testing

// Small models as text, to change a word of or to train in a moment.
#pragma once

#include <string>

namespace dlcc::cli_tests {

/// 4-8-1 on 60 synthetic samples: 4 steps an epoch, 3 epochs.
inline const std::string tiny = R"({ "dlcc": 1, "name": "tiny", "seed": 7,
  "inputs": { "x": { "shape": ["N", 4] } },
  "layers": [ { "type": "Dense", "name": "hidden", "units": 8, "activation": "relu" },
              { "type": "Dropout", "rate": 0.25 },
              { "type": "Dense", "name": "p", "units": 1, "activation": "sigmoid" } ],
  "loss": "binary_crossentropy", "metrics": ["accuracy"],
  "optimizer": { "type": "adam", "learning_rate": 0.01 },
  "train": { "batch_size": 16, "epochs": 3, "validation_split": 0.1 },
  "data": { "all": { "format": "synthetic", "generator": "make_classification", "samples": 60, "features": 4,
                     "informative": 4, "seed": 3 } } }
)";

/// A regression of one column of a CSV file on two others.
inline const std::string from_csv = R"({ "dlcc": 1, "name": "table",
  "inputs": { "x": { "shape": ["N", 2] } },
  "layers": [ { "type": "Dense", "name": "line", "units": 1 } ],
  "loss": "mean_squared_error", "optimizer": { "type": "sgd", "learning_rate": 0.001 },
  "train": { "batch_size": 2 },
  "data": { "train": { "format": "csv", "file": "t.csv", "x": ["a", "b"], "label": "y" } } }
)";

/// Ten classes of 2 x 2 pictures in idx files.
inline const std::string from_idx = R"({ "dlcc": 1, "name": "pictures",
  "inputs": { "image": { "shape": ["N", 4] } },
  "layers": [ { "type": "Dense", "name": "probs", "units": 10, "activation": "softmax" } ],
  "loss": "sparse_categorical_crossentropy", "optimizer": "sgd",
  "train": { "batch_size": 4 },
  "data": { "train": { "format": "idx", "image": "images", "label": "labels" },
            "transforms": [ { "type": "reshape", "input": "image", "shape": [4] } ] } }
)";

/// A regression on rows of three numbers, from two arrays.
inline const std::string from_npy = R"({ "dlcc": 1, "name": "arrays",
  "inputs": { "x": { "shape": ["N", 3] } },
  "layers": [ { "type": "Dense", "name": "line", "units": 1 } ],
  "loss": "mean_squared_error", "optimizer": { "type": "sgd", "learning_rate": 0.001 },
  "train": { "batch_size": 2 },
  "data": { "train": { "format": "npy", "x": "x.npy", "label": "y.npy" } } }
)";

/// `nodes` between given inputs and outputs: the frame of models about one fault in a graph.
inline std::string graph_model(const std::string& nodes, const std::string& prediction = "p",
                               const std::string& params = R"("w": { "shape": [3] })",
                               const std::string& inputs = R"("x": { "shape": ["N", 3] })",
                               const std::string& labels = R"("y": { "shape": ["N"] })") {
  return "{ \"dlcc\": 1, \"name\": \"g\",\n  \"inputs\": { " + inputs + " },\n  \"labels\": { " + labels +
         " },\n  \"params\": { " + params + " },\n  \"nodes\": [ " + nodes +
         " ],\n  \"loss\": { \"type\": \"mean_squared_error\", \"prediction\": \"" + prediction +
         "\", \"label\": \"y\" }, \"optimizer\": \"sgd\" }\n";
}

} // namespace dlcc::cli_tests

// model.json -> ModelSpec: syntax, keys, types, ranges, names and shapes; the graph is built from it afterwards.
#pragma once

#include "frontend/read/model_spec.h"

namespace dlcc::frontend {

/// What the command line changes. Everything is applied before anything is checked.
struct Overrides {
  std::vector<std::pair<std::string, std::string>> sets; ///< --set PATH=VALUE; VALUE is JSON, or else a string
  std::map<std::string, int64_t> symbols;                ///< -D SYM=VALUE
  std::map<std::string, std::vector<int64_t>> shapes;    ///< --shape INPUT=D,D,...: binds the symbols of its shape
  std::optional<std::string> dtype;
  std::optional<int64_t> batch_size, epochs, seed;
  std::optional<double> learning_rate, validation_split;
};

/// The model, or nothing with at least one error. Warnings may come with a model.
std::optional<ModelSpec> read_model(std::string_view text, const Overrides& overrides, DiagnosticList& diagnostics);

/// A `data` section in a file of its own (--data FILE, "data": "FILE"), for the inputs and labels of `model`.
std::optional<data::DataSpec> read_data(std::string_view text, const std::vector<std::string>& tensor_names,
                                        DiagnosticList& diagnostics);

} // namespace dlcc::frontend

// Reads a model and returns what the user would see, one message a line.
#pragma once

#include "frontend/read/read_model.h"

namespace dlcc::frontend::testing {

struct Outcome {
  std::optional<ModelSpec> model;
  std::vector<std::string> lines;
};

inline Outcome read(std::string_view text, const Overrides& overrides = {}) {
  DiagnosticList diagnostics("m.json");
  Outcome out;
  out.model = read_model(text, overrides, diagnostics);
  for (const Diagnostic& d : diagnostics.all()) out.lines.push_back(format_short(d));
  return out;
}

/// A model on one line around `keys`, e.g. R"("loss": "huber")"; the first byte of `keys` is at column 75.
inline std::string model_with(std::string_view keys) {
  return R"({"dlcc": 1, "inputs": {"x": {"shape": ["N", 4]}}, "layers": ["Flatten"],  )" + std::string(keys) + "}";
}
/// A model of one layer; its first byte is at column 64.
inline std::string model_of(std::string_view layer) {
  return R"({"dlcc": 1, "inputs": {"x": {"shape": ["N", 4]}}, "layers": [  )" + std::string(layer) + "]}";
}
/// A model of nodes; the first byte of the list's content is at column 63.
inline std::string nodes_of(std::string_view nodes) {
  return R"({"dlcc": 1, "inputs": {"x": {"shape": ["N", 4]}}, "nodes": [  )" + std::string(nodes) + "]}";
}

} // namespace dlcc::frontend::testing

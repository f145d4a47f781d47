// Builds models and runs their functions through the interpreter of the graph IR.
#pragma once

#include "reading.h"

#include "frontend/build/build_module.h"
#include "ir/graph/evaluate.h"
#include "ir/graph/verify.h"
#include "ir/ops/ops.h"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

namespace dlcc::frontend::testing {

struct Built {
  std::optional<ModelSpec> spec;
  std::optional<graph::Module> module;
  std::vector<std::string> lines; ///< what the user would see
};

inline Built build(std::string_view text) {
  DiagnosticList diagnostics("m.json");
  Built out;
  out.spec = read_model(text, {}, diagnostics);
  if (out.spec) out.module = build_module(*out.spec, ops::all_ops(), diagnostics);
  if (out.module) graph::check(*out.module, "build_module");
  for (const Diagnostic& d : diagnostics.all()) out.lines.push_back(format_short(d));
  return out;
}

/// A good model with its states, ready to run.
class Model {
public:
  explicit Model(std::string_view text) : built(build(text)) {
    EXPECT_EQ(built.lines, std::vector<std::string>{}) << text;
    if (!built.module) throw std::runtime_error("not built");
    for (const graph::State& s : module().states) env.states[s.name] = Tensor(s.type);
  }

  const graph::Module& module() const { return *built.module; }
  const graph::State& state(const std::string& name) const {
    auto found = module().find_state(name);
    if (!found) throw std::runtime_error("no state " + name);
    return module().states[*found];
  }
  Model& set(const std::string& name, std::vector<double> values) {
    EXPECT_EQ(values.size(), env.states.at(name).size()) << name;
    env.states.at(name).data = std::move(values);
    return *this;
  }
  /// Inputs and labels by name; scalars of the call have one value.
  Model& feed(const std::string& name, std::vector<double> values) {
    fed[name] = std::move(values);
    return *this;
  }
  std::vector<Tensor> run(const std::string& function) {
    const graph::Function& f = module().functions[*module().find_function(function)];
    env.inputs.clear();
    for (graph::ValueId p : f.parameters) {
      const graph::Value& v = f.values[p];
      auto given = fed.find(v.name);
      env.inputs[v.name] = given == fed.end() ? Tensor(v.type) : Tensor(v.type, given->second);
      EXPECT_EQ(env.inputs[v.name].size(), static_cast<size_t>(element_count(v.type.shape))) << v.name;
    }
    return graph::evaluate(module(), f, ops::all_ops(), env);
  }
  double number(const std::string& function) { return run(function).at(0).data.at(0); }
  std::vector<std::string> state_names() const {
    std::vector<std::string> out;
    for (const graph::State& s : module().states) out.push_back(s.name);
    return out;
  }

  Built built;
  graph::Environment env;
  std::map<std::string, std::vector<double>> fed;
};

inline double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

} // namespace dlcc::frontend::testing

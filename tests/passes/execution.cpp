#include "tests/passes/execution.h"

#include "ir/graph/parse.h"
#include "ir/loops/evaluate.h"
#include "ir/ops/ops.h"
#include "tests/codegen/harness.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace dlcc::testing {

using loops::Buffer;
using loops::BufferId;
using loops::Region;

graph::Module parse_graph(const std::string& text) {
  try {
    return graph::parse_module(text, ops::all_ops());
  } catch (const TextError& e) {
    throw std::runtime_error("line " + std::to_string(e.where.line) + ": " + e.what() + "\n" + text);
  }
}

passes::Ir run_to(std::string_view stage, graph::Module module, PassRun run) {
  passes::PassContext context{ops::all_ops(), {}, run.diagnostics};
  context.fuse = run.fuse, context.share_memory = run.share_memory, context.check_nan = run.check_nan;
  run.options.stop_after = stage;
  return passes::run_passes(std::move(module), context, run.options);
}

loops::Program plan(graph::Module module, PassRun run) {
  return std::get<loops::Program>(run_to("planned", std::move(module), std::move(run)));
}

const graph::Function& entry_of(const graph::Module& module, const std::string& name) {
  return module.functions[module.find_function(name).value()];
}

graph::Environment random_environment(const graph::Module& module, const graph::Function& function, unsigned seed) {
  std::mt19937 random(seed);
  auto fill = [&](const Type& type) {
    Tensor t(type);
    for (double& x : t.data)
      x = is_float(type.dtype) ? (static_cast<int>(random() % 65) - 32) / 16.0 : static_cast<double>(random() % 2);
    return t;
  };
  graph::Environment environment;
  for (const graph::State& s : module.states) environment.states[s.name] = fill(s.type);
  for (graph::ValueId p : function.parameters) {
    const graph::Value& v = function.values[p];
    if (v.role == graph::ParameterRole::hyper) continue;
    environment.inputs[v.name] = fill(v.type);
    if (v.name == "n_valid")
      environment.inputs[v.name].data = {static_cast<double>(std::max<int64_t>(module.batch - 1, 1))};
  }
  return environment;
}

Outcome run_graph(const graph::Module& module, const std::string& entry, const graph::Environment& environment) {
  graph::Environment after = environment;
  Outcome outcome;
  outcome.results = graph::evaluate(module, entry_of(module, entry), ops::all_ops(), after);
  outcome.states = std::move(after.states);
  return outcome;
}

namespace {
bool is_state(Region r) { return r == Region::param || r == Region::slot || r == Region::buffer || r == Region::grad; }
} // namespace

Outcome run_planned(const loops::Program& program, const std::string& name, const graph::Environment& environment) {
  const loops::Entry* entry = program.find_entry(name);
  DLCC_CHECK(entry, "no entry " + name);
  loops::Memory memory = loops::make_memory(program);
  for (BufferId b : program.buffers.ids()) {
    const Buffer& buffer = program.buffers[b];
    if (buffer.view_of.valid()) continue;
    const Tensors& source = is_state(buffer.region) ? environment.states : environment.inputs;
    bool given = is_state(buffer.region) || buffer.region == Region::input || buffer.region == Region::call ||
                 buffer.region == Region::hyper;
    if (auto at = source.find(buffer.name); given && at != source.end()) memory.buffers[b] = at->second;
  }
  Outcome outcome;
  outcome.status = loops::run_entry(program, *entry, memory, loops::MemoryMode::arena);
  for (BufferId b : entry->outputs) outcome.results.push_back(memory.buffers[b]);
  for (BufferId b : program.buffers.ids())
    if (is_state(program.buffers[b].region) && !program.buffers[b].view_of.valid())
      outcome.states[program.buffers[b].name] = memory.buffers[b];
  return outcome;
}

Outcome run_compiled(const loops::Program& program, const std::string& name, const graph::Environment& environment,
                     int threads) {
  codegen::CompiledProgram compiled(program);
  codegen::Tensors tensors = environment.inputs;
  for (const Buffer& b : program.buffers)
    if (is_state(b.region) && !b.view_of.valid()) tensors[b.name] = environment.states.at(b.name);
  codegen::CallOptions options;
  options.threads = threads;
  auto scalar = [&](const char* n) {
    auto at = environment.inputs.find(n);
    tensors.erase(n);
    return at == environment.inputs.end() ? int64_t{0} : static_cast<int64_t>(at->second.data[0]);
  };
  options.n_valid = scalar("n_valid"), options.seed = static_cast<uint64_t>(scalar("seed"));
  options.batch = static_cast<uint64_t>(scalar("batch")), options.update = static_cast<uint64_t>(scalar("update"));
  for (const loops::Hyper& h : program.hypers) {
    auto at = environment.inputs.find(h.name);
    options.hyper.push_back(at == environment.inputs.end() ? NAN : at->second.data[0]);
  }
  const loops::Entry* entry = program.find_entry(name);
  for (BufferId b : entry->outputs) tensors.erase(program.buffers[b].name);
  Outcome outcome;
  outcome.status = compiled.run(name, tensors, options);
  for (BufferId b : entry->outputs) outcome.results.push_back(tensors.at(program.buffers[b].name));
  for (const Buffer& b : program.buffers)
    if (is_state(b.region) && !b.view_of.valid()) outcome.states[b.name] = tensors.at(b.name);
  return outcome;
}

void expect_close(const Tensor& a, const Tensor& b, double tolerance, double scale) {
  ASSERT_EQ(a.type, b.type);
  for (size_t i = 0; i < a.size(); ++i) {
    double x = a.data[i], y = b.data[i];
    bool same = x == y || (std::isnan(x) && std::isnan(y));
    ASSERT_TRUE(same || std::fabs(x - y) <= tolerance * std::max(scale, std::fabs(y)))
        << "element " << i << " of " << to_string(a.type) << ": " << x << " and " << y;
  }
}

void expect_close(const Outcome& a, const Outcome& b, double tolerance, double scale) {
  ASSERT_EQ(a.status, b.status);
  ASSERT_EQ(a.results.size(), b.results.size());
  for (size_t i = 0; i < a.results.size(); ++i) {
    SCOPED_TRACE("result " + std::to_string(i));
    expect_close(a.results[i], b.results[i], tolerance, scale);
  }
  for (auto& [name, value] : a.states) {
    SCOPED_TRACE("state " + name);
    ASSERT_TRUE(b.states.count(name));
    expect_close(value, b.states.at(name), tolerance, scale);
  }
}

void expect_identical(const Outcome& a, const Outcome& b) {
  auto identical = [](const Tensor& x, const Tensor& y) {
    ASSERT_EQ(x.type, y.type);
    for (size_t i = 0; i < x.size(); ++i) {
      bool same = (std::isnan(x.data[i]) && std::isnan(y.data[i])) ||
                  (x.data[i] == y.data[i] && std::signbit(x.data[i]) == std::signbit(y.data[i]));
      ASSERT_TRUE(same) << "element " << i << ": " << x.data[i] << " and " << y.data[i];
    }
  };
  ASSERT_EQ(a.status, b.status);
  ASSERT_EQ(a.results.size(), b.results.size());
  for (size_t i = 0; i < a.results.size(); ++i) {
    SCOPED_TRACE("result " + std::to_string(i));
    identical(a.results[i], b.results[i]);
  }
  ASSERT_EQ(a.states.size(), b.states.size());
  for (auto& [name, value] : a.states) {
    SCOPED_TRACE("state " + name);
    identical(value, b.states.at(name));
  }
}

} // namespace dlcc::testing

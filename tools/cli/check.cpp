// dlcc check MODEL...: everything that can be said without making code.
#include "frontend/build/build_module.h"
#include "frontend/build/print_config.h"
#include "ir/ops/ops.h"
#include "passes/schedule/cost_model.h"
#include "tools/cli/options.h"
#include "tools/driver/loaded_module.h"
#include "tools/driver/output.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

namespace dlcc::tools {

namespace {
struct CheckCommand {
  BuildOptions build;
  std::vector<std::string> models;
  bool print_config = false, json = false;

  int run();
  bool check(const std::string& file, std::string& out);
};

int64_t count_parameters(const graph::Module& module) {
  int64_t count = 0;
  for (const graph::State& s : module.states)
    if (s.role == graph::StateRole::parameter) count += element_count(s.type.shape);
  return count;
}

double step_flops(const loops::Program& program) {
  double flops = 0;
  std::vector<const loops::Step*> pending;
  if (const loops::Entry* e = program.find_entry("train_step"))
    for (const loops::Step& s : e->steps) pending.push_back(&s);
  while (!pending.empty()) {
    const loops::Step* s = pending.back();
    pending.pop_back();
    if (s->kind == loops::StepKind::call) flops += passes::cost_of(program.kernels[s->call.kernel]).flops;
    for (const loops::Step& child : s->children) pending.push_back(&child);
  }
  return flops;
}

nlohmann::ordered_json as_json(const graph::State& s) {
  return {{"name", s.name}, {"type", to_string(s.type)}, {"trainable", s.trainable()}, {"line", s.where.line}};
}

nlohmann::ordered_json json_summary(const Compilation& c, const frontend::NetworkFunction& network,
                                    const graph::Module& source) {
  const auto& program = std::get<loops::Program>(c.ir);
  const loops::Entry* step = program.find_entry("train_step");
  nlohmann::ordered_json layers = nlohmann::ordered_json::array(), parameters = layers;
  for (const frontend::LayerSummary& l : network.layers)
    layers.push_back({{"name", l.name}, {"type", l.type}, {"result", to_string(network.function.type(l.value))}});
  for (const graph::State& s : source.states)
    if (s.role == graph::StateRole::parameter) parameters.push_back(as_json(s));
  return {{"format", 1},
          {"name", source.name},
          {"layers", layers},
          {"parameters", count_parameters(source)},
          {"states", parameters},
          {"flops_per_step", step_flops(program)},
          {"bytes", planned_bytes(program)},
          {"arena_bytes", step ? step->arena_bytes : 0},
          {"plan", step ? step->notes : std::vector<std::string>()}};
}

// Parameters that the model declares, then layers with what they give and own.
std::string text_summary(const Compilation& c, const frontend::NetworkFunction& network, const graph::Module& source) {
  const auto& program = std::get<loops::Program>(c.ir);
  char line[200];
  snprintf(line, sizeof line, "%s: %lld parameters, %.3g MFLOP a step, %.1f KiB of memory\n", source.name.c_str(),
           static_cast<long long>(count_parameters(source)), step_flops(program) / 1e6,
           static_cast<double>(planned_bytes(program)) / 1024);
  std::string text = line;
  auto add_parameter = [&](const graph::State& s, const char* indent) {
    if (s.role == graph::StateRole::parameter)
      text += indent + s.name + " : " + to_string(s.type) + (s.trainable() ? "" : " (frozen)") + "\n";
  };
  for (size_t i = 0; i < c.model->params.size(); ++i) add_parameter(source.states[graph::StateId(i)], "  ");
  for (const frontend::LayerSummary& l : network.layers) {
    text += "  " + l.name + " (" + l.type + ") : " + to_string(network.function.type(l.value)) + "\n";
    for (const graph::State& s : source.states)
      if (s.name.starts_with(l.name + "/")) add_parameter(s, "    ");
  }
  return text;
}

bool holds_step(const std::string& file) {
  if (!std::filesystem::is_regular_file(file)) return false;
  char first[4] = {};
  std::ifstream in(file, std::ios::binary);
  in.read(first, sizeof first);
  return is_compiled_step({first, static_cast<size_t>(in.gcount())});
}

// The loader verifies its bytes, its tables and the CPU; what it was compiled from must still read as a model.
void check_step(const std::string& file, std::string& out) {
  const LoadedModule module = LoadedModule::open(file);
  const dlcc_module_v1& m = *dlcc_module_info(module.get());
  DiagnosticList diagnostics(file);
  const auto model = frontend::read_model({m.model_json, m.model_json_len}, {}, diagnostics);
  if (!model || !frontend::build_module(*model, ops::all_ops(), diagnostics))
    throw UserError(ExitCode::artefact, "no-model", "the model in it cannot be read by this version of dlcc", file);
  out += escape(m.name) + ": a compiled step of " + escape(m.compiler) + ", ABI " + std::to_string(m.abi) +
         ", intact, for CPUs with " + escape(m.cpu_features) + "; " + std::to_string(m.n_entries) + " entries, " +
         std::to_string(m.n_tensors) + " tensors, which 'dlcc inspect' lists\n";
}

bool CheckCommand::check(const std::string& file, std::string& out) {
  build.model = file;
  if (holds_step(file)) {
    if (json || print_config)
      throw UserError(ExitCode::usage, "usage",
                      "expected a model for --json and --print-config; 'dlcc inspect --json' shows a compiled step",
                      file);
    return check_step(file, out), true;
  }
  auto c = read_model(build);
  if (!c) return false;
  graph::Module source = std::get<graph::Module>(c->ir);
  c->run_passes();
  if (report(*c, build)) return false;
  if (build.time_passes) print_times(*c);
  if (print_config) return out += frontend::print_lowered_config(*c->model, ops::all_ops()), true;
  const frontend::NetworkFunction network = frontend::build_network(*c->model, ops::all_ops());
  out += json ? json_summary(*c, network, source).dump(1) + "\n" : text_summary(*c, network, source);
  return true;
}

int CheckCommand::run() {
  build.finish();
  std::string out;
  bool good = true;
  for (const std::string& file : models) good = check(file, out) && good;
  const bool asked_for = json || print_config; // what --quiet leaves
  if (good && (asked_for || !build.shared.quiet)) write_output("-", out);
  return good ? 0 : static_cast<int>(ExitCode::model);
}
} // namespace

void declare_check(CLI::App& command, int& exit_code) {
  auto state = std::make_shared<CheckCommand>();
  command.add_option("MODELS", state->models, "models to check")->required();
  state->build.declare(command, false);
  command.remove_option(command.get_option("MODEL"));
  command.add_flag("--print-config", state->print_config,
                   "Print the resolved model: every default written out, layers as nodes");
  command.add_flag("--json", state->json, "Print the summary as JSON");
  command.footer("Examples:\n  dlcc check model.json\n  dlcc check model.json --print-config > resolved.json");
  command.callback([state, &exit_code] { exit_code = state->run(); });
}

} // namespace dlcc::tools

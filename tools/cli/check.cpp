// dlcc check MODEL...: everything that can be said without making code.
#include "frontend/print_config.h"
#include "passes/schedule/cost_model.h"
#include "tools/cli/options.h"
#include "tools/driver/output.h"

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

std::string summary(const Compilation& c, const graph::Module& source, bool json) {
  const auto& program = std::get<loops::Program>(c.ir);
  const loops::Entry* step = program.find_entry("train_step");
  nlohmann::ordered_json parameters = nlohmann::ordered_json::array();
  std::string text;
  for (const graph::State& s : source.states) {
    if (s.role != graph::StateRole::parameter) continue;
    parameters.push_back(
        {{"name", s.name}, {"type", to_string(s.type)}, {"trainable", s.trainable()}, {"line", s.where.line}});
    text += "  " + s.name + " : " + to_string(s.type) + (s.trainable() ? "" : " (frozen)") + "\n";
  }
  double flops = step_flops(program);
  if (json) {
    nlohmann::ordered_json object = {{"format", 1},
                                     {"name", source.name},
                                     {"parameters", count_parameters(source)},
                                     {"states", parameters},
                                     {"flops_per_step", flops},
                                     {"bytes", planned_bytes(program)},
                                     {"arena_bytes", step ? step->arena_bytes : 0},
                                     {"plan", step ? step->notes : std::vector<std::string>()}};
    return object.dump(1) + "\n";
  }
  char line[200];
  snprintf(line, sizeof line, "%s: %lld parameters, %.3g MFLOP a step, %.1f KiB of memory\n", source.name.c_str(),
           static_cast<long long>(count_parameters(source)), flops / 1e6,
           static_cast<double>(planned_bytes(program)) / 1024);
  return line + text;
}

bool CheckCommand::check(const std::string& file, std::string& out) {
  build.model = file;
  auto c = read_model(build);
  if (!c) return false;
  graph::Module source = std::get<graph::Module>(c->ir);
  c->run_passes();
  if (report(*c, build)) return false;
  out += print_config ? frontend::print_config(*c->model) : summary(*c, source, json);
  return true;
}

int CheckCommand::run() {
  build.finish();
  std::string out;
  bool good = true;
  for (const std::string& file : models) good = check(file, out) && good;
  if (good) write_output("-", out);
  return good ? 0 : static_cast<int>(ExitCode::model);
}
} // namespace

void declare_check(CLI::App& command, int& exit_code) {
  auto state = std::make_shared<CheckCommand>();
  command.add_option("MODELS", state->models, "models to check")->required();
  state->build.declare(command, false);
  command.remove_option(command.get_option("MODEL"));
  command.add_flag("--print-config", state->print_config, "Print the resolved model, every default written out");
  command.add_flag("--json", state->json, "Print the summary as JSON");
  command.callback([state, &exit_code] { exit_code = state->run(); });
}

} // namespace dlcc::tools

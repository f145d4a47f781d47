#include "tools/cli/profile.h"

#include "passes/schedule/cost_model.h"
#include "tools/driver/output.h"
#include "tools/train/failure.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace dlcc::tools {

namespace {
using loops::Program;
using loops::Step;
using loops::StepKind;

constexpr const char* profiled = "train_step";

struct KernelTime {
  std::string name;
  double nanoseconds = 0;
  passes::KernelCost cost; ///< what the schedule counted on
};

void collect_calls(const std::vector<Step>& steps, std::vector<loops::Call>& calls) {
  for (const Step& s : steps) { // a region and its phases
    if (s.kind == StepKind::call) calls.push_back(s.call);
    collect_calls(s.children, calls);
  }
}

Step around(StepKind kind, Step child) {
  Step s;
  s.kind = kind;
  s.children.push_back(std::move(child));
  return s;
}

// The program, whose training step does nothing but these steps.
Program with_step(Program program, std::vector<Step> steps) {
  for (loops::Entry& entry : program.entries) {
    if (entry.name == profiled) entry.steps = steps;
    if (entry.name != profiled && entry.name != "init") entry.steps.clear();
  }
  return program;
}

std::vector<Step> only(const Program& program, const loops::Call& call) {
  Step step;
  step.call = call;
  if (program.kernels[call.kernel].tasks == 1) return {around(StepKind::serial, step)};
  return {around(StepKind::parallel, around(StepKind::phase, step))};
}

class Profiler {
public:
  Profiler(PreparedJob& prepared, const training::BenchOptions& options)
      : compilation_(*prepared.compilation), job_(prepared.job), options_(options),
        program_(std::get<Program>(compilation_.ir)) {}

  double time_of(std::vector<Step> steps) {
    compilation_.ir = with_step(program_, std::move(steps));
    const LoadedModule module = LoadedModule::wrap(compilation_.jit());
    job_.module = module.get();
    return static_cast<double>(training::median_step_nanoseconds(job_, options_));
  }

  std::vector<KernelTime> kernels() {
    std::vector<loops::Call> calls;
    collect_calls(program_.find_entry(profiled)->steps, calls);
    const double empty = time_of({}); // what calling a step takes
    std::vector<KernelTime> times;
    for (const loops::Call& call : calls) {
      const loops::Kernel& kernel = program_.kernels[call.kernel];
      times.push_back({kernel.name, std::max(0.0, time_of(only(program_, call)) - empty), passes::cost_of(kernel)});
    }
    return times;
  }
  double step() { return time_of(program_.find_entry(profiled)->steps); }

private:
  Compilation& compilation_;
  training::Job job_;
  const training::BenchOptions& options_;
  const Program program_;
};

double rate(double amount, double nanoseconds) { return nanoseconds > 0 ? amount / nanoseconds : 0; }

std::string table(const std::vector<KernelTime>& kernels, double step) {
  char line[200];
  std::string text = "      us  share  GFLOP/s     GB/s  kernel\n";
  double sum = 0;
  for (const KernelTime& k : kernels) sum += k.nanoseconds;
  for (const KernelTime& k : kernels) {
    snprintf(line, sizeof line, "%8.2f  %4.0f %%  %7.1f  %7.1f  ", k.nanoseconds * 1e-3, 100 * rate(k.nanoseconds, sum),
             rate(k.cost.flops, k.nanoseconds), rate(k.cost.bytes, k.nanoseconds));
    text += line + k.name + "\n";
  }
  snprintf(line, sizeof line, "%8.2f  all kernels, one by one\n%8.2f  the step\n", sum * 1e-3, step * 1e-3);
  return text + line;
}

std::string as_json(const std::vector<KernelTime>& kernels, double step) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const KernelTime& k : kernels)
    list.push_back({{"name", k.name}, {"ns", k.nanoseconds}, {"flops", k.cost.flops}, {"bytes", k.cost.bytes}});
  return nlohmann::ordered_json{{"format", 1}, {"step_ns", step}, {"kernels", list}}.dump() + "\n";
}
} // namespace

int profile(PreparedJob& prepared, const training::BenchOptions& options) {
  return training::guarded(
      [&] {
        Profiler profiler(prepared, options);
        const std::vector<KernelTime> kernels = profiler.kernels();
        const double step = profiler.step();
        write_output("-", options.json ? as_json(kernels, step) : table(kernels, step));
        return 0;
      },
      prepared.job.help);
}

} // namespace dlcc::tools

// dlcc eval: loss and metrics of a data set in evaluation mode.
#include "runtime/data/error.h"
#include "tools/train/console.h"
#include "tools/train/part.h"
#include "tools/train/run_folder.h"
#include "tools/train/runner.h"
#include "tools/train/signals.h"
#include "tools/train/text.h"

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace dlcc::training {

namespace {

void print_json(const Values& values, const OpenedPart& part) {
  nlohmann::ordered_json j;
  j["format"] = 1;
  j["part"] = part.name;
  j["samples"] = part.source->samples();
  for (const auto& [name, value] : values) j[name] = value;
  std::printf("%s\n", j.dump().c_str());
}

int run(const Job& job, const EvaluateOptions& options, const SignalGuard& signals) {
  const auto requirements = parse_requirements(options.require);
  Console console(options.output);
  if (options.weights.empty())
    throw Failure(exit_usage, "--weights expected: a checkpoint or the folder of a run", "weights");
  const std::string weights = find_weights(options.weights);
  Runner runner(job.module, options.threads, options.seed.value_or(job.seed), [&](int level, const std::string& text) {
    if (level <= 1) console.warn(warning_line(text, "session"));
  });
  check_names(requirements, runner.result_names());
  load_weights(runner, weights, DLCC_SAVE_PARAMS | DLCC_SAVE_RNG, options.allow_partial_weights);
  console.note("weights of '" + data::escape(weights) + "'");
  OpenedPart part =
      open_part(job, runner, DLCC_FN_EVAL, options.part, data_seed(runner, options.seed.value_or(job.seed)), console);
  Feed feed(runner.module(), DLCC_FN_EVAL);
  const auto start = std::chrono::steady_clock::now();
  const auto values = evaluate_all(runner, feed, *part.source, [&](int64_t batch) {
    console.tick([&] {
      const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
      return Console::Bar{"Evaluating", batch + 1, part.source->batches_per_epoch(), seconds.count(), {}};
    });
    return signals.stop() == 0;
  });
  if (!values) return 128 + signals.stop();
  console.note(std::to_string(part.source->samples()) + " samples of the " + part.name + " data");
  if (options.json)
    print_json(*values, part);
  else if (!options.output.quiet)
    for (const auto& [name, value] : *values) std::printf("%s %s\n", name.c_str(), brief(value).c_str());
  if (std::fflush(stdout) != 0 && errno != EPIPE) throw Failure(exit_io, "cannot write to the standard output", "io");
  const auto missed = unmet(requirements, *values);
  for (const std::string& line : missed) console.warn(line);
  return missed.empty() ? exit_ok : exit_require;
}

} // namespace

int evaluate(const Job& job, const EvaluateOptions& options) {
  return guarded(
      [&] {
        const SignalGuard signals;
        return run(job, options, signals);
      },
      job.help);
}

} // namespace dlcc::training

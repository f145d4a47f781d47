// dlcc train | eval | predict | bench: options, and the way to tools/train.
#include "tools/cli/help.h"
#include "tools/cli/job.h"
#include "tools/cli/profile.h"
#include "tools/train/failure.h"
#include "tools/train/requirement.h"
#include "tools/train/runner.h"

#include <algorithm>
#include <filesystem>
#include <map>

namespace dlcc::tools {

namespace {
using training::Color;
using training::Part;
using training::Progress;

constexpr int model_error = static_cast<int>(ExitCode::model);

/// An option whose words stand for values of an enumeration; the help shows the words.
template <class E> CLI::Validator words(const std::map<std::string, E>& table) {
  std::vector<std::string> known;
  for (auto& [word, value] : table) known.push_back(word);
  CLI::Validator transformer;
  transformer.operation([table, known](std::string& text) -> std::string {
    auto at = table.find(text);
    if (at == table.end()) return not_one_of(text, known);
    text = std::to_string(static_cast<int>(at->second));
    return "";
  });
  return transformer;
}

/// A comparison, so that a mistake is told before anything is compiled.
const CLI::Validator comparison(
    [](std::string& text) -> std::string {
      try {
        training::parse_requirement(text);
      } catch (const training::Failure& e) {
        return e.text();
      }
      return "";
    },
    "");

// A model is data from somewhere, so it chooses among folders below the current one only.
std::string folder_in_model(const std::string& dir, const std::string& model) {
  const std::filesystem::path path(dir);
  if (path.is_absolute() || std::find(path.begin(), path.end(), "..") != path.end())
    throw UserError(ExitCode::model, "outside",
                    "'train.checkpoint.dir' is '" + escape(dir, 60) +
                        "', expected a folder below the current one; --out may name any",
                    model);
  return dir;
}

void declare_output(CLI::App& c, training::Output& output) {
  auto* group = message_group;
  const std::map<std::string, Progress> progress = {
      {"auto", Progress::automatic}, {"bar", Progress::bar}, {"lines", Progress::lines}, {"none", Progress::none}};
  const std::map<std::string, Color> color = {
      {"auto", Color::automatic}, {"always", Color::always}, {"never", Color::never}};
  c.add_option("--progress", output.progress, "auto, bar, lines or none")
      ->transform(words(progress))
      ->group(group)
      ->type_name("");
  c.add_option("--color", output.color, "auto, always or never")->transform(words(color))->group(group)->type_name("");
}

void declare_part(CLI::App& c, Part& part) {
  const std::map<std::string, Part> parts = {
      {"train", Part::train}, {"validation", Part::validation}, {"test", Part::test}};
  c.add_option("--on", part, "train, validation or test; by default the last of them that there is")
      ->transform(words(parts))
      ->type_name("");
}

struct TrainCommand {
  BuildOptions build;
  training::RunOptions run;
  std::string data, checkpoint_every;
  std::vector<std::string> logs, plots;
  std::string on_save_error = "continue";
  bool allow_nonfinite = false;

  void declare(CLI::App& c);
  int execute();
};

void TrainCommand::declare(CLI::App& c) {
  build.declare(c);
  auto* t = "Training";
  c.add_option("--data", data, "Data instead of the model's: csv, npy or npz, a data section, or another model's")
      ->group(t);
  c.add_option("--epochs", run.epochs, "Epochs instead of the model's")->group(t)->check(whole_number(1));
  c.add_option("--steps", run.steps, "Batches instead of epochs")->group(t)->check(whole_number(1));
  c.add_option("--seed", run.seed, "Seed of weights, dropout and shuffling")->group(t)->check(whole_number(0));
  c.add_option("--learning-rate", run.learning_rate, "Constant rate instead of the schedule")->group(t);
  c.add_option("--validation-split", build.compile.overrides.validation_split, "Share of the samples held out")
      ->group(t);
  c.add_option("--patience", run.patience, "Epochs without gain before stopping early")
      ->group(t)
      ->check(whole_number(0));
  c.add_flag("--check-nan", build.compile.check_nan, "Check gradients too")->group(t);
  c.add_flag("--allow-nonfinite", allow_nonfinite, "Accept NaN and Inf in the data")->group(t);
  c.add_option("--require", run.require, "Exit with 9 unless it holds: 'val_accuracy>=0.97'")
      ->group(t)
      ->check(comparison);
  auto* s = "Saving";
  c.add_option("--out", run.out, "Folder of the run; runs/<name>-<k> by default")->group(s);
  c.add_option("--resume", run.resume, "Go on from: latest, best, a checkpoint, or with = a folder")
      ->group(s)
      ->expected(0, 1)
      ->default_str("latest");
  c.add_option("--init-weights", run.init_weights, "Checkpoint to start the parameters from")->group(s);
  c.add_flag("--allow-partial-weights", run.allow_partial_weights, "Start from those that fit the model")->group(s);
  c.add_flag("--refit", run.refit, "Fit transforms on the data, do not take those of --init-weights")->group(s);
  c.add_option("--checkpoint-every", checkpoint_every, "500steps, 2epochs, 30s, 5min")->group(s);
  c.add_option("--keep", run.keep, "Numbered checkpoints to keep")->group(s)->check(whole_number(1));
  c.add_option("--on-save-error", on_save_error, "continue or stop")->group(s)->check(one_of({"continue", "stop"}));
  c.add_flag("--force-data", run.force_data, "Resume although the data changed")->group(s);
  auto* l = "Logs";
  c.add_option("--log", logs, "csv, jsonl")->delimiter(',')->group(l)->check(one_of({"csv", "jsonl", "none"}));
  c.add_option("--log-every", run.log_every, "Also a line of history.jsonl every N steps")
      ->group(l)
      ->check(whole_number(0));
  c.add_option("--plot", plots, "svg, term")->delimiter(',')->group(l)->check(one_of({"svg", "term", "none"}));
  declare_output(c, run.output);
  c.footer("Examples:\n  dlcc train model.json\n  dlcc train model.json --epochs 20 --plot svg,term\n"
           "  dlcc train model.json --require 'val_accuracy>=0.97'\n"
           "  dlcc train train_step.so --data data.json --resume");
}

// Every trainable parameter has a gradient.
bool has_gradients(const dlcc_module_v1& module) {
  const auto is_gradient = [](const dlcc_tensor_desc& t) { return t.kind == DLCC_T_GRAD; };
  return std::any_of(module.tensors, module.tensors + module.n_tensors, is_gradient);
}

int TrainCommand::execute() {
  build.finish();
  build.trains = true;
  auto has = [](const std::vector<std::string>& list, const char* word) {
    return std::find(list.begin(), list.end(), word) != list.end();
  };
  if (!logs.empty()) run.log_csv = has(logs, "csv"), run.log_jsonl = has(logs, "jsonl");
  if (!plots.empty()) run.plot_svg = has(plots, "svg"), run.plot_terminal = has(plots, "term");
  run.stop_on_save_error = on_save_error == "stop";
  if (!checkpoint_every.empty() && !(run.checkpoint_every = training::parse_checkpoint_every(checkpoint_every)))
    throw UserError(ExitCode::usage, "usage",
                    "--checkpoint-every " + checkpoint_every + ": expected 500steps, 2epochs, 30s or 5min");
  run.output.quiet = build.shared.quiet;
  auto prepared = prepare_job(build, data, DataUse::training);
  if (!prepared) return model_error;
  if (prepared->compilation && !training::find_entry(*dlcc_module_info(prepared->job.module), DLCC_FN_TRAIN))
    throw UserError(ExitCode::model, "nothing-to-train", "no training without 'loss' and 'optimizer', expected both",
                    build.model);
  if (!has_gradients(*dlcc_module_info(prepared->job.module)))
    throw UserError(ExitCode::model, "nothing-to-train", "nothing to train: no parameter is trainable", build.model);
  prepared->job.allow_nonfinite = allow_nonfinite;
  run.threads = prepared->threads;
  if (const auto& checkpoint = prepared->job.train.checkpoint; checkpoint && run.out.empty())
    run.out = folder_in_model(checkpoint->dir, build.model);
  run.model_json = prepared->model_json;
  run.version = compiler_version();
  run.command = command_line();
  return training::train(prepared->job, run);
}

/// Runs a trained model over data: eval and predict.
template <class Options, int (*apply)(const training::Job&, const Options&)> struct ApplyCommand {
  BuildOptions build;
  Options options;
  std::string data;
  bool allow_nonfinite = false;

  void declare(CLI::App& c) {
    build.declare(c);
    c.add_option("--weights", options.weights, "Checkpoint, or the folder of a run")->required();
    c.add_flag("--allow-partial-weights", options.allow_partial_weights, "They may hold more than the model needs");
    c.add_option("--data", data, "Data instead of the model's: csv (- for standard input), npy, npz, a data section");
    c.add_flag("--allow-nonfinite", allow_nonfinite, "Accept NaN and Inf in the data");
    declare_part(c, options.part);
    declare_output(c, options.output);
  }
  int execute() {
    build.finish();
    options.output.quiet = build.shared.quiet;
    auto prepared = prepare_job(build, data, DataUse::evaluation);
    if (!prepared) return model_error;
    prepared->job.allow_nonfinite = allow_nonfinite;
    options.threads = prepared->threads;
    return apply(prepared->job, options);
  }
};
using EvalCommand = ApplyCommand<training::EvaluateOptions, training::evaluate>;
using PredictCommand = ApplyCommand<training::PredictOptions, training::predict>;

struct BenchCommand {
  BuildOptions build;
  training::BenchOptions options;
  bool profile_kernels = false;

  int execute() {
    options.idle_mib = training::resident_mib();
    build.finish();
    options.version = compiler_version();
    auto prepared = prepare_job(build, {}, DataUse::training);
    if (!prepared) return model_error;
    options.threads = prepared->threads;
    options.compile_seconds = prepared->compile_seconds;
    if (profile_kernels && !prepared->compilation)
      throw UserError(ExitCode::usage, "usage", "--profile compiles each kernel by itself, expected a model");
    if (profile_kernels) return profile(*prepared, options);
    // The compiler's own structures are not part of what a step costs.
    prepared->compilation.reset();
    return training::bench(prepared->job, options);
  }
};
} // namespace

void declare_train(CLI::App& command, int& exit_code) {
  auto state = std::make_shared<TrainCommand>();
  state->declare(command);
  command.callback([state, &exit_code] { exit_code = state->execute(); });
}

void declare_eval(CLI::App& command, int& exit_code) {
  auto state = std::make_shared<EvalCommand>();
  state->declare(command);
  command.add_flag("--json", state->options.json, "Print one JSON object");
  command.add_option("--require", state->options.require, "Exit with 9 unless it holds: 'accuracy>=0.97'")
      ->check(comparison);
  command.footer("Example:\n  dlcc eval model.json --weights runs/model-1 --json");
  command.callback([state, &exit_code] { exit_code = state->execute(); });
}

void declare_predict(CLI::App& command, int& exit_code) {
  auto state = std::make_shared<PredictCommand>();
  state->declare(command);
  command.add_option("-o,--output", state->options.out,
                     "File to write: .npy, .npz (every output) or csv; standard output without it");
  command.add_flag("--raw", state->options.raw, "In the model's own units: label transforms are not undone");
  command.add_flag("--classes", state->options.classes, "The most probable class, by name where labels are text");
  command.add_option("--id", state->options.ids, "Copy this column of the csv data to the output")
      ->allow_extra_args(false)
      ->type_name("COLUMN");
  command.add_option("--output-name", state->options.result, "Which output; by default the first, in .npz all");
  command.footer("Examples:\n  dlcc predict model.json --weights runs/model-1 -o predictions.npy\n"
                 "  dlcc predict model.json --weights runs/1 --data new.csv --id name -o out.csv");
  command.callback([state, &exit_code] { exit_code = state->execute(); });
}

void declare_bench(CLI::App& command, int& exit_code) {
  auto state = std::make_shared<BenchCommand>();
  state->build.declare(command);
  command.add_option("--warmup", state->options.warmup, "Steps before the timing starts")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command.add_option("--steps", state->options.steps, "Timed steps")->check(whole_number(1))->capture_default_str();
  command.add_flag("--json", state->options.json, "Print JSON");
  command.add_flag("--profile", state->profile_kernels, "Time each kernel of the step instead, by itself");
  command.add_flag("--serve", state->options.serve, "Answer `run K` lines with nanoseconds, until `quit`");
  command.footer("Examples:\n  dlcc bench model.json --steps 200 --threads 2\n  dlcc bench model.json --profile");
  command.callback([state, &exit_code] { exit_code = state->execute(); });
}

} // namespace dlcc::tools

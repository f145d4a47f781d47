// train.h: everything that happens between a compiled module and an exit code, for train, eval, predict and bench.
//
// The functions print to stdout what the user asked for (results, predictions) and everything else to stderr, catch all
// exceptions and return the exit code: 0; 2 usage; 4 data; 5 checkpoint; 6 I/O; 7 resources; 8 a loss that is not
// finite; 9 a requirement not met; 128 + n stopped by signal n after saving; 1 an internal error.
#pragma once

#include "runtime/core/dlcc_runtime.h"
#include "runtime/data/file.h"
#include "runtime/data/spec.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace dlcc::training {

/// A learning rate that follows the results of epochs; the compiled schedule is then constant.
///   plateau   Keras' ReduceLROnPlateau: times `factor` after `patience` epochs in which `monitor` did not fall by more
///             than `min_delta`; then no counting for `cooldown` epochs; never below `minimum`.
///   adaptive  scikit-learn's: times `factor` each time that more than `patience` epochs in a row gained less than the
///             preset's `tol`; at or below `minimum` training stops instead.
///   inv_scaling  scikit-learn's: initial / (t + 1)^power after each epoch, t the samples that were seen.
struct ReactiveSchedule {
  enum class Kind : uint8_t { none, plateau, adaptive, inv_scaling };
  Kind kind = Kind::none;
  double initial = 0;
  double factor = 0.1;
  int64_t patience = 10;
  double min_delta = 1e-4;
  int64_t cooldown = 0;
  double minimum = 0;
  double power = 0.5;
  std::string monitor; ///< empty: val_loss if there are validation data, else loss

  static ReactiveSchedule plateau(double initial);
  static ReactiveSchedule adaptive(double initial); ///< factor 1/5, patience 10, minimum 1e-6
  static ReactiveSchedule inv_scaling(double initial, double power);
};

/// Where a compiled schedule comes to its last rate: after so many batches and epochs together.
struct ScheduleEnd {
  std::string name; ///< of the schedule
  double batches = 0, epochs = 0;
  double rate = 0; ///< from there on
};

/// What is trained, and on what.
struct Job {
  dlcc_module* module = nullptr; ///< borrowed
  std::string name = "model";    ///< of the model: names the run's folder
  std::string model_file;        ///< as the user named it, for messages about its sections
  uint64_t seed = 0;             ///< of the model; RunOptions may replace it
  data::TrainSpec train;         ///< batch_size is taken from the module
  std::optional<data::DataSpec> data;
  std::vector<data::TensorSpec> tensors; ///< inputs, labels and sample weights, named as the module's tensors
  std::vector<data::Prediction> predictions;
  data::FileOptions files;
  bool allow_nonfinite = false;
  ReactiveSchedule schedule;
  std::optional<ScheduleEnd> schedule_end; ///< if it has one
  std::vector<std::string> maximised;      ///< metrics of which more is better
  std::vector<std::string> origins;        ///< the files that describe it, which no result may replace
  std::string help;                        ///< the command that explains the options, for messages about them
};

enum class Progress : uint8_t { automatic, bar, lines, none };
enum class Color : uint8_t { automatic, always, never };

struct Output {
  Progress progress = Progress::automatic; ///< automatic: a bar on a terminal, else a line an epoch
  Color color = Color::automatic;
  bool quiet = false; ///< warnings and errors only
};

/// How often a numbered checkpoint is written.
struct CheckpointEvery {
  enum class Unit : uint8_t { steps, epochs, seconds };
  int64_t count = 1;
  Unit unit = Unit::epochs;
};
/// "500", "500steps", "2epochs", "30s", "5min"; a bare number counts epochs. Nothing if it is none of these.
std::optional<CheckpointEvery> parse_checkpoint_every(const std::string& text);

struct RunOptions {
  std::string out; ///< empty: runs/<name>-<k> with the next free k; with resume, the largest k there is
  std::optional<int64_t> epochs, steps;
  std::optional<uint64_t> seed;
  int threads = 0; ///< 0: as many CPUs as the process may use, at most 16
  std::optional<double> learning_rate;
  std::optional<CheckpointEvery> checkpoint_every;
  std::optional<int64_t> keep;
  std::string resume; ///< empty, "latest", "best", a file, or the folder of a run, whose latest is meant
  std::string init_weights;
  bool allow_partial_weights = false; ///< of init_weights: those that fit are taken, else all must
  bool refit = false;                 ///< transforms are fitted on the new data, not taken from init_weights
  std::optional<int64_t> patience;
  bool log_csv = true, log_jsonl = true;
  int64_t log_every = 0; ///< also a line in history.jsonl every so many steps
  bool plot_svg = true, plot_terminal = false;
  bool stop_on_save_error = false; ///< else: warn, go on, and return 6 (7: for want of resources) at the end
  bool force_data = false;         ///< resume although the data are not those of the checkpoint
  std::vector<std::string> require;
  Output output;
  std::string model_json;           ///< the resolved model, for <out>/model.json
  std::vector<std::string> command; ///< argv, for run.json and the command that resumes
  std::string version;              ///< of dlcc, for run.json
};

int train(const Job& job, const RunOptions& options);

enum class Part : uint8_t { automatic, train, validation, test };

struct EvaluateOptions {
  std::string weights;                ///< a checkpoint, or the folder of a run: its best, else its newest
  bool allow_partial_weights = false; ///< they may hold parameters that the model does not have
  Part part = Part::automatic;        ///< test, else validation, else train
  std::optional<uint64_t> seed;       ///< of a stratified split
  int threads = 0;
  bool json = false;
  std::vector<std::string> require; ///< on `loss` and the metrics
  Output output;
};

/// Prints loss and metrics in evaluation mode.
int evaluate(const Job& job, const EvaluateOptions& options);

struct PredictOptions {
  std::string weights;
  bool allow_partial_weights = false;
  Part part = Part::automatic;
  std::optional<uint64_t> seed;
  int threads = 0;
  std::string out;              ///< empty or "-": csv on stdout; else a file, *.npy, *.npz or csv
  bool raw = false;             ///< in the model's own units: the label's transform is not undone
  bool classes = false;         ///< the most probable class, by name where the label was text
  std::vector<std::string> ids; ///< columns of the csv data that are copied to the output
  std::string result;           ///< name of the output; empty: the first
  Output output;
};

/// Prints a header and one line of comma-separated values a sample, or writes them to a file.
int predict(const Job& job, const PredictOptions& options);

struct BenchOptions {
  int threads = 0;
  uint64_t seed = 0;
  int warmup = 3, steps = 50;
  bool json = false, serve = false;
  double compile_seconds = 0; ///< added to the time of the first step
  int64_t idle_mib = 0;       ///< resident memory before the model was read, see resident_mib()
  std::string version;
};

/// Times training steps on four batches of random inputs of the declared shapes, used in turns: a table or JSON, or
/// with `serve` the line protocol of the benchmark harness on stdin and stdout.
int bench(const Job& job, const BenchOptions& options);
/// Of `options.steps` training steps after `options.warmup` others. Throws Failure.
int64_t median_step_nanoseconds(const Job& job, const BenchOptions& options);

int64_t resident_mib();      ///< resident memory now
int64_t peak_resident_mib(); ///< at its peak

} // namespace dlcc::training

// Everything before the first step, in an order in which a mistake of the user's leaves no trace on the disk.
#include "tools/train/trainer.h"

#include "runtime/core/error.h"
#include "runtime/data/error.h"
#include "tools/train/changed_keys.h"
#include "tools/train/text.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <unistd.h>

namespace dlcc::training {

std::optional<CheckpointEvery> parse_checkpoint_every(const std::string& text) {
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::string unit = text.substr(digits);
  CheckpointEvery every;
  using Unit = CheckpointEvery::Unit;
  if (!parse_integer(std::string_view(text).substr(0, digits), &every.count) || every.count < 1) return {};
  if (unit == "s" || unit == "min")
    every.unit = Unit::seconds;
  else if (unit == "steps" || unit == "step")
    every.unit = Unit::steps;
  else if (!unit.empty() && unit != "epochs" && unit != "epoch")
    return {};
  if (unit == "min" && __builtin_mul_overflow(every.count, 60, &every.count)) return {};
  return every;
}

Trainer::Trainer(const Job& job, const RunOptions& options)
    : job_(job), options_(options), train_(job.train), requirements_(parse_requirements(options.require)),
      console_(options.output),
      runner_(job.module, options.threads, options.seed.value_or(job.seed), [this](int level, const std::string& text) {
        if (level <= 1) console_.warn(warning_line(text, "session"));
      }) {
  state_.learning_rate = std::nan("");
  if (options.patience) {
    if (!train_.early_stopping) train_.early_stopping.emplace();
    train_.early_stopping->patience = *options.patience;
  }
  if (options.steps) train_.steps = options.steps;
  if (options.epochs) train_.epochs = *options.epochs;
  if (options.epochs && !options.steps) train_.steps.reset();
  if (train_.steps) step_limit_ = static_cast<uint64_t>(std::max<int64_t>(*train_.steps, 0));
  epochs_ = step_limit_ ? 0 : train_.epochs;
  every_ = options.checkpoint_every;
  if (!every_ && train_.checkpoint)
    every_ = CheckpointEvery{train_.checkpoint->every_epochs, CheckpointEvery::Unit::epochs};
}

void Trainer::prepare() {
  resumed_ = !options_.resume.empty();
  if (resumed_)
    folder_ = RunFolder::resumed(options_, job_.name);
  else
    RunFolder::check_free(options_);
  start_session();
  open_data();
  configure_watches();
  check_names(requirements_, result_names());
  if (!resumed_) folder_ = RunFolder::created(options_, job_.name);
  restore_best_copy();
  if (resumed_) runtime::drop_later_checkpoints(folder_->path(), runner_.step());
  write_run_files();
  open_history();
  last_save_ = Clock::now();
  first_step_ = runner_.step();
  const std::string start = std::to_string(data_.train->samples()) + " samples, " +
                            std::to_string(data_.train->batches_per_epoch()) + " steps an epoch";
  console_.note((resumed_ ? "resuming at step " + std::to_string(first_step_) + " in '" : "writing to '") +
                runtime::escape(folder_->path()) + "': " + start);
}

void Trainer::start_session() {
  if (resumed_) {
    for (const std::string& line : folder_->warnings()) console_.warn(line);
    load_checkpoint();
    state_.restore(runner_);
    last_good_ = good_state(runner_.step(), folder_->checkpoint());
    if (options_.seed && *options_.seed != state_.data_seed)
      console_.warn(warning_line(
          "--seed is ignored: the run that is resumed has the seed " + std::to_string(state_.data_seed), "seed"));
  } else {
    state_.data_seed = options_.seed.value_or(job_.seed);
    runner_.init(state_.data_seed);
    if (!options_.init_weights.empty())
      load_weights(runner_, find_weights(options_.init_weights), DLCC_SAVE_PARAMS, options_.allow_partial_weights);
    runner_.reset_results();
  }
  if (job_.schedule.kind != ReactiveSchedule::Kind::none && std::isnan(state_.learning_rate))
    state_.learning_rate = job_.schedule.initial;
  if (options_.learning_rate) set_rate(*options_.learning_rate);
  if (train_.terminate_on_nan) require_finite_start();
}

// A checkpoint of a model that was changed since says by which key, and what can be done instead.
void Trainer::load_checkpoint() {
  try {
    runner_.load(folder_->checkpoint(), DLCC_SAVE_ALL);
  } catch (const OtherModel& e) {
    std::ifstream in(*folder_ / "model.json");
    const std::string there{std::istreambuf_iterator<char>(in), {}};
    const auto changed = changed_keys(there, options_.model_json);
    if (changed.empty()) throw;
    const bool rate = changed[0].starts_with("optimizer.learning_rate");
    throw OtherModel(e.text() + "; " + changed[0] +
                     (rate ? "; --learning-rate sets it for a run" : "; --init-weights begins anew from its weights"));
  }
}

void Trainer::require_finite_start() {
  try {
    runner_.check_finite();
  } catch (const NonFinite& e) {
    throw NonFinite("the state to start from: " + e.text());
  }
}

void Trainer::open_data() {
  if (!job_.data)
    throw data::DataError(job_.model_file, "no data to train on: a \"data\" section or --data expected",
                          "missing-data");
  const auto tensors = entry_tensors(runner_.module(), DLCC_FN_TRAIN, job_.tensors);
  train_.batch_size = batch_rows(runner_.module(), *find_entry(runner_.module(), DLCC_FN_TRAIN));
  data::OpenOptions open;
  open.files = job_.files;
  open.model_file = job_.model_file;
  open.seed = state_.data_seed;
  open.allow_nonfinite = job_.allow_nonfinite;
  // Weights mean what they mean beside the transforms that they were trained with.
  if (!options_.refit) open.fitted = runner_.fitted(tensors);
  data_ = data::open_data(*job_.data, train_, tensors, open);
  runner_.set_fitted(data_.fitted);
  for (const std::string& line : data_.warnings) console_.warn(line);
  if (resumed_) check_resumed_data();
  state_.data_hash = data_.train->hash();
  start_schedule();
  train_feed_.emplace(runner_.module(), DLCC_FN_TRAIN);
  if (data_.validation || data_.test) {
    entry_tensors(runner_.module(), DLCC_FN_EVAL, job_.tensors);
    eval_feed_.emplace(runner_.module(), DLCC_FN_EVAL);
  }
}

// Schedules may count epochs; that one ends before the training does is seldom meant.
void Trainer::start_schedule() {
  const auto each = static_cast<double>(data_.train->batches_per_epoch());
  if (runner_.has_hyper("steps_per_epoch")) runner_.set_hyper("steps_per_epoch", each);
  const auto& end = job_.schedule_end;
  if (!end || options_.learning_rate) return;
  const double last = end->batches + end->epochs * each;
  const double all = step_limit_ ? static_cast<double>(*step_limit_) : static_cast<double>(epochs_) * each;
  if (all <= last) return;
  console_.warn(warning_line("the " + end->name + " schedule ends at step " + exact(std::ceil(last)) + " of " +
                                 exact(all) + ", epoch " + exact(std::ceil(last / each)) +
                                 "; from there on the learning rate is " + brief(end->rate) +
                                 ", expected a decay ('decay_steps' or 'decay_epochs') as long as the training",
                             "schedule-end"));
}

void Trainer::check_resumed_data() const {
  if (state_.batch > data_.train->batches_per_epoch())
    throw Failure(exit_checkpoint,
                  "the checkpoint stands at batch " + std::to_string(state_.batch) + " of an epoch, which has only " +
                      std::to_string(data_.train->batches_per_epoch()) + " here",
                  "resume");
  if (data_.train->hash() == state_.data_hash || options_.force_data) return;
  throw Failure(exit_checkpoint,
                "the training data differ from those of the checkpoint (hash " + std::to_string(data_.train->hash()) +
                    " here, " + std::to_string(state_.data_hash) + " there); --force-data goes on all the same",
                "data-changed");
}

std::vector<std::string> Trainer::followed_names() const {
  std::vector<std::string> names = runner_.result_names();
  const size_t own = names.size();
  if (data_.validation)
    for (size_t i = 0; i < own; ++i) names.push_back("val_" + names[i]);
  return names;
}

std::vector<std::string> Trainer::epoch_names() const {
  std::vector<std::string> names = followed_names();
  if (find_entry(runner_.module(), DLCC_FN_LEARNING_RATE)) names.push_back("learning_rate");
  return names;
}

std::vector<std::string> Trainer::result_names() const {
  std::vector<std::string> names = epoch_names();
  if (data_.test)
    for (const std::string& name : runner_.result_names()) names.push_back("test_" + name);
  return names;
}

// Early stopping's monitor; scikit-learn's validation score; what the checkpoint section wants; or val_loss.
std::string Trainer::monitored() const {
  const std::string best_of = train_.checkpoint ? train_.checkpoint->best_of : "";
  if (train_.early_stopping) {
    const std::string& monitor = train_.early_stopping->monitor;
    if (best_of.empty() || best_of == monitor) return monitor;
    throw data::DataError(job_.model_file,
                          "early stopping follows '" + data::escape(monitor, 60) + "' and the checkpoint's best_of '" +
                              data::escape(best_of, 60) + "', expected the same of both",
                          "monitor");
  }
  if (follows_score()) return score();
  if (!best_of.empty()) return best_of;
  return data_.validation ? "val_loss" : "";
}

std::string Trainer::score() const {
  for (const char* score : {"accuracy", "r2"})
    for (const std::string& name : runner_.result_names())
      if (name == score) return "val_" + name;
  throw data::DataError(job_.model_file,
                        "scikit-learn's early stopping follows a score, expected 'accuracy' or 'r2' among the metrics",
                        "monitor");
}

void Trainer::configure_watches() {
  const auto names = followed_names();
  auto known = [&](const std::string& name, const char* what) {
    if (std::find(names.begin(), names.end(), name) != names.end()) return;
    throw data::DataError(job_.model_file,
                          std::string(what) + " follows '" + data::escape(name, 60) + "', but an epoch gives only " +
                              joined(names, ", "),
                          "monitor");
  };
  best_name_ = monitored();
  state_.best.maximise = more_is_better(job_.maximised, best_name_);
  if (train_.early_stopping) {
    known(best_name_, "early stopping");
    state_.best.min_delta = std::fabs(train_.early_stopping->min_delta);
    if (train_.early_stopping->mode != "auto") state_.best.maximise = train_.early_stopping->mode == "max";
  } else if (!best_name_.empty()) {
    known(best_name_, "the best checkpoint");
  }
  state_.no_change.tol = preset() ? train_.tol : job_.schedule.min_delta;
  state_.no_change.patience = train_.n_iter_no_change.value_or(job_.schedule.patience);
  state_.no_change.watch.maximise = follows_score() && state_.best.maximise;
  state_.plateau.min_delta = job_.schedule.min_delta;
  if (!job_.schedule.monitor.empty()) known(job_.schedule.monitor, "the plateau schedule");
  state_.plateau.maximise = more_is_better(job_.maximised, job_.schedule.monitor);
}

// The weights of the best epoch so far live in best.safetensors between two processes.
void Trainer::restore_best_copy() {
  if (!resumed_ || !restores_best() || state_.best.best_epoch == 0) return;
  try {
    Runner other(job_.module, options_.threads, 0, {});
    other.load(*folder_ / "best.safetensors", DLCC_SAVE_ALL);
    if (other.meta("dlcc.epoch", "") != std::to_string(state_.best.best_epoch))
      throw Failure(exit_checkpoint, "it is of another epoch", "resume");
    best_copy_.take(other.session(), runner_.module(), {DLCC_T_PARAM, DLCC_T_BUFFER});
  } catch (const Failure& f) {
    console_.warn(warning_line("the weights of the best epoch so far (" + std::to_string(state_.best.best_epoch) +
                                   ") cannot be read from best.safetensors",
                               "resume"));
  }
}

void Trainer::write_run_files() {
  try {
    const bool has_model = resumed_ && access((*folder_ / "model.json").c_str(), F_OK) == 0;
    if (!has_model && !options_.model_json.empty()) write_text(*folder_ / "model.json", options_.model_json);
    write_text(*folder_ / "run.json",
               run_record(options_, runner_.module(), state_.data_seed, data_.train->samples(), state_.data_hash));
  } catch (const runtime::Error& e) {
    save_error(e);
  }
}

void Trainer::open_history() {
  History::Options o;
  o.folder = folder_->path();
  o.csv = options_.log_csv;
  o.jsonl = options_.log_jsonl;
  o.resume = resumed_;
  o.epochs_done = state_.epoch;
  o.step = runner_.step();
  history_ = std::make_unique<History>(o, epoch_names());
}

} // namespace dlcc::training

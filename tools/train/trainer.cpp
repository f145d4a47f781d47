// The loop: steps, the ends of epochs, and what follows from their results.
#include "tools/train/trainer.h"

#include "runtime/core/error.h"
#include "tools/train/text.h"

#include <algorithm>
#include <cmath>

namespace dlcc::training {

int train(const Job& job, const RunOptions& options) {
  return guarded([&] { return Trainer(job, options).run(); }, job.help);
}

int Trainer::run() {
  prepare();
  const auto start = Clock::now();
  epoch_start_ = start;
  const End end = loop();
  loop_seconds_ = seconds_since(start);
  return end == End::interrupted ? finish_interrupted() : finish();
}

Trainer::End Trainer::loop() {
  while (!done())
    if (run_epoch() == End::interrupted) return End::interrupted;
  return End::finished;
}

bool Trainer::done() {
  if (step_limit_ && runner_.step() >= *step_limit_ && state_.batch < data_.train->batches_per_epoch()) return true;
  if (state_.batch > 0) return false;
  stop_reason_ = reason_to_stop();
  return !stop_reason_.empty() || (epochs_ > 0 && state_.epoch >= epochs_) || (!step_limit_ && epochs_ == 0);
}

// A function of the state alone, so that a resumed run stops where the first one did.
std::string Trainer::reason_to_stop() const {
  const auto& early = train_.early_stopping;
  if (early && state_.epoch > 1 && state_.best.wait >= std::max<int64_t>(early->patience, 1))
    return "early stopping: no better " + best_name_ + " than " + brief(state_.best.best) + " of epoch " +
           std::to_string(state_.best.best_epoch);
  if ((preset() || adaptive()) && state_.no_change.watch.wait > state_.no_change.patience)
    return std::string("stopping: ") + (follows_score() ? best_name_ : "loss") + " gained less than " +
           brief(state_.no_change.tol) + " in each of " + std::to_string(state_.no_change.watch.wait) + " epochs";
  return "";
}

// Runs to the end of the current epoch, or to the step limit, or until a signal asks to stop.
Trainer::End Trainer::run_epoch() {
  const int64_t batches = data_.train->batches_per_epoch();
  while (state_.batch < batches) {
    if (step_limit_ && runner_.step() >= *step_limit_) return End::finished;
    if (signals_.stop() != 0) return End::interrupted;
    if (signals_.take_checkpoint()) save_numbered();
    step();
    end_of_step();
  }
  return end_epoch() ? End::finished : End::interrupted;
}

void Trainer::step() {
  const int64_t rows = train_feed_->fill(*data_.train, static_cast<uint64_t>(state_.epoch), state_.batch);
  double loss;
  try {
    loss = runner_.train_step(*train_feed_, rows);
  } catch (const NonFinite& e) {
    stop_non_finite_loss(e.text(), false);
  }
  if (!std::isfinite(loss) && train_.terminate_on_nan) stop_non_finite_loss("the loss is " + exact(loss), true);
  ++state_.batch;
  ++steps_done_;
  samples_done_ += rows;
  saved_last_ = false;
  if (options_.log_every > 0 && runner_.step() % static_cast<uint64_t>(options_.log_every) == 0) {
    try {
      history_->add_step(runner_.step(), loss);
    } catch (const runtime::Error& e) {
      save_error(e);
    }
  }
}

void Trainer::end_of_step() {
  checkpoint_after_step();
  console_.tick([&] {
    Console::Bar b = bar("", state_.batch, data_.train->batches_per_epoch(), seconds_since(epoch_start_));
    b.values = runner_.results();
    return b;
  });
}

Console::Bar Trainer::bar(const char* what, int64_t done, int64_t all, double seconds) const {
  Console::Bar b;
  b.head = "Epoch " + std::to_string(state_.epoch + 1) + (epochs_ > 0 ? "/" + std::to_string(epochs_) : "") + what;
  b.done = done;
  b.all = all;
  b.seconds = seconds;
  return b;
}

// Results of the batches so far, then of the validation, then the rate of the last update. Nothing if a signal came.
std::optional<Values> Trainer::epoch_values() {
  Values values = runner_.results();
  if (data_.validation && !append_validation(values)) return {};
  if (const auto rate = runner_.learning_rate()) values.emplace_back("learning_rate", *rate);
  return values;
}

// False if a signal came; what was added up is as it was in either case.
bool Trainer::append_validation(Values& values) {
  StateCopy accumulators;
  accumulators.take(runner_.session(), runner_.module(), {DLCC_T_ACCUMULATOR});
  const auto start = Clock::now();
  const auto validation = evaluate_all(runner_, *eval_feed_, *data_.validation, [&](int64_t batch) {
    console_.tick(
        [&] { return bar(" validation", batch, data_.validation->batches_per_epoch(), seconds_since(start)); });
    return signals_.stop() == 0;
  });
  accumulators.put_back(runner_.session());
  if (!validation) return false;
  for (const auto& [name, value] : *validation) values.emplace_back("val_" + name, value);
  return true;
}

// False if a signal came during the validation: the state is then that of just before the end of the epoch.
bool Trainer::end_epoch() {
  auto values = epoch_values();
  if (!values) return false;
  runner_.reset_results();
  ++state_.epoch;
  state_.batch = 0;
  const bool best = follow_results(*values);
  log_epoch(state_.epoch, *values);
  if (best && !best_name_.empty()) {
    save("best.safetensors");
    if (restores_best()) best_copy_.take(runner_.session(), runner_.module(), {DLCC_T_PARAM, DLCC_T_BUFFER});
  }
  checkpoint_after_epoch();
  epoch_start_ = Clock::now();
  return true;
}

bool Trainer::follow_results(const Values& values) {
  const double loss = values.front().second;
  const double* monitored = find_value(values, best_name_);
  const bool best = monitored && state_.best.update(*monitored, state_.epoch);
  if (preset() || adaptive()) {
    const bool too_long = state_.no_change.too_long(follows_score() ? *monitored : loss, state_.epoch);
    // scikit-learn's adaptive rate: instead of stopping, a smaller rate, until it is small enough.
    if (too_long && adaptive() && state_.learning_rate > job_.schedule.minimum) {
      state_.no_change.watch.wait = 0;
      set_rate(state_.learning_rate * job_.schedule.factor);
    }
  }
  if (job_.schedule.kind == ReactiveSchedule::Kind::plateau) follow_schedule(values);
  if (job_.schedule.kind == ReactiveSchedule::Kind::inv_scaling)
    set_rate(inv_scaling_rate(job_.schedule, state_.epoch * data_.train->samples()));
  return best;
}

void Trainer::follow_schedule(const Values& values) {
  std::string name = job_.schedule.monitor;
  if (name.empty()) name = data_.validation ? "val_loss" : "loss";
  const double value = *find_value(values, name);
  const auto rate = plateau_rate(job_.schedule, state_.plateau, value, state_.epoch, state_.learning_rate);
  if (rate) set_rate(*rate);
}

void Trainer::set_rate(double rate) {
  if (!runner_.has_hyper("learning_rate"))
    throw Failure(exit_usage, "this model has no learning rate to set", "learning-rate");
  if (!(rate >= 0) || !std::isfinite(rate))
    throw Failure(exit_usage, "the learning rate is " + exact(rate) + ", expected a number of at least 0",
                  "learning-rate");
  runner_.set_hyper("learning_rate", rate);
  if (job_.schedule.kind != ReactiveSchedule::Kind::none) state_.learning_rate = rate;
}

void Trainer::log_epoch(int64_t epoch, const Values& values) {
  const double seconds = seconds_since(epoch_start_);
  last_values_ = values;
  console_.epoch(epoch, epochs_, values, seconds);
  try {
    history_->add_epoch({epoch, runner_.step(), values}, seconds);
  } catch (const runtime::Error& e) {
    save_error(e);
  }
}

} // namespace dlcc::training

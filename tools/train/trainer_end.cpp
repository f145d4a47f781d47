// Saving, and the three ways in which a run ends: done, stopped by a signal, stopped by a value that is not finite.
#include "tools/train/trainer.h"

#include "runtime/core/checkpoint_dir.h"
#include "runtime/core/error.h"
#include "tools/train/plot.h"
#include "tools/train/text.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>

namespace dlcc::training {

namespace {
// Without numbered checkpoints the state is saved at the end of an epoch if the last save is so long ago, or so many
// times as long as it took.
constexpr double seconds_between_saves = 30, save_times_between_saves = 20;

// What the system said, without the file's name, which may hold a number.
std::string cause_of(const std::string& message) {
  const size_t colon = message.rfind(": ");
  return colon == std::string::npos ? message : message.substr(colon);
}
} // namespace

std::string Trainer::good_state(uint64_t step, const std::string& file) {
  return "the last good state is that of step " + std::to_string(step) + " in '" + runtime::escape(file) + "'";
}

// Whatever a disk does wrong is I/O; what this process lacks is not.
void Trainer::note_failed_save(int code) { failed_save_ = code == exit_resources ? exit_resources : exit_io; }

void Trainer::save_error(const runtime::Error& error) {
  note_failed_save(exit_code(error.status()));
  const std::string& message = error.message();
  if (options_.stop_on_save_error) throw Failure(failed_save_, message, "save");
  if (known_faults_.insert(message).second) console_.warn(warning_line(message + "; training goes on", "save"));
}

bool Trainer::save(const std::string& file) {
  if (train_.terminate_on_nan) require_finite_state();
  state_.store(runner_);
  flush_history();
  try {
    runner_.save(*folder_ / file);
  } catch (const Failure& f) {
    if (options_.stop_on_save_error || f.code() == exit_internal) throw;
    if (known_faults_.insert(cause_of(f.text())).second) {
      console_.warn(f.what());
      console_.warn(warning_line("'" + runtime::escape(file) + "' was not saved; training goes on", "save"));
    }
    note_failed_save(f.code());
    return false;
  }
  return true;
}

// A checkpoint to go on from, which the best one is not.
bool Trainer::save_state(const std::string& file) {
  const auto start = Clock::now();
  if (!save(file)) return false;
  last_save_ = Clock::now();
  save_seconds_ = seconds_since(start);
  last_good_ = good_state(runner_.step(), *folder_ / file);
  return true;
}

void Trainer::save_last() {
  if (!saved_last_) saved_last_ = save_state("last.safetensors");
}

// A checkpoint must not be on the disk before the lines of the epochs it has behind it.
void Trainer::flush_history() {
  try {
    if (history_) history_->flush();
  } catch (const runtime::Error& e) {
    save_error(e);
  }
}

void Trainer::save_numbered() {
  char name[64];
  std::snprintf(name, sizeof name, "ckpt-%08llu.safetensors", 0ULL + runner_.step());
  if (!save_state(name)) return;
  const int64_t keep = options_.keep.value_or(train_.checkpoint ? train_.checkpoint->keep : 3);
  try {
    runtime::prune_checkpoints(folder_->path(), static_cast<unsigned>(std::clamp<int64_t>(keep, 1, 1'000'000)));
  } catch (const runtime::Error& e) {
    save_error(e);
  }
}

void Trainer::checkpoint_after_step() {
  if (!every_ || every_->unit == CheckpointEvery::Unit::epochs) return;
  const bool due = every_->unit == CheckpointEvery::Unit::steps
                       ? runner_.step() % static_cast<uint64_t>(every_->count) == 0
                       : seconds_since(last_save_) >= static_cast<double>(every_->count);
  if (due) save_numbered();
}

void Trainer::checkpoint_after_epoch() {
  const double pause = std::min(seconds_between_saves, save_times_between_saves * save_seconds_);
  if (every_ && every_->unit == CheckpointEvery::Unit::epochs) {
    if (state_.epoch % std::max<int64_t>(every_->count, 1) == 0) save_numbered();
  } else if (!every_ && seconds_since(last_save_) >= pause) {
    save_last();
  }
}

int Trainer::finish() {
  if (!stop_reason_.empty()) console_.note(stop_reason_);
  save_last();
  if (state_.batch > 0) partial_epoch();
  summary();
  restore_best();
  test();
  flush_history();
  plots();
  console_.note("saved in '" + runtime::escape(folder_->path()) + "'");
  if (signals_.stop() != 0) return report_stop();
  const auto missed = unmet(requirements_, last_values_);
  for (const std::string& line : missed) console_.warn(line);
  if (failed_save_ != exit_ok) return failed_save_;
  return missed.empty() ? exit_ok : exit_require;
}

int Trainer::finish_interrupted() {
  save_last();
  plots();
  return report_stop();
}

// Nothing is saved here any more: the weights may by now be those of the best epoch.
int Trainer::report_stop() {
  const int signal = signals_.stop();
  console_.warn("stopped by " +
                std::string(signal == SIGINT    ? "SIGINT"
                            : signal == SIGTERM ? "SIGTERM"
                                                : "SIGHUP") +
                " after step " + std::to_string(runner_.step()) +
                (saved_last_ ? "; to go on:" : "; nothing was saved"));
  if (!saved_last_) return failed_save_;
  console_.warn("  " + resume_command(options_.command, folder_->path()));
  return 128 + signal;
}

// A loss may be finite where a gradient is not; what that has done to the state is never saved, nor called the best.
void Trainer::require_finite_state() {
  try {
    runner_.check_finite();
  } catch (const NonFinite& e) {
    stop_non_finite("after step " + std::to_string(runner_.step()) + ": " + e.text() + ", so a gradient was not; " +
                    last_good_ + "; --check-nan stops before such an update");
  }
}

// The module's own check comes before its update, so the state is still that of the step before, and worth keeping
// unless an earlier step has spoiled it.
void Trainer::stop_non_finite_loss(const std::string& what, bool updated) {
  const uint64_t bad_step = runner_.step() + (updated ? 0 : 1);
  const std::string text = "step " + std::to_string(bad_step) + " (epoch " + std::to_string(state_.epoch + 1) +
                           ", batch " + std::to_string(state_.batch + 1) + "): " + what + "; ";
  bool good = !updated;
  try {
    runner_.check_finite();
  } catch (const NonFinite&) {
    good = false;
  }
  if (good && save_state("last.safetensors"))
    stop_non_finite(text + "the state of step " + std::to_string(runner_.step()) + " is saved");
  stop_non_finite(text + last_good_);
}

void Trainer::stop_non_finite(const std::string& text) {
  if (history_) plots();
  throw NonFinite(text);
}

// A step limit inside an epoch: its results count, but the saved state stays in the middle of it.
void Trainer::partial_epoch() {
  if (auto values = epoch_values()) log_epoch(state_.epoch + 1, *values);
}

void Trainer::restore_best() {
  if (!restores_best() || best_copy_.empty() || state_.best.best_epoch == state_.epoch) return;
  best_copy_.put_back(runner_.session());
  console_.note("the weights are those of epoch " + std::to_string(state_.best.best_epoch) + " (" + best_name_ + " " +
                brief(state_.best.best) + ")");
  if (!data_.validation) return;
  const auto values = evaluate_all(runner_, *eval_feed_, *data_.validation, [](int64_t) { return true; });
  for (auto& [name, value] : last_values_)
    if (name.starts_with("val_"))
      if (const double* v = find_value(*values, name.substr(4))) value = *v;
}

void Trainer::test() {
  if (!data_.test) return;
  const auto values = evaluate_all(runner_, *eval_feed_, *data_.test, [&](int64_t) { return signals_.stop() == 0; });
  if (!values) return;
  for (const auto& [name, value] : *values) {
    last_values_.emplace_back("test_" + name, value);
    std::printf("test_%s %s\n", name.c_str(), brief(value).c_str());
  }
  std::fflush(stdout);
}

void Trainer::summary() {
  if (steps_done_ == 0) return;
  const double seconds = std::max(loop_seconds_, 1e-9);
  console_.note(std::to_string(steps_done_) + " steps in " + duration(seconds) + ": " +
                rate(static_cast<double>(steps_done_) / seconds) + " steps/s, " +
                rate(static_cast<double>(samples_done_) / seconds) + " samples/s; peak memory " +
                std::to_string(peak_resident_mib()) + " MiB");
}

void Trainer::plots() {
  if (history_->lines().empty()) return;
  try {
    if (options_.plot_svg) write_text(*folder_ / "history.svg", plot_svg(job_.name, history_->lines()));
  } catch (const runtime::Error& e) {
    save_error(e);
  }
  if (options_.plot_terminal)
    console_.note(plot_terminal(history_->lines(), console_.width(), console_.color(), console_.utf8()));
}

} // namespace dlcc::training

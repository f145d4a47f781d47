// trainer.h: one training run: epochs of steps, validation, stopping, checkpoints, logs.
#pragma once

#include "runtime/core/error.h"
#include "runtime/data/open.h"
#include "tools/train/console.h"
#include "tools/train/failure.h"
#include "tools/train/history.h"
#include "tools/train/run_folder.h"
#include "tools/train/run_state.h"
#include "tools/train/runner.h"
#include "tools/train/signals.h"
#include "tools/train/train.h"

#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace dlcc::training {

class Trainer {
public:
  Trainer(const Job& job, const RunOptions& options);
  /// The exit code. Throws what `guarded` knows.
  int run();

private:
  using Clock = std::chrono::steady_clock;
  enum class End { finished, interrupted };

  // trainer_setup.cpp
  void prepare();
  void start_session();
  void load_checkpoint();
  void require_finite_start();
  void open_data();
  void check_resumed_data() const;
  void start_schedule();
  void configure_watches();
  void restore_best_copy();
  void write_run_files();
  void open_history();
  std::string monitored() const;
  std::string score() const;
  std::vector<std::string> followed_names() const; ///< results that early stopping and the like may watch
  std::vector<std::string> epoch_names() const;
  std::vector<std::string> result_names() const;
  bool preset() const { return train_.n_iter_no_change.has_value(); } // scikit-learn's
  bool adaptive() const { return job_.schedule.kind == ReactiveSchedule::Kind::adaptive; }
  bool follows_score() const { return preset() && train_.stratified && data_.validation; }
  bool restores_best() const {
    return (train_.early_stopping && train_.early_stopping->restore_best) || follows_score();
  }

  // trainer.cpp
  End loop();
  bool done();
  std::string reason_to_stop() const;
  End run_epoch();
  void step();
  void end_of_step();
  bool end_epoch();
  std::optional<Values> epoch_values();
  bool append_validation(Values& values);
  bool follow_results(const Values& values);
  void follow_schedule(const Values& values);
  void set_rate(double rate);
  void log_epoch(int64_t epoch, const Values& values);
  Console::Bar bar(const char* what, int64_t done, int64_t all, double seconds) const;
  static double seconds_since(Clock::time_point t) { return std::chrono::duration<double>(Clock::now() - t).count(); }

  // trainer_end.cpp
  bool save(const std::string& file);
  bool save_state(const std::string& file);
  void save_last();
  void flush_history();
  void save_numbered();
  void save_error(const runtime::Error& error);
  void note_failed_save(int code);
  void checkpoint_after_step();
  void checkpoint_after_epoch();
  int finish();
  int finish_interrupted();
  int report_stop();
  static std::string good_state(uint64_t step, const std::string& file);
  void require_finite_state();
  [[noreturn]] void stop_non_finite_loss(const std::string& what, bool updated);
  [[noreturn]] void stop_non_finite(const std::string& text);
  void partial_epoch();
  void restore_best();
  void test();
  void summary();
  void plots();

  const Job& job_;
  const RunOptions& options_;
  data::TrainSpec train_; // with the options applied
  std::optional<CheckpointEvery> every_;
  std::vector<Requirement> requirements_;
  SignalGuard signals_;
  Console console_;
  Runner runner_;
  std::optional<RunFolder> folder_;
  data::OpenedData data_;
  std::optional<Feed> train_feed_, eval_feed_;
  std::unique_ptr<History> history_;
  RunState state_;
  StateCopy best_copy_;
  Values last_values_; // of the last epoch, then of the test
  int64_t epochs_ = 0; // 0: as many as the steps need
  std::optional<uint64_t> step_limit_;
  std::string stop_reason_;
  std::string last_good_ = "no good state is saved"; // says where to go on from
  std::string best_name_;                            // of the result whose best epoch is kept; empty: none
  bool resumed_ = false, saved_last_ = false;
  int failed_save_ = exit_ok; // the exit code that the last save which failed asks for
  uint64_t first_step_ = 0, steps_done_ = 0;
  int64_t samples_done_ = 0;
  double loop_seconds_ = 0, save_seconds_ = 0; // of the loop; of the last save
  std::set<std::string> known_faults_;         // of saving, that a warning has been given of
  Clock::time_point epoch_start_{}, last_save_{};
};

} // namespace dlcc::training

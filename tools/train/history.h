// history.h: the logs of a run: history.csv and history.jsonl, a line an epoch, in the file when the epoch is over and
// on the disk a second later and before the next checkpoint.
#pragma once

#include "tools/train/requirement.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace dlcc::training {

/// One epoch (or the part of one at which a run of so many steps ended).
struct EpochLine {
  int64_t epoch = 0; ///< from 1
  uint64_t step = 0; ///< steps so far
  Values values;
};

class History {
public:
  struct Options {
    std::string folder;
    bool csv = true, jsonl = true;
    bool resume = false;
    int64_t epochs_done = 0; ///< with resume: later lines, and a torn last one, are cut
    uint64_t step = 0;
  };
  /// `names`: the results of each epoch, in order. Throws runtime::Error (io), Failure (checkpoint) if history.csv has
  /// other columns.
  History(const Options& options, const std::vector<std::string>& names);
  ~History();
  History(const History&) = delete;
  History& operator=(const History&) = delete;

  /// Throws runtime::Error if it cannot be written; the line is remembered all the same.
  void add_epoch(const EpochLine& line, double seconds);
  void add_step(uint64_t step, double loss);
  /// All lines are on the disk afterwards (fsync, about 3 ms). Throws runtime::Error.
  void flush();
  const std::vector<EpochLine>& lines() const { return lines_; }

private:
  std::string header() const;
  void read_csv(const std::string& text);
  void append(int file, const std::string& path, const std::string& text);

  Options options_;
  std::vector<std::string> names_;
  std::vector<EpochLine> lines_;
  std::string csv_path_, jsonl_path_;
  int csv_ = -1, jsonl_ = -1;
  std::chrono::steady_clock::time_point flushed_;
  bool dirty_ = false;
};

} // namespace dlcc::training

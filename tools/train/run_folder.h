// run_folder.h: the folder of one run: which one, its lock, the checkpoint to resume from, run.json.
#pragma once

#include "runtime/core/checkpoint_dir.h"
#include "tools/train/runner.h"
#include "tools/train/train.h"

#include <memory>
#include <string>
#include <vector>

namespace dlcc::training {

class RunFolder {
public:
  /// The folder of a run that is resumed, locked, and the checkpoint to go on from, which may lie elsewhere. Throws
  /// Failure (checkpoint) if there is none that is valid, or if another run has the folder.
  static RunFolder resumed(const RunOptions& options, const std::string& name);
  /// Refuses, before anything is made, an explicit folder that holds checkpoints (checkpoint).
  static void check_free(const RunOptions& options);
  /// Makes and locks options.out, or the next free runs/<name>-<k>.
  static RunFolder created(const RunOptions& options, const std::string& name);

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& file) const { return path_ + "/" + file; }
  const std::string& checkpoint() const { return checkpoint_; } ///< to resume from; empty in a new run
  const std::vector<std::string>& warnings() const { return warnings_; }

private:
  void claim(); // lock, remove what dead runs left
  void choose_checkpoint(const std::string& folder, const std::string& which);

  std::string path_, checkpoint_;
  std::vector<std::string> warnings_;
  std::unique_ptr<runtime::FolderLock> lock_;
};

/// The file that `weights` means: itself, or in a folder best.safetensors, else the newest valid checkpoint. Warns on
/// stderr about damaged ones. Throws Failure (checkpoint, io).
std::string find_weights(const std::string& weights);

/// Weights of any model with the same parameters, unless `allow_partial`; `parts` (DLCC_SAVE_) may add what the
/// checkpoint says of its run. Throws Failure (checkpoint) that names what differs.
void load_weights(Runner& runner, const std::string& file, uint32_t parts, bool allow_partial);
/// The seed of the data's order and split in the run that the weights are from; `otherwise` if they do not say.
uint64_t data_seed(const Runner& runner, uint64_t otherwise);

/// Replaces a small text file atomically. Throws runtime::Error.
void write_text(const std::string& path, const std::string& text);

/// What was run, where and with what, as JSON.
std::string run_record(const RunOptions& options, const dlcc_module_v1& module, uint64_t seed, int64_t samples,
                       uint64_t data_hash);

/// Whether a word that follows --resume is its value.
bool is_resume_value(const std::string& word);

/// The shell command that goes on with a run: `command` without its own --out and --resume, then those.
std::string resume_command(const std::vector<std::string>& command, const std::string& folder);

} // namespace dlcc::training

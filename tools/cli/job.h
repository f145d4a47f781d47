// What train, eval, predict and bench work on: a module, compiled here or loaded, and the model's data and settings.
#pragma once

#include "tools/cli/options.h"
#include "tools/driver/loaded_module.h"
#include "tools/train/train.h"

namespace dlcc::tools {

struct PreparedJob {
  std::unique_ptr<Compilation> compilation;        ///< of a model; null for a loaded step
  std::optional<frontend::ModelSpec> loaded_model; ///< the model that a loaded step embeds
  std::optional<LoadedModule> module;
  training::Job job;
  int threads = 0;        ///< of the step, by the command line or the model; 0: the CPUs of this process
  std::string model_json; ///< resolved
  double compile_seconds = 0;
};

/// What a file of samples is for: to be trained on, or to be evaluated or predicted.
enum class DataUse : uint8_t { training, evaluation };

/// `build.model` is a model file or a compiled step; `data` replaces the model's data, if not empty: a file of samples
/// (.csv, .npy, .npz, or "-" for csv on the standard input), or one that describes data. Nothing: the diagnostics are
/// printed and the command exits with 3.
std::optional<PreparedJob> prepare_job(const BuildOptions& build, const std::string& data, DataUse use);

} // namespace dlcc::tools

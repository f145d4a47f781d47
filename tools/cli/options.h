// Options that several sub-commands share, and what declares each sub-command.
#pragma once

#include "tools/driver/compile.h"
#include "tools/driver/source.h"

#include <CLI/CLI.hpp>

namespace dlcc::tools {

/// What every sub-command takes.
struct SharedOptions {
  DiagnosticsFormat diagnostics_format = DiagnosticsFormat::automatic;
  bool quiet = false;
};

/// Options of everything that compiles: build, check, train, eval, predict, bench, gradcheck.
struct BuildOptions {
  std::string model;
  CompileOptions compile;
  SharedOptions shared;
  int threads = 0; ///< of the compiled step
  bool time_passes = false;
  bool trains = false; ///< a model without anything to train is an error

  void declare(CLI::App& command, bool model_required = true);
  /// What only declare() could not fill in: symbols, sets, passes.
  void finish();

private:
  std::vector<std::string> symbols_, shapes_, sets_, print_before_, print_after_, disabled_;
  std::string memory_limit_, format_ = "auto";
};

/// About an option's word that is none of `words`: "'plannd', did you mean 'planned'?", or the list.
std::string not_one_of(const std::string& text, const std::vector<std::string>& words);
/// Accepts these words.
CLI::Validator one_of(std::vector<std::string> words);
/// Accepts the whole numbers from `least` (0 or more) on that have 64 bits.
CLI::Validator whole_number(uint64_t least);

/// Whether a file with these bytes is a compiled step, whole or damaged.
bool is_compiled_step(std::string_view bytes);
/// Reads the model and builds its graph; prints the diagnostics. Nothing: exit with 3.
std::unique_ptr<Compilation> read_model(const BuildOptions& options);
/// Prints what the passes reported; true if there were errors.
bool report(const Compilation& compilation, const BuildOptions& options);
/// --time-passes
void print_times(const Compilation& compilation);

/// The words the program was started with.
std::vector<std::string>& command_line();

// Each declares its options and, in the callback, sets `exit_code`.
void declare_build(CLI::App& command, int& exit_code);
void declare_check(CLI::App& command, int& exit_code);
void declare_opt(CLI::App& command, int& exit_code);
void declare_ops(CLI::App& command, int& exit_code);
void declare_passes(CLI::App& command, int& exit_code);
void declare_schema(CLI::App& command, int& exit_code);
void declare_new(CLI::App& command, int& exit_code);
void declare_inspect(CLI::App& command, int& exit_code);
void declare_gradcheck(CLI::App& command, int& exit_code);
void declare_train(CLI::App& command, int& exit_code);
void declare_eval(CLI::App& command, int& exit_code);
void declare_predict(CLI::App& command, int& exit_code);
void declare_bench(CLI::App& command, int& exit_code);

} // namespace dlcc::tools

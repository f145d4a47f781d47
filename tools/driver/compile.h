// From a model file to a planned program, object code, a shared library, or a module in this process: what the command
// line and libdlcc share.
#pragma once

#include "codegen/link/jit.h"
#include "codegen/module/emit.h"
#include "frontend/read/read_model.h"
#include "passes/pass_manager.h"

#include <array>
#include <optional>

namespace dlcc::tools {

/// What a model computes, whatever its file is called and however it is laid out: SHA-256 of its source stage.
using ModelHash = std::array<uint8_t, 32>;
ModelHash model_hash(graph::Module source);

inline constexpr const char* default_target = "native";

struct CompileOptions {
  frontend::Overrides overrides;
  std::string target = default_target; ///< native, x86-64-v3, x86-64-v4, or a CPU as LLVM calls it
  std::string attributes;              ///< features to add to the target's or to leave out: "-avx512f"
  bool fuse = true, share_memory = true, check_nan = false;
  bool widen_floats = false;     ///< in double precision, whatever the model says
  bool openmp_from_host = false; ///< the artefact does not name libgomp; the loader opens an OpenMP runtime
  passes::PassOptions passes;
  int64_t memory_limit = 0; ///< bytes a plan may take; 0: 80 % of what is available; -1: no limit
  size_t error_limit = 20;
  int threads = 0; ///< for code generation; 0: the CPUs of this process
};

/// A model on its way through the compiler. All user errors end up in `diagnostics`; functions that return false have
/// added at least one.
class Compilation {
public:
  Compilation(std::string file, std::string text, CompileOptions options);

  /// Reads, checks and builds the source graph.
  bool read();
  /// Runs the passes up to `stage` (all of them if empty).
  bool run_passes(const std::string& stage = {});
  /// Object code of the planned program.
  std::vector<codegen::ObjectCode> objects();
  codegen::JitModule jit();
  /// The whole file of a compiled step: ELF image and trailer.
  std::vector<char> shared_library();
  /// One relocatable object for static linking; the query function is called <name>_query.
  std::vector<char> relocatable_object();
  /// The C header that goes with it: sizes, and indices of tensors, as constants.
  std::string header();

  /// Of the model, and so of the artefact.
  std::string name() const;
  codegen::ArtefactInfo artefact_info() const;
  std::vector<codegen::CodeUnit> code_units(const codegen::EmitOptions& emit = {}) const;

  std::string file, text;
  CompileOptions options;
  DiagnosticList diagnostics;
  std::optional<frontend::ModelSpec> model;
  codegen::Target target;
  passes::Ir ir;
  std::vector<passes::PassTime> times; ///< of passes and of code generation
  ModelHash hash{};                    ///< of the source stage

private:
  void apply_compile_section(const frontend::Record& section);
  bool fits_memory();
};

/// "dlcc 0.1.0"
std::string compiler_version();
/// Bytes of all regions and the largest arena of a planned program.
int64_t planned_bytes(const loops::Program& program);
/// Most bytes for a plan, or for data: `options.memory_limit`, or 80 % of what is available.
int64_t memory_limit(const CompileOptions& options);

} // namespace dlcc::tools

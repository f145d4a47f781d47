#include "tools/driver/compile.h"

#include "codegen/link/link.h"
#include "frontend/build/build_module.h"
#include "frontend/build/print_config.h"
#include "frontend/read/report.h"
#include "ir/ops/ops.h"
#include "passes/training/widen_floats.h"
#include "runtime/core/artefact.h"
#include "runtime/core/error.h"
#include "runtime/core/sha256.h"
#include "tools/driver/available_memory.h"

#include <algorithm>
#include <chrono>
#include <thread>

namespace dlcc::tools {

std::string compiler_version() { return "dlcc " DLCC_VERSION_TEXT; }

namespace {
class Stopwatch {
public:
  Stopwatch(std::vector<passes::PassTime>& times, std::string_view name) : times_(times), name_(name) {}
  ~Stopwatch() {
    times_.push_back({name_, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count()});
  }

private:
  std::vector<passes::PassTime>& times_;
  std::string_view name_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};
} // namespace

ModelHash model_hash(graph::Module module) {
  module.file.clear();
  for (graph::State& s : module.states) s.where = {};
  for (graph::Directive& d : module.directives) d.where = {};
  for (graph::Function& f : module.functions) {
    f.where = {};
    for (graph::Node& n : f.nodes) n.where = {};
    for (graph::Update& u : f.updates) u.where = {};
  }
  const std::string text = passes::print(module);
  const runtime::Digest digest = runtime::sha256(text.data(), text.size());
  ModelHash hash{};
  std::copy(digest.begin(), digest.end(), hash.begin());
  return hash;
}

Compilation::Compilation(std::string name, std::string contents, CompileOptions o)
    : file(std::move(name)), text(std::move(contents)), options(std::move(o)),
      diagnostics(file == "-" ? "<stdin>" : file, options.error_limit) {
  if (options.threads <= 0) options.threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  options.passes.times = &times;
}

bool Compilation::read() {
  Stopwatch watch(times, "read");
  model = frontend::read_model(text, options.overrides, diagnostics);
  if (!model || diagnostics.has_errors()) return false;
  apply_compile_section(model->compile());
  if (diagnostics.has_errors()) return false;
  auto module = frontend::build_module(*model, ops::all_ops(), diagnostics);
  if (!module || diagnostics.has_errors()) return false;
  module->file = diagnostics.file();
  if (options.widen_floats) passes::widen_floats(*module);
  hash = model_hash(*module);
  ir = std::move(*module);
  return true;
}

// The command line goes before the model.
void Compilation::apply_compile_section(const frontend::Record& section) {
  options.fuse = options.fuse && section.boolean("fusion");
  if (options.memory_limit == 0) options.memory_limit = section.maybe_integer("memory_limit").value_or(0);
  if (options.target != default_target || !section.has("target")) return;
  options.target = section.text("target");
  try {
    codegen::make_target(options.target, options.attributes);
  } catch (const UserError& e) {
    if (!options.attributes.empty()) throw; // which may be at fault, and are not the model's
    frontend::Reporter(*model, diagnostics)
        .error(e.diagnostic.name.c_str(), e.diagnostic.text, section.at("target").place);
  }
}

bool Compilation::run_passes(const std::string& stage) {
  target = codegen::make_target(options.target, options.attributes);
  passes::PassContext context{ops::all_ops(), target.machine,    &diagnostics,
                              options.fuse,   options.check_nan, options.share_memory};
  options.passes.stop_after = stage;
  ir = passes::run_passes(std::move(ir), context, options.passes);
  if (diagnostics.has_errors()) return false;
  return !std::holds_alternative<loops::Program>(ir) || std::get<loops::Program>(ir).stage != loops::Stage::planned ||
         fits_memory();
}

// The three that matter most, with their sizes: "'hidden/kernel' 381 MiB". A layer's name is part of its tensors'.
static std::string largest_tensors(const loops::Program& program) {
  std::vector<const loops::Buffer*> buffers;
  for (const loops::Buffer& b : program.buffers)
    if (!b.view_of.valid()) buffers.push_back(&b);
  const size_t shown = std::min<size_t>(3, buffers.size());
  auto larger = [](const loops::Buffer* a, const loops::Buffer* b) {
    return byte_count(a->type) > byte_count(b->type);
  };
  std::partial_sort(buffers.begin(), buffers.begin() + static_cast<std::ptrdiff_t>(shown), buffers.end(), larger);
  std::string text;
  for (size_t i = 0; i < shown; ++i)
    text += (i ? ", '" : "'") + escape(buffers[i]->name, 40) + "' " + runtime::size_text(byte_count(buffers[i]->type));
  return text;
}

bool Compilation::fits_memory() {
  int64_t limit = memory_limit(options);
  const auto& program = std::get<loops::Program>(ir);
  int64_t bytes = planned_bytes(program);
  if (bytes <= limit) return true;
  throw UserError(ExitCode::environment, "memory-limit",
                  "the model needs " + runtime::size_text(bytes) + ", expected at most " + runtime::size_text(limit) +
                      "; see --memory-limit; largest: " + largest_tensors(program),
                  diagnostics.file());
}

std::string Compilation::name() const { return model ? model->name : std::get<loops::Program>(ir).name; }

codegen::ArtefactInfo Compilation::artefact_info() const {
  codegen::ArtefactInfo info;
  info.name = name();
  if (model) info.model_json = frontend::print_config(*model);
  std::copy(hash.begin(), hash.end(), info.model_hash.begin());
  info.compiler = compiler_version();
  return info;
}

std::vector<codegen::CodeUnit> Compilation::code_units(const codegen::EmitOptions& emit) const {
  return codegen::emit_program(std::get<loops::Program>(ir), target, artefact_info(), emit);
}

std::vector<codegen::ObjectCode> Compilation::objects() {
  std::vector<codegen::CodeUnit> units;
  {
    Stopwatch watch(times, "emit");
    units = code_units();
  }
  Stopwatch watch(times, "compile");
  return codegen::compile(std::move(units), target, options.threads);
}

codegen::JitModule Compilation::jit() {
  auto code = objects();
  Stopwatch watch(times, "load");
  return codegen::JitModule(std::move(code));
}

std::vector<char> Compilation::shared_library() {
  auto code = objects();
  Stopwatch watch(times, "link");
  codegen::LinkOptions link;
  link.soname = name() + ".so";
  link.need_libgomp = !options.openmp_from_host;
  std::vector<char> image = codegen::link_shared_library(code, link);
  auto trailer = runtime::make_artefact_trailer(image.data(), image.size(), DLCC_VERSION_TEXT);
  const char* bytes = reinterpret_cast<const char*>(&trailer);
  image.insert(image.end(), bytes, bytes + sizeof trailer);
  return image;
}

int64_t planned_bytes(const loops::Program& program) {
  int64_t bytes = 0, arena = 0;
  for (const loops::Buffer& b : program.buffers)
    if (b.region != loops::Region::arena && !b.view_of.valid()) bytes += byte_count(b.type);
  for (const loops::Entry& e : program.entries) arena = std::max(arena, e.arena_bytes);
  return bytes + arena;
}

int64_t memory_limit(const CompileOptions& options) {
  if (options.memory_limit < 0) return INT64_MAX;
  return options.memory_limit ? options.memory_limit : available_memory() / 5 * 4;
}

} // namespace dlcc::tools

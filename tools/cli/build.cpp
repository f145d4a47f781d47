// dlcc [build] MODEL -o FILE: an artefact, or the text of a stage.
#include "passes/dump.h"
#include "tools/cli/help.h"
#include "tools/cli/options.h"
#include "tools/driver/output.h"

#include <algorithm>

namespace dlcc::tools {

namespace {
struct BuildCommand {
  BuildOptions build;
  std::string output;
  std::vector<std::string> emit;
  bool assembly = false, object = false;

  int run();
  std::string text_of(Compilation& c, const std::string& what);
  void write(Compilation& c, const std::string& what, const std::string& path);
};

bool is_stage(const std::string& what) {
  auto all = passes::stages();
  return std::find(all.begin(), all.end(), what) != all.end();
}

// The stage the passes have to reach for what is wanted; empty: all of them.
std::string last_stage(const std::vector<std::string>& emit) {
  return emit.size() == 1 && is_stage(emit[0]) ? emit[0] : std::string();
}

// What can be written besides the text of a stage, and the ending of a file's name that asks for it.
struct Kind {
  std::string_view name, ending;
  bool is_text = false;
};
constexpr Kind kinds[] = {{"llvm", ".ll", true}, {"bc", ".bc"},          {"asm", ".s", true},
                          {"obj", ".o"},         {"header", ".h", true}, {"so", ".so"}};

const Kind* find_kind(std::string_view what) {
  for (const Kind& kind : kinds)
    if (kind.name == what) return &kind;
  return nullptr;
}

std::string kind_for(const std::string& output) {
  for (const Kind& kind : kinds)
    if (output.ends_with(kind.ending)) return std::string(kind.name);
  // A name is free, but not one that promises what it will not hold.
  for (const char* other : {".onnx", ".pb", ".tflite", ".pt", ".h5", ".keras", ".py", ".c", ".cpp", ".a", ".exe",
                            ".dll", ".dylib", ".safetensors", ".npy"})
    if (output.ends_with(other))
      throw UserError(ExitCode::usage, "usage",
                      "'" + escape(output, 100) + "': nothing is written as " + other +
                          ", expected .so, .o, .s, .ll, .bc or .h, or --emit with any name");
  return "so";
}

std::string ending_of(const std::string& what) {
  const Kind* kind = find_kind(what);
  return kind ? std::string(kind->ending) : "." + what;
}

std::string BuildCommand::text_of(Compilation& c, const std::string& what) {
  if (is_stage(what)) return passes::filtered(passes::print(c.ir), c.options.passes.filter);
  codegen::EmitOptions options;
  options.one_unit = true; // several do not make one file
  std::vector<codegen::CodeUnit> units = c.code_units(options);
  DLCC_CHECK(units.size() == 1, "one file holds one module");
  return what == "bc"     ? codegen::bitcode(units[0])
         : what == "llvm" ? codegen::llvm_text(units[0])
                          : codegen::assembly(units[0], c.target);
}

void BuildCommand::write(Compilation& c, const std::string& what, const std::string& path) {
  if (what == "so") {
    std::vector<char> bytes = c.shared_library();
    write_output(path, {bytes.data(), bytes.size()}, build.model, 0777);
  } else if (what == "obj") {
    std::vector<char> bytes = c.relocatable_object();
    write_output(path, {bytes.data(), bytes.size()}, build.model);
  } else if (what == "header") {
    write_output(path, c.header(), build.model);
  } else {
    write_output(path, text_of(c, what), build.model);
  }
}

int BuildCommand::run() {
  build.finish();
  if (assembly) emit.push_back("asm");
  if (object) emit.push_back("obj");
  if (emit.empty()) emit.push_back(kind_for(output));
  const auto is_binary = [](const std::string& what) { return !is_stage(what) && !find_kind(what)->is_text; };
  const bool binary = std::any_of(emit.begin(), emit.end(), is_binary);
  if (output.empty() && (binary || emit.size() > 1))
    throw UserError(ExitCode::usage, "usage", "where should the result go? expected -o FILE");
  auto c = read_model(build);
  if (!c) return static_cast<int>(ExitCode::model);
  bool source_only = emit.size() == 1 && emit[0] == "source";
  if (!source_only) c->run_passes(last_stage(emit));
  if (report(*c, build)) return static_cast<int>(ExitCode::model);
  for (const std::string& what : emit)
    write(*c, what, emit.size() == 1 ? output : without_extension(output) + ending_of(what));
  if (build.time_passes) print_times(*c);
  return 0;
}
} // namespace

void declare_build(CLI::App& command, int& exit_code) {
  auto state = std::make_shared<BuildCommand>();
  command.add_option("-o,--output", state->output,
                     "Where the result goes, .so, .o, .s, .ll, .bc or .h; text goes to standard output without it");
  std::vector<std::string> words;
  for (std::string_view stage : passes::stages()) words.emplace_back(stage);
  for (const Kind& kind : kinds) words.emplace_back(kind.name);
  command.add_option("--emit", state->emit, "Stop there and write that: a stage, llvm, bc, asm, obj, header, so")
      ->delimiter(',')
      ->check(one_of(words));
  command.add_flag("-S", state->assembly, "The same as --emit=asm");
  command.add_flag("-c", state->object, "The same as --emit=obj");
  state->build.declare(command);
  for (CLI::Option* option : command.get_options())
    if (option->get_group() == build_group) option->group("Options"); // here they are the command's own
  command.footer("Examples:\n  dlcc model.json -o train_step.so\n  dlcc model.json --emit=planned\n"
                 "  dlcc model.json --emit=obj,header -o train_step.o");
  command.callback([state, &exit_code] { exit_code = state->run(); });
}

} // namespace dlcc::tools

// dlcc [build] MODEL -o FILE: an artefact, or the text of a stage.
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

std::string extension_of(const std::string& what) {
  return what == "so"       ? ".so"
         : what == "obj"    ? ".o"
         : what == "header" ? ".h"
         : what == "asm"    ? ".s"
         : what == "llvm"   ? ".ll"
         : what == "bc"     ? ".bc"
                            : "." + what;
}

std::string BuildCommand::text_of(Compilation& c, const std::string& what) {
  if (is_stage(what)) return passes::print(c.ir);
  std::string text;
  codegen::EmitOptions options;
  options.one_unit = what == "bc"; // several do not make one file
  for (codegen::CodeUnit& unit : c.code_units(options)) {
    if (what == "bc") text += codegen::bitcode(unit);
    if (what == "llvm") text += codegen::llvm_text(unit);
    if (what == "asm") text += codegen::assembly(unit, c.target);
  }
  return text;
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
  if (emit.empty()) emit.push_back("so");
  bool binary = std::any_of(emit.begin(), emit.end(), [](auto& e) { return e == "so" || e == "obj" || e == "bc"; });
  if (output.empty() && (binary || emit.size() > 1))
    throw UserError(ExitCode::usage, "usage", "where should the result go? expected -o FILE");
  auto c = read_model(build);
  if (!c) return static_cast<int>(ExitCode::model);
  bool source_only = emit.size() == 1 && emit[0] == "source";
  if (!source_only) c->run_passes(last_stage(emit));
  if (report(*c, build)) return static_cast<int>(ExitCode::model);
  for (const std::string& what : emit)
    write(*c, what, emit.size() == 1 ? output : without_extension(output) + extension_of(what));
  if (build.time_passes) print_times(*c);
  return 0;
}
} // namespace

void declare_build(CLI::App& command, int& exit_code) {
  auto state = std::make_shared<BuildCommand>();
  command.add_option("-o,--output", state->output,
                     "Where the result goes, .so, .o, .s, .ll, .bc or .h; text goes to standard output without it");
  std::vector<std::string> kinds;
  for (std::string_view stage : passes::stages()) kinds.emplace_back(stage);
  kinds.insert(kinds.end(), {"llvm", "bc", "asm", "obj", "header", "so"});
  command.add_option("--emit", state->emit, "Stop there and write that: a stage, llvm, bc, asm, obj, header, so")
      ->delimiter(',')
      ->check(CLI::IsMember(kinds));
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

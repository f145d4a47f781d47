// The command line: a table of sub-commands; with none named, `build` is meant.
#include "tools/cli/options.h"
#include "tools/driver/environment.h"
#include "tools/train/run_folder.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <iostream>
#include <sys/stat.h>
#include <system_error>

namespace dlcc::tools {

namespace {
constexpr Command commands[] = {
    {"build", declare_build, "Compile a model into an artefact, or print a stage"},
    {"check", declare_check, "Parse, infer shapes, verify; no code"},
    {"train", declare_train, "Compile (or load) and train"},
    {"eval", declare_eval, "Loss and metrics on the test data"},
    {"predict", declare_predict, "Outputs of a trained model"},
    {"gradcheck", declare_gradcheck, "Compare gradients with numeric ones, in double"},
    {"bench", declare_bench, "Time training steps"},
    {"inspect", declare_inspect, "What is in a compiled step or a checkpoint"},
    {"opt", declare_opt, "Run passes on the text of a stage"},
    {"ops", declare_ops, "List the operators"},
    {"passes", declare_passes, "List the passes"},
    {"schema", declare_schema, "Print the JSON Schema of model.json"},
    {"new", declare_new, "Write a starter model.json"},
};

bool is_command(const std::string& word) {
  return std::any_of(std::begin(commands), std::end(commands), [&](const Command& c) { return word == c.name; });
}

// `dlcc model.json` means build; an unknown word that is no file gets a suggestion.
void insert_default_command(std::vector<std::string>& words) {
  if (words.empty() || is_command(words[0]) || words[0] == "--help" || words[0] == "-h" || words[0] == "--version")
    return;
  struct stat info;
  bool plain = words[0][0] != '-' && words[0].find_first_of("./") == std::string::npos;
  if (plain && stat(words[0].c_str(), &info) != 0) {
    std::vector<std::string> names;
    for (const Command& c : commands) names.emplace_back(c.name);
    throw UserError(ExitCode::usage, "usage", "unknown command '" + words[0] + "'" + did_you_mean(words[0], names));
  }
  words.insert(words.begin(), "build");
}

// `--resume` takes the next word only if that looks like a checkpoint: else it is the model.
void attach_resume_value(std::vector<std::string>& words) {
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i] != "--resume") continue;
    const bool has_value = i + 1 < words.size() && training::is_resume_value(words[i + 1]);
    words[i] += "=" + (has_value ? words[i + 1] : "latest");
    if (has_value) words.erase(words.begin() + static_cast<ptrdiff_t>(i) + 1);
  }
}

// What CLI11 could not place: an option nobody declared, or one word too many.
[[noreturn]] void refuse_extras(const CLI::App& app) {
  const CLI::App& command = app.get_subcommands().empty() ? app : *app.get_subcommands()[0];
  std::vector<std::string> names;
  for (const CLI::Option* o : command.get_options())
    for (const std::string& name : o->get_lnames()) names.push_back("--" + name);
  std::vector<std::string> words = app.remaining(true);
  auto option = std::find_if(words.begin(), words.end(), [](const std::string& w) { return w.starts_with("-"); });
  if (option == words.end()) throw UserError(ExitCode::usage, "usage", "one argument too many: '" + words.at(0) + "'");
  std::string name = option->substr(0, option->find('='));
  throw UserError(ExitCode::usage, "usage",
                  "unknown option '" + name + "' of '" + command.get_name() + "'" + did_you_mean(name, names));
}

int run(std::vector<std::string> words) {
  CLI::App app("dlcc compiles the training of neural networks.\n", "dlcc");
  app.set_version_flag("--version", compiler_version());
  app.require_subcommand(1);
  app.footer("Examples:\n  dlcc model.json -o train_step.so    compile a training step\n"
             "  dlcc train model.json               compile and train\n"
             "  dlcc model.json --emit=planned      read what the compiler made of it\n"
             "\n`dlcc COMMAND --help` says more.");
  int exit_code = 0;
  for (const Command& c : commands) c.declare(*app.add_subcommand(c.name, c.summary), exit_code);
  insert_default_command(words);
  attach_resume_value(words);
  std::reverse(words.begin(), words.end());
  try {
    app.parse(words);
  } catch (const CLI::ExtrasError&) {
    refuse_extras(app);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e); // --help, --version
    throw UserError(ExitCode::usage, "usage", e.what());
  }
  return exit_code;
}

// What is still in a buffer counts as written; that nobody reads it is no fault.
int flushed(int exit_code) {
  errno = 0;
  std::cout.flush();
  if ((std::fflush(stdout) == 0 && std::cout) || errno == EPIPE) return exit_code;
  throw UserError(ExitCode::io, "cannot-write", std::string("cannot write: ") + std::strerror(errno), "<stdout>");
}
} // namespace

} // namespace dlcc::tools

int main(int argc, char** argv) {
  using namespace dlcc;
  try {
    tools::prepare_environment();
    tools::command_line().assign(argv, argv + argc);
    if (argc < 2) return tools::run({"--help"}), static_cast<int>(ExitCode::usage);
    return tools::flushed(tools::run({argv + 1, argv + argc}));
  } catch (const UserError& e) {
    tools::print_diagnostic(e.diagnostic, {}, tools::DiagnosticsFormat::brief);
    return static_cast<int>(e.code);
  } catch (const std::bad_alloc&) {
    fputs("dlcc: error: out of memory [memory]\n", stderr);
    return static_cast<int>(ExitCode::environment);
  } catch (const std::system_error& e) { // no thread, no file descriptor: the environment's limits
    fprintf(stderr, "dlcc: error: the system refused: %s [environment]\n", e.what());
    return static_cast<int>(ExitCode::environment);
  } catch (const std::exception& e) {
    fprintf(stderr, "dlcc: internal error: %s\nThis is a bug of dlcc; please report it with the model.\n", e.what());
    return static_cast<int>(ExitCode::internal);
  }
}

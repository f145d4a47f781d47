#include "tools/cli/command_line.h"

#include "frontend/table/vocabulary.h"
#include "tools/cli/help.h"
#include "tools/train/run_folder.h"

#include <algorithm>
#include <sys/stat.h>

namespace dlcc::tools {

namespace {
using Words = std::vector<std::string>;

constexpr Command table[] = {
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
  return std::any_of(std::begin(table), std::end(table), [&](const Command& c) { return word == c.name; });
}

// `help`, `help train` and `version` are other words for options.
void replace_word_commands(Words& words) {
  if (words.empty()) return;
  if (words[0] == "version") words[0] = "--version";
  if (words[0] != "help") return;
  std::rotate(words.begin(), words.begin() + 1, words.end());
  words.back() = "--help";
}

// `dlcc model.json` means build; an unknown word that is no file gets a suggestion.
void insert_default_command(Words& words) {
  if (words.empty() || is_command(words[0])) return;
  for (const char* own : {"--help", "-h", "--help-all", "--version"})
    if (words[0] == own) return;
  struct stat info;
  bool plain = words[0][0] != '-' && words[0].find_first_of("./") == std::string::npos;
  if (plain && stat(words[0].c_str(), &info) != 0) {
    Words names = {"help", "version"};
    for (const Command& c : table) names.emplace_back(c.name);
    throw UserError(ExitCode::usage, "usage",
                    "unknown command '" + escape(words[0], 60) + "'" + did_you_mean(words[0], names));
  }
  words.insert(words.begin(), "build");
}

bool has_option(const CLI::App& command, const std::string& name) {
  return command.get_option_no_throw(name) != nullptr;
}

// Compilers write -march=native: a long name behind one dash, where no short option can be meant.
void allow_single_dash(Words& words, const CLI::App& command) {
  for (std::string& word : words) {
    if (word == "--") return;
    if (word.size() < 3 || word[0] != '-' || word[1] == '-' || has_option(command, word.substr(0, 2))) continue;
    if (has_option(command, "-" + word.substr(0, word.find('=')))) word.insert(0, "-");
  }
}

// `--resume` takes the next word only if that looks like a checkpoint: else it is the model.
void attach_resume_value(Words& words) {
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i] != "--resume") continue;
    const bool has_value = i + 1 < words.size() && training::is_resume_value(words[i + 1]);
    words[i] += "=" + (has_value ? words[i + 1] : "latest");
    if (has_value) words.erase(words.begin() + static_cast<ptrdiff_t>(i) + 1);
  }
}

// The option that sets what a model's key of this name, or an alias of it, means: "--lr", "--batch".
std::string option_of_key(const std::string& written, const Words& names) {
  const auto key_of = [](const std::string& option) {
    std::string key = option.substr(option.find_first_not_of('-'));
    std::replace(key.begin(), key.end(), '-', '_');
    return key;
  };
  if (written.find_first_not_of('-') == std::string::npos) return {};
  for (const std::string& name : names)
    if (frontend::is_same_key(key_of(written), key_of(name))) return name;
  return {};
}
} // namespace

std::span<const Command> commands() { return table; }

std::string help_command(std::span<const std::string> words) {
  return words.empty() || !is_command(words[0]) ? "dlcc --help" : "dlcc " + words[0] + " --help";
}

CommandLine::CommandLine() : app_("dlcc compiles the training of neural networks.", "dlcc") {
  app_.set_version_flag("--version", compiler_version());
  app_.set_help_all_flag("--help-all", "Also the options of the compiler");
  app_.require_subcommand(1);
  app_.footer("Examples:\n"
              "  dlcc train model.json               compile and train\n"
              "  dlcc model.json -o train_step.so    compile a training step\n"
              "  dlcc model.json --emit=planned      read what the compiler made of it\n"
              "  dlcc help train                     what a command does, and its options");
  for (const Command& c : table) {
    CLI::App& command = *app_.add_subcommand(c.name, c.summary);
    c.declare(command, exit_code_);
    for (CLI::Option* option : command.get_options()) {
      // An option takes one word, however often it is given: what follows may be the model.
      if (!option->get_positional()) option->allow_extra_args(false);
      if (option == command.get_help_ptr() || option == command.get_help_all_ptr()) option->group(message_group);
    }
  }
}

int CommandLine::run(Words words) {
  replace_word_commands(words);
  insert_default_command(words);
  if (!words.empty() && is_command(words[0])) allow_single_dash(words, *app_.get_subcommand(words[0]));
  attach_resume_value(words);
  std::reverse(words.begin(), words.end());
  try {
    app_.parse(words);
  } catch (const CLI::ExtrasError&) {
    refuse_extras();
  } catch (const CLI::CallForHelp&) {
    print_help(app_, Help::own_options);
  } catch (const CLI::CallForAllHelp&) {
    print_help(app_, Help::all_options);
  } catch (const CLI::ArgumentMismatch& e) {
    const std::string what = e.what();
    throw UserError(ExitCode::usage, "usage", what.substr(0, what.find(':')) + ": expected a value behind it");
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app_.exit(e); // --version
    throw UserError(ExitCode::usage, "usage", e.what());
  }
  return exit_code_;
}

// What CLI11 could not place: an option nobody declared, or one word too many.
void CommandLine::refuse_extras() const {
  const CLI::App& command = app_.get_subcommands().empty() ? app_ : *app_.get_subcommands()[0];
  Words names;
  for (const CLI::Option* o : command.get_options())
    for (const std::string& name : o->get_lnames()) names.push_back("--" + name);
  Words words = app_.remaining(true);
  auto option = std::find_if(words.begin(), words.end(), [](const std::string& w) { return w.starts_with("-"); });
  if (option == words.end())
    throw UserError(ExitCode::usage, "usage", "one argument too many: '" + escape(words.at(0), 60) + "'");
  if (option->starts_with("-O"))
    throw UserError(ExitCode::usage, "usage",
                    "'" + escape(*option, 60) +
                        "': there are no levels, everything is always optimized; --disable-pass, --no-fusion and "
                        "--no-share-memory leave parts of it out");
  std::string name = option->substr(0, option->find('='));
  const std::string meant = option_of_key(name, names);
  throw UserError(ExitCode::usage, "usage",
                  "unknown option '" + escape(name, 60) + "' of '" + command.get_name() + "'" +
                      (meant.empty() ? did_you_mean(name, names) : ", did you mean '" + meant + "'?"));
}

} // namespace dlcc::tools

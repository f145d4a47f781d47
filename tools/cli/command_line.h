// The command line as a whole: the table of sub-commands, and the one way from words to what they ask for.
#pragma once

#include "tools/cli/options.h"

#include <span>

namespace dlcc::tools {

struct Command {
  const char* name;
  /// Declares options and, in the callback, does the work and sets `exit_code`.
  void (*declare)(CLI::App& command, int& exit_code);
  const char* summary;
};

/// In the order in which the help lists them.
std::span<const Command> commands();

class CommandLine {
public:
  CommandLine();

  /// Does what the words (without the program's name) ask for; the exit code. Throws UserError(usage).
  int run(std::vector<std::string> words);
  CLI::App& app() { return app_; }

private:
  [[noreturn]] void refuse_extras() const;

  CLI::App app_;
  int exit_code_ = 0;
};

/// Where the help for these words is: "dlcc train --help".
std::string help_command(std::span<const std::string> words);

} // namespace dlcc::tools

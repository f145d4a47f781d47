// What --help prints: examples first, then a command's own options; those of the compiler only when asked for.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace dlcc::tools {

/// Groups of options that many commands share; only --help-all shows the first two.
inline constexpr const char *build_group = "Build", *pass_group = "Passes", *message_group = "Messages";

enum class Help { own_options, all_options };

/// Of a program or one of its commands, at most 80 columns wide.
std::string help_text(const CLI::App& app, Help which);
/// On standard output, for the command that was named, if one was.
void print_help(const CLI::App& app, Help which);

} // namespace dlcc::tools

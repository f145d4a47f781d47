#include "tools/cli/help.h"

#include "tools/driver/output.h"

#include <algorithm>
#include <sstream>

namespace dlcc::tools {

namespace {
constexpr size_t width = 80, left_width = 28;

// One entry of a list: its name, and what it means from a fixed column on.
std::string entry(const std::string& name, const std::string& meaning) {
  std::string text, line = "  " + name;
  if (line.size() + 2 > left_width && !meaning.empty()) text += line + "\n", line.clear();
  line.resize(std::max(line.size(), left_width), ' ');
  std::istringstream words(meaning);
  for (std::string word; words >> word;) {
    if (line.size() + 1 + word.size() > width) text += line + "\n", line.assign(left_width, ' ');
    line += (line.size() > left_width ? " " : "") + word;
  }
  return text + line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
}

// "-o,--output FILE"
std::string words_of(const CLI::Option& o) {
  std::string names;
  for (const std::string& n : o.get_snames()) names += (names.empty() ? "-" : ",-") + n;
  for (const std::string& n : o.get_lnames()) names += (names.empty() ? "--" : ",--") + n;
  const std::string type = o.get_type_name();
  const std::string value = type.substr(0, type.find(':')); // behind it is what a check says
  const bool takes_value = o.get_expected_max() > 0 && !value.empty();
  return names + (takes_value ? " " + value : "");
}

std::string meaning_of(const CLI::Option& o) {
  const std::string usual = o.get_default_str();
  return o.get_description() + (usual.empty() ? "" : " (" + usual + " by default)");
}

// What is special to the command comes first.
int rank(const std::string& group) {
  return group == message_group ? 1 : group == build_group ? 2 : group == pass_group ? 3 : 0;
}

std::vector<std::string> groups_of(const CLI::App& app, Help which) {
  std::vector<std::string> groups;
  for (const CLI::Option* o : app.get_options()) {
    const std::string& group = o->get_group();
    const bool shared = group == build_group || group == pass_group;
    if (group.empty() || o->get_positional() || (shared && which == Help::own_options)) continue;
    if (std::find(groups.begin(), groups.end(), group) == groups.end()) groups.push_back(group);
  }
  std::stable_sort(groups.begin(), groups.end(), [](auto& a, auto& b) { return rank(a) < rank(b); });
  return groups;
}

std::string usage_line(const CLI::App& app, const std::vector<const CLI::Option*>& positionals) {
  std::string line = "Usage: dlcc";
  if (app.get_parent()) line += " " + app.get_name();
  for (const CLI::Option* o : positionals) line += " " + o->get_name(true);
  return line + (app.get_parent() ? " [OPTION...]\n" : " COMMAND [OPTION...]\n");
}
} // namespace

std::string help_text(const CLI::App& app, Help which) {
  const std::vector<const CLI::Option*> positionals =
      app.get_options([](const CLI::Option* o) { return o->get_positional(); });
  std::string text = usage_line(app, positionals) + app.get_description() + "\n";
  if (!app.get_footer().empty()) text += "\n" + app.get_footer() + "\n";
  if (!positionals.empty()) text += "\n";
  for (const CLI::Option* o : positionals) text += entry(o->get_name(true), o->get_description());
  const auto commands = app.get_subcommands(nullptr);
  if (!commands.empty()) text += "\nCommands:\n";
  for (const CLI::App* command : commands) text += entry(command->get_name(), command->get_description());
  for (const std::string& group : groups_of(app, which)) {
    text += "\n" + group + ":\n";
    for (const CLI::Option* o : app.get_options())
      if (o->get_group() == group && !o->get_positional()) text += entry(words_of(*o), meaning_of(*o));
  }
  return text;
}

void print_help(const CLI::App& app, Help which) {
  const auto named = app.get_subcommands();
  write_output("-", help_text(named.empty() ? app : *named[0], which));
}

} // namespace dlcc::tools

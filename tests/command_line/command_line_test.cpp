// Every option of every sub-command, found by walking them: none takes the model for its value, and each has its help.
#include "tools/cli/command_line.h"
#include "tools/cli/help.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <sstream>

namespace dlcc::tools {
namespace {

using Words = std::vector<std::string>;

Words operator+(Words a, const Words& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// What a command line says, without doing it: the options given and their values.
using Meaning = std::map<std::string, Words>;

struct Parsed {}; // thrown before the command does its work

std::optional<Meaning> meaning(const Words& words) {
  CommandLine line;
  for (CLI::App* command : line.app().get_subcommands(nullptr))
    command->parse_complete_callback([] { throw Parsed(); });
  try {
    line.run(words);
  } catch (const UserError&) {
    return std::nullopt;
  } catch (const Parsed&) {
    if (!line.app().remaining(true).empty()) return std::nullopt;
  }
  Meaning given;
  for (const CLI::Option* option : line.app().get_subcommands().at(0)->get_options())
    if (option->count() > 0) given[option->get_name()] = option->reduced_results();
  return given;
}

// A value that the option accepts, or none.
std::optional<std::string> some_value(const std::string& command, const std::string& option, const Words& others) {
  for (const char* value :
       {"svg", "csv", "1", "x=1", "simplify", "auto", "train", "stop", "planned", "0.5", "loss<1"}) {
    const std::string joined = option + (option.starts_with("--") ? "=" : "") + value;
    if (meaning(Words{command, joined} + others)) return value;
  }
  return std::nullopt;
}

std::string first_name(const CLI::Option& option) {
  return option.get_lnames().empty() ? "-" + option.get_snames().at(0) : "--" + option.get_lnames()[0];
}

// Words that the command cannot do without: a file for each of its arguments, and required options.
Words required_words(const CLI::App& command, const CLI::Option* but) {
  Words words;
  for (const CLI::Option* o : command.get_options())
    if (o->get_required() && o != but && !o->get_positional()) words.push_back(first_name(*o) + "=1");
  for (const CLI::Option* o : command.get_options())
    if (o->get_positional()) words.push_back("m.json");
  return words;
}

bool is_help(const CLI::App& command, const CLI::Option* option) {
  return option == command.get_help_ptr() || option == command.get_help_all_ptr();
}

TEST(CommandLines, AnOptionMeansTheSameBeforeAndBehindTheModel) {
  int options = 0;
  CommandLine line;
  for (const CLI::App* command : line.app().get_subcommands(nullptr))
    for (const CLI::Option* option : command->get_options()) {
      if (option->get_positional() || is_help(*command, option)) continue;
      const std::string name = first_name(*option), place = command->get_name() + " " + name;
      const Words files = required_words(*command, option), start = {command->get_name()};
      Words given = {name};
      if (option->get_expected_min() > 0) { // --resume may stand alone
        const auto value = some_value(command->get_name(), name, files);
        ASSERT_TRUE(value) << place << ": no value to try it with";
        given.push_back(*value);
        const std::string joined = name + (name.starts_with("--") ? "=" : "") + *value;
        EXPECT_EQ(meaning(start + Words{joined} + files), meaning(start + given + files)) << place;
      }
      const auto behind = meaning(start + files + given), before = meaning(start + given + files);
      ASSERT_TRUE(behind && before) << place;
      EXPECT_EQ(*before, *behind) << place;
      EXPECT_TRUE(before->contains(option->get_name())) << place;
      EXPECT_EQ(before->size(), files.size() + 1) << place << ": and nothing else";
      ++options;
    }
  EXPECT_GT(options, 150);
}

TEST(CommandLines, ListsAreRepeatedOrJoinedByCommas) {
  const std::optional<Meaning> expected = meaning({"train", "m.json", "--plot=svg,term"});
  EXPECT_EQ(meaning({"train", "--plot", "svg,term", "m.json"}), expected);
  EXPECT_EQ(meaning({"train", "--plot", "svg", "m.json", "--plot", "term"}), expected);
  EXPECT_EQ(expected->at("--plot"), (Words{"svg", "term"}));
}

TEST(CommandLines, ResumeTakesOnlyACheckpoint) {
  for (auto [word, value] : {std::pair{"best", "best"}, {"a.safetensors", "a.safetensors"}})
    EXPECT_EQ(meaning({"train", "--resume", word, "m.json"})->at("--resume"), Words{value});
  EXPECT_EQ(meaning({"train", "--resume", "m.json"})->at("--resume"), Words{"latest"});
  EXPECT_EQ(meaning({"train", "--resume=folder", "m.json"})->at("--resume"), Words{"folder"});
}

// As other compilers write them.
TEST(CommandLines, LongNamesBehindOneDash) {
  EXPECT_EQ(meaning({"-march=x86-64-v3", "m.json", "-o", "m.so"}),
            meaning({"--march=x86-64-v3", "m.json", "-o", "m.so"}));
  EXPECT_EQ(meaning({"m.json", "-march", "native"}), meaning({"m.json", "--march", "native"}));
  EXPECT_EQ(meaning({"train", "m.json", "-mcpu=native"}), meaning({"train", "m.json", "--march=native"}));
  EXPECT_EQ(meaning({"m.json", "-om.so"})->at("--output"), Words{"m.so"}); // a short option's value, not --om.so
  EXPECT_EQ(meaning({"check", "m.json", "-DN=8"})->at("-D"), Words{"N=8"});
}

std::string help(const std::string& command, Help which) {
  CommandLine line;
  return help_text(command.empty() ? line.app() : *line.app().get_subcommand(command), which);
}

Words lines(const std::string& text) {
  std::istringstream in(text);
  Words all;
  for (std::string line; std::getline(in, line);) all.push_back(line);
  return all;
}

TEST(Help, FitsEightyColumns) {
  Words names = {""};
  for (const Command& c : commands()) names.emplace_back(c.name);
  for (const std::string& name : names)
    for (Help which : {Help::own_options, Help::all_options})
      for (const std::string& line : lines(help(name, which))) {
        EXPECT_LE(line.size(), 80u) << name << ": " << line;
        EXPECT_TRUE(line.empty() || line.back() != ' ') << name << ": " << line;
      }
}

// Whether the help has an entry of this name.
bool lists(const std::string& help, const std::string& name) {
  return std::regex_search(help, std::regex("\n  (-\\S+,)*" + name + "[, \n]"));
}

TEST(Help, ShowsEveryOptionAndThoseOfTheCompilerWhenAskedFor) {
  CommandLine line;
  for (const CLI::App* command : line.app().get_subcommands(nullptr))
    for (const CLI::Option* option : command->get_options()) {
      const std::string group = option->get_group(), name = command->get_name();
      const std::string word = option->get_positional() ? option->get_name(true) : first_name(*option);
      EXPECT_TRUE(lists(help(name, Help::all_options), word)) << name << " " << word;
      EXPECT_EQ(lists(help(name, Help::own_options), word), group != build_group && group != pass_group)
          << name << " " << word;
      EXPECT_NE(option->get_description(), "") << name << " " << word;
    }
  EXPECT_FALSE(lists(help("train", Help::own_options), "--march"));
  EXPECT_TRUE(lists(help("build", Help::own_options), "--march"));
}

// The words of a line as a shell splits them; only what the examples need.
Words shell_words(const std::string& line) {
  const std::regex word(R"('([^']*)'|([^\s']+))");
  Words words;
  for (std::sregex_iterator i(line.begin(), line.end(), word), end; i != end; ++i)
    words.push_back((*i)[1].matched ? (*i)[1] : (*i)[2]);
  return words;
}

TEST(Help, StartsWithExamplesThatAreRight) {
  const std::regex separator(R"( (\||&&|>) )");
  for (const Command& c : commands()) {
    const std::string text = help(c.name, Help::own_options);
    const size_t at = text.find("\n\nExample");
    ASSERT_NE(at, std::string::npos) << c.name;
    EXPECT_LT(at, text.find("\n  -")) << c.name << ": before the options";
    int examples = 0;
    for (const std::string& line : lines(text)) {
      if (!line.starts_with("  dlcc ")) continue;
      ++examples;
      for (std::sregex_token_iterator part(line.begin(), line.end(), separator, -1), end; part != end; ++part) {
        Words words = shell_words(*part);
        if (words.at(0) != "dlcc") continue; // a file behind ">"
        words.erase(words.begin());
        EXPECT_TRUE(meaning(words)) << line;
      }
    }
    EXPECT_GT(examples, 0) << c.name;
  }
}

} // namespace
} // namespace dlcc::tools

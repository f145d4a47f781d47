// Every option of every sub-command changes what it should: the options are those that the program declares, so a new
// one without a row fails.
#include "tests/effects/bases.h"
#include "tests/effects/left_behind.h"
#include "tests/effects/option_rows.h"
#include "tools/cli/command_line.h"
#include "tools/cli/options.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <sstream>

namespace dlcc::effects {
namespace {

using cli_tests::Folder, cli_tests::Result;

Words operator+(Words a, const Words& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Json patched_model(const char* patch) {
  Json model = base_of(frontend::Group::train, "train", true).model;
  model.merge_patch(Json::parse(patch));
  return model;
}

// The files that training this model leaves in the folder "w".
const std::map<std::string, std::string>& trained(const Json& model) {
  static std::map<std::string, std::map<std::string, std::string>> runs;
  const auto [run, is_new] = runs.try_emplace(model.dump());
  if (is_new) {
    const Folder folder;
    write_data(folder);
    folder.write("m.json", model.dump());
    folder.run({"train", "m.json", "--quiet", "--out", "w", "--plot", "none"});
    for (const auto& [name, bytes] : folder.snapshot())
      if (name.starts_with("w/") && !name.ends_with("/")) run->second[name.substr(2)] = bytes;
  }
  return run->second;
}

// The words that a command needs besides those of the row.
Words words_of(const std::string& command, const Words& rest) {
  auto is_given = [&](const char* option) {
    return std::any_of(rest.begin(), rest.end(), [&](const std::string& w) { return w.starts_with(option); });
  };
  auto unless = [&](const char* option, Words words) { return is_given(option) ? Words{} : words; };
  Words words = {command};
  if (command == "inspect") return words + Words{"w"};
  if (command == "opt") return words + Words{"source.ir"};
  if (command == "new") return words + Words{"linear"};
  if (command == "ops" || command == "passes" || command == "schema") return words;
  words.push_back("m.json");
  if (command == "build")
    words = words + unless("--emit", unless("-S", unless("-c", unless("m.so", {"--emit", "planned"}))));
  if (command == "train") words = words + unless("--out", unless("--resume", {"--out", "run"}));
  if (command == "eval" || command == "predict") words = words + unless("--weights", {"--weights", "w"});
  if (command == "bench") words = words + unless("--steps", {"--steps", "1"}) + unless("--warmup", {"--warmup", "0"});
  return words;
}

void put(const Folder& folder, const std::string& name, const std::map<std::string, std::string>& files) {
  std::filesystem::create_directory(folder.path(name));
  for (const auto& [file, bytes] : files) folder.write(name + "/" + file, bytes);
}

/// One command line with what it needs in its folder, run.
std::string seen(const std::string& command, const OptionRow& row, const Words& rest) {
  const Json model = patched_model(row.model);
  const Words words = words_of(command, rest) + rest;
  auto names = [&](const std::string& name) {
    return std::any_of(words.begin(), words.end(),
                       [&](const std::string& w) { return w == name || w.ends_with("=" + name); });
  };
  const Folder folder;
  write_data(folder);
  folder.write("m.json", model.dump());
  if (names("w")) put(folder, "w", trained(model));
  if (names("other"))
    put(folder, "other",
        trained(patched_model(
            R"({ "layers": [ { "type": "Dense", "name": "p", "units": 1, "kernel_initializer": "zeros" } ] })")));
  if (names("larger"))
    put(folder, "larger",
        trained(patched_model(
            R"({ "layers": [ { "type": "Dense", "name": "h", "units": 2 }, { "type": "Dense", "name": "q", "units": 2 }, { "type": "Dense", "name": "p", "units": 1 } ], "nodes": [ { "op": "add", "inputs": ["x", "q"], "output": "unread" } ] })")));
  if (names("source.ir")) folder.write("source.ir", folder.run({"build", "m.json", "--emit", "source"}).out);
  cli_tests::RunOptions options;
  options.env = {{"LC_ALL", "C.UTF-8"}, {"OMP_DISPLAY_AFFINITY", "TRUE"}, {"OMP_AFFINITY_FORMAT", "team of %N"}};
  if (*row.limit) options.limits = {row.limit};
  const auto before = folder.snapshot();
  return seen_of(folder.run(words, options), folder, before);
}

// What a run takes is never the same.
std::string without_numbers(const std::string& text) { return std::regex_replace(text, std::regex("[0-9]+"), "#"); }

void check(const std::string& command, const OptionRow& row) {
  std::string with = seen(command, row, row.beside + row.with), without = seen(command, row, row.beside + row.instead);
  EXPECT_FALSE(with.starts_with("exit 2")) << with;
  const std::string both = "with:\n" + with + "\nwithout:\n" + without;
  if (row.shows.size() <= 1) {
    if (command == "bench" && row.shows == "=") with = without_numbers(with), without = without_numbers(without);
    EXPECT_EQ(with == without, row.shows == "=") << both;
    return;
  }
  const bool is_hidden = row.shows[0] == '!';
  const std::string shown = row.shows.substr(is_hidden);
  EXPECT_EQ(with.find(shown) != std::string::npos, !is_hidden) << "'" << row.shows << "' " << both;
  EXPECT_EQ(without.find(shown) != std::string::npos, is_hidden) << "'" << row.shows << "' " << both;
}

std::string first_name(const CLI::Option& option) {
  return option.get_lnames().empty() ? "-" + option.get_snames().at(0) : "--" + option.get_lnames()[0];
}

bool is_of(const OptionRow& row, const std::string& command, const CLI::Option& option) {
  std::istringstream words(row.commands);
  const Words names(std::istream_iterator<std::string>(words), {});
  return !option.get_positional() && row.option == first_name(option) &&
         (row.commands == "*" || std::count(names.begin(), names.end(), command) > 0);
}

// Those that only a failure of the compiler itself would show.
bool shows_in_failures_alone(const CLI::Option& option) {
  return first_name(option) == "--crash-reproducer" || first_name(option) == "--verify-each";
}

class Options : public testing::TestWithParam<std::string> {};

TEST_P(Options, HaveAnEffect) {
  const tools::CommandLine line;
  const CLI::App& command = *const_cast<tools::CommandLine&>(line).app().get_subcommand(GetParam());
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_positional() || option == command.get_help_ptr() || option == command.get_help_all_ptr()) continue;
    if (shows_in_failures_alone(*option)) continue;
    SCOPED_TRACE(command.get_name() + " " + first_name(*option));
    int rows = 0;
    for (const OptionRow& row : option_rows())
      if (is_of(row, command.get_name(), *option)) ++rows, check(command.get_name(), row);
    EXPECT_GT(rows, 0) << "no row says what this option changes";
  }
}

Words command_names() {
  Words names;
  for (const tools::Command& c : tools::commands()) names.emplace_back(c.name);
  return names;
}
INSTANTIATE_TEST_SUITE_P(Of, Options, testing::ValuesIn(command_names()), [](const auto& info) { return info.param; });

TEST(OptionRows, AreAllOfTheProgram) {
  tools::CommandLine line;
  for (const OptionRow& row : option_rows()) {
    int options = 0;
    for (const CLI::App* command : line.app().get_subcommands(nullptr))
      for (const CLI::Option* option : command->get_options()) options += is_of(row, command->get_name(), *option);
    EXPECT_GT(options, 0) << row.commands << " " << row.option;
  }
}

TEST(OptionRows, ReachThePassManager) {
  CLI::App app;
  tools::BuildOptions build;
  build.declare(app);
  app.parse("m.json --crash-reproducer failed.ir --no-verify-each");
  EXPECT_EQ(build.compile.passes.reproducer, "failed.ir");
  EXPECT_FALSE(build.compile.passes.verify_each);
  app.parse("m.json --verify-each");
  EXPECT_TRUE(build.compile.passes.verify_each);
}

} // namespace
} // namespace dlcc::effects

// The outputs that documents quote: each stands behind a comment with the command that prints it, and is what it
// prints.
#include "tests/cli/program.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace dlcc::cli_tests {
namespace {

namespace fs = std::filesystem;

const fs::path root = DLCC_SOURCE_DIR;

std::string read_text(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<fs::path> documents() {
  std::vector<fs::path> found;
  for (auto i = fs::recursive_directory_iterator(root); i != fs::recursive_directory_iterator(); ++i) {
    const std::string name = i->path().filename().string();
    if (i->is_directory() && (name == "build" || name.starts_with("."))) i.disable_recursion_pending();
    if (i->path().extension() == ".md") found.push_back(i->path());
  }
  return found;
}

// What a shell prints for the command, started in the root of the repository, with this dlcc as "dlcc".
std::string output_of(const std::string& command) {
  const std::string folder = fs::path(DLCC_PROGRAM).parent_path().string();
  const std::string line = "cd '" + root.string() + "' && PATH='" + folder + "':\"$PATH\" && " + command;
  FILE* pipe = popen(line.c_str(), "r");
  std::string text;
  std::array<char, 4096> part;
  while (const size_t n = fread(part.data(), 1, part.size(), pipe)) text.append(part.data(), n);
  pclose(pipe);
  return text;
}

/// A document, with each quoted output replaced by what its command prints now.
struct Refreshed {
  std::string text;
  int quoted = 0;
};

Refreshed refreshed(const std::string& document) {
  const std::string opening = "<!-- $ ", closing = " -->", fence = "```";
  Refreshed fresh;
  std::istringstream in(document);
  std::string command;
  for (std::string line; std::getline(in, line);) {
    fresh.text += line + "\n";
    if (line.starts_with(opening) && line.ends_with(closing)) {
      command = line.substr(opening.size(), line.size() - opening.size() - closing.size());
    } else if (line.starts_with(fence) && !command.empty()) {
      while (std::getline(in, line) && line != fence) {
      }
      fresh.text += output_of(command) + fence + "\n";
      command.clear();
      ++fresh.quoted;
    } else if (!line.empty()) {
      EXPECT_EQ(command, "") << "no block follows the command";
    }
  }
  return fresh;
}

TEST(Documents, QuotedOutputsAreWhatTheirCommandsPrint) {
  int quoted = 0;
  for (const fs::path& path : documents()) {
    const std::string text = read_text(path);
    const Refreshed fresh = refreshed(text);
    quoted += fresh.quoted;
    if (std::getenv("DLCC_BLESS")) std::ofstream(path, std::ios::binary) << fresh.text;
    EXPECT_EQ(read_text(path), fresh.text) << path << " is out of date; run this test with DLCC_BLESS=1";
  }
  EXPECT_GE(quoted, 10);
}

// A block without a language shows what the program prints.
TEST(Documents, NothingIsQuotedWithoutItsCommand) {
  for (const char* name : {"README.md", "docs/reading-the-ir.md"}) {
    std::istringstream in(read_text(root / name));
    bool inside = false;
    std::string before;
    for (std::string line; std::getline(in, line);) {
      if (line == "```" && !inside) {
        EXPECT_TRUE(before.starts_with("<!-- $ ")) << name << ": behind '" << before << "'";
      }
      if (line.starts_with("```")) inside = !inside;
      if (!line.empty()) before = line;
    }
  }
}

} // namespace
} // namespace dlcc::cli_tests

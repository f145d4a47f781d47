// Small files, a README in every folder, nobody's machine in the text, links that lead somewhere, fresh references.
#include "frontend/table/json_schema.h"
#include "passes/pipeline.h"
#include "tests/lint/source_tree.h"

#include <algorithm>
#include <cstdlib>
#include <gtest/gtest.h>
#include <regex>
#include <set>

namespace dlcc::testing {
namespace {

TEST(Tree, NoSourceIsLongerThan600Lines) {
  auto sources = source_files([](const fs::path& p) { return is_cpp(p) || p.extension() == ".py"; });
  EXPECT_GT(sources.size(), 200u);
  for (const fs::path& path : sources) {
    int lines = 0;
    each_line(path, [&](int number, const std::string&) { lines = number; });
    EXPECT_LE(lines, 600) << path.string();
  }
}

// The programs of tests/ share one README.
TEST(Tree, EveryFolderOfSourcesHasAReadme) {
  std::set<fs::path> folders;
  for (fs::path path : source_files(is_cpp))
    for (path = path.parent_path(); !path.empty(); path = path.parent_path())
      if (path.parent_path() != "tests") folders.insert(path);
  EXPECT_GT(folders.size(), 10u);
  for (const fs::path& folder : folders) EXPECT_TRUE(fs::exists(source_dir / folder / "README.md")) << folder.string();
}

// Each function of a C header that takes a pointer is called without it in the test of that name.
void expect_called_with_null(const char* header, const char* file, const std::string& test) {
  const std::string text = read_text(source_dir / header), tests = read_text(source_dir / file);
  const size_t begin = tests.find(test), end = tests.find("\n}\n", begin);
  ASSERT_NE(begin, std::string::npos) << test;
  const std::string body = tests.substr(begin, end - begin);
  const std::regex declaration(R"(DLCC_API[^;(]*?\b(dlcc_\w+)\(([^;]*)\);)");
  int count = 0;
  for (std::sregex_iterator at(text.begin(), text.end(), declaration), last; at != last; ++at, ++count)
    EXPECT_TRUE((*at)[2].str().find('*') == std::string::npos || body.find((*at)[1].str()) != std::string::npos)
        << (*at)[1] << " is not called in " << test;
  EXPECT_GT(count, 2) << header;
}

TEST(Tree, EveryFunctionOfTheCInterfaceIsCalledWithNullPointers) {
  expect_called_with_null("runtime/core/dlcc_runtime.h", "tests/runtime/misuse_test.cpp",
                          "NullPointersAreArgumentErrors");
  expect_called_with_null("tools/library/compiler.h", "tests/library/library_test.cpp",
                          "NullPointersAreArgumentErrors");
}

TEST(Tree, NoTextNamesAPlaceOnSomebodysMachine) {
  // Written so that this file does not match.
  const std::regex place(R"((^|[\s"'`(=:])(/(home|Users|root|work|mnt)/\w|\.\./shared\b))");
  EXPECT_TRUE(std::regex_search("see /home"
                                "/me",
                                place));
  for (const fs::path& path : source_files(is_text))
    each_line(path, [&](int number, const std::string& line) {
      EXPECT_FALSE(std::regex_search(line, place)) << path.string() << ":" << number << ": " << line;
    });
}

TEST(Tree, RelativeLinksLeadSomewhere) {
  const std::regex link(R"(\]\(([^)#\s]+)[^)]*\))");
  int seen = 0;
  for (const fs::path& path : source_files([](const fs::path& p) { return p.extension() == ".md"; }))
    each_line(path, [&](int number, const std::string& line) {
      for (std::sregex_iterator i(line.begin(), line.end(), link), end; i != end; ++i) {
        const std::string target = (*i)[1];
        if (target.find("://") != std::string::npos) continue;
        ++seen;
        EXPECT_TRUE(fs::exists(source_dir / path.parent_path() / target))
            << path.string() << ":" << number << ": " << target;
      }
    });
  EXPECT_GT(seen, 5);
}

void expect_fresh(const char* path, const std::string& text) {
  if (std::getenv("DLCC_BLESS")) std::ofstream(source_dir / path) << text;
  EXPECT_EQ(read_text(source_dir / path), text) << path << " is out of date; run this test with DLCC_BLESS=1";
}

TEST(Tree, ReferenceOfPassesIsFresh) { expect_fresh("passes/PASSES.md", passes::print_passes_reference()); }
TEST(Tree, ReferenceOfModelKeysIsFresh) { expect_fresh("docs/model-keys.md", frontend::key_reference()); }

} // namespace
} // namespace dlcc::testing

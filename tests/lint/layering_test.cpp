// Every #include against the picture of the boxes in docs/architecture.md.
#include "tests/lint/source_tree.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <regex>

namespace dlcc::testing {
namespace {

/// A box, or a folder in it, and everything of ours that it may include besides itself: folders, or single headers. The
/// first row that holds a file counts.
struct Box {
  const char* folder;
  std::vector<std::string> may_include;
};
const std::vector<Box> boxes = {
    {"ir/base", {}},
    {"ir/graph", {"ir/base"}},
    {"ir/loops", {"ir/base"}},
    {"ir/ops", {"ir/graph", "ir/loops", "ir/base"}},
    {"frontend/document", {"ir/base"}},
    {"frontend/table", {"frontend/document", "ir"}},
    {"frontend/read",
     {"frontend/document", "frontend/table", "frontend/network/layers/layer_graph.h", "ir", "runtime/data/spec.h"}},
    {"frontend/network", {"frontend/document", "frontend/table", "frontend/read", "ir"}},
    {"frontend/objective",
     {"frontend/document", "frontend/table", "frontend/read", "frontend/network", "ir", "frontend/build/functions.h"}},
    {"frontend", {"ir", "runtime/data/spec.h"}},
    {"passes", {"ir"}},
    {"codegen/math", {}},
    {"codegen/kernel", {"codegen/math", "codegen/microkernels", "codegen/layout.h", "ir/loops", "ir/base"}},
    {"codegen/microkernels", {"codegen/kernel", "codegen/layout.h", "ir/loops", "ir/base"}},
    {"codegen/link", {"codegen/code_unit.h", "codegen/target.h", "ir/base", "runtime/abi.h"}},
    {"codegen", {"ir/loops", "ir/base", "runtime/abi.h"}},
    {"runtime/abi.h", {}},
    {"runtime/core", {"runtime/abi.h"}},
    {"runtime/data", {"runtime/core"}},
    {"tools", {"ir", "frontend", "passes", "codegen", "runtime"}},
};

/// Libraries that only some boxes may know, by what their headers begin with.
const std::map<std::string, std::vector<std::string>> libraries = {
    {"llvm/", {"codegen"}},       {"llvm-c/", {"codegen"}},
    {"lld/", {"codegen"}},        {"nlohmann/", {"frontend", "tools"}},
    {"zlib.h", {"runtime/data"}}, {"zip.h", {"runtime/data"}},
    {"CLI/", {"tools"}},          {"omp.h", {}},
    {"png.h", {"runtime/data"}},  {"jpeglib.h", {"runtime/data"}}};

bool inside(const std::string& path, const std::string& folder) {
  return path == folder || path.starts_with(folder + "/");
}

const Box* box_of(const std::string& path) {
  for (const Box& box : boxes)
    if (inside(path, box.folder)) return &box;
  return nullptr;
}

bool is_box_file(const fs::path& path) {
  const std::string top = path.begin()->string();
  return is_cpp(path) && (top == "ir" || top == "frontend" || top == "passes" || top == "codegen" || top == "runtime" ||
                          top == "tools");
}

/// What is wrong with an include, or nothing.
std::string objection(const Box& box, const std::string& header, bool ours) {
  auto known = [&](const std::string& folder) { return inside(header, folder); };
  if (!ours) {
    for (auto& [prefix, users] : libraries)
      if (header.starts_with(prefix) &&
          std::none_of(users.begin(), users.end(), [&](const std::string& user) { return inside(box.folder, user); }))
        return "this library belongs to other boxes";
    return "";
  }
  if (known(box.folder) || std::any_of(box.may_include.begin(), box.may_include.end(), known)) return "";
  return box_of(header) ? "not below this box" : "not a path from the root of the repository";
}

TEST(Layering, EveryIncludeFollowsThePictureOfTheBoxes) {
  const std::regex include(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"])");
  int seen = 0;
  for (const fs::path& path : source_files(is_box_file)) {
    const Box* box = box_of(path.string());
    ASSERT_TRUE(box) << path << " is in no box";
    each_line(path, [&](int number, const std::string& line) {
      std::smatch match;
      if (!std::regex_search(line, match, include)) return;
      ++seen;
      EXPECT_EQ(objection(*box, match[2], match[1] == "\""), "") << path.string() << ":" << number << ": " << line;
    });
  }
  EXPECT_GT(seen, 500); // the test has not lost sight of the sources
}

// Some standard libraries bring these names with other headers; others do not.
TEST(Includes, AlgorithmsComeFromTheirHeader) {
  const std::regex use(
      "std::(any_of|all_of|none_of|find|find_if|sort|stable_sort|count|count_if|copy|copy_n|fill|fill_n|"
      "transform|equal|lower_bound|upper_bound|max_element|min_element|clamp|reverse|unique|remove_if|"
      "replace|rotate|search|mismatch|partition|nth_element|adjacent_find|binary_search|for_each|min|"
      "max|minmax)\\(");
  int seen = 0;
  for (const fs::path& path : source_files([](const fs::path& p) { return is_cpp(p); })) {
    bool included = false;
    std::string used;
    each_line(path, [&](int number, const std::string& line) {
      std::smatch match;
      if (line == "#include <algorithm>") included = true;
      if (used.empty() && std::regex_search(line, match, use))
        used = match.str() + " in line " + std::to_string(number);
    });
    seen += !used.empty();
    EXPECT_TRUE(used.empty() || included) << path.string() << ": " << used << ") without <algorithm>";
  }
  EXPECT_GT(seen, 100);
}

TEST(Layering, RefusesWhatThePictureForbids) {
  const Box& link = *box_of("codegen/link/jit.cpp");
  EXPECT_EQ(objection(link, "codegen/target.h", true), "");
  EXPECT_EQ(objection(link, "llvm/IR/Module.h", false), "");
  EXPECT_NE(objection(link, "codegen/kernel/kernel_emitter.h", true), "");
  const Box& codegen = *box_of("codegen/module/entry.cpp");
  EXPECT_EQ(objection(codegen, "ir/loops/program.h", true), "");
  EXPECT_NE(objection(codegen, "ir/graph/graph.h", true), "");
  EXPECT_NE(objection(codegen, "jit.h", true), "");
  EXPECT_NE(objection(*box_of("passes/pass.h"), "frontend/table/schema.h", true), "");
  EXPECT_NE(objection(*box_of("passes/pass.h"), "llvm/IR/Module.h", false), "");
  EXPECT_NE(objection(*box_of("frontend/build/data.cpp"), "runtime/data/idx.h", true), "");
}

} // namespace
} // namespace dlcc::testing

// The commands that examples/embed/README.md tells: they build, link and run as they stand there.
#include "tests/cli/program.h"

#include <gtest/gtest.h>

#include <fstream>

namespace dlcc::cli_tests {
namespace {

namespace fs = std::filesystem;

// The indented lines of a document: commands for a shell. Training on MNIST is left to tools/quickstart.
std::string commands_in(const fs::path& document) {
  std::ifstream in(document);
  std::string commands;
  for (std::string line; std::getline(in, line);) {
    const bool trains_mnist = line.starts_with("    mkdir -p mnist") || line.starts_with("    ./train_mnist");
    if (line.starts_with("    ") && !trains_mnist) commands += line.substr(4) + "\n";
  }
  return commands;
}

TEST(Embedding, TheCommandsOfTheReadmeWork) {
  if (sanitized) GTEST_SKIP() << "the libraries then need the sanitizer of the program";
  Folder folder;
  fs::create_directory_symlink(fs::path(DLCC_SOURCE_DIR) / "examples", folder.path("examples"));
  fs::create_directory(folder.path("build"));
  fs::create_directory_symlink(DLCC_BUILD_DIR, folder.path("build/quickstart"));
  folder.write("commands", "PATH=$PWD/build/quickstart/bin:$PATH\n" +
                               commands_in(fs::path(DLCC_SOURCE_DIR) / "examples/embed/README.md"));
  const std::string run = "cd '" + folder.path().string() + "' && sh -eu commands >out 2>err";
  EXPECT_EQ(std::system(run.c_str()), 0) << folder.read("err");
  const std::string out = folder.read("out");
  EXPECT_NE(out.find("y = 2.00 a -3.00 b +1.00, loss "), std::string::npos) << out; // compile_here
  EXPECT_NE(out.find("step 100: loss "), std::string::npos) << out;                 // static_use
  EXPECT_TRUE(folder.has("train_mnist_static"));
}

} // namespace
} // namespace dlcc::cli_tests

// Texts that tests expect, in files beside them; DLCC_BLESS=1 writes them anew, to be read before they are committed.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace dlcc::testing {

inline std::string read_file(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

/// All .txt files of a folder of tests/passes, sorted.
inline std::vector<std::filesystem::path> texts_in(const std::string& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(DLCC_SOURCE_DIR) + "/tests/passes/" + folder))
    if (entry.path().extension() == ".txt") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

inline void expect_golden(const std::filesystem::path& file, const std::string& text) {
  if (std::getenv("DLCC_BLESS")) {
    std::ofstream(file) << text;
    return;
  }
  EXPECT_EQ(text, read_file(file)) << "if this is what it should be: DLCC_BLESS=1";
}

} // namespace dlcc::testing

// The files of this repository as the lint tests see them; what is built or hidden is left out.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

namespace dlcc::testing {

namespace fs = std::filesystem;

inline const fs::path source_dir = DLCC_SOURCE_DIR;

inline std::string read_text(const fs::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

/// Build folders, runs and anything hidden, by the names of .gitignore; .ci is part of the project.
inline bool is_ignored(const fs::path& path) {
  const std::string name = path.filename();
  return name.starts_with("build") ? fs::is_directory(path)
                                   : name == "runs" || (name.starts_with('.') && name != ".ci");
}

/// Paths from the root, sorted.
inline std::vector<fs::path> source_files(const std::function<bool(const fs::path&)>& wanted) {
  std::vector<fs::path> files;
  for (auto i = fs::recursive_directory_iterator(source_dir); i != fs::recursive_directory_iterator(); ++i) {
    if (is_ignored(i->path())) {
      i.disable_recursion_pending();
      continue;
    }
    fs::path path = fs::relative(i->path(), source_dir);
    if (i->is_regular_file() && wanted(path)) files.push_back(path);
  }
  std::sort(files.begin(), files.end());
  return files;
}

inline bool is_cpp(const fs::path& path) {
  const fs::path e = path.extension();
  return e == ".cpp" || e == ".h" || e == ".hpp" || e == ".c" || e == ".def";
}

inline bool is_text(const fs::path& path) { return path.extension() != ".gz" && path.extension() != ".so"; }

/// f(number from 1, line without its end).
template <class F> void each_line(const fs::path& path, F f) {
  std::ifstream file(source_dir / path);
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) f(number, line);
}

} // namespace dlcc::testing

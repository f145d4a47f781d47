#include "tools/driver/available_memory.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

namespace dlcc::tools {

namespace {
// A value of a file with a name and a number a line, such as "MemAvailable: 123 kB"; `otherwise` if it has none.
int64_t value_in(const std::string& file, const std::string& name, int64_t otherwise) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string first;
    int64_t value = 0;
    if (words >> first >> value && first == name) return value;
  }
  return otherwise;
}

// Where a version of control groups is, and what its files are called.
struct Controller {
  const char *root, *limit, *used, *cache;
};
constexpr Controller version_2{"/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"};
constexpr Controller version_1{"/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
                               "total_inactive_file"};

// What a group and those above it leave. Files in the cache count as used, but make room when asked.
int64_t left_by(const Controller& c, std::string group) {
  int64_t left = INT64_MAX;
  while (true) {
    const std::string folder = c.root + group + "/";
    int64_t limit = 0, used = 0;
    if (std::ifstream(folder + c.limit) >> limit && std::ifstream(folder + c.used) >> used)
      left = std::min(left, std::max<int64_t>(0, limit - used + value_in(folder + "memory.stat", c.cache, 0)));
    if (group.empty()) return left;
    group.erase(group.rfind('/'));
  }
}

// Lines are "0::/GROUP" of version 2 and "4:memory:/GROUP" of version 1.
int64_t left_by_control_groups() {
  int64_t left = INT64_MAX;
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const size_t name = line.find(':') + 1, path = line.find('/', name);
    if (path == std::string::npos) continue;
    const std::string controller = line.substr(name, path - name);
    if (controller == ":") left = std::min(left, left_by(version_2, line.substr(path)));
    if (controller == "memory:") left = std::min(left, left_by(version_1, line.substr(path)));
  }
  return left;
}
} // namespace

int64_t available_memory() {
  const int64_t kib = value_in("/proc/meminfo", "MemAvailable:", INT64_MAX / 1024);
  return std::min(kib * 1024, left_by_control_groups());
}

} // namespace dlcc::tools

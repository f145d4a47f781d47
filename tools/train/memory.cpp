#include "tools/train/train.h"

#include <cstdio>
#include <sys/resource.h>
#include <unistd.h>

namespace dlcc::training {

int64_t resident_mib() {
  long long total = 0, resident = 0;
  if (FILE* f = std::fopen("/proc/self/statm", "re")) {
    if (std::fscanf(f, "%lld %lld", &total, &resident) != 2) resident = 0;
    std::fclose(f);
  }
  return resident * sysconf(_SC_PAGESIZE) / (1 << 20);
}

int64_t peak_resident_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

} // namespace dlcc::training

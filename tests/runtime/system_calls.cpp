#include "tests/runtime/system_calls.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <map>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>

namespace dlcc::test {

namespace {

SystemCalls* active = nullptr;

std::string name_of(int fd) {
  char path[PATH_MAX];
  const ssize_t n = readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), path, sizeof path);
  const std::string text(path, n < 0 ? 0 : static_cast<size_t>(n));
  return text.substr(text.rfind('/') + 1);
}

void record(SystemCall::Kind kind, std::string name, uint64_t bytes = 0) {
  if (active) active->calls.push_back({kind, std::move(name), bytes});
}

} // namespace

SystemCalls::SystemCalls() { active = this; }
SystemCalls::~SystemCalls() { active = nullptr; }

uint64_t SystemCalls::unsynced(const std::string& begin, size_t end) const {
  std::map<std::string, uint64_t> open;
  for (size_t i = 0; i < end; ++i) {
    if (calls[i].kind == SystemCall::Kind::write) open[calls[i].name] += calls[i].bytes;
    if (calls[i].kind == SystemCall::Kind::fsync) open[calls[i].name] = 0;
  }
  uint64_t bytes = 0;
  for (const auto& [name, n] : open) bytes += name.starts_with(begin) ? n : 0;
  return bytes;
}

int SystemCalls::count(SystemCall::Kind kind) const {
  return static_cast<int>(std::count_if(calls.begin(), calls.end(), [&](auto& c) { return c.kind == kind; }));
}

extern "C" int fsync(int fd) {
  record(SystemCall::Kind::fsync, name_of(fd));
  if (!active || active->failing_fsync == 0 || --active->failing_fsync > 0) return 0;
  errno = EIO;
  return -1;
}

extern "C" ssize_t write(int fd, const void* data, size_t bytes) {
  const long n = syscall(SYS_write, fd, data, bytes);
  if (active && n > 0) record(SystemCall::Kind::write, name_of(fd), static_cast<uint64_t>(n));
  return n;
}

extern "C" ssize_t pread(int fd, void* to, size_t bytes, off_t offset) {
  const long n = syscall(SYS_pread64, fd, to, bytes, offset);
  if (!active || n <= 0) return n;
  record(SystemCall::Kind::read, name_of(fd), static_cast<uint64_t>(n));
  if (std::exchange(active->flip_next_read, false)) static_cast<char*>(to)[n / 2] ^= 1;
  return n;
}

extern "C" int renameat(int from_folder, const char* from, int to_folder, const char* to) noexcept {
  const long status = syscall(SYS_renameat, from_folder, from, to_folder, to);
  if (status == 0) record(SystemCall::Kind::rename, to);
  return static_cast<int>(status);
}

} // namespace dlcc::test

#include "runtime/core/atomic_file.h"

#include <atomic>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/core/error.h"

namespace dlcc::runtime {

void split_path(const std::string& path, std::string* folder, std::string* name) {
  size_t slash = path.rfind('/');
  *name = slash == std::string::npos ? path : path.substr(slash + 1);
  *folder = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

bool same_file(const std::string& a, const std::string& b) {
  struct stat one, other;
  return stat(a.c_str(), &one) == 0 && stat(b.c_str(), &other) == 0 && one.st_dev == other.st_dev &&
         one.st_ino == other.st_ino;
}

static int open_temporary(int folder, const std::string& name, unsigned mode, std::string* temporary) {
  static std::atomic<unsigned> counter{0};
  for (int attempt = 0; attempt < 100; ++attempt) {
    *temporary = "." + name + ".tmp." + std::to_string(getpid()) + "." + std::to_string(counter++);
    int fd = openat(folder, temporary->c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd >= 0 || errno != EEXIST) return fd;
  }
  return -1;
}

// The file that is to be replaced: where `path` leads if it is a symbolic link. Devices, pipes and folders are refused.
static std::string replaceable(const std::string& path) {
  struct stat target, own;
  if (stat(path.c_str(), &target) == 0 && !S_ISREG(target.st_mode))
    fail(DLCC_E_IO, "cannot write '%s': it is not a regular file", escape(path).c_str());
  if (lstat(path.c_str(), &own) != 0 || !S_ISLNK(own.st_mode)) return path;
  char resolved[PATH_MAX];
  if (!realpath(path.c_str(), resolved)) fail_errno("cannot follow the link", path, errno);
  return resolved;
}

AtomicFile::AtomicFile(const std::string& path, uint64_t reserve, unsigned mode) : path_(path), reserved_(reserve) {
  std::string folder;
  split_path(replaceable(path), &folder, &name_);
  if (name_.empty() || path.find('\0') != std::string::npos)
    fail(DLCC_E_IO, "cannot write '%s': not a file name", escape(path).c_str());
  folder_ = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder_ < 0) fail_errno("cannot open the folder of", path, errno);
  fd_ = open_temporary(folder_, name_, mode, &temporary_);
  if (fd_ < 0) {
    int error = errno;
    discard();
    fail_errno("cannot create a temporary file for", path, error);
  }
  if (reserve == 0) return;
  int error;
  do error = posix_fallocate(fd_, 0, static_cast<off_t>(reserve));
  while (error == EINTR);
  // File systems that cannot reserve say so; the writes will tell whether there is room.
  if (error != 0 && error != EOPNOTSUPP && error != EINVAL) {
    discard();
    fail_errno("cannot reserve space for", path, error);
  }
}

AtomicFile::~AtomicFile() { discard(); }

void AtomicFile::discard() noexcept {
  if (fd_ >= 0) close(fd_);
  if (fd_ >= 0 && !renamed_) unlinkat(folder_, temporary_.c_str(), 0);
  if (folder_ >= 0) close(folder_);
  fd_ = folder_ = -1;
}

void AtomicFile::write(const void* data, size_t bytes) {
  auto p = static_cast<const char*>(data);
  while (bytes > 0) {
    ssize_t n = ::write(fd_, p, bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_errno("cannot write", path_, errno);
    p += n, bytes -= static_cast<size_t>(n), written_ += static_cast<uint64_t>(n);
  }
}

void AtomicFile::sync() {
  if (written_ < reserved_ && ftruncate(fd_, static_cast<off_t>(written_)) != 0)
    fail_errno("cannot set the length of", path_, errno);
  if (fsync(fd_) != 0) fail_errno("cannot fsync", path_, errno);
}

void AtomicFile::commit() {
  sync();
  if (renameat(folder_, temporary_.c_str(), folder_, name_.c_str()) != 0) fail_errno("cannot rename to", path_, errno);
  renamed_ = true;
  // Some file systems cannot sync a folder (EINVAL); there the rename is as durable as it gets.
  if (fsync(folder_) != 0 && errno != EINVAL) fail_errno("cannot fsync the folder of", path_, errno);
}

// .<name>.tmp.<pid>.<n>
bool is_temporary_name(const std::string& name, int64_t* pid) {
  if (name.size() < 2 || name[0] != '.') return false;
  size_t at = name.rfind(".tmp.");
  if (at == std::string::npos || at < 2) return false;
  const char* end = name.data() + name.size();
  int64_t number = 0;
  auto [dot, error] = std::from_chars(name.data() + at + 5, end, *pid);
  if (error != std::errc() || *pid <= 0 || dot == end || *dot != '.') return false;
  auto [stop, error2] = std::from_chars(dot + 1, end, number);
  return error2 == std::errc() && stop == end && number >= 0;
}

} // namespace dlcc::runtime

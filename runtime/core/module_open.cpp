// Loading a compiled step from disk: every check that needs no code of it comes before dlopen.
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <memory>
#include <string>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <vector>

#include "runtime/core/artefact.h"
#include "runtime/core/atomic_file.h"
#include "runtime/core/error.h"
#include "runtime/core/module.h"

namespace dlcc::runtime {

namespace {

constexpr off_t max_artefact_bytes = off_t{2} << 30;

class Descriptor {
public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }

private:
  int fd_;
};

// dlopen searches the library path for a name without '/'; an absolute path is what the caller means.
std::string absolute_path(const char* path) {
  if (path[0] == '/') return path;
  std::unique_ptr<char, decltype(&std::free)> folder(getcwd(nullptr, 0), &std::free);
  if (!folder) fail_errno("cannot find the current folder for", path, errno);
  return std::string(folder.get()) + "/" + path;
}

// Code runs with this user's rights as soon as it is loaded, so nobody else may be able to put it there.
void check_trust(const std::string& path, const struct stat& file) {
  const char* trust = secure_getenv("DLCC_TRUST_ANY");
  if (trust && std::strcmp(trust, "1") == 0) return;
  const std::string name = escape(path);
  const char* hint = "(DLCC_TRUST_ANY=1 loads it anyway)";
  if (file.st_uid != geteuid() && file.st_uid != 0)
    fail(DLCC_E_TRUST, "'%s' belongs to user %u, refused %s", name.c_str(), file.st_uid, hint);
  if (file.st_mode & S_IWOTH) fail(DLCC_E_TRUST, "'%s' is world-writable, refused %s", name.c_str(), hint);
  std::string folder, last;
  split_path(path, &folder, &last);
  struct stat parent;
  if (stat(folder.c_str(), &parent) != 0) fail_errno("cannot examine the folder of", path, errno);
  // In a sticky folder such as /tmp others cannot replace the file.
  if ((parent.st_mode & S_IWOTH) && !(parent.st_mode & S_ISVTX))
    fail(DLCC_E_TRUST, "the folder of '%s' is world-writable, refused %s", name.c_str(), hint);
}

std::vector<char> read_artefact(const std::string& path) {
  Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.get() < 0) fail_errno("cannot open", path, errno);
  struct stat st;
  if (fstat(file.get(), &st) != 0) fail_errno("cannot examine", path, errno);
  if (S_ISDIR(st.st_mode)) fail(DLCC_E_IO, "'%s' is a directory, expected a compiled step", escape(path).c_str());
  if (!S_ISREG(st.st_mode)) fail(DLCC_E_IO, "'%s' is not a regular file", escape(path).c_str());
  check_trust(path, st);
  struct statvfs system;
  if (fstatvfs(file.get(), &system) == 0 && (system.f_flag & ST_NOEXEC))
    fail(DLCC_E_CORRUPT, "cannot load '%s': its file system is mounted noexec: %s", escape(path).c_str(),
         std::strerror(EPERM));
  if (st.st_size > max_artefact_bytes) fail(DLCC_E_CORRUPT, "'%s': corrupt: larger than 2 GiB", escape(path).c_str());
  std::vector<char> bytes(static_cast<size_t>(st.st_size));
  size_t filled = 0;
  while (filled < bytes.size()) {
    ssize_t n = read(file.get(), bytes.data() + filled, bytes.size() - filled);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_errno("cannot read", path, errno);
    if (n == 0) break;
    filled += static_cast<size_t>(n);
  }
  bytes.resize(filled);
  return bytes;
}

// An anonymous file with the verified image: what is mapped is what was verified, and later changes of the file on disk
// cannot reach it. Returns -1 where the kernel or its policy has no such files.
int private_copy(const char* image, size_t bytes) {
  constexpr unsigned executable = 0x10; // MFD_EXEC, unknown to kernels before 6.3
  int fd = memfd_create("dlcc-step", MFD_CLOEXEC | MFD_ALLOW_SEALING | executable);
  if (fd < 0 && errno == EINVAL) fd = memfd_create("dlcc-step", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) return -1;
  for (size_t done = 0; done < bytes;) {
    ssize_t n = write(fd, image + done, bytes - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      int error = errno;
      close(fd);
      // There it is memory that has no space left.
      fail(error == ENOSPC ? DLCC_E_NOMEM : status_of_errno(error), "cannot copy a compiled step: %s",
           std::strerror(error));
    }
    done += static_cast<size_t>(n);
  }
  fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
  return fd;
}

std::string dlerror_text() {
  const char* text = dlerror();
  return text ? text : "unknown reason";
}

bool is_about_openmp(const std::string& reason) {
  return reason.find("GOMP_") != std::string::npos || reason.find("libgomp.so") != std::string::npos;
}

// A name of the descriptor that no load has had before: dlopen would return what it once loaded under the same name,
// and descriptors are reused. A counter is spelled in "./" and ".//", which mean nothing in a path.
std::string unique_name(int fd) {
  static std::atomic<uint32_t> counter{0};
  std::string name = "/proc/self/fd/";
  for (uint32_t n = counter++; n != 0; n >>= 1) name += n & 1 ? "./" : ".//";
  return name + std::to_string(fd);
}

// What the system has against the file's code in memory, as errno; 0: nothing. The loader's own text leaves it out.
int refusal(const std::string& name) {
  Descriptor file(open(name.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return errno;
  void* code = mmap(nullptr, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE, file.get(), 0);
  if (code == MAP_FAILED) return errno;
  munmap(code, 1);
  return 0;
}

[[noreturn]] void fail_load(const std::string& path, const std::string& name, const std::string& reason) {
  const std::string shown = escape(path), why = escape(reason);
  if (int error = refusal(name)) {
    const bool lacking = status_of_errno(error) == DLCC_E_NOMEM;
    fail(lacking ? DLCC_E_NOMEM : DLCC_E_CORRUPT, "cannot load '%s': %s", shown.c_str(), std::strerror(error));
  }
  if (is_about_openmp(reason))
    fail(DLCC_E_CPU, "cannot load '%s': it needs an OpenMP runtime, libgomp.so.1 or libomp.so.5: %s", shown.c_str(),
         why.c_str());
  fail(DLCC_E_CORRUPT, "cannot load '%s': %s", shown.c_str(), why.c_str());
}

void* load_image(const std::string& path, const std::vector<char>& file, size_t image) {
  Descriptor copy(private_copy(file.data(), image));
  std::string name = copy.get() >= 0 ? unique_name(copy.get()) : path;
  if (access(name.c_str(), R_OK) != 0) name = path; // no /proc here
  void* library = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library) return library;
  std::string reason = dlerror_text();
  // Built with --openmp=host: the OpenMP entry points come from whichever runtime this machine has.
  if (is_about_openmp(reason) &&
      (dlopen("libgomp.so.1", RTLD_NOW | RTLD_GLOBAL) || dlopen("libomp.so.5", RTLD_NOW | RTLD_GLOBAL))) {
    library = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library) return library;
    reason = dlerror_text();
  }
  fail_load(path, name, reason);
}

// The threads of an OpenMP runtime wait in its code between two steps and for ever after the last, so it must not be
// unmapped with the step that brought it.
void keep_openmp_loaded() {
  for (const char* name : {"libgomp.so.1", "libomp.so.5"})
    if (void* runtime = dlopen(name, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE)) dlclose(runtime);
}

} // namespace

std::shared_ptr<const Module> open_module(const char* path) {
  if (!path || !*path) fail(DLCC_E_IO, "path: no file name given");
  const std::string full = absolute_path(path);
  const std::vector<char> file = read_artefact(full);
  const size_t image = verify_artefact(file.data(), file.size(), path);
  std::unique_ptr<void, int (*)(void*)> library(load_image(full, file, image), &dlclose);
  keep_openmp_loaded();
  using Query = const dlcc_module_v1* (*)(uint32_t);
  auto query = reinterpret_cast<Query>(dlsym(library.get(), "dlcc_module_query"));
  if (!query) fail(DLCC_E_CORRUPT, "'%s': corrupt module: no dlcc_module_query in it", escape(path).c_str());
  const dlcc_module_v1* info = query(DLCC_MODULE_ABI);
  if (!info)
    fail(DLCC_E_ABI, "'%s': needs a newer module ABI than %u, which this library supports", escape(path).c_str(),
         DLCC_MODULE_ABI);
  return std::make_shared<const Module>(info, library.release(), path);
}

} // namespace dlcc::runtime

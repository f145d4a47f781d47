// atomic_file.h: writes a file so that its name always stands for the old or the new contents, never for a part.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

namespace dlcc::runtime {

// Only a regular file is ever replaced; of a symbolic link, the file it leads to.
//
// Protocol: a temporary file .<name>.tmp.<pid>.<n> in the same folder, made with O_EXCL and O_NOFOLLOW; space reserved
// first, so that a full disk shows early; every write checked; then fsync, rename, fsync of the folder. Any failure
// throws Error (DLCC_E_IO with the system's text) and, as the destructor does without commit, removes the temporary
// file.
class AtomicFile {
public:
  // `reserve`: bytes expected (0: unknown); `mode`: permissions before the umask.
  explicit AtomicFile(const std::string& path, uint64_t reserve = 0, unsigned mode = 0666);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* data, size_t bytes);
  uint64_t written() const { return written_; }
  // Readable and writable; for reading back before commit.
  int fd() const { return fd_; }
  // The data is on the disk afterwards. Not retried after an error: the kernel may have dropped the pages.
  void sync();
  // sync, rename over `path`, fsync of the folder.
  void commit();

private:
  void discard() noexcept;
  std::string path_, name_, temporary_;
  int folder_ = -1, fd_ = -1;
  uint64_t written_ = 0, reserved_ = 0;
  bool renamed_ = false;
};

// True for the names that AtomicFile gives to temporary files; then *pid is the process that made it.
bool is_temporary_name(const std::string& name, int64_t* pid);

// True if both exist and are one file, under whatever names.
bool same_file(const std::string& a, const std::string& b);

// Folder and last component of a path: "a/b" -> "a", "b"; "b" -> ".", "b"; "/b" -> "/", "b".
void split_path(const std::string& path, std::string* folder, std::string* name);

} // namespace dlcc::runtime

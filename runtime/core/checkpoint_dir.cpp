#include "runtime/core/checkpoint_dir.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/core/atomic_file.h"
#include "runtime/core/checkpoint.h"
#include "runtime/core/error.h"

namespace dlcc::runtime {

namespace {

struct Entry {
  std::string name, path;
  int64_t seconds, nanoseconds;
  uint64_t batches = 0; // of a checkpoint
};

// The regular files of a folder; symbolic links are not followed.
std::vector<Entry> regular_files(const std::string& folder) {
  std::unique_ptr<DIR, int (*)(DIR*)> dir(opendir(folder.c_str()), &closedir);
  if (!dir) fail_errno("cannot read the folder", folder, errno);
  std::vector<Entry> out;
  while (const dirent* e = readdir(dir.get())) {
    struct stat st;
    if (fstatat(dirfd(dir.get()), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode)) continue;
    out.push_back({e->d_name, folder + "/" + e->d_name, st.st_mtim.tv_sec, st.st_mtim.tv_nsec, 0});
  }
  return out;
}

bool is_checkpoint(const Entry& e) { return e.name[0] != '.' && e.name.ends_with(".safetensors"); }

// ckpt-<digits>.safetensors
bool is_numbered(const Entry& e, std::string* digits) {
  constexpr std::string_view head = "ckpt-", tail = ".safetensors";
  if (!e.name.starts_with(head) || !e.name.ends_with(tail) || e.name.size() <= head.size() + tail.size()) return false;
  *digits = e.name.substr(head.size(), e.name.size() - head.size() - tail.size());
  if (digits->find_first_not_of("0123456789") != std::string::npos) return false;
  digits->erase(0, std::min(digits->find_first_not_of('0'), digits->size()));
  return true;
}

constexpr uint64_t unreadable = UINT64_MAX;

// By the header alone; 0 if it does not say.
uint64_t claimed_batches(const std::string& path) {
  try {
    const CheckpointFile file(path, CheckpointFile::Accept::header_only);
    const std::string* text = file.meta("dlcc.batches");
    uint64_t batches = 0;
    if (text) std::from_chars(text->data(), text->data() + text->size(), batches);
    return batches;
  } catch (const Error&) {
    return unreadable;
  }
}

} // namespace

FolderLock::FolderLock(const std::string& folder) {
  const std::string path = folder + "/.lock";
  fd_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (fd_ < 0) fail_errno("cannot open", path, errno);
  if (flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    char pid[32] = {};
    ssize_t n = pread(fd_, pid, sizeof pid - 1, 0);
    close(fd_);
    if (error != EWOULDBLOCK) fail_errno("cannot lock", path, error);
    std::string_view owner(pid, n > 0 ? strcspn(pid, "\n") : 0);
    fail(DLCC_E_BUSY, "'%s' is in use by pid %s", escape(folder).c_str(), owner.empty() ? "?" : escape(owner).c_str());
  }
  const std::string pid = std::to_string(getpid()) + "\n";
  // The pid is for messages only; the lock holds without it.
  if (ftruncate(fd_, 0) != 0 || pwrite(fd_, pid.data(), pid.size(), 0) < 0) return;
}

FolderLock::~FolderLock() { close(fd_); }

LatestCheckpoint find_latest_checkpoint(const std::string& folder) {
  std::vector<Entry> files = regular_files(folder);
  std::erase_if(files, [](const Entry& e) { return !is_checkpoint(e); });
  // What cannot be read comes first, so that it is reported.
  for (Entry& e : files) e.batches = claimed_batches(e.path);
  std::sort(files.begin(), files.end(), [](const Entry& a, const Entry& b) {
    if (a.batches != b.batches) return a.batches > b.batches;
    if (a.seconds != b.seconds) return a.seconds > b.seconds;
    if (a.nanoseconds != b.nanoseconds) return a.nanoseconds > b.nanoseconds;
    return a.name > b.name;
  });
  LatestCheckpoint out;
  for (const Entry& e : files) {
    try {
      CheckpointFile verified(e.path);
      out.path = e.path;
      return out;
    } catch (const Error& error) {
      out.skipped.push_back({e.path, error.message()});
    }
  }
  return out;
}

bool holds_checkpoints(const std::string& folder) {
  if (access(folder.c_str(), F_OK) != 0 && errno == ENOENT) return false;
  std::vector<Entry> files = regular_files(folder);
  return std::any_of(files.begin(), files.end(), is_checkpoint);
}

std::vector<std::string> prune_checkpoints(const std::string& folder, unsigned keep) {
  struct Numbered {
    std::string digits, path;
  };
  std::vector<Numbered> found;
  std::string digits;
  for (const Entry& e : regular_files(folder))
    if (is_numbered(e, &digits)) found.push_back({digits, e.path});
  // Digits without leading zeros: the longer number is the larger one.
  std::sort(found.begin(), found.end(), [](const Numbered& a, const Numbered& b) {
    if (a.digits.size() != b.digits.size()) return a.digits.size() > b.digits.size();
    return a.digits != b.digits ? a.digits > b.digits : a.path > b.path;
  });
  std::vector<std::string> deleted;
  for (size_t i = keep; i < found.size(); ++i)
    if (unlink(found[i].path.c_str()) == 0) deleted.push_back(found[i].path);
  return deleted;
}

std::vector<std::string> drop_later_checkpoints(const std::string& folder, uint64_t batches) {
  std::vector<std::string> deleted;
  std::string digits;
  for (const Entry& e : regular_files(folder)) {
    if (!is_numbered(e, &digits) && e.name != "best.safetensors" && e.name != "last.safetensors") continue;
    const uint64_t claimed = claimed_batches(e.path);
    if (claimed == unreadable || claimed <= batches) continue;
    if (unlink(e.path.c_str()) == 0) deleted.push_back(e.path);
  }
  return deleted;
}

std::vector<std::string> remove_stale_temporaries(const std::string& folder) {
  std::vector<std::string> deleted;
  for (const Entry& e : regular_files(folder)) {
    int64_t pid = 0;
    if (!is_temporary_name(e.name, &pid) || pid > INT32_MAX) continue;
    if (kill(static_cast<pid_t>(pid), 0) == 0 || errno != ESRCH) continue;
    if (unlink(e.path.c_str()) == 0) deleted.push_back(e.path);
  }
  return deleted;
}

} // namespace dlcc::runtime

// checkpoint_dir.h: a folder of checkpoints: its lock, the newest valid file in it, what to delete.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace dlcc::runtime {

// Keeps two runs from writing to one folder: an advisory flock on <folder>/.lock, which holds the pid as text. Released
// by the destructor or the end of the process. Throws Error: DLCC_E_BUSY "'<folder>' is in use by pid N", DLCC_E_IO.
class FolderLock {
public:
  explicit FolderLock(const std::string& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

private:
  int fd_ = -1;
};

struct SkippedCheckpoint {
  std::string path, reason;
};
struct LatestCheckpoint {
  std::string path;                       // empty: there is none
  std::vector<SkippedCheckpoint> skipped; // files that are damaged and might have gone before it
};

// Of the *.safetensors files in `folder` all of whose checksums are right, the one after the most training batches; of
// several the newest (by time of modification, then by name). Files without a dlcc trailer count as damaged. Throws
// Error(DLCC_E_IO) if the folder cannot be read.
LatestCheckpoint find_latest_checkpoint(const std::string& folder);

// True if the folder holds any *.safetensors file; false too if it does not exist.
bool holds_checkpoints(const std::string& folder);

// Deletes all but the `keep` files named ckpt-<digits>.safetensors with the largest numbers; others (best, last) stay.
// Call it after a save has succeeded. Returns the deleted paths. A file that cannot be deleted is left.
std::vector<std::string> prune_checkpoints(const std::string& folder, unsigned keep);

// Deletes what a run has saved after more than `batches` training batches: numbered checkpoints, best and last. For a
// run that goes on from there. Returns the deleted paths.
std::vector<std::string> drop_later_checkpoints(const std::string& folder, uint64_t batches);

// Deletes temporary files that dead processes left (names of AtomicFile only). Returns the deleted paths.
std::vector<std::string> remove_stale_temporaries(const std::string& folder);

} // namespace dlcc::runtime

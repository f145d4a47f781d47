// checkpoint.h: dlcc's checkpoint files: safetensors with checksums, written atomically, verified whole before use.
//
// Layout: the tensors, wider element types first so that all are aligned; then `dlcc.crc32c` (U8, four bytes for each
// tensor before it, little-endian); then `dlcc.trailer` (U8[96], written last): 8 bytes "DLCCCKP1", SHA-256 of the
// length word and header, SHA-256 of the data area before the trailer, its length as a 64-bit word, 16 zero bytes. So
// every bit of the file is covered, and any reader of safetensors can read it.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "runtime/core/attachment.h"
#include "runtime/core/safetensors.h"

namespace dlcc::runtime {

struct TensorToSave {
  std::string name;
  int32_t dtype = 0;
  std::vector<int64_t> dims;
  const void* data = nullptr; // row-major, dense
};

// Writes a checkpoint by the protocol of AtomicFile and reads it back before the rename if it is below 1 GiB. Throws
// Error: DLCC_E_IO, or DLCC_E_CORRUPT if the disk gave back something else. The old file of that name is then still
// there.
void write_checkpoint(const std::string& path, const std::map<std::string, std::string>& metadata,
                      const std::vector<TensorToSave>& tensors);

// An open checkpoint, all of whose checksums were right when it was opened.
class CheckpointFile {
public:
  enum class Accept {
    verified,
    plain,      // also a safetensors file of somebody else's, which has no checksums
    header_only // any file with a header that fits its size; nothing is verified
  };
  // Throws Error: DLCC_E_IO if it cannot be read, DLCC_E_CORRUPT ("'<path>': corrupt: ...") if anything is wrong with
  // it, DLCC_E_ABI if its format is another. Memory: the header and 1 MiB, whatever the file claims.
  explicit CheckpointFile(const std::string& path, Accept accept = Accept::verified);
  ~CheckpointFile();
  CheckpointFile(const CheckpointFile&) = delete;
  CheckpointFile& operator=(const CheckpointFile&) = delete;

  const std::string& path() const { return path_; }
  bool is_plain() const { return plain_; }
  const std::map<std::string, std::string>& metadata() const { return header_.metadata; }
  // Null if there is none.
  const std::string* meta(const std::string& key) const;
  // Without the two checksum tensors.
  const std::vector<StoredTensor>& tensors() const { return header_.tensors; }
  const StoredTensor* find(std::string_view name) const;
  // Reads t.bytes() bytes; those of a checkpoint are checked once more, in case the file was changed since.
  void read(const StoredTensor& t, void* to) const;

private:
  void read_header(uint64_t file_bytes, Accept accept);
  void index();
  void verify_payload(const std::vector<uint8_t>& trailer);
  void read_at(uint64_t offset, void* to, uint64_t bytes) const;
  [[noreturn]] void corrupt(const std::string& what) const;

  std::string path_;
  int fd_ = -1;
  bool plain_ = false;
  uint64_t data_start_ = 0;
  SafetensorsHeader header_;
  std::vector<uint32_t> crc_;                          // one for each tensor
  std::unordered_map<std::string_view, size_t> index_; // by name
};

// The attachments in a file.
Attachments read_attachments(const CheckpointFile& file);

constexpr int checkpoint_format = 1;
extern const char* const runtime_version_text; // "0.1.0"

} // namespace dlcc::runtime

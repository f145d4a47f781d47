// Opening data files safely, and reading their bytes in order (unpacked where they are gzipped).
#pragma once

#include "runtime/data/dataset.h"
#include "runtime/data/error.h"

#include <cstdint>
#include <memory>
#include <string>
#include <sys/stat.h>

namespace dlcc::data {

/// How file names are resolved and how much may be loaded.
struct FileOptions {
  std::string directory;          ///< relative names start here (the model's directory); empty: the current one
  bool confined = false;          ///< names come from a file: only regular files below `directory`, no links
  bool standard_input = false;    ///< "-" is the standard input
  int64_t memory_cap = INT64_MAX; ///< bytes all columns may take
};

/// `name` as it is opened.
std::string resolved(const std::string& name, const FileOptions& options);

/// A regular file, open for reading. Errors are of code io.
class InputFile {
public:
  InputFile(const std::string& name, const FileOptions& options);
  InputFile(const InputFile&) = delete;
  ~InputFile();

  const std::string& name() const { return name_; } ///< for messages and for opening
  int64_t size() const { return size_; }
  int descriptor() const { return fd_; }
  /// Reads up to `n` bytes at `offset`; fewer only at the end of the file.
  int64_t read_at(int64_t offset, void* to, int64_t n) const;
  /// A DataError if the file was written to since it was opened.
  void verify_unchanged() const;

private:
  std::string name_;
  int fd_ = -1;
  int64_t size_ = 0;
  struct stat before_{};
};

/// Bytes in order. Every parser reads through this interface, so nothing is read past an end.
class Stream {
public:
  virtual ~Stream() = default;
  /// Up to `n` bytes; fewer only at the end.
  virtual int64_t read(void* to, int64_t n) = 0;
  /// No more bytes than this can come in all: what a declared size is compared with before anything is allocated.
  virtual int64_t most() const = 0;
  virtual bool most_is_exact() const { return false; }
  /// Called when all that is wanted was read: checks what can only be checked then.
  virtual void finish() {}
  const std::string& name() const { return name_; }
  int64_t position() const { return position_; }

protected:
  std::string name_;
  int64_t position_ = 0;
};

/// The most bytes that one byte of deflated data can stand for (RFC 1951: 258 bytes from two bits at best).
inline constexpr int64_t largest_deflate_ratio = 1032;

/// The bytes of `name`, or of what is packed in it if it starts with gzip's magic (RFC 1952).
std::unique_ptr<Stream> open_stream(const std::string& name, const FileOptions& options);

/// Reads exactly `n` bytes or says how many there were.
void read_exactly(Stream& s, void* to, int64_t n, const std::string& what);

/// Refuses a payload of `declared` bytes if the stream cannot hold so many, or is known to hold more.
void check_payload(const Stream& s, int64_t declared);

/// Reads the payload of `declared` bytes, which must be all that is left. Compares with the stream first; where
/// the stream cannot tell how much is left, memory is taken as bytes arrive.
Bytes read_payload(Stream& s, int64_t declared);

} // namespace dlcc::data

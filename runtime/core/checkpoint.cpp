#include "runtime/core/checkpoint.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/core/atomic_file.h"
#include "runtime/core/crc32c.h"
#include "runtime/core/error.h"
#include "runtime/core/module.h"
#include "runtime/core/sha256.h"

namespace dlcc::runtime {

const char* const runtime_version_text = DLCC_VERSION_TEXT;

static constexpr const char* crc_name = "dlcc.crc32c";
static constexpr const char* trailer_name = "dlcc.trailer";
static constexpr char trailer_magic[] = "DLCCCKP1";
static constexpr uint64_t chunk_bytes = 1u << 20, verify_below = uint64_t{1} << 30;

namespace {

struct Trailer {
  char magic[8];
  Digest header, payload;
  uint64_t payload_bytes;
  uint8_t zero[16];
};
static_assert(sizeof(Trailer) == 96);

StoredTensor byte_tensor(const char* name, uint64_t bytes) {
  StoredTensor t;
  t.name = name;
  t.dtype = DLCC_U8;
  t.dims = {static_cast<int64_t>(bytes)};
  return t;
}

// Reads exactly `bytes`; false if the file ends before.
bool read_exactly(int fd, uint64_t offset, void* to, uint64_t bytes, const std::string& path) {
  auto p = static_cast<char*>(to);
  while (bytes > 0) {
    ssize_t n = pread(fd, p, std::min<uint64_t>(bytes, 1u << 30), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_errno("cannot read", path, errno);
    if (n == 0) return false;
    p += n, offset += static_cast<uint64_t>(n), bytes -= static_cast<uint64_t>(n);
  }
  return true;
}

// What is in the file must hash to what was written.
void read_back(const AtomicFile& file, const Digest& expected, const std::string& path) {
  std::vector<char> chunk(chunk_bytes);
  Sha256 hash;
  for (uint64_t at = 0; at < file.written(); at += chunk_bytes) {
    uint64_t n = std::min(chunk_bytes, file.written() - at);
    if (!read_exactly(file.fd(), at, chunk.data(), n, path))
      fail(DLCC_E_CORRUPT, "'%s': written file is short", escape(path).c_str());
    hash.update(chunk.data(), n);
  }
  if (hash.finish() != expected)
    fail(DLCC_E_CORRUPT, "'%s': reading back gave other bytes than were written", escape(path).c_str());
}

} // namespace

void write_checkpoint(const std::string& path, const std::map<std::string, std::string>& metadata,
                      const std::vector<TensorToSave>& tensors) {
  std::vector<const TensorToSave*> order;
  for (const TensorToSave& t : tensors) order.push_back(&t);
  std::stable_sort(order.begin(), order.end(), [](const TensorToSave* a, const TensorToSave* b) {
    return dtype_bytes(a->dtype) > dtype_bytes(b->dtype);
  });
  std::vector<StoredTensor> stored;
  for (const TensorToSave* t : order) {
    stored.emplace_back();
    stored.back().name = t->name, stored.back().dtype = t->dtype, stored.back().dims = t->dims;
  }
  stored.push_back(byte_tensor(crc_name, 4 * order.size()));
  stored.push_back(byte_tensor(trailer_name, sizeof(Trailer)));
  const std::string header = format_safetensors_header(metadata, stored);

  AtomicFile file(path, header.size() + stored.back().end);
  Sha256 whole, payload;
  auto write = [&](const void* data, uint64_t bytes) {
    file.write(data, bytes);
    whole.update(data, bytes);
  };
  write(header.data(), header.size());
  std::vector<uint32_t> crc;
  for (size_t i = 0; i < order.size(); ++i) {
    // In chunks, so that each is hashed while it is in the cache.
    uint32_t sum = 0;
    for (uint64_t at = 0; at < stored[i].bytes(); at += chunk_bytes) {
      auto p = static_cast<const char*>(order[i]->data) + at;
      uint64_t n = std::min(chunk_bytes, stored[i].bytes() - at);
      write(p, n);
      payload.update(p, n);
      sum = crc32c(sum, p, n);
    }
    crc.push_back(sum);
  }
  write(crc.data(), 4 * crc.size());
  payload.update(crc.data(), 4 * crc.size());
  Trailer trailer{};
  std::memcpy(trailer.magic, trailer_magic, sizeof trailer.magic);
  trailer.header = sha256(header.data(), header.size());
  trailer.payload = payload.finish();
  trailer.payload_bytes = stored.back().begin;
  write(&trailer, sizeof trailer);
  file.sync();
  if (file.written() < verify_below) read_back(file, whole.finish(), path);
  file.commit();
}

CheckpointFile::CheckpointFile(const std::string& path, Accept accept) : path_(path) {
  fd_ = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd_ < 0) fail_errno("cannot open", path, errno);
  try {
    struct stat st;
    if (fstat(fd_, &st) != 0) fail_errno("cannot examine", path, errno);
    if (!S_ISREG(st.st_mode)) fail(DLCC_E_IO, "'%s' is not a regular file", escape(path).c_str());
    read_header(static_cast<uint64_t>(st.st_size), accept);
  } catch (...) {
    close(fd_);
    throw;
  }
}

CheckpointFile::~CheckpointFile() { close(fd_); }

void CheckpointFile::corrupt(const std::string& what) const {
  fail(DLCC_E_CORRUPT, "'%s': corrupt: %s", escape(path_).c_str(), what.c_str());
}

void CheckpointFile::read_at(uint64_t offset, void* to, uint64_t bytes) const {
  if (!read_exactly(fd_, offset, to, bytes, path_)) corrupt("the file became shorter while it was read");
}

void CheckpointFile::read_header(uint64_t file_bytes, Accept accept) {
  uint64_t length = 0;
  if (file_bytes < sizeof length) corrupt("a file of " + std::to_string(file_bytes) + " bytes");
  read_at(0, &length, sizeof length);
  if (length > max_safetensors_header || length > file_bytes - sizeof length)
    corrupt("the header would have " + std::to_string(length) + " bytes, the file has " + std::to_string(file_bytes));
  std::string header(sizeof length + length, '\0');
  read_at(0, header.data(), header.size());
  try {
    header_ = parse_safetensors_header(std::string_view(header).substr(sizeof length));
  } catch (const Error& e) {
    corrupt(e.message());
  }
  data_start_ = header.size();
  const uint64_t data_bytes = file_bytes - data_start_;
  const uint64_t named = header_.tensors.empty() ? 0 : header_.tensors.back().end;
  if (data_bytes != named)
    corrupt(std::to_string(data_bytes) + " bytes of data, expected " + std::to_string(named) + " (truncated?)");
  const bool has_trailer = header_.tensors.size() >= 2 && header_.tensors.back().name == trailer_name &&
                           header_.tensors.back().bytes() == sizeof(Trailer);
  plain_ = accept == Accept::header_only || (!has_trailer && accept == Accept::plain && !meta("dlcc.format"));
  if (plain_) return index();
  if (!has_trailer) corrupt("no dlcc.trailer at the end (not a dlcc checkpoint?)");
  std::vector<uint8_t> trailer(sizeof(Trailer));
  read_at(data_start_ + header_.tensors.back().begin, trailer.data(), trailer.size());
  Trailer t;
  std::memcpy(&t, trailer.data(), sizeof t);
  if (t.header != sha256(header.data(), header.size())) corrupt("checksum of the header differs from the trailer's");
  const std::string* format = meta("dlcc.format");
  if (!format || *format != std::to_string(checkpoint_format)) {
    const std::string* version = meta("dlcc.version");
    fail(DLCC_E_ABI, "'%s': checkpoint format %s written by dlcc %s, this is dlcc %s (format %d)",
         escape(path_).c_str(), format ? escape(*format).c_str() : "?", version ? escape(*version).c_str() : "?",
         runtime_version_text, checkpoint_format);
  }
  header_.tensors.pop_back();
  verify_payload(trailer);
  index();
}

void CheckpointFile::index() {
  for (size_t i = 0; i < header_.tensors.size(); ++i) index_.emplace(header_.tensors[i].name, i);
}

void CheckpointFile::verify_payload(const std::vector<uint8_t>& trailer_bytes) {
  Trailer t;
  std::memcpy(&t, trailer_bytes.data(), sizeof t);
  const StoredTensor sums = header_.tensors.back();
  header_.tensors.pop_back();
  const size_t n = header_.tensors.size();
  if (sums.name != crc_name || sums.dtype != DLCC_U8 || sums.bytes() != 4 * n) corrupt("no dlcc.crc32c");
  if (std::memcmp(t.magic, trailer_magic, sizeof t.magic) != 0 || t.payload_bytes != sums.end ||
      std::any_of(std::begin(t.zero), std::end(t.zero), [](uint8_t b) { return b != 0; }))
    corrupt("the trailer is damaged");
  crc_.resize(n);
  if (n > 0) read_at(data_start_ + sums.begin, crc_.data(), sums.bytes());
  Sha256 hash;
  std::vector<char> chunk(std::min(chunk_bytes, std::max<uint64_t>(sums.end, 1)));
  std::string damaged;
  for (size_t i = 0; i < n; ++i) {
    const StoredTensor& s = header_.tensors[i];
    uint32_t crc = 0;
    for (uint64_t at = s.begin; at < s.end; at += chunk.size()) {
      uint64_t bytes = std::min<uint64_t>(chunk.size(), s.end - at);
      read_at(data_start_ + at, chunk.data(), bytes);
      hash.update(chunk.data(), bytes);
      crc = crc32c(crc, chunk.data(), bytes);
    }
    if (crc != crc_[i] && damaged.empty()) damaged = s.name;
  }
  hash.update(crc_.data(), 4 * n);
  if (hash.finish() == t.payload) return;
  corrupt(damaged.empty() ? "checksum of the data differs from the trailer's"
                          : "checksum of tensor '" + escape(damaged) + "' differs");
}

const std::string* CheckpointFile::meta(const std::string& key) const {
  auto at = header_.metadata.find(key);
  return at == header_.metadata.end() ? nullptr : &at->second;
}

const StoredTensor* CheckpointFile::find(std::string_view name) const {
  auto at = index_.find(name);
  return at == index_.end() ? nullptr : &header_.tensors[at->second];
}

void CheckpointFile::read(const StoredTensor& t, void* to) const {
  read_at(data_start_ + t.begin, to, t.bytes());
  const auto i = static_cast<size_t>(&t - header_.tensors.data());
  if (!plain_ && crc32c(0, to, t.bytes()) != crc_[i])
    corrupt("tensor '" + escape(t.name) + "' changed while it was read");
}

Attachments read_attachments(const CheckpointFile& file) {
  Attachments out;
  for (const StoredTensor& s : file.tensors()) {
    if (!is_attachment(s.name)) continue;
    Attachment& a = out[s.name] = {s.dtype, s.dims, std::vector<char>(s.bytes())};
    file.read(s, a.bytes.data());
  }
  return out;
}

} // namespace dlcc::runtime

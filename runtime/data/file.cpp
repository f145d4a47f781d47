#include "runtime/data/file.h"

#include "runtime/core/error.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>
#include <vector>
#include <zlib.h>

namespace dlcc::data {

namespace {
[[noreturn]] void io_error(const std::string& file, const std::string& text, const char* name) {
  throw DataError(Code::io, file, 0, 0, text, name);
}

[[noreturn]] void system_error(const std::string& file, const std::string& what, int error, const char* name) {
  const Code code = runtime::status_of_errno(error) == DLCC_E_NOMEM ? Code::resources : Code::io;
  throw DataError(code, file, 0, 0, what + ": " + std::strerror(error), name);
}

// Walks the components with O_NOFOLLOW, so that neither `..` nor a link leads out of the directory.
int open_below(const std::string& directory, const std::string& name, const std::string& shown) {
  const char* advice = "; name it with --data if that is meant";
  if (!name.empty() && name[0] == '/')
    io_error(shown, std::string("an absolute file name in a model") + advice, "outside");
  int dir = open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  for (size_t start = 0; dir >= 0;) {
    size_t end = std::min(name.find('/', start), name.size());
    std::string part = name.substr(start, end - start);
    bool last = end == name.size();
    if (part == "..") {
      close(dir);
      io_error(shown, std::string("the file name leaves the model's directory") + advice, "outside");
    }
    int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | (last ? 0 : O_DIRECTORY);
    int next = openat(dir, part.empty() ? "." : part.c_str(), flags);
    int error = errno;
    close(dir);
    if (next < 0 && (error == ELOOP || (error == ENOTDIR && !last)))
      io_error(shown, std::string("'") + part + "' is a symbolic link or no directory" + advice, "outside");
    errno = error;
    if (last) return next;
    dir = next;
    start = end + 1;
  }
  return dir;
}
} // namespace

std::string resolved(const std::string& name, const FileOptions& options) {
  bool relative = !name.empty() && name[0] != '/' && !options.directory.empty() && options.directory != ".";
  return relative ? options.directory + (options.directory.back() == '/' ? "" : "/") + name : name;
}

InputFile::InputFile(const std::string& name, const FileOptions& options) : name_(resolved(name, options)) {
  if (name.empty() || name.find('\0') != std::string::npos) io_error(name_, "not a file name", "file");
  fd_ = options.confined ? open_below(options.directory, name, name_)
                         : open(name_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd_ < 0) system_error(name_, "cannot open", errno, "open");
  std::string fault;
  if (fstat(fd_, &before_) != 0)
    fault = std::strerror(errno);
  else if (S_ISDIR(before_.st_mode))
    fault = "is a directory, a file was expected";
  else if (!S_ISREG(before_.st_mode))
    fault = "not a regular file";
  else if (options.confined && before_.st_nlink != 1)
    fault = "the file has several names (hard links), which a model may not use";
  if (!fault.empty()) {
    close(fd_);
    io_error(name_, fault, "file");
  }
  size_ = before_.st_size;
}

InputFile::~InputFile() { close(fd_); }

int64_t InputFile::read_at(int64_t offset, void* to, int64_t n) const {
  int64_t done = 0;
  while (done < n) {
    ssize_t got = pread(fd_, static_cast<char*>(to) + done, static_cast<size_t>(n - done), offset + done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) system_error(name_, "cannot read", errno, "read");
    if (got == 0) break;
    done += got;
  }
  return done;
}

void InputFile::verify_unchanged() const {
  struct stat now{};
  if (fstat(fd_, &now) != 0) io_error(name_, std::strerror(errno), "read");
  bool same = now.st_size == before_.st_size && now.st_mtim.tv_sec == before_.st_mtim.tv_sec &&
              now.st_mtim.tv_nsec == before_.st_mtim.tv_nsec;
  if (!same)
    throw DataError(name_,
                    "the file changed while it was read (" + std::to_string(before_.st_size) + " bytes before, " +
                        std::to_string(now.st_size) + " now)",
                    "changed");
}

namespace {

class PlainStream final : public Stream {
public:
  explicit PlainStream(std::unique_ptr<InputFile> file) : file_(std::move(file)) { name_ = file_->name(); }
  int64_t read(void* to, int64_t n) override {
    int64_t got = file_->read_at(position_, to, n);
    position_ += got;
    return got;
  }
  int64_t most() const override { return file_->size(); }
  bool most_is_exact() const override { return true; }
  void finish() override { file_->verify_unchanged(); }

private:
  std::unique_ptr<InputFile> file_;
};

class StandardInput final : public Stream {
public:
  StandardInput() { name_ = "standard input"; }
  int64_t read(void* to, int64_t n) override {
    int64_t done = 0;
    while (done < n) {
      const ssize_t got = ::read(STDIN_FILENO, static_cast<char*>(to) + done, static_cast<size_t>(n - done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) system_error(name_, "cannot read", errno, "read");
      if (got == 0) break;
      done += got;
    }
    position_ += done;
    return done;
  }
  int64_t most() const override { return INT64_MAX; }
};

class GzipStream final : public Stream {
public:
  explicit GzipStream(std::unique_ptr<InputFile> file) : file_(std::move(file)), packed_(1 << 16) {
    name_ = file_->name();
    if (inflateInit2(&z_, 15 + 16) != Z_OK)
      throw DataError(Code::resources, name_, 0, 0, "no memory to unpack", "memory");
  }
  ~GzipStream() override { inflateEnd(&z_); }

  int64_t read(void* to, int64_t n) override {
    int64_t done = 0;
    while (done < n && !ended_) {
      auto room = static_cast<uInt>(std::min<int64_t>(n - done, 1 << 30));
      z_.next_out = static_cast<Bytef*>(to) + done;
      z_.avail_out = room;
      step();
      done += room - z_.avail_out;
    }
    position_ += done;
    return done;
  }
  int64_t most() const override { return checked_multiply(file_->size(), largest_deflate_ratio).value_or(INT64_MAX); }
  void finish() override { file_->verify_unchanged(); }

private:
  void refill() {
    if (z_.avail_in) return;
    int64_t got = file_->read_at(offset_, packed_.data(), static_cast<int64_t>(packed_.size()));
    offset_ += got;
    z_.next_in = packed_.data();
    z_.avail_in = static_cast<uInt>(got);
  }
  void step() {
    refill();
    if (!z_.avail_in) fail("the gzip data end early");
    int r = inflate(&z_, Z_NO_FLUSH);
    if (r == Z_STREAM_END)
      next_member();
    else if (r != Z_OK && r != Z_BUF_ERROR)
      fail(std::string("damaged gzip data (") + (z_.msg ? z_.msg : "zlib") + ")");
  }
  // A gzip file may hold several members, one after the other.
  void next_member() {
    refill();
    if (!z_.avail_in)
      ended_ = true;
    else
      inflateReset(&z_);
  }
  [[noreturn]] void fail(const std::string& text) const {
    throw DataError(name_, text + " near offset " + std::to_string(offset_ - z_.avail_in), "gzip");
  }

  std::unique_ptr<InputFile> file_;
  std::vector<Bytef> packed_;
  z_stream z_{};
  int64_t offset_ = 0;
  bool ended_ = false;
};

} // namespace

std::unique_ptr<Stream> open_stream(const std::string& name, const FileOptions& options) {
  if (options.standard_input && name == "-") return std::make_unique<StandardInput>();
  auto file = std::make_unique<InputFile>(name, options);
  unsigned char magic[2] = {};
  bool gzip = file->read_at(0, magic, 2) == 2 && magic[0] == 0x1F && magic[1] == 0x8B;
  if (gzip) return std::make_unique<GzipStream>(std::move(file));
  return std::make_unique<PlainStream>(std::move(file));
}

void read_exactly(Stream& s, void* to, int64_t n, const std::string& what) {
  int64_t start = s.position(), got = s.read(to, n);
  if (got != n)
    throw DataError(s.name(),
                    "the file ends at byte " + std::to_string(start + got) + " inside " + what + ", " +
                        std::to_string(n) + " bytes from offset " + std::to_string(start) + " expected",
                    "truncated");
}

namespace {
DataError wrong_size(const Stream& s, int64_t declared, const std::string& actual) {
  return DataError(s.name(),
                   "the header promises " + std::to_string(declared) + " bytes of values, the file holds " + actual,
                   "size");
}
} // namespace

void check_payload(const Stream& s, int64_t declared) {
  const int64_t left = s.most() - s.position();
  if (declared > left || (s.most_is_exact() && declared < left))
    throw wrong_size(s, declared, (s.most_is_exact() ? "" : "at most ") + std::to_string(left));
}

Bytes read_payload(Stream& s, int64_t declared) {
  check_payload(s, declared);
  constexpr int64_t first_piece = 64 << 20;
  Bytes out;
  int64_t got = 0;
  for (bool ended = false; got < declared && !ended;) {
    const int64_t room = s.most_is_exact() ? declared : std::min(declared, std::max(first_piece, 2 * got));
    out.resize(room);
    got += s.read(out.data() + got, room - got);
    ended = got < room;
  }
  if (got != declared) throw wrong_size(s, declared, std::to_string(got));
  std::vector<std::byte> rest(1 << 16);
  int64_t extra = 0, piece = 0;
  constexpr int64_t counted = 64 << 20; // longer rests are not worth the time
  while (extra < counted && (piece = s.read(rest.data(), static_cast<int64_t>(rest.size()))) > 0) extra += piece;
  if (extra) throw wrong_size(s, declared, (extra < counted ? "" : "at least ") + std::to_string(declared + extra));
  s.finish();
  return out;
}

} // namespace dlcc::data

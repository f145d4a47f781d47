#include "runtime/data/readers.h"

#include <algorithm>
#include <string_view>
#include <unistd.h>
#include <zip.h>

namespace dlcc::data {

namespace {

constexpr zip_int64_t largest_archive = 1'000'000; // members

// An open archive and the file that it is read from; its members share it.
struct Archive {
  Archive(const std::string& name, const FileOptions& options) : file(name, options) {}
  ~Archive() {
    if (zip) zip_discard(zip);
  }
  Archive(const Archive&) = delete;
  Archive& operator=(const Archive&) = delete;

  InputFile file;
  zip_t* zip = nullptr;
};

std::shared_ptr<Archive> open_archive(const std::string& name, const FileOptions& options) {
  auto archive = std::make_shared<Archive>(name, options);
  int fd = dup(archive->file.descriptor()), code = 0;
  archive->zip = fd < 0 ? nullptr : zip_fdopen(fd, ZIP_CHECKCONS, &code);
  if (archive->zip) return archive;
  if (fd >= 0) close(fd);
  const std::string& shown = archive->file.name();
  if (code == ZIP_ER_EXISTS) throw DataError(shown, "two members of the archive have the same name", "duplicate");
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  std::string text = zip_error_strerror(&error);
  zip_error_fini(&error);
  throw DataError(shown, "not a whole zip archive, which npz files are (" + text + ")", "zip");
}

bool leaves_archive(std::string_view name) {
  return name.empty() || name[0] == '/' || name == ".." || name.starts_with("../") || name.ends_with("/..") ||
         name.find("/../") != name.npos || name.find('\\') != name.npos;
}

std::vector<std::string> member_names(zip_t* z, const std::string& file) {
  zip_int64_t n = zip_get_num_entries(z, 0);
  if (n > largest_archive) throw DataError(file, "more than 1,000,000 members in the archive", "zip");
  std::vector<std::string> names;
  for (zip_int64_t i = 0; i < n; ++i) {
    const char* name = zip_get_name(z, static_cast<zip_uint64_t>(i), ZIP_FL_ENC_RAW);
    names.emplace_back(name ? name : "");
    if (leaves_archive(names.back()))
      throw DataError(file, "unsafe name '" + escape(names.back(), 80) + "' in the archive", "zip-name");
  }
  return names;
}

void check_member(const zip_stat_t& st, const std::string& shown) {
  if (st.encryption_method != ZIP_EM_NONE) throw DataError(shown, "the member is encrypted", "zip-encrypted");
  if (st.comp_method != ZIP_CM_STORE && st.comp_method != ZIP_CM_DEFLATE)
    throw DataError(
        shown, "compression method " + std::to_string(st.comp_method) + " is not supported, expected stored or deflate",
        "zip-method");
  // How much may be loaded is a matter of memory (read_payload); here, what the packed bytes can hold at all.
  const zip_uint64_t ratio = st.comp_method == ZIP_CM_STORE ? 1 : largest_deflate_ratio;
  if (st.size / ratio > st.comp_size)
    throw DataError(shown,
                    "the member declares " + std::to_string(st.size) + " bytes, but its " +
                        std::to_string(st.comp_size) + " packed bytes hold at most " +
                        std::to_string(st.comp_size * ratio),
                    "zip-bomb");
}

class MemberStream final : public Stream {
public:
  MemberStream(std::shared_ptr<Archive> archive, zip_uint64_t index, std::string shown) : archive_(std::move(archive)) {
    name_ = std::move(shown);
    zip_t* z = archive_->zip;
    zip_stat_t st;
    zip_stat_init(&st);
    if (zip_stat_index(z, index, 0, &st) != 0) throw DataError(name_, zip_strerror(z), "zip");
    check_member(st, name_);
    size_ = static_cast<int64_t>(std::min<zip_uint64_t>(st.size, INT64_MAX));
    member_ = zip_fopen_index(z, index, 0);
    if (!member_) throw DataError(name_, std::string("cannot read the member: ") + zip_strerror(z), "zip");
  }
  ~MemberStream() override { zip_fclose(member_); }

  int64_t read(void* to, int64_t n) override {
    int64_t done = 0;
    while (done < n) {
      zip_int64_t got = zip_fread(member_, static_cast<char*>(to) + done, static_cast<zip_uint64_t>(n - done));
      if (got < 0)
        throw DataError(name_, std::string("damaged zip member: ") + zip_error_strerror(zip_file_get_error(member_)),
                        "zip");
      if (got == 0) break;
      done += got;
    }
    position_ += done;
    return done;
  }
  int64_t most() const override { return size_; }
  bool most_is_exact() const override { return true; }
  void finish() override { archive_->file.verify_unchanged(); }

private:
  std::shared_ptr<Archive> archive_;
  zip_file_t* member_ = nullptr;
  int64_t size_ = 0;
};

std::string list_of(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& n : names) {
    if (out.size() > 80) return out + ", ...";
    out += (out.empty() ? "" : ", ") + escape(n.ends_with(".npy") ? n.substr(0, n.size() - 4) : n, 40);
  }
  return out;
}

} // namespace

std::vector<PendingArray> open_npz(const std::string& file, const std::vector<std::string>& names,
                                   const FileOptions& options) {
  std::shared_ptr<Archive> archive = open_archive(file, options);
  const std::string& shown = archive->file.name();
  std::vector<std::string> members = member_names(archive->zip, shown);
  std::vector<PendingArray> out;
  for (const std::string& name : names) {
    auto found = std::find(members.begin(), members.end(), name + ".npy");
    if (found == members.end())
      throw DataError(shown, "no array '" + escape(name, 60) + "' in the file; it has " + list_of(members),
                      "unknown-name");
    out.push_back(open_npy(std::make_unique<MemberStream>(archive, static_cast<zip_uint64_t>(found - members.begin()),
                                                          shown + "(" + name + ")")));
  }
  return out;
}

} // namespace dlcc::data

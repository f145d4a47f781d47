#include "runtime/data/zip_writer.h"

#include "runtime/core/error.h"

#include <memory>
#include <zip.h>

namespace dlcc::data {

namespace {
constexpr unsigned short first_of_1980 = 0x21; // the earliest date that the format knows

void require(bool good) {
  if (!good) runtime::fail(DLCC_E_NOMEM, "not enough memory for an archive");
}

void add(zip_t* archive, const ZipMember& member) {
  zip_source_t* source = zip_source_buffer(archive, member.bytes.data(), member.bytes.size(), 0);
  require(source != nullptr);
  const zip_int64_t index = zip_file_add(archive, member.name.c_str(), source, ZIP_FL_ENC_UTF_8);
  if (index < 0) zip_source_free(source);
  require(index >= 0);
  const auto i = static_cast<zip_uint64_t>(index);
  require(zip_set_file_compression(archive, i, ZIP_CM_STORE, 0) == 0);
  require(zip_file_set_dostime(archive, i, 0, first_of_1980, 0) == 0);
}
} // namespace

void write_zip(const std::vector<ZipMember>& members, const std::function<void(const std::string&)>& sink) {
  zip_error_t error;
  zip_error_init(&error);
  const std::unique_ptr<zip_source_t, decltype(&zip_source_free)> bytes(zip_source_buffer_create(nullptr, 0, 0, &error),
                                                                        zip_source_free);
  require(bytes != nullptr);
  std::unique_ptr<zip_t, decltype(&zip_discard)> archive(
      zip_open_from_source(bytes.get(), ZIP_TRUNCATE | ZIP_CHECKCONS, &error), zip_discard);
  require(archive != nullptr);
  zip_source_keep(bytes.get()); // the archive frees its own
  for (const ZipMember& member : members) add(archive.get(), member);
  require(zip_close(archive.get()) == 0);
  static_cast<void>(archive.release());
  require(zip_source_open(bytes.get()) == 0);
  std::string piece(1 << 20, '\0');
  for (zip_int64_t n; (n = zip_source_read(bytes.get(), piece.data(), piece.size())) > 0;)
    sink(piece.substr(0, static_cast<size_t>(n)));
  zip_source_close(bytes.get());
}

} // namespace dlcc::data

#include "runtime/core/artefact.h"

#include <algorithm>
#include <cstring>

#include "runtime/core/error.h"
#include "runtime/core/sha256.h"

namespace dlcc::runtime {

static_assert(sizeof(dlcc_artefact_trailer) == DLCC_TRAILER_BYTES);

static Digest trailer_digest(const void* image, size_t bytes, dlcc_artefact_trailer trailer) {
  std::memset(trailer.sha256, 0, sizeof trailer.sha256);
  Sha256 hash;
  hash.update(image, bytes);
  hash.update(&trailer, sizeof trailer);
  return hash.finish();
}

dlcc_artefact_trailer make_artefact_trailer(const void* image, size_t bytes, std::string_view compiler) {
  dlcc_artefact_trailer t{};
  std::memcpy(t.magic, DLCC_TRAILER_MAGIC, sizeof t.magic);
  t.abi = DLCC_MODULE_ABI;
  t.payload_bytes = bytes;
  compiler.copy(t.compiler, sizeof t.compiler - 1);
  Digest digest = trailer_digest(image, bytes, t);
  std::copy(digest.begin(), digest.end(), t.sha256);
  return t;
}

size_t verify_artefact(const void* file, size_t bytes, std::string_view path) {
  std::string name = escape(path);
  dlcc_artefact_trailer t;
  if (bytes <= sizeof t)
    fail(DLCC_E_CORRUPT, "'%s': corrupt: %zu bytes are too few for a compiled step", name.c_str(), bytes);
  size_t image = bytes - sizeof t;
  std::memcpy(&t, static_cast<const char*>(file) + image, sizeof t);
  if (std::memcmp(t.magic, DLCC_TRAILER_MAGIC, sizeof t.magic) != 0)
    fail(DLCC_E_CORRUPT, "'%s': corrupt: no dlcc trailer at the end (truncated, or not made by dlcc)", name.c_str());
  if (t.payload_bytes != image)
    fail(DLCC_E_CORRUPT, "'%s': corrupt: the trailer says %llu bytes, the file has %zu", name.c_str(),
         static_cast<unsigned long long>(t.payload_bytes), image);
  Digest digest = trailer_digest(file, image, t);
  if (!std::equal(digest.begin(), digest.end(), t.sha256))
    fail(DLCC_E_CORRUPT, "'%s': corrupt: checksum differs from the trailer's", name.c_str());
  if (t.abi != DLCC_MODULE_ABI) {
    std::string_view compiler(t.compiler, strnlen(t.compiler, sizeof t.compiler));
    fail(DLCC_E_ABI, "'%s': built by dlcc %s for module ABI %u, this library supports ABI %u", name.c_str(),
         escape(compiler).c_str(), t.abi, DLCC_MODULE_ABI);
  }
  return image;
}

} // namespace dlcc::runtime

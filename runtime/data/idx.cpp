#include "runtime/data/readers.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace dlcc::data {

namespace {

std::string hex(unsigned v) {
  char text[16];
  std::snprintf(text, sizeof text, "0x%x", v);
  return text;
}

StoredType type_of(unsigned code, const std::string& file) {
  switch (code) {
  case 0x08:
    return {'u', 1, true};
  case 0x09:
    return {'i', 1, true};
  case 0x0B:
    return {'i', 2, true};
  case 0x0C:
    return {'i', 4, true};
  case 0x0D:
    return {'f', 4, true};
  case 0x0E:
    return {'f', 8, true};
  default: {
    char text[64];
    std::snprintf(text, sizeof text, "unknown type 0x%02x in the idx header", code);
    throw DataError(file, text, "dtype");
  }
  }
}

void check_magic(unsigned magic, const Wanted& wanted, const std::string& file) {
  unsigned rank = magic & 255;
  int64_t wanted_rank = std::max<int64_t>(wanted.one_value ? 1 : wanted.rank + 1, wanted.one_value ? 1 : 2);
  std::string expected = hex((magic >> 8 & 255) << 8 | static_cast<unsigned>(wanted_rank & 255));
  if (magic >> 16)
    throw DataError(
        file, "magic " + hex(magic) + ", expected 0x8" + expected.substr(expected.size() - 2) + ": not an idx file",
        "magic");
  if (rank == 0 || rank > 8)
    throw DataError(file, "rank " + std::to_string(rank) + " in the idx header, expected 1 to 8", "rank");
  if (rank == 1 && !wanted.one_value)
    throw DataError(file, "magic " + hex(magic) + ", expected " + expected + " (labels given where images expected?)",
                    "magic");
  if (rank > 2 && wanted.one_value)
    throw DataError(file, "magic " + hex(magic) + ", expected " + expected + " (images given where labels expected?)",
                    "magic");
}

unsigned read_u32(Stream& s, const char* what) {
  std::array<unsigned char, 4> b{};
  read_exactly(s, b.data(), 4, what);
  return static_cast<unsigned>(b[0]) << 24 | static_cast<unsigned>(b[1]) << 16 | static_cast<unsigned>(b[2]) << 8 |
         b[3];
}

} // namespace

PendingArray open_idx(std::unique_ptr<Stream> s, const Wanted& wanted) {
  PendingArray a;
  unsigned magic = read_u32(*s, "the idx header");
  check_magic(magic, wanted, s->name());
  a.type = type_of(magic >> 8 & 255, s->name());
  for (unsigned i = 0; i < (magic & 255); ++i) a.shape.push_back(read_u32(*s, "the idx header"));
  a.stream = std::move(s);
  return a;
}

} // namespace dlcc::data

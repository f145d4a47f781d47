// Data files byte by byte, good ones and such as no program would write.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>
#include <zlib.h>

namespace dlcc::data {

/// The bytes of `v`, least significant first (or last).
template <class T> std::string bytes_of(T v, bool big_endian = false) {
  std::string s(sizeof v, '\0');
  std::memcpy(s.data(), &v, sizeof v);
  return big_endian ? std::string(s.rbegin(), s.rend()) : s;
}
template <class T> std::string bytes_of(const std::vector<T>& values, bool big_endian = false) {
  std::string s;
  for (T v : values) s += bytes_of(v, big_endian);
  return s;
}

inline std::string idx_file(unsigned type, const std::vector<uint32_t>& dims, const std::string& payload) {
  std::string s{'\0', '\0', static_cast<char>(type), static_cast<char>(dims.size())};
  return s + bytes_of(dims, true) + payload;
}

inline std::string npy_raw(const std::string& header, const std::string& payload, int version = 1) {
  std::string s = "\x93NUMPY" + std::string(1, static_cast<char>(version)) + std::string(1, '\0');
  if (version == 1)
    s += bytes_of(static_cast<uint16_t>(header.size()));
  else
    s += bytes_of(static_cast<uint32_t>(header.size()));
  return s + header + payload;
}
inline std::string npy_file(const std::string& descr, const std::string& shape, const std::string& payload,
                            bool fortran = false, int version = 1) {
  return npy_raw("{'descr': '" + descr + "', 'fortran_order': " + (fortran ? "True" : "False") + ", 'shape': " + shape +
                     ", }\n",
                 payload, version);
}

/// What deflate makes of `bytes`, as zlib's `window_bits` has it: negative for the bare data, 15 + 16 for gzip.
inline std::string deflated(const std::string& bytes, int window_bits) {
  z_stream z{};
  deflateInit2(&z, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&z, bytes.size()), '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  z.avail_in = static_cast<uInt>(bytes.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}
inline std::string gzipped(const std::string& bytes) { return deflated(bytes, 15 + 16); }

/// A member of a zip archive; the fields that lie are for bad archives.
struct Member {
  std::string name, bytes;
  uint16_t method = 0, flags = 0; ///< method 8: deflated
  uint32_t claimed_size = 0;      ///< 0: the truth
};

/// A zip archive (APPNOTE.TXT 4.3).
inline std::string zip_file(const std::vector<Member>& members) {
  std::string file, directory;
  for (const Member& m : members) {
    auto crc = static_cast<uint32_t>(
        crc32(0, reinterpret_cast<const Bytef*>(m.bytes.data()), static_cast<uInt>(m.bytes.size())));
    auto size = static_cast<uint32_t>(m.bytes.size());
    const std::string packed = m.method == 8 ? deflated(m.bytes, -15) : m.bytes;
    std::string common = bytes_of<uint16_t>(20) + bytes_of(m.flags) + bytes_of(m.method) + bytes_of<uint32_t>(0) +
                         bytes_of(crc) + bytes_of(static_cast<uint32_t>(packed.size())) +
                         bytes_of(m.claimed_size ? m.claimed_size : size) +
                         bytes_of(static_cast<uint16_t>(m.name.size())) + bytes_of<uint16_t>(0);
    directory += "PK\x01\x02" + bytes_of<uint16_t>(20) + common + std::string(10, '\0') +
                 bytes_of(static_cast<uint32_t>(file.size())) + m.name;
    file += "PK\x03\x04" + common + m.name + packed;
  }
  auto n = static_cast<uint16_t>(members.size());
  return file + directory + "PK\x05\x06" + bytes_of<uint32_t>(0) + bytes_of(n) + bytes_of(n) +
         bytes_of(static_cast<uint32_t>(directory.size())) + bytes_of(static_cast<uint32_t>(file.size())) +
         bytes_of<uint16_t>(0);
}

} // namespace dlcc::data

// Writes the files of the data tests byte by byte, and runs readers on them.
#pragma once

#include "runtime/data/error.h"
#include "runtime/data/open.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <string>
#include <unistd.h>
#include <vector>
#include <zlib.h>

namespace dlcc::data {

/// A folder that is removed with its test.
class Folder {
public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "dlcc-data-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string write(const std::string& name, const std::string& bytes) const {
    std::ofstream(path_ + "/" + name, std::ios::binary) << bytes;
    return name;
  }
  const std::string& path() const { return path_; }

private:
  std::string path_;
};

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

/// A member of a zip archive; the fields that lie are for bad archives.
struct Member {
  std::string name, bytes;
  uint16_t method = 0, flags = 0;
  uint32_t claimed_size = 0; ///< 0: the truth
};

/// A zip archive of stored members (APPNOTE.TXT 4.3).
inline std::string zip_file(const std::vector<Member>& members) {
  std::string file, directory;
  for (const Member& m : members) {
    auto crc = static_cast<uint32_t>(
        crc32(0, reinterpret_cast<const Bytef*>(m.bytes.data()), static_cast<uInt>(m.bytes.size())));
    auto size = static_cast<uint32_t>(m.bytes.size());
    std::string common = bytes_of<uint16_t>(20) + bytes_of(m.flags) + bytes_of(m.method) + bytes_of<uint32_t>(0) +
                         bytes_of(crc) + bytes_of(size) + bytes_of(m.claimed_size ? m.claimed_size : size) +
                         bytes_of(static_cast<uint16_t>(m.name.size())) + bytes_of<uint16_t>(0);
    directory += "PK\x01\x02" + bytes_of<uint16_t>(20) + common + std::string(10, '\0') +
                 bytes_of(static_cast<uint32_t>(file.size())) + m.name;
    file += "PK\x03\x04" + common + m.name + m.bytes;
  }
  auto n = static_cast<uint16_t>(members.size());
  return file + directory + "PK\x05\x06" + bytes_of<uint32_t>(0) + bytes_of(n) + bytes_of(n) +
         bytes_of(static_cast<uint32_t>(directory.size())) + bytes_of(static_cast<uint32_t>(file.size())) +
         bytes_of<uint16_t>(0);
}

inline std::string gzipped(const std::string& bytes) {
  z_stream z{};
  deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
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

/// The error that `work` ends with; fails the test if there is none or if its line breaks the rules for messages.
inline DataError error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const DataError& e) {
    std::string line = e.what();
    EXPECT_LE(line.size(), 300u);
    for (char c : line) EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F) << line;
    return e;
  }
  ADD_FAILURE() << "no error";
  return DataError("", "no error", "none");
}

/// All `parts` occur in the message, in this order.
inline void expect_message(const DataError& e, Code code, const std::vector<std::string>& parts) {
  EXPECT_EQ(static_cast<int>(e.code), static_cast<int>(code)) << e.what();
  std::string line = e.what();
  size_t at = 0;
  for (const std::string& p : parts) {
    size_t found = line.find(p, at);
    ASSERT_NE(found, line.npos) << "'" << p << "' is missing in: " << line;
    at = found + p.size();
  }
}

/// A model's view of one data set, with the defaults that most tests want; `open` gives batches of all samples.
struct Scenario {
  Folder folder;
  DataSpec data;
  TrainSpec train;
  std::vector<TensorSpec> tensors;
  OpenOptions options;

  Scenario() {
    data.train.emplace();
    train.shuffle = false;
    options.model_file = "model.json";
    options.files.directory = folder.path();
    options.files.confined = true;
  }
  SourceSpec& source() { return *data.train; }
  void add(TensorSpec t, const std::string& from) {
    source().tensors.push_back({t.name, from, {}, {}});
    tensors.push_back(std::move(t));
  }
  void add_csv(TensorSpec t, std::vector<ColumnRef> columns) {
    source().tensors.push_back({t.name, {}, std::move(columns), {}});
    tensors.push_back(std::move(t));
  }
  OpenedData open() { return open_data(data, train, tensors, options); }
  DataError error() {
    return error_of([&] { open(); });
  }
};

/// All rows of tensor `t` of `source`, in the order of epoch `epoch`.
template <class T>
std::vector<T> rows_of(BatchSource& source, const std::vector<TensorSpec>& tensors, size_t t, uint64_t epoch = 0) {
  std::vector<std::vector<std::byte>> store;
  std::vector<void*> buffers;
  std::vector<int64_t> elements;
  for (const TensorSpec& s : tensors) {
    elements.push_back(checked_product(s.shape).value());
    store.emplace_back(static_cast<size_t>(elements.back() * source.batch_size() * byte_size(s.dtype)),
                       std::byte{0xEE});
  }
  for (auto& s : store) buffers.push_back(s.data());
  std::vector<T> out;
  for (int64_t b = 0; b < source.batches_per_epoch(); ++b) {
    int64_t valid = source.fill(epoch, b, buffers);
    const T* p = reinterpret_cast<const T*>(buffers[t]);
    out.insert(out.end(), p, p + valid * elements[t]);
  }
  return out;
}

} // namespace dlcc::data

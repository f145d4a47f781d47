// One function per binary file format: bytes of a stream in, an array of all samples out.
#pragma once

#include "runtime/data/dataset.h"
#include "runtime/data/file.h"

#include <cstdint>
#include <string>
#include <vector>

namespace dlcc::data {

/// An array as a file holds it, values in the machine's byte order and in row-major order.
struct RawArray {
  ElementType type = ElementType::f32;
  std::vector<int64_t> shape; ///< the first axis counts samples
  Bytes values;
  int64_t offset = 0; ///< of the first value in the unpacked file
  int64_t stride = 0; ///< bytes from sample to sample in the file; 0: not contiguous there
  std::string file;   ///< for messages
};

/// An element type as files have it; more than the model's types, but each is read into one of them without loss:
/// i16 and u16 -> i32, u32 and u64 -> i64 (beyond 2^63 an error), f16 -> f32.
struct StoredType {
  char kind = 'f'; ///< f, i, u, b(ool)
  int bytes = 4;
  bool big_endian = false;
};

/// What kind of tensor an array is read for; only messages depend on it.
struct Wanted {
  bool one_value = false; ///< one number a sample, as labels are
  int64_t rank = 0;       ///< of a sample
};

/// Values of `stored` type to a type of ours. `file` is for messages.
RawArray decode(Bytes raw, StoredType stored, std::vector<int64_t> shape, const std::string& file);

/// idx, the format of MNIST: two zero bytes, type, rank, then big-endian u32 dimensions and values
/// (http://yann.lecun.com/exdb/mnist).
RawArray read_idx(Stream& s, const Wanted& wanted, const FileOptions& options);

/// npy, versions 1 to 3 (NumPy enhancement proposal 1 and numpy.lib.format); C and Fortran order.
RawArray read_npy(Stream& s, const FileOptions& options);

/// The arrays of an npz file, which is a zip archive of npy files; `names` without ".npy", in the order asked for.
std::vector<RawArray> read_npz(const std::string& file, const std::vector<std::string>& names,
                               const FileOptions& options);

} // namespace dlcc::data

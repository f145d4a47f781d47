// One function per binary file format: what its header promises, then an array of all samples.
#pragma once

#include "runtime/data/dataset.h"
#include "runtime/data/file.h"

#include <cstdint>
#include <memory>
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
/// i16 and u16 -> i32, u32 and u64 -> i64 (beyond 2^63 an error), f16 and bf16 -> f32.
struct StoredType {
  char kind = 'f'; ///< f, i, u, b(ool), B (bfloat16)
  int bytes = 4;
  bool big_endian = false;
};

/// An array in a file whose header was read, and none of its values: what it promises can be judged before memory is
/// taken for it.
struct PendingArray {
  std::unique_ptr<Stream> stream; ///< stands at the first value
  StoredType type;
  std::vector<int64_t> shape; ///< the first axis counts samples; rank >= 1
  bool fortran_order = false; ///< the first axis varies fastest
};

/// The bytes that all values take in the file. Throws DataError if that overflows.
int64_t payload_bytes(const PendingArray& array);

/// Reads the values, which must be all that is left of the stream.
RawArray read_values(PendingArray array);

/// What kind of tensor an array is read for; only messages depend on it.
struct Wanted {
  bool one_value = false; ///< one number a sample, as labels are
  int64_t rank = 0;       ///< of a sample
};

/// Values of `stored` type to a type of ours. `file` is for messages.
RawArray decode(Bytes raw, StoredType stored, std::vector<int64_t> shape, const std::string& file);

/// idx, the format of MNIST: two zero bytes, type, rank, then big-endian u32 dimensions and values
/// (http://yann.lecun.com/exdb/mnist).
PendingArray open_idx(std::unique_ptr<Stream> s, const Wanted& wanted);

/// npy, versions 1 to 3 (NumPy enhancement proposal 1 and numpy.lib.format); C and Fortran order.
PendingArray open_npy(std::unique_ptr<Stream> s);

/// The arrays of an npz file, which is a zip archive of npy files; `names` without ".npy", in the order asked for.
std::vector<PendingArray> open_npz(const std::string& file, const std::vector<std::string>& names,
                                   const FileOptions& options);

/// The tensors of a safetensors file (https://github.com/huggingface/safetensors, "Format"), in the order asked for.
std::vector<PendingArray> open_safetensors(const std::string& file, const std::vector<std::string>& names,
                                           const FileOptions& options);

} // namespace dlcc::data

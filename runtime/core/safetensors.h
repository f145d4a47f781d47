// safetensors.h: reads and writes the header of a safetensors file: 8 bytes of length, then a small JSON object, then
// data.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace dlcc::runtime {

struct StoredTensor {
  std::string name;
  int32_t dtype = 0; // DLCC_F32...
  std::vector<int64_t> dims;
  uint64_t begin = 0, end = 0; // in the data area, which starts behind the header
  uint64_t bytes() const { return end - begin; }
};

struct SafetensorsHeader {
  std::map<std::string, std::string> metadata;
  std::vector<StoredTensor> tensors; // sorted by `begin`, without gaps
};

constexpr uint64_t max_safetensors_header = 100u << 20; // as the reference implementation has it

// Parses the JSON of a header. The bytes are hostile: no recursion; names, ranks and counts are limited; sizes must
// agree with shapes and fill the data area from 0 on. Duplicate names, unknown keys and unknown dtypes are refused.
// Throws Error(DLCC_E_CORRUPT) with "header byte N: what".
SafetensorsHeader parse_safetensors_header(std::string_view json);

// The length word and the JSON, padded with spaces so that the data area is aligned to 64 bytes. `begin` and `end` of
// the tensors are set, in the order given.
std::string format_safetensors_header(const std::map<std::string, std::string>& metadata,
                                      std::vector<StoredTensor>& tensors);

} // namespace dlcc::runtime

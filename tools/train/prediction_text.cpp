#include "tools/train/prediction_text.h"

#include "runtime/data/dataset.h"
#include "tools/train/failure.h"

#include <charconv>
#include <cstring>

namespace dlcc::training {

namespace {
const char* npy_type(int32_t dtype) {
  switch (dtype) {
  case DLCC_F32:
    return "<f4";
  case DLCC_F64:
    return "<f8";
  case DLCC_I8:
    return "|i1";
  case DLCC_U8:
    return "|u1";
  case DLCC_I32:
    return "<i4";
  case DLCC_I64:
    return "<i8";
  case DLCC_BOOL:
    return "|b1";
  default:
    throw Failure(exit_usage, "outputs of this type cannot be written as npy", "dtype");
  }
}
} // namespace

std::string npy_header(int32_t dtype, const std::vector<int64_t>& shape) {
  std::string dims;
  for (int64_t d : shape) dims += std::to_string(d) + ", ";
  std::string head =
      std::string("{'descr': '") + npy_type(dtype) + "', 'fortran_order': False, 'shape': (" + dims + "), }";
  const size_t total = (10 + head.size() + 1 + 63) / 64 * 64;
  head += std::string(total - 10 - head.size() - 1, ' ') + "\n";
  const size_t n = head.size();
  return std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(n & 255) + static_cast<char>(n >> 8) + head;
}

std::string number_cell(const std::byte* data, int32_t dtype, int64_t i) {
  char text[64];
  char* end = text;
  if (dtype == DLCC_F32) {
    float v;
    std::memcpy(&v, data + 4 * i, 4);
    end = std::to_chars(text, text + sizeof text, v).ptr;
  } else {
    end = std::to_chars(text, text + sizeof text, data::value_at(data, static_cast<data::ElementType>(dtype), i)).ptr;
  }
  return {text, end};
}

std::string text_cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

std::string csv_line(const std::vector<std::string>& cells) {
  std::string out;
  for (const std::string& cell : cells) out += cell + ",";
  if (!out.empty()) out.pop_back();
  return out + "\n";
}

} // namespace dlcc::training

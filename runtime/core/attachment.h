// attachment.h: a named tensor that travels with a session's parameters without being part of the compiled step.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/core/dlcc_runtime.h"

namespace dlcc::runtime {

struct Attachment {
  int32_t dtype = 0;
  std::vector<int64_t> dims;
  std::vector<char> bytes; // row-major, dense

  dlcc_view view() const {
    return {
        const_cast<char*>(bytes.data()), dtype, static_cast<int32_t>(dims.size()), dims.data(), bytes.size(), {0, 0}};
  }
};

using Attachments = std::map<std::string, Attachment, std::less<>>;

// What every name begins with, and no name of the module's state does.
constexpr std::string_view attachment_prefix = "data/";
constexpr size_t max_attachment_name = 1024;
constexpr bool is_attachment(std::string_view tensor) { return tensor.starts_with(attachment_prefix); }

} // namespace dlcc::runtime

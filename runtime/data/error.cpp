#include "runtime/data/error.h"

#include <algorithm>

namespace dlcc::data {

namespace {
constexpr size_t line_limit = 300;

std::string format_line(std::string_view file, uint32_t line, uint32_t column, std::string_view severity,
                        std::string_view text, std::string_view name) {
  std::string head = file.empty() ? "dlcc" : escape(file, 100);
  if (line) head += ":" + std::to_string(line);
  if (line && column) head += ":" + std::to_string(column);
  head += ": " + std::string(severity) + ": ";
  std::string tail = " [" + std::string(name) + "]";
  size_t room = line_limit - std::min(line_limit, head.size() + tail.size() + 4);
  return head + escape(text, room) + tail;
}
} // namespace

std::string warning_line(std::string_view file, std::string_view text, std::string_view name) {
  return format_line(file, 0, 0, "warning", text, name);
}
std::string note_line(std::string_view file, std::string_view text, std::string_view name) {
  return format_line(file, 0, 0, "note", text, name);
}

DataError too_large(std::string file, std::string_view what, int64_t bytes, int64_t memory_cap) {
  return {Code::resources,
          std::move(file),
          0,
          0,
          std::string(what) + " need " + size_text(bytes) + " of memory, expected at most " + size_text(memory_cap) +
              "; see --memory-limit, or leave samples out",
          "memory"};
}

DataError::DataError(Code exit, std::string in_file, uint32_t at_line, uint32_t at_column, std::string message,
                     std::string fault)
    : code(exit), file(std::move(in_file)), line(at_line), column(at_column), text(std::move(message)),
      name(std::move(fault)), message_(format_line(file, line, column, "error", text, name)) {}

} // namespace dlcc::data

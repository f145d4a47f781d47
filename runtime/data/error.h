// The one way in which reading data fails: a line for the user, with the place of the fault.
#pragma once

#include "runtime/core/error.h"

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>

namespace dlcc::data {

/// Exit codes of the tools that a reader can cause.
enum class Code : int { data = 4, io = 6, resources = 7 };

/// `text` says what was found and what was expected; `name` is the short kebab-case name of the fault.
struct DataError : std::exception {
  DataError(Code exit, std::string in_file, uint32_t at_line, uint32_t at_column, std::string message,
            std::string fault);
  DataError(std::string in_file, std::string message, std::string fault)
      : DataError(Code::data, std::move(in_file), 0, 0, std::move(message), std::move(fault)) {}

  Code code;
  std::string file; ///< as the user named it; empty: the tool itself speaks
  uint32_t line, column;
  std::string text, name;

  /// `file:line:column: error: text [name]`: escaped, at most 300 bytes.
  const char* what() const noexcept override { return message_.c_str(); }

private:
  std::string message_;
};

/// What does not fit in the memory that the values may take: how much it is, and what can be done.
DataError too_large(std::string file, std::string_view what, int64_t bytes, int64_t memory_cap);

/// `file: warning: text [name]`, in the same form.
std::string warning_line(std::string_view file, std::string_view text, std::string_view name);
/// `file: note: text [name]`.
std::string note_line(std::string_view file, std::string_view text, std::string_view name);

using runtime::escape;
/// A name or a cell, for a message.
inline std::string quoted(std::string_view text) { return "'" + escape(text, 40) + "'"; }
using runtime::size_text;

} // namespace dlcc::data

// Reading a model file and its diagnostics: what the user gave, named as the user named it.
#pragma once

#include "ir/base/diagnostics.h"

#include <string>

namespace dlcc::tools {

/// Most bytes a model file may have.
inline constexpr int64_t max_model_bytes = 256ll << 20;

/// The whole file, or standard input for "-". Throws UserError(io) when it cannot be opened, is no regular file (a pipe
/// is fine for "-") or is too large, and UserError(environment) when no descriptor or memory is left for it.
std::string read_text_file(const std::string& path);

enum class DiagnosticsFormat { automatic, brief, rich, json };

/// Prints each diagnostic to standard error: one line each; rich adds the source line, a caret and notes. `source` is
/// the text the places point into.
void print_diagnostics(const DiagnosticList& diagnostics, const std::string& source, DiagnosticsFormat format);
void print_diagnostic(const Diagnostic& diagnostic, const std::string& source, DiagnosticsFormat format);

} // namespace dlcc::tools

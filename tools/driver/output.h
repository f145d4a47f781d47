// Writing results where the user said: a file, replaced as a whole or not at all, or standard output.
#pragma once

#include <string>
#include <string_view>

namespace dlcc::tools {

/// Writes to `path` by a temporary file and a rename; "" or "-" means standard output. `input` is the file that was
/// read and must not be overwritten. Throws UserError(io), or (environment) where descriptors or memory lack.
void write_output(const std::string& path, std::string_view bytes, const std::string& input = {}, unsigned mode = 0666);

/// `train_step.so` -> `train_step`; folder and name stay.
std::string without_extension(const std::string& path);

} // namespace dlcc::tools

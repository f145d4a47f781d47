// Folders that runs of the program start in, and all that can be seen of a run in the end.
#pragma once

#include "tests/cli/program.h"

namespace dlcc::effects {

/// Tables, arrays and tensors that models and commands of the tests name.
void write_data(const cli_tests::Folder& folder);

/// Exit code, both outputs and every file that was not there before, times left out.
std::string seen_of(const cli_tests::Result& result, const cli_tests::Folder& folder,
                    const std::map<std::string, std::string>& before);

} // namespace dlcc::effects

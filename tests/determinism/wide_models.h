// Models large enough that every step is divided among threads, with data of their own.
#pragma once

#include "tests/goldens/golden.h"

namespace dlcc::determinism {

std::vector<std::string> wide_names();
goldens::Model wide_model(const std::string& name);

} // namespace dlcc::determinism

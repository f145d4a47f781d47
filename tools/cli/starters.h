// The models that `dlcc new` offers: files of examples/, put into the program by the build (tools/CMakeLists.txt).
#pragma once

#include <span>
#include <string_view>

namespace dlcc::tools {

struct Starter {
  std::string_view name, text;
  std::string_view data_file, data; ///< what it trains on and brings with it; empty: nothing
};
std::span<const Starter> starters();

} // namespace dlcc::tools

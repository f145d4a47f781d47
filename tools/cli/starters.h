// The models that `dlcc new` offers: files of examples/, put into the program by the build (tools/CMakeLists.txt).
#pragma once

#include <span>
#include <string_view>

namespace dlcc::tools {

struct Starter {
  std::string_view name, text;
};
std::span<const Starter> starters();

} // namespace dlcc::tools

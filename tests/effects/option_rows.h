// For every option of every sub-command: what giving it changes. The test walks the program's own options.
#pragma once

#include <string>
#include <vector>

namespace dlcc::effects {

using Words = std::vector<std::string>;

struct OptionRow {
  std::string commands; ///< their names; "*": all that have the option
  std::string option;   ///< its first name
  Words with;           ///< the option as given
  /// What can be seen of the run with it and not of the one without; behind "!": the other way round; "": the two
  /// differ in something; "=": in nothing.
  std::string shows;
  Words beside = {};        ///< on both command lines
  Words instead = {};       ///< on the one without it
  const char* model = "{}"; ///< patch of the model
  const char* limit = "";   ///< of the shell, for both
};

const std::vector<OptionRow>& option_rows();

} // namespace dlcc::effects

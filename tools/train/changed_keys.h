// changed_keys.h: how two descriptions of a model differ, by key.
#pragma once

#include <string>
#include <vector>

namespace dlcc::training {

/// "optimizer.learning_rate is 0.01 there and 0.1 here", one for each key whose values differ; none if one of the texts
/// is no description. What says where data are and how long is trained comes last.
std::vector<std::string> changed_keys(const std::string& there, const std::string& here);

} // namespace dlcc::training

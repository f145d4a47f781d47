// Models that together say everything a model can say: examples, goldens, models drawn at random, one around every
// record with each of its keys, one around every sample of every operator.
#pragma once

#include <string>
#include <vector>

namespace dlcc::testing {

std::vector<std::string> seed_models();

} // namespace dlcc::testing

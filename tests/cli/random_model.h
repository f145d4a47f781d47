// Models drawn at random, for what must hold of every model.
#pragma once

#include <cstdint>
#include <string>

namespace dlcc::cli_tests {

/// A model as layers, or as operators on values: any activation, joint, penalty and loss, values of moderate size. The
/// same text for the same seed.
std::string random_model(uint64_t seed);

} // namespace dlcc::cli_tests

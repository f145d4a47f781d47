// The order in which things that need each other can be built, and the cycle that forbids it; without recursion.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace dlcc::frontend {

/// needs[i]: what i needs.
using Needs = std::vector<std::vector<uint32_t>>;

struct Topology {
  std::vector<uint32_t> order; ///< each after what it needs; as given where that is possible
  std::vector<uint32_t> cycle; ///< if there is one: its members, each needed by the next, the last by the first
};
Topology sort_by_need(const Needs& needs);

/// What the wanted ones need, themselves included. `order` is that of sort_by_need.
std::vector<char> needed_by(const std::vector<uint32_t>& wanted, const Needs& needs,
                            const std::vector<uint32_t>& order);

/// "'a' -> 'b' -> 'a'"; a long one is cut to its first and last three.
std::string cycle_text(const std::vector<uint32_t>& cycle, const std::function<std::string(uint32_t)>& name);

} // namespace dlcc::frontend

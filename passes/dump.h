// What dumps show: the parts of a text that a filter names, and in one line what a pass did.
#pragma once

#include "passes/pipeline.h"

#include <string>
#include <utility>
#include <vector>

namespace dlcc::passes {

/// The functions, kernels and entries whose name contains `filter`, and the kernels that such an entry calls; all of
/// the text if `filter` is empty.
std::string filtered(const std::string& text, const std::string& filter);

/// How much of everything an IR has: "nodes", 120.
using Counts = std::vector<std::pair<std::string, int64_t>>;
Counts counts_of(const Ir& ir);
/// "nodes 120 -> 86, clusters 21"; what there is if nothing became more or less.
std::string difference(const Counts& before, const Counts& after);

} // namespace dlcc::passes

// Gives every buffer its place: states and constants one after the other in their regions, arena buffers at offsets
// that buffers of disjoint lifetime share. Several placement orders are tried and the smallest plan is kept; the
// entry's notes state the proof: the lower bound (most bytes alive at once), what was reached, and the gap.
#pragma once

#include "passes/pass.h"

namespace dlcc::passes {

loops::Program plan_memory(loops::Program program, PassContext& context);

} // namespace dlcc::passes

// When the storage of every arena buffer of an entry is in use. The unit of time is the phase in a parallel region,
// since its threads may be at different kernels, and the call in serial code.
#pragma once

#include "ir/loops/program.h"

#include <map>

namespace dlcc::passes {

struct LiveRange {
  int first = 0, last = 0; ///< units of time, both included
};

/// The units of time of an entry: the calls that run in each.
std::vector<std::vector<const loops::Call*>> time_units(const loops::Entry& entry);
/// Live range of every arena storage the entry uses, in the order of first use.
std::vector<std::pair<loops::BufferId, LiveRange>> live_ranges(const loops::Program& program,
                                                               const loops::Entry& entry);

} // namespace dlcc::passes

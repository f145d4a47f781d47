// Where an entry finds its buffers when it runs: internal to codegen.
#pragma once

#include "codegen/module_plan.h"

namespace dlcc::codegen {

/// A pointer of the entry's context (layout.h) and a distance in bytes.
struct Place {
  unsigned slot;
  int64_t offset;
};

Place place_of(const ModulePlan& plan, const loops::Entry& entry, loops::BufferId buffer);

} // namespace dlcc::codegen

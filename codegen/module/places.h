// Where an entry finds its buffers when it runs: internal to codegen.
#pragma once

#include "codegen/module/module_plan.h"

namespace dlcc::codegen {

/// A pointer of the entry's context (layout.h) and a distance in bytes.
struct BufferPlace {
  unsigned slot;
  int64_t offset;
};

BufferPlace place_of(const ModulePlan& plan, const loops::Entry& entry, loops::BufferId buffer);

} // namespace dlcc::codegen

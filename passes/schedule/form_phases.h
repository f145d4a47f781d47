// Turns the list of calls of every entry into serial code or one parallel region of phases.
//
// An entry whose kernels are too short to pay for a region stays serial. Otherwise a kernel joins the current phase
// unless it depends on a kernel there in a way that crosses tasks; then a barrier starts a new phase. Kernels of one
// task all run on the same thread, so a dependence between them needs none.
#pragma once

#include "passes/pass.h"

namespace dlcc::passes {

loops::Program form_phases(loops::Program program, PassContext& context);

} // namespace dlcc::passes

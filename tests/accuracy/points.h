// The operands at which a truth is compared: every magnitude of the type, zero, and the infinities where asked for.
#pragma once

#include "ir/base/tensor.h"
#include "tests/accuracy/truths.h"

namespace dlcc::testing {

/// The operands of many samples; the first axis counts them.
std::vector<Tensor> points_of(const Truth& truth, DType dtype);

} // namespace dlcc::testing

// tiny_module.h: a real little model, compiled by hand: linear regression with momentum, so that training needs no
// compiler.
#pragma once

#include "tools/train/train.h"

#include <functional>
#include <optional>
#include <string>

namespace dlcc::training::test {

constexpr int64_t tiny_batch = 4, tiny_features = 2;

/// prediction = x . kernel + bias; loss = mean of (prediction - y)^2 over the valid rows; sgd with momentum 0.9 and
/// noise that depends on (seed, batch), as dropout would be; metric mae from f64 accumulators in BUFFER. A loss that is
/// not finite is refused before the update. Rate 0.05.
dlcc_module* open_tiny_module();

/// Called before each training step with its number, from 0; may be empty.
extern std::function<void(uint64_t batch)> before_step;
/// As above, before each evaluation step.
extern std::function<void()> before_evaluation;
/// In the step of this number one gradient is NaN, while its loss is finite.
extern std::optional<uint64_t> poisoned_batch;

/// y = 2 x0 - x1 + 0.5 + noise: `samples` for training, half as many for validation and for test, from csv files in
/// `folder`.
Job tiny_job(dlcc_module* module, const std::string& folder, int samples = 22, bool validation = true);

} // namespace dlcc::training::test

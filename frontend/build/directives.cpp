#include "frontend/build/directives.h"

#include "frontend/network/parameters.h"

#include <algorithm>
#include <cmath>

namespace dlcc::frontend {

namespace {
// Keys of every optimizer that are no arguments of its rule; they become directives of their own, penalties, or
// settings of the training loop.
constexpr std::string_view common_keys[] = {
    "learning_rate",    "clip_norm", "clip_value",     "clip_global_norm",   "preset", "accumulate_steps", "alpha",
    "n_iter_no_change", "tol",       "early_stopping", "validation_fraction"};

Attributes rule_arguments(const Record& optimizer) {
  Attributes out;
  for (const auto& [name, value] : attributes_of(optimizer))
    if (std::find(std::begin(common_keys), std::end(common_keys), name) == std::end(common_keys)) out.set(name, value);
  return out;
}

// Every schedule has an initial rate: that of the table is its first value.
Attributes schedule_arguments(const Record& schedule) {
  Attributes out = attributes_of(schedule);
  if (schedule.is("piecewise")) out.set("initial", schedule.numbers("values")[0]);
  return out;
}

// How many batches an epoch has is known when training starts: it belongs to the call, not to the code.
bool counts_epochs(const Record& schedule) {
  for (const char* key : {"decay_epochs", "warmup_epochs", "first_decay_epochs"})
    if (schedule.has_if_known(key)) return true;
  return false;
}

void add_clip(const Record& optimizer, graph::Module& module) {
  constexpr std::pair<const char*, const char*> kinds[] = {
      {"clip_norm", "norm"}, {"clip_value", "value"}, {"clip_global_norm", "global_norm"}};
  for (const auto& [key, name] : kinds)
    if (optimizer.has(key))
      module.directives.push_back({"clip", name, {{"value", optimizer.number(key)}}, optimizer.at(key).place.where});
}
} // namespace

void add_directives(const ModelSpec& spec, graph::Module& module) {
  if (const Record* optimizer = spec.optimizer()) {
    const Record& schedule = *optimizer->record("learning_rate");
    Attributes arguments = schedule_arguments(schedule);
    module.hypers.push_back({"learning_rate", arguments.number("initial")});
    if (counts_epochs(schedule)) module.hypers.push_back({"steps_per_epoch", std::nan("")});
    module.directives.push_back({"optimizer", optimizer->type(), rule_arguments(*optimizer), optimizer->place.where});
    module.directives.push_back({"schedule", schedule.type(), std::move(arguments), schedule.place.where});
    add_clip(*optimizer, module);
    if (int64_t steps = optimizer->integer("accumulate_steps"); steps > 1) {
      module.hypers.push_back({"accumulate_steps", static_cast<double>(steps)}); // tells the loader when updates count
      module.directives.push_back(
          {"accumulate", "batches", {{"steps", steps}}, optimizer->at("accumulate_steps").place.where});
    }
  }
  module.directives.push_back({"train", "options", {{"terminate_on_nan", spec.train.terminate_on_nan}}, {}});
}

} // namespace dlcc::frontend

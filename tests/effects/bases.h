// A right model around any record of the model format, with every key at its default.
#pragma once

#include "frontend/table/schema.h"
#include "tests/effects/outcome.h"

namespace dlcc::effects {

struct Base {
  Json model;
  Json::json_pointer record; ///< where the record stands in it
};

/// With data to train on, or in double precision.
Base base_of(frontend::Group group, const std::string& record, bool with_data);

} // namespace dlcc::effects

// What editors and people read about the format, generated from the table.
#pragma once

#include <string>

namespace dlcc::frontend {

/// The JSON Schema (draft-07) of model.json: one definition per group, `if`/`then` on the discriminator.
/// It accepts every document that the compiler accepts; what a schema cannot say (names, sizes) is left to the
/// compiler.
std::string json_schema();

/// Every record with its keys, types, defaults and meaning, as Markdown.
std::string key_reference();

} // namespace dlcc::frontend

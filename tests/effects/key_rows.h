// For every key of the model format: what saying it changes. The tests walk the format's own table and look each key
// up.
#pragma once

#include "frontend/table/schema.h"
#include "tests/effects/outcome.h"

#include <vector>

namespace dlcc::effects {

/// How a model with the key is told from one without it.
enum class Seen : uint8_t {
  computed, ///< what it computes differs
  run,      ///< what a run says and leaves differs
  planned,  ///< the text of the stage planned differs
  named,    ///< the source stage has the name "given"
  nothing,  ///< it changes nothing that is computed
  refused,  ///< the compiler says `expected`
};

/// What else belongs to a row; patches are JSON merge patches (RFC 7386).
struct Besides {
  const char* record = "{}"; ///< patch of the record, with the key and without it
  const char* model = "{}";  ///< the same of the model
  /// Another way to say the same, to be as good as equal: patches in place of the row's own; both empty: there is none.
  const char* same_record = "{}";
  const char* same_model = "{}";
  const char* expected = ""; ///< what a refusal says
};

struct KeyRow {
  frontend::Group group;
  std::string records; ///< their names; "*": all that have the key
  const char* key;
  const char* with; ///< patch of the record that says the key
  Besides besides = {};
  Seen seen = Seen::computed;
};

const std::vector<KeyRow>& network_rows();
const std::vector<KeyRow>& training_rows();
const std::vector<KeyRow>& data_rows();

} // namespace dlcc::effects

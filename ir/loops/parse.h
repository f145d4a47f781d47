// Reads the text of a loop-IR program back; print.h describes it. Takes hostile text: nesting is bounded by 64, sizes
// are checked, nothing is allocated from a number that the text merely claims. What is well-formed but makes no sense
// is left to verify.h.
#pragma once

#include "ir/base/text.h"
#include "ir/loops/program.h"

namespace dlcc::loops {

/// Where the parts of a program stand in the text it was read from.
struct TextPlaces {
  struct KernelPlaces {
    Location head;
    IdVector<StmtId, Location> statements;
  };
  struct EntryPlaces {
    Location head;
    std::vector<Location> calls; ///< in the order of the text
  };
  Location stage;
  IdVector<BufferId, Location> buffers;
  IdVector<KernelId, KernelPlaces> kernels;
  std::vector<EntryPlaces> entries;
};

/// Throws TextError with the place of the first thing it does not understand.
Program parse_program(std::string_view text, TextPlaces* places = nullptr);

} // namespace dlcc::loops

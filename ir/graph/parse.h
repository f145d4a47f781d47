// Reads the text of a graph module (print.h). Text is hostile: whatever it is, the answer is a module or a TextError.
#pragma once

#include "ir/base/text.h"
#include "ir/graph/op.h"

namespace dlcc::graph {

/// Where the parts of a module stand in the text it was read from.
struct TextPlaces {
  struct FunctionPlaces {
    Location head;
    IdVector<NodeId, Location> nodes;
    std::vector<Location> updates;
  };
  Location stage;
  IdVector<StateId, Location> states;
  std::vector<Location> directives;
  IdVector<FunctionId, FunctionPlaces> functions;
};

/// Throws TextError with the place of the fault. Every operator's rules are checked again, and the written types are
/// compared with the inferred ones. A function may call those before it.
Module parse_module(std::string_view text, OpTable ops, TextPlaces* places = nullptr);

} // namespace dlcc::graph

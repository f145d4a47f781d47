// A list of nodes with its names resolved: the main one of a model, or the body of one of its functions.
#pragma once

#include "frontend/report.h"
#include "frontend/topology.h"
#include "ir/graph/op.h"

#include <map>
#include <unordered_map>

namespace dlcc::frontend {

/// Values are numbered: first those that come from outside, then the outputs of the nodes.
struct NodeGraph {
  const std::vector<NodeSpec>* nodes = nullptr;
  std::vector<Name> values;
  std::unordered_map<std::string, uint32_t> numbers; ///< of the values
  std::vector<std::vector<uint32_t>> operands;       ///< of each node: values
  std::vector<uint32_t> first_output;                ///< of each node: a value
  Needs needs;                                       ///< nodes of nodes
  std::vector<uint32_t> order;                       ///< of the nodes

  std::optional<uint32_t> find(const std::string& name) const {
    auto at = numbers.find(name);
    return at == numbers.end() ? std::nullopt : std::optional(at->second);
  }
  std::vector<std::string> names() const;
};

/// Errors (unknown and double names, cycles) go to the reporter. `outside` are the values from outside.
NodeGraph resolve_nodes(const std::vector<NodeSpec>& nodes, const std::vector<Name>& outside, Reporter& report);

/// A function of the model.
struct UserFunction {
  const Record* record = nullptr;
  NodeGraph body;
  /// Its values from outside are all values of the body, then the cotangents d.<output>.
  std::optional<NodeGraph> gradient;
};

/// All functions of the model: resolved, not recursive, of bounded depth and size when inlined.
class UserFunctions {
public:
  UserFunctions(const ModelSpec& spec, graph::OpTable ops, Reporter& report);

  const UserFunction* find(const std::string& name) const;
  /// Every operator of the nodes must exist, and all calls together may not unroll beyond the limit of nodes.
  void check_operators(const std::vector<NodeSpec>& nodes) const;

private:
  UserFunction resolve(const Record& record) const;
  void check_calls(const std::vector<Record>& records);
  int64_t unrolled_size(const std::vector<NodeSpec>& nodes) const;

  graph::OpTable ops_;
  Reporter& report_;
  std::map<std::string, UserFunction> functions_;
  std::map<std::string, int64_t> sizes_; ///< nodes of each when everything is inlined
};

} // namespace dlcc::frontend

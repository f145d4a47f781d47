// A list of nodes with its names resolved, beside the layers of a model or in the body of one of its functions.
#pragma once

#include "frontend/network/name_table.h"
#include "frontend/read/topology.h"
#include "ir/graph/op.h"

#include <map>

namespace dlcc::frontend {

class NodeGraph {
public:
  /// Declares a value for each output of the nodes beside those that are there already. Errors go to the reporter.
  NodeGraph(const std::vector<NodeSpec>& nodes, NameTable& names, Reporter& report);
  /// Finds the operands, once all values are declared. Unknown names are errors; `inferred`: labels that the model does
  /// not declare.
  void resolve(const NameTable& names, const std::vector<std::string>& inferred, Reporter& report);

  const std::vector<NodeSpec>& nodes() const { return *nodes_; }
  const std::vector<uint32_t>& operands(size_t node) const { return operands_[node]; }
  /// The value of the node's first output; the others follow it.
  uint32_t first_output(size_t node) const { return first_output_[node]; }

private:
  const std::vector<NodeSpec>* nodes_;
  std::vector<uint32_t> first_output_;
  std::vector<std::vector<uint32_t>> operands_;
};

/// Nodes that nothing but themselves and values from outside can name, in an order to build them.
struct NodeBody {
  NameTable names; ///< those from outside come first
  std::optional<NodeGraph> graph;
  std::vector<uint32_t> order;
};

/// A function of the model.
struct UserFunction {
  const Record* record = nullptr;
  NodeBody body;
  /// Its values from outside are all values of the body, then the cotangents d.<output>.
  std::optional<NodeBody> gradient;
};

/// All functions of the model: resolved, not recursive, of bounded depth, and of bounded size with all who call them.
class UserFunctions {
public:
  UserFunctions(const ModelSpec& spec, graph::OpTable ops, Reporter& report);

  const UserFunction* find(const std::string& name) const;
  /// Those with a gradient of their own that are functions of the graph already, by name and operand types.
  std::map<std::string, std::string> instances;
  /// Every operator of the nodes must exist.
  void check_operators(const std::vector<NodeSpec>& nodes) const;

private:
  UserFunction resolve(const Record& record) const;
  void check_calls(const std::vector<Record>& records);
  void check_size(const ModelSpec& spec) const;
  int64_t unrolled_size(const std::string& op) const;
  int64_t unrolled_size(const std::vector<NodeSpec>& nodes) const;

  graph::OpTable ops_;
  Reporter& report_;
  std::map<std::string, UserFunction> functions_;
  std::map<std::string, int64_t> sizes_; ///< nodes of each and its gradient when everything is inlined
};

} // namespace dlcc::frontend

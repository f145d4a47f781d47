// Adds nodes to a function of the graph: operators on named values, and functions of the model, inlined where they are
// called.
#pragma once

#include "frontend/network/network.h"

namespace dlcc::frontend {

class NodeBuilder {
public:
  NodeBuilder(Construction& construction, graph::Builder& builder, Mode mode)
      : c_(construction), b_(builder), mode_(mode) {}

  /// One node of the graph. `values` by number: its operands are there, or it is left out; its results are put there,
  /// under their names with the prefix. Errors are reported.
  void build(const NodeGraph& graph, uint32_t node, std::vector<graph::ValueId>& values, const std::string& prefix);

  /// A function's results for these operands; `name`: of the call. Throws ModelError.
  std::vector<graph::ValueId> call(const UserFunction& function, const std::vector<graph::ValueId>& operands,
                                   const std::string& name, const Place& place);

private:
  void build(const NodeBody& body, std::vector<graph::ValueId>& values, const std::string& prefix);
  std::vector<graph::ValueId> apply(const NodeSpec& node, std::vector<graph::ValueId> operands,
                                    const std::string& name);
  std::vector<graph::ValueId> apply_operator(const NodeSpec& node, std::vector<graph::ValueId> operands,
                                             const std::string& name);
  void give_name(graph::ValueId value, const std::string& name);
  static std::vector<graph::ValueId> results_of(const UserFunction& function,
                                                const std::vector<graph::ValueId>& values);

  std::string instance(const UserFunction& function, const std::vector<graph::ValueId>& operands);
  std::vector<Type> add_body(const UserFunction& function, const std::string& name, const std::vector<Type>& types);
  void add_gradient(const UserFunction& function, const std::string& name, const std::vector<Type>& types,
                    const std::vector<Type>& results);

  Construction& c_;
  graph::Builder& b_;
  Mode mode_;
};

} // namespace dlcc::frontend

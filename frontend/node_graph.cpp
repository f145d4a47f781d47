#include "frontend/node_graph.h"

#include <algorithm>

namespace dlcc::frontend {

namespace {
/// Functions that call functions that call ...
constexpr int64_t max_call_depth = 64;

std::string place_text(const Place& place) {
  return std::to_string(place.where.line) + ":" + std::to_string(place.where.column);
}

class NodeResolver {
public:
  NodeResolver(const std::vector<NodeSpec>& nodes, Reporter& report) : report_(report) { g_.nodes = &nodes; }

  NodeGraph resolve(const std::vector<Name>& outside) {
    for (const Name& name : outside) declare(name);
    for (const NodeSpec& node : *g_.nodes) {
      g_.first_output.push_back(static_cast<uint32_t>(g_.values.size()));
      for (const Name& output : node.outputs) declare(output);
    }
    std::vector<uint32_t> node_of(g_.values.size(), 0); // of each output
    for (uint32_t i = 0; i < g_.nodes->size(); ++i)
      for (size_t k = 0; k < (*g_.nodes)[i].outputs.size(); ++k) node_of[g_.first_output[i] + k] = i;
    for (const NodeSpec& node : *g_.nodes) {
      std::vector<uint32_t>& operands = g_.operands.emplace_back();
      std::vector<uint32_t>& needs = g_.needs.emplace_back();
      for (const Name& input : node.inputs) {
        std::optional<uint32_t> value = g_.find(input.text);
        if (!value) {
          unknown(input);
          continue;
        }
        operands.push_back(*value);
        if (*value >= outside.size()) needs.push_back(node_of[*value]);
      }
    }
    sort();
    return std::move(g_);
  }

private:
  void declare(const Name& name) {
    auto [at, is_new] = g_.numbers.emplace(name.text, static_cast<uint32_t>(g_.values.size()));
    if (!is_new)
      report_.error("duplicate-name",
                    "value " + quoted(name.text) + " is already defined at " + place_text(g_.values[at->second].place) +
                        ", expected names that differ",
                    name.place);
    g_.values.push_back(name);
  }

  void unknown(const Name& name) {
    report_.error("unknown-name", "unknown value " + quoted(name.text) + did_you_mean(name.text, g_.names()),
                  name.place);
  }

  void sort() {
    Topology topology = sort_by_need(g_.needs);
    g_.order = std::move(topology.order);
    if (topology.cycle.empty()) return;
    auto name = [&](uint32_t node) { return quoted(g_.values[g_.first_output[node]].text); };
    report_.error("cycle", "nodes form a cycle: " + cycle_text(topology.cycle, name) + ", expected none",
                  (*g_.nodes)[topology.cycle[0]].place);
  }

  Reporter& report_;
  NodeGraph g_;
};
} // namespace

std::vector<std::string> NodeGraph::names() const {
  std::vector<std::string> out;
  for (const Name& value : values) out.push_back(value.text);
  return out;
}

NodeGraph resolve_nodes(const std::vector<NodeSpec>& nodes, const std::vector<Name>& outside, Reporter& report) {
  return NodeResolver(nodes, report).resolve(outside);
}

// ---- functions ------------------------------------------------------------------------------------------------------

UserFunctions::UserFunctions(const ModelSpec& spec, graph::OpTable ops, Reporter& report) : ops_(ops), report_(report) {
  for (const Record& record : spec.functions()) {
    if (graph::find_op(ops, record.entry.text))
      report.error("duplicate-name",
                   "function " + quoted(record.entry.text) + " has the name of an operator, expected another",
                   record.entry.place);
    functions_.emplace(record.entry.text, UserFunction{&record, {}, {}});
  }
  if (report.failed()) return;
  for (const Record& record : spec.functions()) functions_[record.entry.text] = resolve(record);
  if (!report.failed()) check_calls(spec.functions());
}

const UserFunction* UserFunctions::find(const std::string& name) const {
  auto at = functions_.find(name);
  return at == functions_.end() ? nullptr : &at->second;
}

UserFunction UserFunctions::resolve(const Record& record) const {
  UserFunction f{&record, resolve_nodes(record.nodes("nodes"), record.names("inputs"), report_), {}};
  check_operators(record.nodes("nodes"));
  auto require = [&](const NodeGraph& graph, const Name& name) {
    if (!graph.find(name.text))
      report_.error("unknown-name",
                    "function " + quoted(record.entry.text) + " does not define " + quoted(name.text) +
                        did_you_mean(name.text, graph.names()),
                    name.place);
  };
  for (const Name& output : record.names("outputs")) require(f.body, output);
  const Record* gradient = record.record("gradient");
  if (!gradient) return f;
  std::vector<Name> outside = f.body.values;
  for (const Name& output : record.names("outputs")) outside.push_back({"d." + output.text, output.place});
  f.gradient = resolve_nodes(gradient->nodes("nodes"), outside, report_);
  check_operators(gradient->nodes("nodes"));
  return f;
}

void UserFunctions::check_operators(const std::vector<NodeSpec>& nodes) const {
  for (const NodeSpec& node : nodes) {
    const std::string& op = node.op.text;
    if (find(op) || (op != "call" && graph::find_op(ops_, op))) continue;
    Words words = operator_words(ops_);
    for (const auto& [name, function] : functions_) words.add(name);
    report_.error("unknown-op", words.complaint("operator", op).text, node.op.place);
  }
}

void UserFunctions::check_calls(const std::vector<Record>& records) {
  std::map<std::string, uint32_t> numbers;
  for (const Record& record : records) numbers.emplace(record.entry.text, static_cast<uint32_t>(numbers.size()));
  Needs needs(records.size());
  for (uint32_t i = 0; i < records.size(); ++i) {
    auto note_calls = [&](const std::vector<NodeSpec>& nodes) {
      for (const NodeSpec& node : nodes)
        if (auto callee = numbers.find(node.op.text); callee != numbers.end()) needs[i].push_back(callee->second);
    };
    note_calls(records[i].nodes("nodes"));
    if (const Record* gradient = records[i].record("gradient")) note_calls(gradient->nodes("nodes"));
  }
  Topology topology = sort_by_need(needs);
  if (!topology.cycle.empty()) {
    std::vector<uint32_t> callers(topology.cycle.rbegin(), topology.cycle.rend()); // callers before callees
    std::rotate(callers.begin(), std::min_element(callers.begin(), callers.end()), callers.end());
    auto name = [&](uint32_t f) { return quoted(records[f].entry.text); };
    return report_.error("cycle", "functions may not recur: " + cycle_text(callers, name),
                         records[callers[0]].entry.place);
  }
  std::vector<int64_t> depths(records.size(), 1);
  for (uint32_t i : topology.order) {
    for (uint32_t callee : needs[i]) depths[i] = std::max(depths[i], depths[callee] + 1);
    sizes_[records[i].entry.text] = unrolled_size(records[i].nodes("nodes"));
    if (depths[i] > max_call_depth)
      return report_.error("too-large",
                           "calls of functions are nested deeper than " + std::to_string(max_call_depth) + " in " +
                               quoted(records[i].entry.text),
                           records[i].entry.place);
    if (sizes_[records[i].entry.text] > max_nodes)
      return report_.error("too-large",
                           "function " + quoted(records[i].entry.text) + " has more than 1,000,000 nodes when unrolled",
                           records[i].entry.place);
  }
}

int64_t UserFunctions::unrolled_size(const std::vector<NodeSpec>& nodes) const {
  int64_t total = 0;
  for (const NodeSpec& node : nodes) {
    auto callee = sizes_.find(node.op.text);
    total = std::min(total + (callee == sizes_.end() ? 1 : callee->second), max_nodes + 1);
  }
  return total;
}

} // namespace dlcc::frontend

#include "frontend/network/nodes/node_graph.h"

#include <algorithm>

namespace dlcc::frontend {

namespace {
/// Functions that call functions that call ...
constexpr int64_t max_call_depth = 64;

NodeBody resolve_body(const std::vector<NodeSpec>& nodes, NameTable names, Reporter& report) {
  NodeBody body{std::move(names), {}, {}};
  const auto outside = static_cast<uint32_t>(body.names.size());
  body.graph.emplace(nodes, body.names, report);
  body.graph->resolve(body.names, {}, report);
  std::vector<uint32_t> node_of; // of each output
  for (uint32_t i = 0; i < nodes.size(); ++i) node_of.insert(node_of.end(), nodes[i].outputs.size(), i);
  Needs needs(nodes.size());
  for (uint32_t i = 0; i < nodes.size(); ++i)
    for (uint32_t value : body.graph->operands(i))
      if (value >= outside) needs[i].push_back(node_of[value - outside]);
  Topology topology = sort_by_need(needs);
  body.order = std::move(topology.order);
  if (topology.cycle.empty()) return body;
  auto name = [&](uint32_t node) { return quoted(body.names.text(body.graph->first_output(node))); };
  report.error("cycle", "nodes form a cycle: " + cycle_text(topology.cycle, name) + ", expected none",
               nodes[topology.cycle[0]].place);
  return body;
}
} // namespace

NodeGraph::NodeGraph(const std::vector<NodeSpec>& nodes, NameTable& names, Reporter& report) : nodes_(&nodes) {
  for (const NodeSpec& node : nodes) {
    first_output_.push_back(static_cast<uint32_t>(names.size()));
    for (const Name& output : node.outputs) names.declare(output.text, "node", output.place, report);
  }
}

void NodeGraph::resolve(const NameTable& names, const std::vector<std::string>& inferred, Reporter& report) {
  for (const NodeSpec& node : *nodes_) {
    std::vector<uint32_t>& operands = operands_.emplace_back();
    for (const Name& input : node.inputs) {
      if (std::optional<uint32_t> value = names.find(input.text))
        operands.push_back(*value);
      else if (std::count(inferred.begin(), inferred.end(), input.text))
        report.error("unknown-name",
                     "value " + quoted(input.text) +
                         " is a label that the model does not declare, expected it in "
                         "'labels' with its shape",
                     input.place);
      else
        report.error("unknown-name", "unknown value " + quoted(input.text) + did_you_mean(input.text, names.names()),
                     input.place);
    }
  }
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
  if (!report.failed()) check_size(spec);
}

const UserFunction* UserFunctions::find(const std::string& name) const {
  auto at = functions_.find(name);
  return at == functions_.end() ? nullptr : &at->second;
}

UserFunction UserFunctions::resolve(const Record& record) const {
  NameTable inputs;
  for (const Name& input : record.names("inputs")) inputs.declare(input.text, "input", input.place, report_);
  UserFunction f{&record, resolve_body(record.nodes("nodes"), std::move(inputs), report_), {}};
  check_operators(record.nodes("nodes"));
  for (const Name& output : record.names("outputs"))
    if (!f.body.names.find(output.text))
      report_.error("unknown-name",
                    "function " + quoted(record.entry.text) + " does not define " + quoted(output.text) +
                        did_you_mean(output.text, f.body.names.names()),
                    output.place);
  const Record* gradient = record.record("gradient");
  if (!gradient) return f;
  NameTable outside = f.body.names;
  for (const Name& output : record.names("outputs"))
    outside.declare("d." + output.text, "output", output.place, report_);
  f.gradient = resolve_body(gradient->nodes("nodes"), std::move(outside), report_);
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
    int64_t& size = sizes_[records[i].entry.text];
    size = unrolled_size(records[i].nodes("nodes"));
    if (const Record* gradient = records[i].record("gradient")) size += unrolled_size(gradient->nodes("nodes"));
    if (depths[i] > max_call_depth)
      return report_.error("too-large",
                           "calls of functions are nested deeper than " + std::to_string(max_call_depth) + " in " +
                               quoted(records[i].entry.text),
                           records[i].entry.place);
    if (size > max_nodes)
      return report_.error("too-large",
                           "function " + quoted(records[i].entry.text) + " has more than 1,000,000 nodes when unrolled",
                           records[i].entry.place);
  }
}

// A call counts too: functions without nodes can call each other as often as others.
int64_t UserFunctions::unrolled_size(const std::string& op) const {
  auto callee = sizes_.find(op);
  return callee == sizes_.end() ? 1 : callee->second + 1;
}

int64_t UserFunctions::unrolled_size(const std::vector<NodeSpec>& nodes) const {
  int64_t total = 0;
  for (const NodeSpec& node : nodes) total = std::min(total + unrolled_size(node.op.text), max_nodes + 1);
  return total;
}

void UserFunctions::check_size(const ModelSpec& spec) const {
  int64_t total = 0;
  auto add = [&](const std::string& op, const Place& place) {
    if (total > max_nodes) return; // it is said
    total += unrolled_size(op);
    if (total > max_nodes)
      report_.error("too-large", "with " + quoted(op) + " the model has more than 1,000,000 nodes when unrolled",
                    place);
  };
  for (const NodeSpec& node : spec.nodes()) add(node.op.text, node.place);
  for (const auto* records : {&spec.losses(), &spec.metrics()})
    for (const Record& record : *records)
      if (record.is(own_function)) add(record.text("type"), record.place);
}

} // namespace dlcc::frontend

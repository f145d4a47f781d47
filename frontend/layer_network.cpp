// A network written as layers.
#include "frontend/layers.h"

#include <algorithm>

namespace dlcc::frontend {

using ops::Term;

namespace {
class LayerNetwork : public Network {
public:
  LayerNetwork(Construction& construction, const std::vector<Name>& inputs)
      : c_(construction), graph_(construction.spec.layers(), inputs, construction.report) {}

  bool has(const std::string& name) const override { return graph_.find(name).has_value(); }
  std::vector<std::string> names() const override { return graph_.names(); }
  std::string last_name() const override { return graph_.name_of(graph_.last()); }
  void want(const std::vector<std::string>& names) override;
  NetworkValues build(graph::Builder& b, Mode mode, const std::vector<graph::ValueId>& inputs) override;
  std::vector<LayerSummary> layers() const override;

private:
  void build_layer(graph::Builder& b, Mode mode, uint32_t source, NetworkValues& out);
  void check_inputs(const LayerNode& node, const LayerRow& row) const;

  Construction& c_;
  LayerGraph graph_;
  std::vector<uint32_t> wanted_;
  std::vector<char> needed_;
  std::vector<graph::ValueId> values_; ///< by source, of the function that is being built
};

void LayerNetwork::want(const std::vector<std::string>& names) {
  for (const std::string& name : names) wanted_.push_back(*graph_.find(name));
  needed_ = needed_by(wanted_, graph_.needs(), graph_.order());
  const LayerNode* first = nullptr;
  size_t unused = 0;
  for (size_t i = 0; i < graph_.layers().size(); ++i) {
    if (needed_[graph_.input_count() + i]) continue;
    if (unused++ == 0) first = &graph_.layers()[i];
  }
  if (!first) return;
  std::string others = unused == 1 ? " is" : " and " + std::to_string(unused - 1) + " more are";
  c_.report.warning("unused-layer",
                    "layer " + quoted(first->name) + others + " not used by any output or loss; left out",
                    first->record->place);
}

void LayerNetwork::check_inputs(const LayerNode& node, const LayerRow& row) const {
  auto fewest = static_cast<size_t>(row.fewest_inputs), most = static_cast<size_t>(row.most_inputs);
  size_t got = node.inputs.size();
  if (got >= fewest && (row.most_inputs < 0 || got <= most)) return;
  std::string wanted = row.most_inputs < 0 ? "at least " + std::to_string(fewest) : std::to_string(fewest);
  throw ModelError{"wrong-count",
                   "layer " + quoted(node.name) + " (" + node.record->type() + ") takes " + wanted + " input" +
                       (wanted == "1" ? "" : "s") + ", got " + std::to_string(got),
                   {}};
}

void LayerNetwork::build_layer(graph::Builder& b, Mode mode, uint32_t source, NetworkValues& out) {
  const LayerNode& node = graph_.layers()[source - graph_.input_count()];
  std::vector<Term> inputs;
  for (uint32_t input : node.inputs) {
    if (!values_[input].valid()) return; // reported where it failed
    inputs.push_back({&b, values_[input]});
  }
  const LayerRow* row = find_layer(node.record->type());
  DLCC_CHECK(row, "no builder for layer '" + node.record->type() + "'");
  auto what = [&] { return "layer " + quoted(node.name) + " (" + node.record->type() + ")"; };
  c_.report.guard(what, node.record->place, [&] {
    check_inputs(node, *row);
    b.where = node.record->place.where, b.name_hint = node.name;
    const size_t values_before = b.function().values.size();
    LayerContext context(c_, b, node, mode, std::move(inputs));
    Term result = row->build(context);
    bool is_new = result.id.index >= values_before;
    if (is_new && b.function().values[result].kind == graph::ValueKind::result) b.take_name(result, node.name);
    values_[source] = result;
    for (ActivityPenalty& p : context.penalties) out.penalties.push_back(p);
  });
}

NetworkValues LayerNetwork::build(graph::Builder& b, Mode mode, const std::vector<graph::ValueId>& inputs) {
  NetworkValues out;
  values_.assign(graph_.needs().size(), {});
  std::copy(inputs.begin(), inputs.end(), values_.begin());
  for (uint32_t source : graph_.order())
    if (source >= graph_.input_count() && needed_[source]) build_layer(b, mode, source, out);
  b.where = {}, b.name_hint.clear();
  for (uint32_t source : wanted_) out.values.push_back(values_[source]);
  return out;
}

std::vector<LayerSummary> LayerNetwork::layers() const {
  std::vector<LayerSummary> out;
  for (uint32_t source : graph_.order()) {
    if (source < graph_.input_count() || !needed_[source]) continue;
    const LayerNode& node = graph_.layers()[source - graph_.input_count()];
    out.push_back({node.name, node.record->type(), values_[source]});
  }
  return out;
}
} // namespace

std::unique_ptr<Network> layer_network(Construction& construction, const std::vector<Name>& inputs) {
  auto network = std::make_unique<LayerNetwork>(construction, inputs);
  return construction.report.failed() ? nullptr : std::move(network);
}

} // namespace dlcc::frontend

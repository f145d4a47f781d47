#include "frontend/build/functions.h"

#include "frontend/network/nodes/node_builder.h"

#include <algorithm>

namespace dlcc::frontend {

namespace {
class ForwardBuilder {
public:
  ForwardBuilder(Construction& c, const Network& network, const Plan& plan)
      : c_(c), network_(network), plan_(plan), all_(network.select(plan.wanted)),
        outputs_(network.select(plan.outputs)) {}

  std::optional<ForwardFunctions> add() {
    const bool has_loss = !plan_.losses.empty();
    if (has_loss) out_.train = "forward_train", add_forward(out_.train, Mode::train);
    if (c_.report.failed()) return std::nullopt;
    const bool has_extras = has_loss && (plan_.value_count() > plan_.outputs.size() || !out_.penalties.empty());
    out_.predict = has_extras ? "forward" : "predict";
    if (has_extras) add_forward(out_.predict, Mode::predict);
    if (c_.report.failed()) return std::nullopt;
    add_predict();
    if (c_.report.failed()) return std::nullopt;
    return std::move(out_);
  }

private:
  void declare(graph::Builder& b, const std::string& name, const Type& type, graph::ParameterRole role) {
    if (!b.function().find(name)) b.parameter(name, type, role);
  }

  void declare_labels(graph::Builder& b) {
    for (const TensorSpec& label : c_.spec.labels)
      if (network_.reads(all_, label.name.text)) declare(b, label.name.text, label.type, graph::ParameterRole::label);
    for (const TensorSpec* weight : sample_weights(c_.spec))
      if (network_.reads(all_, weight->name.text))
        declare(b, weight->name.text, weight->type, graph::ParameterRole::label);
  }

  // Everything that losses and metrics need, in one of the modes.
  void add_forward(const std::string& name, Mode mode) {
    graph::Function f;
    f.name = name;
    graph::Builder b(c_.module, f, c_.ops);
    for (const TensorSpec* input : network_inputs(c_.spec))
      declare(b, input->name.text, input->type, graph::ParameterRole::input);
    declare_labels(b);
    NetworkValues values = network_.build(b, mode, all_);
    if (c_.report.failed()) return;
    f.results = std::move(values.values);
    note_types(b);
    out_.labels = labels_of(c_.spec, plan_, out_.types, c_.report);
    if (c_.report.failed()) return;
    for (const FunctionCall& call : plan_.calls) add_call(b, mode, call);
    if (c_.report.failed()) return;
    note_types(b);
    for (const ActivityPenalty& p : values.penalties) f.results.push_back(p.value);
    out_.penalties = std::move(values.penalties);
    follow_samples(f, mode);
    c_.module.functions.push(std::move(f));
  }

  void note_types(graph::Builder& b) {
    out_.types.clear();
    for (graph::ValueId v : b.function().results) out_.types.push_back(b.type(v));
  }

  void follow_samples(const graph::Function& f, Mode mode) {
    const ops::SampleAxes samples = ops::sample_axes(c_.module, f, c_.ops);
    out_.samples.clear();
    for (graph::ValueId v : f.results) out_.samples.push_back(samples.of[v]);
    const bool said = mode == Mode::predict && !plan_.losses.empty();
    if (samples.mixing.empty() || c_.module.batch == 1 || said) return;
    const Place place{f.nodes[samples.mixing[0]].where};
    if (c_.spec.train.last_batch == data::LastBatch::mask)
      c_.report.error("mixed-rows",
                      "this node mixes the rows of a batch, so it would count the rows that fill a short one, expected "
                      "\"last_batch\": \"drop\" in 'train'",
                      place);
    else
      c_.report.warning("mixed-rows",
                        "this node mixes the rows of a batch: evaluation and prediction fill a short last batch with "
                        "copies of its last row, which then count",
                        place);
  }

  // A function as a loss or metric.
  void add_call(graph::Builder& b, Mode mode, const FunctionCall& call) {
    const Place& place = call.record->place;
    const std::string& name = call.function->record->entry.text;
    c_.report.guard([&] { return "function " + quoted(name); }, place,
                    [&] {
                      const Label& label = *std::find_if(out_.labels.begin(), out_.labels.end(),
                                                         [&](const Label& l) { return l.name == call.label; });
                      declare(b, label.name, label.type, graph::ParameterRole::label);
                      std::vector<graph::ValueId> operands{b.function().results[plan_.index_of(call.prediction)],
                                                           *b.function().find(label.name)};
                      for (const TensorSpec* weight : sample_weights(c_.spec)) {
                        if (weight->name.text != call.weight) continue;
                        declare(b, call.weight, weight->type, graph::ParameterRole::label);
                        operands.push_back(*b.function().find(call.weight));
                      }
                      b.where = place.where, b.name_hint = name;
                      const graph::ValueId rows =
                          NodeBuilder(c_, b, mode).call(*call.function, operands, name, place)[0];
                      b.function().results.push_back(rows);
                    });
    b.where = {}, b.name_hint.clear();
  }

  // An entry gives its results the names of the outputs, whatever they are called inside.
  static graph::ValueId output(graph::Builder& b, graph::ValueId value, const std::string& name) {
    const graph::Value& v = b.function().values[value];
    if (v.name == name) return value;
    graph::ValueId out = b.add("linear", {value});
    b.take_name(out, name);
    return out;
  }

  // The outputs alone: what only losses or metrics read is not asked for.
  void add_predict() {
    graph::Function f;
    f.name = "predict", f.entry = true;
    graph::Builder b(c_.module, f, c_.ops);
    for (const TensorSpec* input : network_inputs(c_.spec)) {
      const std::string& name = input->name.text;
      if (network_.reads(all_, name) && !network_.reads(outputs_, name)) continue;
      declare(b, name, input->type, graph::ParameterRole::input);
    }
    const NetworkValues values = network_.build(b, Mode::predict, outputs_);
    if (c_.report.failed()) return;
    for (size_t i = 0; i < plan_.outputs.size(); ++i)
      f.results.push_back(output(b, values.values[i], plan_.outputs[i]));
    if (out_.predict == "predict") note_types(b), follow_samples(f, Mode::predict);
    c_.module.functions.push(std::move(f));
  }

  Construction& c_;
  const Network& network_;
  const Plan& plan_;
  const Selection all_, outputs_;
  ForwardFunctions out_;
};
} // namespace

std::optional<ForwardFunctions> add_forward(Construction& construction, const Network& network, const Plan& plan) {
  return ForwardBuilder(construction, network, plan).add();
}

} // namespace dlcc::frontend

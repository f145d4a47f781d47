#include "frontend/functions.h"

#include "ir/graph/call.h"

namespace dlcc::frontend {

namespace {
class ForwardBuilder {
public:
  ForwardBuilder(Construction& c, Network& network, const Plan& plan) : c_(c), network_(network), plan_(plan) {}

  std::optional<ForwardFunctions> add() {
    const bool has_loss = !plan_.losses.empty();
    if (has_loss) out_.train = "forward_train", add_network(out_.train, Mode::train, false);
    if (c_.report.failed()) return std::nullopt;
    const bool has_extras = plan_.wanted.size() > plan_.outputs.size() || !out_.penalties.empty();
    out_.predict = has_extras ? "forward" : "predict";
    add_network(out_.predict, Mode::predict, !has_extras);
    if (c_.report.failed()) return std::nullopt;
    if (has_extras) add_predict();
    return std::move(out_);
  }

private:
  std::vector<graph::ValueId> declare_inputs(graph::Builder& b) {
    std::vector<graph::ValueId> inputs;
    for (const TensorSpec* input : network_inputs(c_.spec))
      inputs.push_back(b.parameter(input->name.text, input->type, graph::ParameterRole::input));
    return inputs;
  }

  // An entry gives its results the names of the outputs, whatever they are called inside.
  static graph::ValueId output(graph::Builder& b, graph::ValueId value, const std::string& name) {
    const graph::Value& v = b.function().values[value];
    if (v.name == name) return value;
    graph::ValueId out = b.add("linear", {value});
    b.take_name(out, name);
    return out;
  }

  void add_network(const std::string& name, Mode mode, bool is_entry) {
    graph::Function f;
    f.name = name, f.entry = is_entry;
    graph::Builder b(c_.module, f, c_.ops);
    NetworkValues values = network_.build(b, mode, declare_inputs(b));
    if (c_.report.failed()) return;
    out_.types.clear();
    for (size_t i = 0; i < values.values.size(); ++i) {
      out_.types.push_back(b.type(values.values[i]));
      f.results.push_back(is_entry ? output(b, values.values[i], plan_.wanted[i]) : values.values[i]);
    }
    for (const ActivityPenalty& p : values.penalties) f.results.push_back(p.value);
    out_.penalties = std::move(values.penalties);
    follow_samples(f, mode);
    c_.module.functions.push(std::move(f));
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

  // predict calls forward and keeps the outputs.
  void add_predict() {
    graph::Function f;
    f.name = "predict", f.entry = true;
    graph::Builder b(c_.module, f, c_.ops);
    declare_inputs(b);
    const graph::Function& forward = c_.module.functions[*c_.module.find_function("forward")];
    std::vector<graph::ValueId> operands;
    for (graph::ValueId p : forward.parameters) {
      const graph::Value& v = forward.values[p];
      operands.push_back(v.role == graph::ParameterRole::input ? *f.find(v.name) : b.call_scalar(v.name));
    }
    std::vector<graph::ValueId> results = b.add_all(graph::call_op, operands, {{"function", std::string("forward")}});
    for (size_t i = 0; i < plan_.outputs.size(); ++i) f.results.push_back(output(b, results[i], plan_.outputs[i]));
    c_.module.functions.push(std::move(f));
  }

  Construction& c_;
  Network& network_;
  const Plan& plan_;
  ForwardFunctions out_;
};
} // namespace

std::optional<ForwardFunctions> add_forward(Construction& construction, Network& network, const Plan& plan) {
  return ForwardBuilder(construction, network, plan).add();
}

} // namespace dlcc::frontend

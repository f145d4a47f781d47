#include "frontend/plan.h"

#include <algorithm>

namespace dlcc::frontend {

namespace {
bool is_sample_weight(const ModelSpec& spec, const std::string& input) {
  for (const Record& loss : spec.losses())
    if (loss.text_or_empty("sample_weight") == input) return true;
  return false;
}

std::vector<const TensorSpec*> inputs_that(const ModelSpec& spec, bool are_weights) {
  std::vector<const TensorSpec*> out;
  for (const TensorSpec& input : spec.inputs)
    if (is_sample_weight(spec, input.name.text) == are_weights) out.push_back(&input);
  return out;
}

template <class T> std::vector<std::string> names_of(const std::vector<T>& items) {
  std::vector<std::string> out;
  for (const T& item : items) out.push_back(item.name.text);
  return out;
}

class Planner {
public:
  Planner(const ModelSpec& spec, const Network& network, Reporter& report)
      : spec_(spec), network_(network), report_(report) {}

  Plan make() {
    outputs();
    for (const Record& loss : spec_.losses()) plan_.losses.push_back(loss_plan(loss));
    if (!report_.failed()) plan_metrics(); // they refer to the losses
    for (const std::string& name : plan_.outputs) want(name);
    for (const LossPlan& loss : plan_.losses) want(loss.prediction);
    for (const MetricPlan& metric : plan_.metrics) want(metric.prediction);
    return std::move(plan_);
  }

private:
  void want(const std::string& name) {
    if (std::find(plan_.wanted.begin(), plan_.wanted.end(), name) == plan_.wanted.end()) plan_.wanted.push_back(name);
  }

  void require_value(const char* key, const std::string& name, const Place& place) {
    if (network_.has(name)) return;
    report_.error("unknown-name",
                  "'" + std::string(key) + "' names " + quoted(name) + ", which is no value of the model" +
                      did_you_mean(name, network_.names()),
                  place);
  }

  void outputs() {
    for (const Name& name : spec_.outputs()) {
      require_value("outputs", name.text, name.place);
      if (name.text == "loss")
        report_.error("bad-name", "output 'loss' has the name of the loss itself, expected another", name.place);
      if (std::count(plan_.outputs.begin(), plan_.outputs.end(), name.text))
        report_.error("duplicate-name", "output " + quoted(name.text) + " stands there twice, expected it once",
                      name.place);
      else
        plan_.outputs.push_back(name.text);
    }
    if (!plan_.outputs.empty()) return;
    if (std::string last = network_.last_name(); !last.empty())
      plan_.outputs = {last};
    else
      report_.error("missing-key", "the model has no nodes and no 'outputs', expected one of them", spec_.root->place);
  }

  LossPlan loss_plan(const Record& loss) {
    LossPlan out{&loss, &find_loss(loss.type()), {}, {}, {}, spec_.losses().size() == 1 && !accumulates()};
    out.prediction = loss.text_or_empty("prediction");
    if (!out.prediction.empty())
      require_value("prediction", out.prediction, loss.at("prediction").place);
    else if (!plan_.outputs.empty())
      out.prediction = plan_.outputs.back();
    out.label = label_name(loss);
    out.sample_weight = loss.text_or_empty("sample_weight");
    std::vector<std::string> inputs = names_of(spec_.inputs);
    if (!out.sample_weight.empty() && !std::count(inputs.begin(), inputs.end(), out.sample_weight))
      report_.error("unknown-name",
                    "'sample_weight' names " + quoted(out.sample_weight) + ", which is no input" +
                        did_you_mean(out.sample_weight, inputs),
                    loss.at("sample_weight").place);
    return out;
  }

  bool accumulates() const { return spec_.optimizer() && spec_.optimizer()->integer("accumulate_steps") > 1; }

  std::string label_name(const Record& loss) {
    std::string name = loss.text_or_empty("label");
    std::vector<std::string> labels = names_of(spec_.labels);
    if (labels.empty()) return name.empty() ? "label" : name;
    if (name.empty() && labels.size() == 1) return labels[0];
    if (name.empty())
      report_.error("missing-key",
                    "loss '" + loss.type() + "' has no 'label' and the model has " + std::to_string(labels.size()) +
                        " labels, expected 'label' to say which",
                    loss.place);
    else if (!std::count(labels.begin(), labels.end(), name))
      report_.error("unknown-name",
                    "'label' names " + quoted(name) + ", which is no label" + did_you_mean(name, labels),
                    loss.at("label").place);
    return name;
  }

  // The loss that a metric goes with: the one with its prediction, else with its label, else the first.
  size_t loss_for(const std::string& prediction, const std::string& label) const {
    for (size_t i = 0; i < plan_.losses.size(); ++i)
      if (!prediction.empty() && plan_.losses[i].prediction == prediction) return i;
    for (size_t i = 0; i < plan_.losses.size(); ++i)
      if (!label.empty() && plan_.losses[i].label == label) return i;
    return 0;
  }

  void plan_metrics() {
    if (spec_.metrics().empty()) return;
    const Record& first = spec_.metrics()[0];
    if (plan_.losses.empty())
      return report_.error("missing-key", "metric '" + first.type() + "' needs a label, expected a 'loss' that has one",
                           first.place);
    for (const Record& metric : spec_.metrics()) plan_metric(metric);
  }

  void plan_metric(const Record& metric) {
    MetricPlan out{&metric, metric.has("name") ? metric.text("name") : metric.type(), 0, {}, {}};
    std::string prediction = metric.text_or_empty("prediction"), label = metric.text_or_empty("label");
    out.loss = loss_for(prediction, label);
    const LossPlan& loss = plan_.losses[out.loss];
    if (!prediction.empty()) require_value("prediction", prediction, metric.at("prediction").place);
    out.prediction = prediction.empty() ? loss.prediction : prediction;
    if (!label.empty() && label != loss.label)
      report_.error("unknown-name",
                    "'label' names " + quoted(label) + ", which no loss reads, expected " + quoted(loss.label),
                    metric.at("label").place);
    out.label = loss.label;
    if (metric.is("loss") && out.name == "loss") return; // which is reported anyway
    if (out.name == "loss")
      report_.error("bad-name",
                    "metric '" + metric.type() + "' is called 'loss' as the loss itself, expected another name",
                    metric.place);
    for (const MetricPlan& other : plan_.metrics)
      if (other.name == out.name)
        report_.error("duplicate-name", "two metrics are called " + quoted(out.name) + ", expected names that differ",
                      metric.place);
    plan_.metrics.push_back(std::move(out));
  }

  const ModelSpec& spec_;
  const Network& network_;
  Reporter& report_;
  Plan plan_;
};
} // namespace

size_t Plan::index_of(const std::string& name) const {
  return static_cast<size_t>(std::find(wanted.begin(), wanted.end(), name) - wanted.begin());
}

Plan make_plan(const ModelSpec& spec, const Network& network, Reporter& report) {
  return Planner(spec, network, report).make();
}

std::vector<Label> labels_of(const ModelSpec& spec, const Plan& plan, const std::vector<Type>& predictions,
                             Reporter& report) {
  std::vector<Label> out;
  for (const TensorSpec& label : spec.labels)
    out.push_back({label.name.text, label.type, label.record->at("shape").place});
  if (!out.empty()) return out;
  std::vector<std::string> inputs = names_of(spec.inputs);
  for (const LossPlan& loss : plan.losses) {
    Label label{loss.label, label_type(loss.row->label, predictions[plan.index_of(loss.prediction)]),
                loss.record->place};
    auto same = std::find_if(out.begin(), out.end(), [&](const Label& l) { return l.name == label.name; });
    if (same != out.end() && !(same->type == label.type))
      report.error("shape-mismatch",
                   "label " + quoted(label.name) + " would be " + to_string(same->type) + " and " +
                       to_string(label.type) + " for two losses, expected 'label' to tell them apart",
                   loss.record->place);
    if (std::count(inputs.begin(), inputs.end(), label.name))
      report.error("duplicate-name",
                   "label " + quoted(label.name) + " has the name of an input, expected names that differ",
                   loss.record->place);
    if (same == out.end()) out.push_back(std::move(label));
  }
  return out;
}

std::vector<const TensorSpec*> sample_weights(const ModelSpec& spec) { return inputs_that(spec, true); }
std::vector<const TensorSpec*> network_inputs(const ModelSpec& spec) { return inputs_that(spec, false); }

} // namespace dlcc::frontend

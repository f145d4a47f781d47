#include "frontend/objective/plan.h"

#include <algorithm>

namespace dlcc::frontend {

namespace {
template <class T> std::vector<std::string> names_of(const std::vector<T>& items) {
  std::vector<std::string> out;
  for (const T& item : items) out.push_back(item.name.text);
  return out;
}

class Planner {
public:
  Planner(const ModelSpec& spec, const Network& network, const UserFunctions& functions, Reporter& report)
      : spec_(spec), network_(network), functions_(functions), report_(report) {}

  Plan make() {
    outputs();
    for (const Record& loss : spec_.losses()) plan_.losses.push_back(loss_plan(loss));
    if (!report_.failed()) plan_metrics(); // they refer to the losses
    if (!report_.failed()) check_outputs();
    for (const std::string& name : plan_.outputs) want(name);
    for (const LossPlan& loss : plan_.losses) want(loss.prediction), want_own(loss.own);
    for (const MetricPlan& metric : plan_.metrics) want(metric.prediction), want_own(metric.own);
    return std::move(plan_);
  }

private:
  void want(const std::string& name) {
    if (std::find(plan_.wanted.begin(), plan_.wanted.end(), name) == plan_.wanted.end()) plan_.wanted.push_back(name);
  }
  void want_own(const std::optional<OwnValue>& own) {
    if (own && !own->call) want(own->value);
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

  // Predicting has neither labels nor sample weights.
  void check_outputs() {
    auto check = [&](const std::string& tensor, const char* what) {
      if (!network_.reads(network_.select(plan_.outputs), tensor)) return;
      for (size_t i = 0; i < plan_.outputs.size(); ++i)
        if (network_.reads(network_.select({plan_.outputs[i]}), tensor))
          report_.error("label-in-output",
                        "output " + quoted(plan_.outputs[i]) + " depends on " + what + " " + quoted(tensor) +
                            ", which predict does without, expected 'outputs' of inputs alone",
                        spec_.outputs().empty() ? spec_.root->place : spec_.outputs()[i].place);
    };
    for (const TensorSpec& label : spec_.labels) check(label.name.text, "label");
    for (const TensorSpec* weight : sample_weights(spec_)) check(weight->name.text, "sample weight");
  }

  LossPlan loss_plan(const Record& loss) {
    LossPlan out;
    out.record = &loss;
    out.may_skip = spec_.losses().size() == 1 && !accumulates();
    out.sample_weight = loss.text_or_empty("sample_weight");
    require_input("sample_weight", loss, out.sample_weight);
    if (!plan_.outputs.empty()) out.prediction = plan_.outputs.back();
    if (loss.is(own_value)) {
      out.row = &own_loss(LabelKind::numbers);
      out.own = OwnValue{loss.text("value"), {}};
      require_value("value", out.own->value, loss.at("value").place);
      return out;
    }
    if (loss.has("prediction")) {
      out.prediction = loss.text("prediction");
      require_value("prediction", out.prediction, loss.at("prediction").place);
    }
    out.label = label_name(loss);
    if (!loss.is(own_function)) {
      out.row = &find_loss(loss.type());
      return out;
    }
    out.row = &own_loss(kind_of(out.label));
    if (call(loss, out.prediction, out.label, out.sample_weight, out.own)) out.sample_weight.clear();
    return out;
  }

  bool accumulates() const { return spec_.optimizer() && spec_.optimizer()->integer("accumulate_steps") > 1; }

  void require_input(const char* key, const Record& record, const std::string& name) {
    std::vector<std::string> inputs = names_of(spec_.inputs);
    if (name.empty() || std::count(inputs.begin(), inputs.end(), name)) return;
    report_.error("unknown-name",
                  "'" + std::string(key) + "' names " + quoted(name) + ", which is no input" +
                      did_you_mean(name, inputs),
                  record.at(key).place);
  }

  std::string label_name(const Record& loss) {
    const std::string name = label_of(spec_, loss);
    std::vector<std::string> labels = names_of(spec_.labels);
    if (name.empty())
      report_.error("missing-key",
                    "loss '" + loss.type() + "' has no 'label' and the model has " + std::to_string(labels.size()) +
                        " labels, expected 'label' to say which",
                    loss.place);
    else
      require_label(loss, name);
    return name;
  }

  // Labels that are not declared are whatever losses call them.
  void require_label(const Record& record, const std::string& name) {
    std::vector<std::string> labels = names_of(spec_.labels);
    if (labels.empty() || std::count(labels.begin(), labels.end(), name)) return;
    report_.error("unknown-name", "'label' names " + quoted(name) + ", which is no label" + did_you_mean(name, labels),
                  record.at("label").place);
  }

  // What a label is that no loss of ours explains.
  LabelKind kind_of(const std::string& label) const {
    for (const TensorSpec& t : spec_.labels)
      if (t.name.text == label && is_integer(t.type.dtype)) return LabelKind::classes;
    return LabelKind::numbers;
  }

  // A function as a loss or metric. True if it takes the sample weight itself.
  bool call(const Record& record, const std::string& prediction, const std::string& label, const std::string& weight,
            std::optional<OwnValue>& own) {
    const std::string& name = record.text("type");
    const UserFunction* function = functions_.find(name);
    DLCC_CHECK(function, "a record stands for the function '" + name + "', which is not there");
    const size_t inputs = function->record->names("inputs").size(), outputs = function->record->names("outputs").size();
    const std::string what = "function " + quoted(name);
    const std::string here = " as a " + record.group->noun;
    own = OwnValue{name, plan_.calls.size()};
    plan_.calls.push_back({&record, function, prediction, label, inputs == 3 ? weight : ""});
    if (inputs != 2 && inputs != 3)
      report_.error("wrong-count",
                    what + " takes " + std::to_string(inputs) + " input" + (inputs == 1 ? "" : "s") +
                        ", expected 2 or 3" + here + ": prediction, label and sample weight",
                    record.place);
    else if (outputs != 1)
      report_.error("wrong-count",
                    what + " gives " + std::to_string(outputs) + " values, expected 1" + here + ": one number a row",
                    record.place);
    else if (inputs == 3 && weight.empty())
      report_.error("missing-key", what + " takes a sample weight, expected 'sample_weight' to name an input",
                    record.place);
    return inputs == 3;
  }

  // The loss that a metric goes with: the one with its prediction, else with its label, else the first. A label that no
  // loss reads is judged by its type.
  LossPlan loss_for(const std::string& prediction, const std::string& label) const {
    for (const LossPlan& loss : plan_.losses)
      if (!prediction.empty() && loss.prediction == prediction && (label.empty() || loss.label == label)) return loss;
    for (const LossPlan& loss : plan_.losses)
      if (!label.empty() && loss.label == label) return loss;
    LossPlan loss = plan_.losses[0];
    if (!label.empty() && label != loss.label) loss.label = label, loss.row = &own_loss(kind_of(label));
    return loss;
  }

  void plan_metrics() {
    if (spec_.metrics().empty()) return;
    const Record& first = spec_.metrics()[0];
    if (plan_.losses.empty())
      return report_.error("missing-key",
                           "metric " + quoted(metric_name(first)) + " needs a label, expected a 'loss' that has one",
                           first.place);
    for (const Record& metric : spec_.metrics()) plan_metric(metric);
  }

  void plan_metric(const Record& metric) {
    MetricPlan out;
    out.record = &metric, out.name = metric_name(metric);
    if (metric.is("loss") && out.name == "loss") return; // which is reported anyway
    if (out.name == "loss")
      report_.error("bad-name",
                    "metric '" + metric.type() + "' is called 'loss' as the loss itself, expected another name",
                    metric.place);
    const std::string prediction = metric.text_or_empty("prediction"), label = metric.text_or_empty("label");
    if (!prediction.empty()) require_value("prediction", prediction, metric.at("prediction").place);
    if (!label.empty()) require_metric_label(metric, label);
    out.loss = loss_for(prediction, label);
    out.prediction = prediction.empty() ? out.loss.prediction : prediction;
    out.label = out.loss.label;
    if (metric.is(own_value)) {
      out.own = OwnValue{metric.text("value"), {}};
      require_value("value", out.own->value, metric.at("value").place);
    } else if (out.label.empty() && !metric.is("loss")) {
      report_.error("missing-key",
                    "metric " + quoted(out.name) + " needs a label and the loss has none, expected 'label' to name one",
                    metric.place);
    } else if (metric.is(own_function)) {
      call(metric, out.prediction, out.label, out.loss.record->text_or_empty("sample_weight"), out.own);
    }
    for (const MetricPlan& other : plan_.metrics)
      if (other.name == out.name)
        report_.error("duplicate-name", "two metrics are called " + quoted(out.name) + ", expected names that differ",
                      metric.place);
    plan_.metrics.push_back(std::move(out));
  }

  void require_metric_label(const Record& metric, const std::string& label) {
    require_label(metric, label);
    auto reads = [&](const LossPlan& loss) { return loss.label == label; };
    if (spec_.labels.empty() && std::none_of(plan_.losses.begin(), plan_.losses.end(), reads))
      report_.error("unknown-name",
                    "'label' names " + quoted(label) + ", which no loss reads, expected " +
                        (plan_.losses[0].label.empty() ? "it in 'labels'" : quoted(plan_.losses[0].label)),
                    metric.at("label").place);
  }

  const ModelSpec& spec_;
  const Network& network_;
  const UserFunctions& functions_;
  Reporter& report_;
  Plan plan_;
};
} // namespace

size_t Plan::index_of(const std::string& name) const {
  return static_cast<size_t>(std::find(wanted.begin(), wanted.end(), name) - wanted.begin());
}

Plan make_plan(const ModelSpec& spec, const Network& network, const UserFunctions& functions, Reporter& report) {
  return Planner(spec, network, functions, report).make();
}

std::vector<Label> labels_of(const ModelSpec& spec, const Plan& plan, const std::vector<Type>& predictions,
                             Reporter& report) {
  std::vector<Label> out;
  for (const TensorSpec& label : spec.labels)
    out.push_back({label.name.text, label.type, label.record->at("shape").place});
  if (!out.empty()) return out;
  std::vector<std::string> inputs = names_of(spec.inputs);
  for (const LossPlan& loss : plan.losses) {
    if (loss.label.empty()) continue;
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

} // namespace dlcc::frontend

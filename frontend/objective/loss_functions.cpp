#include "frontend/build/functions.h"

#include "ir/graph/call.h"

namespace dlcc::frontend {

using ops::Term;

namespace {
Term sum_of(const std::vector<Term>& terms) {
  Term total = terms[0];
  for (size_t i = 1; i < terms.size(); ++i) total = total + terms[i];
  return total;
}

Term sum_of_squares(graph::Builder& b, graph::StateId s) {
  return ops::sum(ops::cast(ops::square(Term{&b, b.state(s)}), DType::f64));
}

class LossFunctions {
public:
  LossFunctions(Construction& c, const Plan& plan, const ForwardFunctions& forward)
      : c_(c), plan_(plan), forward_(forward) {}

  void add() {
    for (const LossPlan& loss : plan_.losses)
      if (!loss.label.empty()) check_samples(*loss.record, loss.prediction);
    for (const MetricPlan& metric : plan_.metrics)
      if (metric.record->has_if_known("prediction")) check_samples(*metric.record, metric.prediction);
    if (c_.report.failed()) return;
    add_function("loss", forward_.train, Mode::train);
    if (c_.report.failed()) return;
    add_function("eval_step", forward_.predict, Mode::predict);
    add_reset();
    add_result();
  }

private:
  void check_samples(const Record& record, const std::string& prediction);
  void add_function(const std::string& name, const std::string& forward, Mode mode);
  std::vector<Term> call_forward(graph::Builder& b, const std::string& name);
  std::vector<LossTerm> loss_terms(graph::Builder& b, const ValidRows& valid, const std::vector<Term>& values,
                                   Mode mode);
  std::vector<Term> parameter_penalties(graph::Builder& b) const;
  std::optional<Term> sklearn_penalty(graph::Builder& b) const;
  std::vector<Term> activity_penalties(const ValidRows& valid, const std::vector<Term>& values) const;
  void update_metrics(graph::Builder& b, const ValidRows& valid, const std::vector<Term>& values);
  void add_reset();
  void add_result();
  Term parameter(graph::Builder& b, const std::string& name) const { return {&b, *b.function().find(name)}; }
  const Label& label(const std::string& name) const {
    for (const Label& l : forward_.labels)
      if (l.name == name) return l;
    DLCC_CHECK(false, "no label '" + name + "'");
    return forward_.labels[0];
  }
  Location place_of_loss() const { return plan_.losses[0].record->place.where; }

  Construction& c_;
  const Plan& plan_;
  const ForwardFunctions& forward_;
};

// Losses and metrics pair the samples of a prediction with those of a label, which are the rows of both.
void LossFunctions::check_samples(const Record& record, const std::string& prediction) {
  const size_t at = plan_.index_of(prediction);
  const ops::SampleAxis& samples = forward_.samples[at];
  if (c_.module.batch == 0 || samples == ops::SampleAxis{0, 1}) return;
  c_.report.error("shape-mismatch",
                  "prediction " + quoted(prediction) + " is " + to_string(forward_.types[at]) + " with " +
                      to_string(samples) + ", expected its samples on axis 0, one index each",
                  record.has_if_known("prediction") ? record.at("prediction").place : record.place);
}

// The loss in training is differentiated and becomes part of other entries; that of evaluation is an entry itself.
void LossFunctions::add_function(const std::string& name, const std::string& forward, Mode mode) {
  graph::Function f;
  f.name = name, f.entry = mode == Mode::predict, f.where = place_of_loss();
  graph::Builder b(c_.module, f, c_.ops);
  using graph::ParameterRole;
  for (const TensorSpec* input : network_inputs(c_.spec))
    b.parameter(input->name.text, input->type, ParameterRole::input);
  for (const Label& l : forward_.labels) b.parameter(l.name, l.type, ParameterRole::label);
  for (const TensorSpec* weight : sample_weights(c_.spec))
    b.parameter(weight->name.text, weight->type, ParameterRole::label);
  b.call_scalar("n_valid");
  std::vector<Term> values = call_forward(b, forward);
  ValidRows valid(b, c_.module.batch);
  std::vector<LossTerm> terms = loss_terms(b, valid, values, mode);
  if (c_.report.failed()) return;
  b.where = place_of_loss();
  std::vector<Term> summands;
  for (const LossTerm& term : terms) summands.push_back(term.value);
  Term loss = sum_of(summands);
  b.take_name(loss, "loss");
  b.where = {}; // what adds up is no part of the loss itself
  add_to_loss(b, terms);
  update_metrics(b, valid, values);
  f.results = {loss};
  c_.module.functions.push(std::move(f));
}

std::vector<Term> LossFunctions::call_forward(graph::Builder& b, const std::string& name) {
  const graph::Function& callee = c_.module.functions[*c_.module.find_function(name)];
  std::vector<graph::ValueId> operands;
  for (graph::ValueId p : callee.parameters) {
    const graph::Value& v = callee.values[p];
    operands.push_back(v.role == graph::ParameterRole::call ? b.call_scalar(v.name) : *b.function().find(v.name));
  }
  std::vector<Term> values;
  for (graph::ValueId v : b.add_all(graph::call_op, std::move(operands), {{"function", name}}))
    values.push_back({&b, v});
  for (size_t i = 0; i < plan_.wanted.size(); ++i) b.named(values[i], plan_.wanted[i]);
  for (size_t i = 0; i < plan_.calls.size(); ++i)
    b.named(values[plan_.wanted.size() + i], plan_.calls[i].function->record->entry.text);
  return values;
}

std::vector<LossTerm> LossFunctions::loss_terms(graph::Builder& b, const ValidRows& valid,
                                                const std::vector<Term>& values, Mode mode) {
  std::vector<LossTerm> terms;
  for (const LossPlan& plan : plan_.losses) {
    const Record& record = *plan.record;
    auto what = [&] { return "loss '" + record.type() + "'"; };
    c_.report.guard(what, record.place, [&] {
      b.where = record.place.where;
      std::optional<Term> weight;
      if (!plan.sample_weight.empty()) weight = parameter(b, plan.sample_weight);
      const size_t at = plan.own ? plan_.index_of(*plan.own) : plan_.index_of(plan.prediction);
      terms.push_back(
          plan.own ? build_own_loss(b, plan, valid, values[at], forward_.samples[at], weight)
                   : build_loss(b, plan, valid, values[at], parameter(b, plan.label), weight, label(plan.label).place));
    });
  }
  if (c_.report.failed()) return {};
  // Penalties are means over the rows of a batch, or change with the parameters alone: batches weigh as their rows.
  auto rows = [&] { return ops::cast(valid.count(values[plan_.index_of(plan_.losses[0].prediction)]), DType::f64); };
  std::vector<Term> penalties = parameter_penalties(b);
  for (Term penalty : activity_penalties(valid, values)) penalties.push_back(penalty);
  if (!penalties.empty()) terms.push_back({sum_of(penalties), rows()});
  if (std::optional<Term> alpha = sklearn_penalty(b))
    terms.push_back({*alpha / ops::maximum(rows(), 1.0), rows(), mode == Mode::predict});
  return terms;
}

// Frozen parameters add nothing.
std::vector<Term> LossFunctions::parameter_penalties(graph::Builder& b) const {
  std::vector<Term> penalties;
  for (const Penalty& p : c_.parameters.penalties()) {
    if (!c_.module.states[p.state].trainable()) continue;
    b.where = p.place.where;
    if (p.l1 != 0) penalties.push_back(ops::sum(ops::cast(ops::abs(Term{&b, b.state(p.state)}), DType::f64)) * p.l1);
    if (p.l2 != 0) penalties.push_back(sum_of_squares(b, p.state) * p.l2);
  }
  return penalties;
}

// scikit-learn's alpha / 2 * the sum of squares, which it divides by the rows of the batch.
std::optional<Term> LossFunctions::sklearn_penalty(graph::Builder& b) const {
  const Record* optimizer = c_.spec.optimizer();
  if (!optimizer || optimizer->text("preset") != "sklearn" || optimizer->number("alpha") == 0) return std::nullopt;
  b.where = optimizer->place.where;
  std::vector<Term> squares;
  for (graph::StateId s : c_.parameters.weights())
    if (c_.module.states[s].trainable()) squares.push_back(sum_of_squares(b, s));
  if (squares.empty()) return std::nullopt;
  return sum_of(squares) * (0.5 * optimizer->number("alpha"));
}

std::vector<Term> LossFunctions::activity_penalties(const ValidRows& valid, const std::vector<Term>& values) const {
  std::vector<Term> penalties;
  for (size_t i = 0; i < forward_.penalties.size(); ++i) {
    const ActivityPenalty& p = forward_.penalties[i];
    Term x = values[plan_.value_count() + i];
    const ops::SampleAxis& samples = forward_.samples[plan_.value_count() + i];
    if (c_.module.batch > 0 && !samples.exists()) {
      c_.report.error("shape-mismatch",
                      "the regularised activity is " + to_string(x.type()) + " with " + to_string(samples) +
                          ", expected a value of samples, by which its penalty is divided",
                      p.place);
      continue;
    }
    x.b->where = p.place.where;
    if (p.l1 != 0) penalties.push_back(valid.sum_per_sample(ops::abs(x), samples) * p.l1);
    if (p.l2 != 0) penalties.push_back(valid.sum_per_sample(ops::square(x), samples) * p.l2);
  }
  return penalties;
}

void LossFunctions::update_metrics(graph::Builder& b, const ValidRows& valid, const std::vector<Term>& values) {
  for (const MetricPlan& plan : plan_.metrics) {
    auto what = [&] { return "metric " + quoted(plan.name); };
    c_.report.guard(what, plan.record->place, [&] {
      b.where = plan.record->place.where;
      MetricContext context{b, plan, plan.loss, valid, values[plan_.index_of(plan.prediction)], {}};
      if (plan.own) {
        const size_t at = plan_.index_of(*plan.own);
        return update_own_metric(context, values[at], forward_.samples[at]);
      }
      if (!plan.label.empty())
        context.label = fit_label(parameter(b, plan.label), plan.label, plan.loss.row->label, context.prediction.type(),
                                  label(plan.label).place);
      find_metric(plan.record->type()).update(context);
    });
  }
}

void LossFunctions::add_reset() {
  graph::Function f;
  f.name = "metrics_reset", f.entry = true;
  graph::Builder b(c_.module, f, c_.ops);
  for (graph::StateId s : c_.module.states.ids()) {
    const graph::State state = c_.module.states[s];
    if (state.role != graph::StateRole::metric) continue;
    b.where = state.where;
    b.update(s, ops::broadcast_to({&b, b.constant(0, DType::f64)}, state.type.shape));
  }
  c_.module.functions.push(std::move(f));
}

void LossFunctions::add_result() {
  graph::Function f;
  f.name = "metrics_result", f.entry = true, f.where = place_of_loss();
  graph::Builder b(c_.module, f, c_.ops);
  b.where = f.where;
  Term loss = accumulated_loss(b);
  for (const MetricPlan& plan : plan_.metrics) {
    b.where = plan.record->place.where;
    Term result = find_metric(plan.record->type()).result({b, plan, loss});
    f.results.push_back(b.named(result, plan.name));
  }
  b.take_name(loss, "loss");
  f.results.push_back(loss);
  c_.module.functions.push(std::move(f));
}
} // namespace

void add_loss(Construction& construction, const Plan& plan, const ForwardFunctions& forward) {
  LossFunctions(construction, plan, forward).add();
}

} // namespace dlcc::frontend

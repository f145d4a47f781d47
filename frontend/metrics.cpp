#include "frontend/metrics.h"

namespace dlcc::frontend {

using ops::Term;

namespace {
// "metric/accuracy/total"
std::string accumulator_name(const std::string& metric, const std::string& part) {
  return "metric/" + metric + "/" + part;
}

graph::StateId accumulator(graph::Builder& b, const std::string& name, const Type& type) {
  if (auto state = b.module().find_state(name)) return *state;
  graph::State s;
  s.name = name, s.type = type, s.role = graph::StateRole::metric, s.where = b.where;
  return b.module().states.push(std::move(s));
}

void accumulate(graph::Builder& b, const std::string& name, Term amount) {
  graph::StateId state = accumulator(b, name, amount.type());
  b.update(state, Term{&b, b.state(state)} + amount);
}
} // namespace

void MetricContext::add(const char* part, Term amount) { accumulate(b, accumulator_name(plan.name, part), amount); }

Term MetricResult::part(const char* name) const {
  return {&b, b.state(*b.module().find_state(accumulator_name(plan.name, name)))};
}

namespace {
Term as_count(Term condition) { return ops::cast(condition, DType::f64); }

// 0 / 0 is 0: no rows yet, no positives.
Term ratio(Term part, Term whole) { return ops::where(whole > 0.0, part / ops::maximum(whole, 1e-300), 0.0); }

bool is_sparse(const MetricContext& c) { return c.loss_plan.row->label == LabelKind::classes; }

bool from_logits(const MetricContext& c) {
  return c.loss_plan.record->has_if_known("from_logits") && c.loss_plan.record->boolean("from_logits") &&
         c.plan.prediction == c.loss_plan.prediction;
}

// Right or wrong by the largest class, or, for a single number, by the threshold.
bool has_classes(const MetricContext& c) {
  const Shape shape = c.prediction.shape();
  return is_sparse(c) || (c.loss_plan.row->label != LabelKind::binary && shape.size() > 1 && shape.back() > 1);
}

Term likeliest(Term x) { return {x.b, x.b->add("argmax", {x})}; }
} // namespace

Term MetricContext::probability() const {
  if (!from_logits(*this)) return prediction;
  return loss_plan.row->label == LabelKind::binary ? ops::sigmoid(prediction)
                                                   : Term{&b, b.add("softmax", {prediction})};
}

Term MetricContext::positive(double threshold) const {
  return as_count(ops::cast(probability(), DType::f64) > threshold);
}

Term MetricContext::truth() const {
  if (!is_sparse(*this)) return as_count(label > 0.5);
  return {&b, b.add("one_hot", {label}, {{"depth", prediction.shape().back()}, {"dtype", DType::f64}})};
}

std::optional<Term> MetricContext::counted() const {
  std::optional<int64_t> ignored = is_sparse(*this) ? loss_plan.ignore_index() : std::nullopt;
  if (!ignored) return std::nullopt;
  return as_count(label != static_cast<double>(*ignored));
}

Term MetricContext::counting(Term x) const {
  std::optional<Term> flags = counted();
  if (!flags) return x;
  Shape column = flags->shape();
  column.push_back(1);
  return x * ops::reshape(*flags, column);
}

// ---- shares and means -----------------------------------------------------------------------------------------------

namespace {
// The sum over what counts, and how many that were. `x` has one element a label.
void add_mean(MetricContext& c, Term x) {
  if (std::optional<Term> counted = c.counted()) {
    c.add("total", c.valid.sum(x * *counted));
    c.add("count", c.valid.sum(*counted));
  } else {
    c.add("total", c.valid.sum(x));
    c.add("count", c.valid.elements(x));
  }
}
Term mean_result(const MetricResult& r) { return ratio(r.part("total"), r.part("count")); }

Term class_of_label(MetricContext& c) { return ops::cast(is_sparse(c) ? c.label : likeliest(c.label), DType::i64); }

// Keras' choice: sparse, categorical or binary accuracy, as the loss and the shape say.
void update_accuracy(MetricContext& c) {
  if (has_classes(c)) return add_mean(c, as_count(ops::cast(likeliest(c.prediction), DType::i64) == class_of_label(c)));
  add_mean(c, as_count(c.positive(c.plan.record->number("threshold")) == c.truth()));
}

// Right if fewer than k classes are likelier than the true one.
void update_top_k(MetricContext& c) {
  if (!has_classes(c))
    throw ModelError{"shape-mismatch",
                     "metric 'top_k' reads " + to_string(c.prediction.type()) + ", expected classes on the last axis",
                     {}};
  const int64_t classes = c.prediction.shape().back();
  Term is_true{&c.b, c.b.add("one_hot", {class_of_label(c)}, {{"depth", classes}, {"dtype", DType::f64}})};
  Term p = ops::cast(c.prediction, DType::f64);
  Term own = ops::sum(p * is_true, {-1}, true);
  Term likelier = ops::sum(as_count(p > own), {-1});
  add_mean(c, as_count(likelier < static_cast<double>(c.plan.record->integer("k"))));
}

Term error(MetricContext& c) {
  if (is_sparse(c))
    throw ModelError{"dtype-mismatch",
                     "metric '" + c.plan.record->type() + "' compares numbers and label " + quoted(c.plan.label) +
                         " holds class numbers, expected a label of floats",
                     {}};
  return ops::cast(c.prediction, DType::f64) - ops::cast(c.label, DType::f64);
}
void update_mse(MetricContext& c) { add_mean(c, ops::square(error(c))); }
void update_mae(MetricContext& c) { add_mean(c, ops::abs(error(c))); }
Term rmse_result(const MetricResult& r) { return ops::sqrt(mean_result(r)); }

// ---- 0 and 1 --------------------------------------------------------------------------------------------------------

void add_confusion(MetricContext& c) {
  Term positive = c.counting(c.positive(c.plan.record->number("threshold"))), truth = c.counting(c.truth());
  c.add("true_positives", c.valid.sum(positive * truth));
  c.add("predicted", c.valid.sum(positive));
  c.add("actual", c.valid.sum(truth));
}
Term precision_result(const MetricResult& r) { return ratio(r.part("true_positives"), r.part("predicted")); }
Term recall_result(const MetricResult& r) { return ratio(r.part("true_positives"), r.part("actual")); }
// 2 / (1 / precision + 1 / recall)
Term f1_result(const MetricResult& r) {
  return ratio(2.0 * r.part("true_positives"), r.part("predicted") + r.part("actual"));
}

// Keras' thresholds: evenly spaced, the outer ones a little beyond 0 and 1.
std::vector<double> auc_thresholds(int64_t count) {
  std::vector<double> out(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i)
    out[static_cast<size_t>(i)] = static_cast<double>(i) / static_cast<double>(count - 1);
  out.front() = -1e-7, out.back() = 1 + 1e-7;
  return out;
}

void update_auc(MetricContext& c) {
  const int64_t count = c.plan.record->integer("thresholds");
  Term thresholds{&c.b, c.b.add("constant", {},
                                {{"dtype", DType::f64}, {"shape", Shape{count}}, {"values", auc_thresholds(count)}})};
  Term p = ops::cast(c.probability(), DType::f64);
  Term is_true = c.counting(c.truth()), is_false = c.counting(1.0 - c.truth());
  Shape column = p.shape();
  column.push_back(1);
  Term above = as_count(ops::reshape(p, column) > thresholds);
  std::vector<int64_t> rows(column.size() - 1);
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<int64_t>(i);
  auto by_threshold = [&](Term which) { // sums over everything but the thresholds
    return ops::sum(c.valid.masked(above * ops::reshape(which, column)), rows);
  };
  c.add("true_positives", by_threshold(is_true));
  c.add("false_positives", by_threshold(is_false));
  c.add("positives", c.valid.sum(is_true));
  c.add("negatives", c.valid.sum(is_false));
}

// The trapezoidal rule over the points (false positive rate, true positive rate).
Term auc_result(const MetricResult& r) {
  Term y = ratio(r.part("true_positives"), r.part("positives"));
  Term x = ratio(r.part("false_positives"), r.part("negatives"));
  const int64_t n = x.shape()[0];
  auto first = [&](Term t) { return ops::slice(t, {0}, {n - 1}, {1}); };
  auto last = [&](Term t) { return ops::slice(t, {1}, {n}, {1}); };
  return ops::sum((first(x) - last(x)) * (first(y) + last(y)) / 2.0);
}

// ---- r2 -------------------------------------------------------------------------------------------------------------

// Sums over the rows, one a column of the last axis.
void update_r2(MetricContext& c) {
  Term e = error(c), y = ops::cast(c.label, DType::f64);
  const Shape shape = y.shape();
  const Shape table{shape.empty() ? 1 : shape[0], shape.size() < 2 ? 1 : element_count(shape) / shape[0]};
  auto columns = [&](Term x) { return ops::sum(c.valid.masked(ops::reshape(x, table)), {0}); };
  c.add("residual", columns(ops::square(e)));
  c.add("sum", columns(y));
  c.add("squares", columns(ops::square(y)));
  c.add("count", ops::cast(c.valid.count(ops::reshape(y, table)), DType::f64));
}

// The mean over the columns of 1 - residual / (sum y^2 - (sum y)^2 / n); 0 where all y are equal, as Keras.
Term r2_result(const MetricResult& r) {
  Term sum = r.part("sum"), n = ops::maximum(r.part("count"), 1.0);
  Term total = r.part("squares") - sum * sum / n;
  Term score = ops::where(total > 0.0, 1.0 - r.part("residual") / ops::maximum(total, 1e-300), 0.0);
  return ops::mean(score);
}

constexpr MetricRow metrics[] = {
    {"accuracy", update_accuracy, mean_result, true},
    {"top_k", update_top_k, mean_result, true},
    {"auc", update_auc, auc_result, true},
    {"precision", add_confusion, precision_result, true},
    {"recall", add_confusion, recall_result, true},
    {"f1", add_confusion, f1_result, true},
    {"mse", update_mse, mean_result},
    {"mae", update_mae, mean_result},
    {"rmse", update_mse, rmse_result},
    {"r2", update_r2, r2_result, true},
    {"loss", [](MetricContext&) {}, [](const MetricResult& r) { return Term{&r.b, r.b.add("linear", {r.loss})}; }},
};

// Of one term of the loss.
std::string loss_total(size_t term) { return accumulator_name("loss", std::to_string(term) + "/total"); }
std::string loss_count(size_t term) { return accumulator_name("loss", std::to_string(term) + "/count"); }
} // namespace

void add_to_loss(graph::Builder& b, const std::vector<LossTerm>& terms) {
  for (size_t i = 0; i < terms.size(); ++i) {
    const LossTerm& term = terms[i];
    Term amount = term.count ? term.value * *term.count : term.value;
    if (term.once)
      b.update(accumulator(b, loss_total(i), amount.type()), amount);
    else
      accumulate(b, loss_total(i), amount);
    if (term.count) accumulate(b, loss_count(i), *term.count);
  }
}

Term accumulated_loss(graph::Builder& b) {
  auto read = [&](const std::string& name) -> std::optional<Term> {
    auto state = b.module().find_state(name);
    return state ? std::optional(Term{&b, b.state(*state)}) : std::nullopt;
  };
  std::optional<Term> loss;
  for (size_t i = 0; std::optional<Term> total = read(loss_total(i)); ++i) {
    std::optional<Term> count = read(loss_count(i));
    Term value = count ? ratio(*total, *count) : *total;
    loss = loss ? *loss + value : value;
  }
  return *loss;
}

const MetricRow& find_metric(std::string_view type) {
  for (const MetricRow& row : metrics)
    if (row.name == type) return row;
  DLCC_CHECK(false, "no builder for metric '" + std::string(type) + "'");
  return metrics[0];
}

std::vector<std::string> maximised_metrics(const ModelSpec& spec) {
  std::vector<std::string> names;
  for (const Record& metric : spec.metrics())
    if (find_metric(metric.type()).more_is_better)
      names.push_back(metric.has("name") ? metric.text("name") : metric.type());
  return names;
}

} // namespace dlcc::frontend

#include "frontend/objective/metrics.h"

#include <cmath>
#include <limits>

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

Term MetricContext::before(const char* part, const Type& type) const {
  return {&b, b.state(accumulator(b, accumulator_name(plan.name, part), type))};
}

Term MetricResult::part(const char* name) const {
  return {&b, b.state(*b.module().find_state(accumulator_name(plan.name, name)))};
}

namespace {
Term as_count(Term condition) { return ops::cast(condition, DType::f64); }

// 0 / 0 is 0: no rows yet, no positives. NaN stays NaN.
Term ratio(Term part, Term whole) { return ops::where(whole == 0.0, part * 0.0, part / whole); }

// 0, or NaN where `x` is NaN: added to a comparison, which would swallow it.
Term nan_of(Term x) { return ops::where(x != x, ops::cast(x, DType::f64), 0.0); }

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
// Of each sample: NaN if one of its classes is.
Term nan_of_classes(Term x) { return nan_of(ops::max(x, {-1})); }

// The number whose sigmoid is p.
double logit(double p) {
  constexpr double largest = std::numeric_limits<double>::max();
  return p <= 0 ? -largest : p >= 1 ? largest : std::log(p) - std::log1p(-p);
}
} // namespace

bool MetricContext::is_unbounded() const {
  const LabelKind kind = loss_plan.row->label;
  return (kind == LabelKind::binary && from_logits(*this)) ||
         (kind == LabelKind::signs && plan.prediction == loss_plan.prediction);
}

Term MetricContext::score() const {
  Term x = ops::cast(prediction, DType::f64);
  return from_logits(*this) && !is_unbounded() ? Term{&b, b.add("softmax", {x})} : x;
}

Term MetricContext::positive(double threshold) const {
  Term x = score();
  return as_count(x > (is_unbounded() ? logit(threshold) : threshold)) + nan_of(x);
}

Term MetricContext::truth() const {
  if (!is_sparse(*this)) return as_count(label > 0.5) + nan_of(label);
  return {&b, b.add("one_hot", {label}, {{"depth", prediction.shape().back()}, {"dtype", DType::f64}})};
}

std::optional<Term> MetricContext::counted() const {
  std::optional<int64_t> ignored = is_sparse(*this) ? loss_plan.ignore_index() : std::nullopt;
  if (!ignored) return std::nullopt;
  return label != static_cast<double>(*ignored);
}

Term MetricContext::counting(Term x) const {
  std::optional<Term> flags = counted();
  if (!flags) return x;
  Shape shape = flags->shape();
  shape.resize(x.shape().size(), 1);
  return ops::where(ops::reshape(*flags, shape), x, 0.0);
}

// ---- shares and means -----------------------------------------------------------------------------------------------

namespace {
// The sum over what counts, and how many that were. `x` has one element a label.
void add_mean(MetricContext& c, Term x) {
  c.add("total", c.valid.sum(c.counting(x)));
  std::optional<Term> counted = c.counted();
  c.add("count", counted ? c.valid.sum(as_count(*counted)) : c.valid.elements(x));
}
Term mean_result(const MetricResult& r) { return ratio(r.part("total"), r.part("count")); }

Term class_of_label(MetricContext& c) { return ops::cast(is_sparse(c) ? c.label : likeliest(c.label), DType::i64); }

Term nan_of_sample(MetricContext& c) {
  Term nan = nan_of_classes(c.prediction);
  return is_sparse(c) ? nan : nan + nan_of_classes(c.label);
}

// Keras' choice: sparse, categorical or binary accuracy, as the loss and the shape say.
void check_kind_of_accuracy(const MetricContext& c) {
  const std::string kind = !has_classes(c) ? "binary" : is_sparse(c) ? "sparse_categorical" : "categorical";
  const std::string wanted = c.plan.record->text_or_empty("kind");
  if (wanted.empty() || wanted == kind) return;
  throw ModelError{"metric-kind",
                   "metric 'accuracy' of kind '" + wanted + "' does not fit: by its loss, prediction " +
                       to_string(c.prediction.type()) + " has the accuracy '" + kind + "', expected \"accuracy\"",
                   {}};
}

void update_accuracy(MetricContext& c) {
  check_kind_of_accuracy(c);
  if (has_classes(c)) {
    Term right = ops::cast(likeliest(c.prediction), DType::i64) == class_of_label(c);
    return add_mean(c, as_count(right) + nan_of_sample(c));
  }
  Term positive = c.positive(c.plan.record->number("threshold")), truth = c.truth();
  add_mean(c, as_count(positive == truth) + nan_of(positive) + nan_of(truth));
}

// Right if fewer than k classes are likelier than the true one; so one of several that are equal is.
void update_top_k(MetricContext& c) {
  if (!has_classes(c))
    throw ModelError{"shape-mismatch",
                     "metric 'top_k' reads " + to_string(c.prediction.type()) + ", expected classes on the last axis",
                     {}};
  const int64_t classes = c.prediction.shape().back();
  Term is_true{&c.b, c.b.add("one_hot", {class_of_label(c)}, {{"depth", classes}, {"dtype", DType::f64}})};
  Term p = ops::cast(c.prediction, DType::f64);
  Term own = ops::sum(ops::where(is_true > 0.0, p, 0.0), {-1}, true);
  Term likelier = ops::sum(as_count(p > own), {-1});
  add_mean(c, as_count(likelier < static_cast<double>(c.plan.record->integer("k"))) + nan_of_sample(c));
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

// As many as Keras has, evenly spaced on [0, 1] or, for scores of any size, their logits; and half as many on either
// side, ever farther apart up to a million.
std::vector<double> auc_thresholds(int64_t count, bool is_unbounded) {
  std::vector<double> inside, beyond, out;
  for (int64_t i = 0; i < count; ++i) {
    const double t = static_cast<double>(i) / static_cast<double>(count - 1);
    if (!is_unbounded || (t > 0 && t < 1)) inside.push_back(is_unbounded ? logit(t) : t);
  }
  if (inside.empty()) inside.push_back(0);
  const double step = std::log1p(1e6) / static_cast<double>(count / 2);
  for (int64_t i = 1; i <= count / 2; ++i) beyond.push_back(std::expm1(step * static_cast<double>(i)));
  for (auto x = beyond.rbegin(); x != beyond.rend(); ++x) out.push_back(inside.front() - *x);
  out.insert(out.end(), inside.begin(), inside.end());
  for (double x : beyond) out.push_back(inside.back() + x);
  return out;
}

void update_auc(MetricContext& c) {
  const std::vector<double> values = auc_thresholds(c.plan.record->integer("thresholds"), c.is_unbounded());
  const Shape shape{static_cast<int64_t>(values.size())};
  Term thresholds{&c.b, c.b.add("constant", {}, {{"dtype", DType::f64}, {"shape", shape}, {"values", values}})};
  Term score = c.score(), truth = c.truth();
  Term is_true = c.counting(truth + nan_of(score)), is_false = c.counting(1.0 - truth);
  Shape column = score.shape();
  column.push_back(1);
  Term above = ops::reshape(score, column) > thresholds;
  std::vector<int64_t> rows(column.size() - 1);
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<int64_t>(i);
  auto by_threshold = [&](Term which) { // sums over everything but the thresholds
    return ops::sum(c.valid.masked(ops::where(above, ops::reshape(which, column), 0.0)), rows);
  };
  c.add("true_positives", by_threshold(is_true));
  c.add("false_positives", by_threshold(is_false));
  c.add("positives", c.valid.sum(is_true));
  c.add("negatives", c.valid.sum(is_false));
}

// The trapezoidal rule over the points (false positive rate, true positive rate), from (1, 1) to (0, 0). NaN if there
// is one class only.
Term auc_result(const MetricResult& r) {
  auto rates = [&](const char* part, const char* all) {
    Term rate = r.part(part) / r.part(all);
    auto end = [&](double x) { return ops::broadcast_to({&r.b, r.b.constant(x, DType::f64)}, {1}); };
    return Term{&r.b, r.b.add("concat", {end(1), rate, end(0)}, {{"axis", int64_t{0}}})};
  };
  Term y = rates("true_positives", "positives"), x = rates("false_positives", "negatives");
  const int64_t n = x.shape()[0];
  auto first = [&](Term t) { return ops::slice(t, {0}, {n - 1}, {1}); };
  auto last = [&](Term t) { return ops::slice(t, {1}, {n}, {1}); };
  return ops::sum((first(x) - last(x)) * (first(y) + last(y)) / 2.0);
}

// ---- r2 -------------------------------------------------------------------------------------------------------------

// Mean and sum of squared differences from it, one a column of the last axis, of the batch and merged into those of the
// batches before it (Chan, Golub and LeVeque, 1983). All are relative to the first label of all, so that a large mean
// costs no digits, and equal labels differ by nothing.
void update_r2(MetricContext& c) {
  Term e = error(c), y = ops::cast(c.label, DType::f64);
  const Shape shape = y.shape();
  const Shape table{shape.empty() ? 1 : shape[0], shape.size() < 2 ? 1 : element_count(shape) / shape[0]};
  auto columns = [&](Term x) { return ops::sum(c.valid.masked(x), {0}); };
  y = ops::reshape(y, table);
  Term rows = ops::cast(c.valid.count(y), DType::f64), old_rows = c.before("count", rows.type());
  Term first = ops::reshape(ops::slice(y, {0, 0}, {1, table[1]}, {1, 1}), {table[1]});
  Term old_origin = c.before("origin", first.type());
  Term origin = ops::where(old_rows == 0.0, first, old_origin);

  Term x = y - origin, mean = columns(x) / ops::maximum(rows, 1.0), spread = columns(ops::square(x - mean));
  Term moved = mean - c.before("mean", mean.type()), all = ops::maximum(old_rows + rows, 1.0);
  c.add("residual", columns(ops::square(ops::reshape(e, table))));
  c.add("spread", spread + ops::square(moved) * (old_rows * rows / all));
  c.add("mean", moved * (rows / all));
  c.add("origin", origin - old_origin);
  c.add("count", rows);
}

// The mean over the columns of 1 - residual / spread; 0 where all y are equal, as Keras.
Term r2_result(const MetricResult& r) {
  Term residual = r.part("residual"), spread = r.part("spread");
  return ops::mean(ops::where(spread == 0.0, residual * 0.0, 1.0 - residual / spread));
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
constexpr MetricRow own_metric{"own", nullptr, mean_result};

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
    Term value = count ? ratio(*total, *count) : Term{&b, b.add("linear", {*total})}; // a value of its own, to name
    loss = loss ? *loss + value : value;
  }
  return *loss;
}

const MetricRow& find_metric(std::string_view type) {
  if (type == own_value || type == own_function) return own_metric;
  for (const MetricRow& row : metrics)
    if (row.name == type) return row;
  DLCC_CHECK(false, "no builder for metric '" + std::string(type) + "'");
  return metrics[0];
}

void update_own_metric(MetricContext& c, Term value, const ops::SampleAxis& samples) {
  const std::string what = c.plan.own->call ? "the result of function " : "metric value ";
  Term rows = ops::cast(own_rows(value, samples, what + quoted(c.plan.own->value)), DType::f64);
  const bool is_scalar = rows.shape().empty();
  Term count = ops::cast(c.valid.count(rows), DType::f64);
  c.add("total", is_scalar ? rows * count : c.valid.sum(rows));
  c.add("count", is_scalar ? count : c.valid.elements(rows));
}

std::string metric_name(const Record& metric) {
  if (metric.has("name")) return metric.text("name");
  if (metric.is(own_value)) return metric.text("value");
  return metric.is(own_function) ? metric.text("type") : metric.type();
}

std::vector<std::string> maximised_metrics(const ModelSpec& spec) {
  std::vector<std::string> names;
  for (const Record& metric : spec.metrics())
    if (find_metric(metric.type()).more_is_better) names.push_back(metric_name(metric));
  return names;
}

} // namespace dlcc::frontend

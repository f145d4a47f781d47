#include "frontend/objective/losses.h"

namespace dlcc::frontend {

using ops::Term;

namespace {
// The operator of the loss's name has its equation.
Term plain(LossContext& c) { return {&c.b, c.b.add(c.loss.type(), {c.prediction, c.label})}; }

Term huber(LossContext& c) {
  return {&c.b, c.b.add("huber", {c.prediction, c.label}, {{"delta", c.loss.number("delta")}})};
}

// y (1 - s) + s / classes: a share of the label goes to all classes alike.
Term smoothed(LossContext& c, double classes) {
  double s = c.loss.number("label_smoothing");
  return s == 0 ? c.label : c.label * (1 - s) + s / classes;
}

Term binary_crossentropy(LossContext& c) {
  Term y = smoothed(c, 2);
  return c.loss.boolean("from_logits") ? ops::bce_with_logits(c.prediction, y)
                                       : ops::binary_crossentropy(c.prediction, y);
}

Term categorical_crossentropy(LossContext& c) {
  Term y = smoothed(c, static_cast<double>(c.prediction.shape().back()));
  return c.loss.boolean("from_logits") ? ops::softmax_crossentropy(c.prediction, y)
                                       : ops::categorical_crossentropy(c.prediction, y);
}

// With label smoothing every class counts, so the label is written out.
Term sparse_categorical_crossentropy(LossContext& c) {
  if (c.loss.number("label_smoothing") != 0) {
    c.label = {
        &c.b, c.b.add("one_hot", {c.label}, {{"depth", c.prediction.shape().back()}, {"dtype", c.prediction.dtype()}})};
    return categorical_crossentropy(c);
  }
  return c.loss.boolean("from_logits") ? ops::sparse_softmax_crossentropy(c.prediction, c.label)
                                       : ops::sparse_categorical_crossentropy(c.prediction, c.label);
}

constexpr LossRow losses[] = {
    {"mean_squared_error", LabelKind::numbers, plain},
    {"mean_absolute_error", LabelKind::numbers, plain},
    {"huber", LabelKind::numbers, huber},
    {"log_cosh", LabelKind::numbers, plain},
    {"poisson", LabelKind::numbers, plain},
    {"hinge", LabelKind::signs, plain},
    {"squared_hinge", LabelKind::signs, plain},
    {"kl_divergence", LabelKind::probabilities, plain},
    {"binary_crossentropy", LabelKind::binary, binary_crossentropy},
    {"categorical_crossentropy", LabelKind::probabilities, categorical_crossentropy},
    {"sparse_categorical_crossentropy", LabelKind::classes, sparse_categorical_crossentropy},
};
} // namespace

const LossRow& find_loss(std::string_view type) {
  for (const LossRow& row : losses)
    if (row.name == type) return row;
  DLCC_CHECK(false, "no builder for loss '" + std::string(type) + "'");
  return losses[0];
}

const LossRow& own_loss(LabelKind kind) {
  static constexpr LossRow numbers{"own", LabelKind::numbers, nullptr}, classes{"own", LabelKind::classes, nullptr};
  return kind == LabelKind::classes ? classes : numbers;
}

Type label_type(LabelKind kind, const Type& prediction) {
  if (kind != LabelKind::classes) return prediction;
  Type type{DType::i32, prediction.shape};
  if (!type.shape.empty()) type.shape.pop_back();
  return type;
}

Term fit_label(Term label, const std::string& name, LabelKind kind, const Type& prediction, const Place& place) {
  const Type wanted = label_type(kind, prediction), given = label.type();
  const bool integers = kind == LabelKind::classes;
  auto refuse = [&](const char* error, const std::string& expected) {
    throw ModelError{error, "label " + quoted(name) + " is " + to_string(given) + ", expected " + expected, place};
  };
  if (integers && prediction.shape.empty())
    throw ModelError{
        "shape-mismatch", "the prediction is " + to_string(prediction) + ", expected the classes on its last axis", {}};
  if (integers ? !is_integer(given.dtype) : !is_float(given.dtype))
    refuse("dtype-mismatch", integers ? "class numbers of an integer type such as i32"
                                      : "the type " + std::string(name_of(wanted.dtype)) + " of the prediction");
  Shape longer = given.shape, shorter = wanted.shape;
  if (longer.size() < shorter.size()) std::swap(longer, shorter);
  shorter.push_back(1);
  if (given.shape != wanted.shape && longer != shorter)
    refuse("shape-mismatch", "shape " + to_string(wanted.shape) + " for a prediction of " + to_string(prediction));
  label = ops::reshape(label, wanted.shape);
  return integers ? label : ops::cast(label, wanted.dtype);
}

std::optional<int64_t> LossPlan::ignore_index() const {
  return record->has_if_known("ignore_index") ? record->maybe_integer("ignore_index") : std::nullopt;
}

// ---- weights and reduction ------------------------------------------------------------------------------------------

namespace {
class LossBuilder {
public:
  LossBuilder(graph::Builder& b, const LossPlan& plan, const ValidRows& valid)
      : b_(b), plan_(plan), record_(*plan.record), valid_(valid) {}

  LossTerm build(Term prediction, Term label, std::optional<Term> sample_weight, const Place& label_place) {
    label = fit_label(label, plan_.label, plan_.row->label, prediction.type(), label_place);
    std::optional<Term> counts; // which labels count, if not all do
    if (plan_.row->label == LabelKind::classes) label = checked(label, prediction.shape().back(), counts);
    LossContext context{b_, record_, prediction, label};
    Term rows = plan_.row->rows(context);
    rows.id = b_.named(rows, "rows");
    if (record_.has_if_known("class_weight")) rows = rows * class_weights(prediction, label);
    return finish(rows, sample_weight, counts);
  }

  LossTerm build_own(Term value, const ops::SampleAxis& samples, std::optional<Term> sample_weight) {
    const std::string what = plan_.own->call ? "the result of function " : "loss value ";
    return finish(own_rows(value, samples, what + quoted(plan_.own->value)), sample_weight, {});
  }

private:
  LossTerm finish(Term rows, std::optional<Term> sample_weight, std::optional<Term> counts) {
    if (sample_weight) rows = rows * fitted_weight(*sample_weight, rows);
    if (counts) rows = ops::where(*counts, rows, 0.0);
    LossTerm loss = rows.shape().empty() ? reduce_scalar(rows) : reduce(rows, counts);
    double weight = record_.number("weight");
    if (weight != 1) loss.value = loss.value * weight;
    return loss;
  }

  // A scalar belongs to every row of its batch alike.
  LossTerm reduce_scalar(Term value) {
    value = ops::cast(value, DType::f64);
    if (record_.text("reduction") == "sum") return {value};
    return {value, ops::cast(valid_.count(value), DType::f64)};
  }

  // Class numbers are checked before they are used; an ignored one stands for class 0 and does not count.
  Term checked(Term label, int64_t classes, std::optional<Term>& counts) {
    if (std::optional<int64_t> ignored = plan_.ignore_index()) {
      counts = label != static_cast<double>(*ignored);
      label = ops::where(*counts, label, 0.0);
    }
    return {&b_, b_.add("check_index", {label, valid_.count(label)}, {{"limit", classes}, {"what", plan_.label}})};
  }

  // The class of each sample: Keras takes the largest of several labels, and rounds a single one.
  Term class_numbers(Term label) {
    if (plan_.row->label == LabelKind::classes) return label;
    const Shape shape = label.shape();
    bool single = plan_.row->label == LabelKind::binary && (shape.size() < 2 || shape.back() == 1);
    if (!single) return {&b_, b_.add("argmax", {label})};
    Term rounded = ops::cast(ops::floor(label + 0.5), DType::i32);
    return shape.size() < 2 ? rounded : ops::reshape(rounded, Shape(shape.begin(), shape.end() - 1));
  }

  Term class_weights(Term prediction, Term label) {
    const Arg& key = record_.at("class_weight");
    const Shape shape = prediction.shape();
    bool single = plan_.row->label == LabelKind::binary && (shape.size() < 2 || shape.back() == 1);
    const int64_t classes = single ? 2 : shape.back();
    std::vector<double> table(static_cast<size_t>(classes), 1.0);
    for (const auto& [number, weight] : std::get<std::vector<std::pair<int64_t, double>>>(key.value)) {
      if (number < 0 || number >= classes)
        throw ModelError{"out-of-range",
                         "'class_weight' names class " + std::to_string(number) + ", expected 0 to " +
                             std::to_string(classes - 1),
                         key.place};
      table[static_cast<size_t>(number)] = weight;
    }
    Term weights{&b_,
                 b_.add("constant", {}, {{"dtype", prediction.dtype()}, {"shape", Shape{classes}}, {"values", table}})};
    return {&b_, b_.add("take", {weights, class_numbers(label)})};
  }

  // One weight a sample, whatever axes its losses have.
  Term fitted_weight(Term weight, Term rows) {
    Shape shape = weight.shape();
    if (shape.size() == 2 && shape[1] == 1) shape.pop_back();
    const Shape wanted = rows.shape();
    bool fits = shape == wanted || (shape.size() == 1 && !wanted.empty() && shape[0] == wanted[0]);
    if (!fits)
      throw ModelError{"shape-mismatch",
                       "sample weight " + quoted(plan_.sample_weight) + " is " + to_string(weight.type()) +
                           ", expected one number a sample for losses of shape " + to_string(wanted),
                       record_.at("sample_weight").place};
    if (shape.size() == 1) shape.resize(wanted.size(), 1);
    return ops::cast(ops::reshape(weight, shape), rows.dtype());
  }

  // The mean divides by the number of losses, never by the sum of weights; labels that are ignored are no losses.
  LossTerm reduce(Term rows, std::optional<Term> counts) {
    Term mean = valid_.mean(rows), all = valid_.elements(rows);
    if (record_.text("reduction") == "sum") return {mean * all};
    if (!counts) return {mean, all};
    Term share = valid_.mean(ops::cast(*counts, rows.dtype()));
    if (plan_.may_skip) share.id = b_.add("check_counts", {share}, {{"what", plan_.label}});
    return {mean / ops::maximum(share, 1e-300), share * all};
  }

  graph::Builder& b_;
  const LossPlan& plan_;
  const Record& record_;
  const ValidRows& valid_;
};
} // namespace

LossTerm build_loss(graph::Builder& b, const LossPlan& plan, const ValidRows& valid, Term prediction, Term label,
                    std::optional<Term> sample_weight, const Place& label_place) {
  return LossBuilder(b, plan, valid).build(prediction, label, sample_weight, label_place);
}

LossTerm build_own_loss(graph::Builder& b, const LossPlan& plan, const ValidRows& valid, Term value,
                        const ops::SampleAxis& samples, std::optional<Term> sample_weight) {
  return LossBuilder(b, plan, valid).build_own(value, samples, sample_weight);
}

Term own_rows(Term value, const ops::SampleAxis& samples, const std::string& what) {
  const Type type = value.type();
  const int64_t batch = value.b->module().batch;
  Shape shape = type.shape;
  if (shape.size() == 2 && shape[1] == 1) shape.pop_back();
  const bool has_rows = batch == 0 || samples == ops::SampleAxis{0, 1};
  if (!is_float(type.dtype) || (!shape.empty() && (shape.size() != 1 || !has_rows)))
    throw ModelError{"shape-mismatch",
                     what + " is " + to_string(type) + ", expected a float: a scalar or one number a row" +
                         (batch > 0 ? ", [" + std::to_string(batch) + "]" : ""),
                     {}};
  return ops::reshape(value, shape);
}

} // namespace dlcc::frontend

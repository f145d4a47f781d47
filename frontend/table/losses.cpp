// Losses and metrics: names and arguments of Keras.
#include "frontend/table/schema.h"

namespace dlcc::frontend {

namespace {
std::vector<Key> judged_keys(const char* prediction, const char* label) {
  return {name_key("prediction").optional(prediction), name_key("label").optional(label)};
}

// Every loss has the keys behind its own.
RecordDef any_loss(std::string name, std::string summary, std::vector<Key> keys) {
  keys.push_back(number("weight").at_least(0).defaults(1.0, "factor on this loss"));
  keys.push_back(name_key("sample_weight").optional("an input that holds a weight per sample"));
  keys.push_back(
      choice("reduction", {"mean_over_batch", "sum"}).defaults("mean_over_batch", "how samples are combined"));
  return {std::move(name), std::move(summary), std::move(keys), {}};
}

std::vector<Key> with_own(std::vector<Key> keys, std::vector<Key> own) {
  for (Key& key : own) keys.push_back(std::move(key));
  return keys;
}

std::vector<Key> loss_keys() {
  return judged_keys("the value that is judged; the last output if absent",
                     "the label it is compared with; the only one if absent");
}
RecordDef loss(std::string name, std::string summary, std::vector<Key> own = {}) {
  return any_loss(std::move(name), std::move(summary), with_own(loss_keys(), std::move(own)));
}
Key from_logits() { return boolean("from_logits").defaults(false, "the prediction is before sigmoid or softmax"); }
Key smoothing() {
  return number("label_smoothing")
      .at_least(0)
      .at_most(1)
      .defaults(0.0, "share moved from the label to all classes alike");
}
Key class_weight() {
  return list("class_weight", KeyKind::weights).at_least(0).optional("class number -> weight; absent classes weigh 1");
}

Key column_name() { return name_key("name").optional("column name; the type if absent"); }
std::vector<Key> metric_keys() {
  return with_own({column_name()}, judged_keys("the value that is judged; the loss's if absent",
                                               "the label it is compared with; the loss's if absent"));
}
RecordDef metric(std::string name, std::string summary, std::vector<Key> own = {}) {
  return {std::move(name), std::move(summary), with_own(metric_keys(), std::move(own)), {}};
}
Key function_name() { return name_key("type").required("a function of the model"); }
Key value_name() { return name_key("value").required("a value of the model: a scalar, or one number a row"); }
Key threshold() { return number("threshold").defaults(0.5, "a prediction above it is positive"); }
} // namespace

std::vector<GroupDef> loss_groups() {
  GroupDef losses{Group::loss, "loss", "type", true};
  losses.records = {
      loss("mean_squared_error", "mean (p - y)^2 over the last axis"),
      loss("mean_absolute_error", "mean |p - y| over the last axis"),
      loss("huber", "quadratic within delta of the label, linear outside",
           {number("delta").more_than(0).defaults(1.0, "where the two meet")}),
      loss("log_cosh", "mean log cosh(p - y)"),
      loss("binary_crossentropy", "-y log p - (1 - y) log(1 - p)", {from_logits(), smoothing(), class_weight()}),
      loss("categorical_crossentropy", "-sum y log p over the classes", {from_logits(), smoothing(), class_weight()}),
      loss("sparse_categorical_crossentropy", "-log p[y], y a class number",
           {from_logits(), smoothing(), class_weight(),
            integer("ignore_index").optional("a label that counts for nothing")}),
      loss("kl_divergence", "sum y log(y / p)"),
      loss("poisson", "mean p - y log p"),
      loss("hinge", "mean max(1 - y p, 0), labels 0/1 taken as -1/+1"),
      loss("squared_hinge", "mean max(1 - y p, 0)^2"),
  };
  losses.by_value = any_loss(own_value, "a value of the model", {value_name()});
  losses.by_function = any_loss(own_function, "a function of (prediction, label) or (prediction, label, weight)",
                                with_own({function_name()}, loss_keys()));
  GroupDef metrics{Group::metric, "metric", "type", true};
  metrics.by_value = {own_value, "the mean of a value of the model", {value_name(), column_name()}, {}};
  metrics.by_function = {own_function,
                         "the mean of a function of (prediction, label) or (prediction, label, weight)",
                         with_own({function_name()}, metric_keys()),
                         {}};
  metrics.records = {
      metric(
          "accuracy", "share of right predictions, of the kind that fits the loss",
          {threshold(), choice("kind", {"binary", "categorical", "sparse_categorical"})
                            .optional("if it must be this one: what follows from loss and shape is compared with it")}),
      metric("top_k", "share of samples whose class is among the k likeliest",
             {integer("k").at_least(1).defaults(int64_t{5}, "how many")}),
      metric("auc", "area under the ROC curve, by thresholds",
             {integer("thresholds").at_least(2).at_most(1e6).defaults(int64_t{200}, "how many points of the curve")}),
      metric("precision", "true positives among the predicted ones", {threshold()}),
      metric("recall", "true positives among the real ones", {threshold()}),
      metric("f1", "harmonic mean of precision and recall", {threshold()}),
      metric("mse", "mean squared error"),
      metric("mae", "mean absolute error"),
      metric("rmse", "root of the mean squared error"),
      metric("r2", "1 - residual / total sum of squares"),
      {"loss", "the loss itself", {column_name()}, {}},
  };
  return {losses, metrics};
}

} // namespace dlcc::frontend

// Losses and metrics: names and arguments of Keras.
#include "frontend/schema.h"

namespace dlcc::frontend {

namespace {
RecordDef loss(std::string name, std::string summary, std::vector<Key> own = {}) {
  std::vector<Key> keys;
  keys.push_back(name_key("prediction").optional("the value that is judged; the last output if absent"));
  keys.push_back(name_key("label").optional("the label it is compared with; the only one if absent"));
  for (Key& key : own) keys.push_back(std::move(key));
  keys.push_back(number("weight").at_least(0).defaults(1.0, "factor on this loss"));
  keys.push_back(name_key("sample_weight").optional("an input that holds a weight per sample"));
  keys.push_back(
      choice("reduction", {"mean_over_batch", "sum"}).defaults("mean_over_batch", "how samples are combined"));
  return {std::move(name), std::move(summary), std::move(keys), {}};
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

RecordDef metric(std::string name, std::string summary, std::vector<Key> own = {}) {
  std::vector<Key> keys;
  keys.push_back(name_key("name").optional("column name; the type if absent"));
  keys.push_back(name_key("prediction").optional("the value that is judged; the loss's if absent"));
  keys.push_back(name_key("label").optional("the label it is compared with; the loss's if absent"));
  for (Key& key : own) keys.push_back(std::move(key));
  return {std::move(name), std::move(summary), std::move(keys), {}};
}
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
  GroupDef metrics{Group::metric, "metric", "type", true};
  metrics.records = {
      metric("accuracy", "share of right predictions, of the kind that fits the loss", {threshold()}),
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
      metric("loss", "the loss itself"),
  };
  return {losses, metrics};
}

} // namespace dlcc::frontend

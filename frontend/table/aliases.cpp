// What Keras, PyTorch, scikit-learn and NumPy call the things of the table. Names that differ only in case, '_' or '-'
// need no row. An alias means exactly the same; where a library's own name comes with other arguments, they are
// implied.
#include "frontend/table/vocabulary.h"

namespace dlcc::frontend {

namespace {
using Implied = std::vector<std::pair<std::string_view, Default>>;

struct Row {
  std::string_view meaning;
  std::vector<std::string_view> names;
  Implied implied = {};
};

void add(std::vector<Alias>& out, std::string_view family, const std::vector<Row>& rows) {
  for (const Row& row : rows)
    for (std::string_view name : row.names) out.push_back({family, name, row.meaning, row.implied});
}

Implied scaled(double scale, const char* mode, const char* distribution) {
  return {{"scale", scale}, {"mode", mode}, {"distribution", distribution}};
}

void add_layers(std::vector<Alias>& out) {
  add(out, "layer",
      {{"Dense", {"Linear", "FullyConnected"}},
       {"Concat", {"Concatenate", "Cat"}},
       {"Rescale", {"Rescaling"}},
       {"Normalize", {"Normalization"}}});
  const std::pair<std::string_view, const char*> functions[] = {
      {"Identity", "linear"},
      {"ReLU", "relu"},
      {"ReLU6", "relu6"},
      {"ELU", "elu"},
      {"SELU", "selu"},
      {"GELU", "gelu"},
      {"SiLU", "silu"},
      {"Swish", "silu"},
      {"Sigmoid", "sigmoid"},
      {"Tanh", "tanh"},
      {"HardSigmoid", "hard_sigmoid"},
      {"Softplus", "softplus"},
      {"Softsign", "softsign"},
      {"Softmax", "softmax"},
      {"LogSoftmax", "log_softmax"},
  };
  for (const auto& [name, function] : functions)
    add(out, "layer", {{"Activation", {name}, {{"activation", function}}}});
  add(out, "layer key",
      {{"from", {"inputs", "input"}},
       {"units", {"out_features", "output_dim", "num_units"}},
       {"rate", {"p", "dropout_rate", "dropout"}},
       {"kernel_initializer", {"kernel_init", "weight_initializer"}},
       {"bias_initializer", {"bias_init"}},
       {"kernel_regularizer", {"weight_regularizer"}},
       {"target_shape", {"shape"}},
       {"axis", {"dim"}},
       {"times", {"repeats", "count"}},
       {"trainable", {"requires_grad"}},
       {"lr_mult", {"lr_multiplier", "lr_scale"}}});
  add(out, "activation",
      {{"linear", {"identity"}},
       {"sigmoid", {"logistic"}},
       {"silu", {"swish"}},
       {"exp", {"exponential"}},
       {"gelu", {"gelu_tanh", "gelu_new"}, {{"approximate", true}}}});
  add(out, "activation key", {{"negative_slope", {"alpha"}}});
}

void add_losses(std::vector<Alias>& out) {
  add(out, "loss",
      {{"mean_squared_error", {"mse", "MSELoss"}},
       {"mean_absolute_error", {"mae", "L1Loss"}},
       {"huber", {"HuberLoss", "SmoothL1Loss", "smooth_l1"}},
       {"log_cosh", {"LogCoshLoss"}},
       {"binary_crossentropy", {"bce", "BCELoss"}},
       {"binary_crossentropy", {"BCEWithLogitsLoss", "BCEWithLogits"}, {{"from_logits", true}}},
       {"categorical_crossentropy", {"cce"}},
       {"sparse_categorical_crossentropy", {"scce"}},
       // Logarithms of probabilities are logits too: log_softmax leaves them as they are.
       {"sparse_categorical_crossentropy", {"CrossEntropyLoss", "NLLLoss", "nll"}, {{"from_logits", true}}},
       {"kl_divergence", {"kld", "kullback_leibler_divergence"}}});
  add(out, "loss key",
      {{"prediction", {"y_pred", "pred", "predictions"}},
       {"label", {"y_true", "target", "labels"}},
       {"weight", {"loss_weight", "weights"}},
       {"sample_weight", {"sample_weights"}},
       {"class_weight", {"class_weights"}},
       {"label_smoothing", {"smoothing"}},
       {"ignore_index", {"ignore_class"}}});
  add(out, "reduction option", {{"mean_over_batch", {"mean", "sum_over_batch_size"}}});
  add(out, "metric",
      {{"accuracy", {"acc"}},
       {"accuracy", {"binary_accuracy"}, {{"kind", "binary"}}},
       {"accuracy", {"categorical_accuracy"}, {{"kind", "categorical"}}},
       {"accuracy", {"sparse_categorical_accuracy"}, {{"kind", "sparse_categorical"}}},
       {"top_k", {"top_k_accuracy", "top_k_categorical_accuracy", "sparse_top_k_categorical_accuracy"}},
       {"auc", {"roc_auc"}},
       {"f1", {"f1_score"}},
       {"mse", {"mean_squared_error"}},
       {"mae", {"mean_absolute_error"}},
       {"rmse", {"root_mean_squared_error"}},
       {"r2", {"r2_score"}}});
  add(out, "metric key",
      {{"prediction", {"y_pred", "pred", "predictions"}},
       {"label", {"y_true", "target", "labels"}},
       {"thresholds", {"num_thresholds"}},
       {"threshold", {"thresholds"}}});
}

void add_optimizers(std::vector<Alias>& out) {
  add(out, "optimizer", {{"sgd", {"gradient_descent"}}});
  add(out, "optimizer key",
      {{"learning_rate", {"lr", "learning_rate_init"}},
       {"epsilon", {"eps"}},
       {"nesterov", {"nesterovs_momentum"}},
       {"clip_global_norm", {"global_clipnorm", "max_grad_norm"}},
       {"accumulate_steps", {"gradient_accumulation_steps", "accumulate_grad_batches"}}});
  add(out, "preset option", {{"sklearn", {"scikit_learn"}}, {"keras", {"tensorflow"}}});
  add(out, "schedule",
      {{"exponential", {"ExponentialDecay"}},
       {"inverse_time", {"InverseTimeDecay"}},
       {"piecewise", {"PiecewiseConstantDecay", "piecewise_constant"}},
       {"polynomial", {"PolynomialDecay"}},
       {"cosine", {"CosineDecay"}},
       {"cosine_restarts", {"CosineDecayRestarts"}},
       {"plateau", {"ReduceLROnPlateau", "reduce_on_plateau"}}});
  add(out, "schedule key",
      {{"initial", {"initial_learning_rate", "initial_lr"}},
       {"end", {"end_learning_rate", "end_lr"}},
       {"min", {"min_lr", "min_learning_rate"}},
       {"decay_rate", {"gamma"}},
       {"schedule", {"type"}}});
  add(out, "initializer",
      {{"zeros", {"zero"}},
       {"ones", {"one"}},
       {"glorot_uniform", {"xavier_uniform"}},
       {"variance_scaling", {"xavier_normal"}, scaled(1.0, "fan_avg", "untruncated_normal")},
       {"he_uniform", {"kaiming_uniform"}},
       {"variance_scaling", {"kaiming_normal"}, scaled(2.0, "fan_in", "untruncated_normal")},
       {"identity", {"eye"}}});
  add(out, "initializer key",
      {{"stddev", {"std", "sigma"}},
       {"minval", {"min", "low"}},
       {"maxval", {"max", "high"}},
       {"value", {"fill_value", "val"}}});
  add(out, "regularizer", {{"regularizer", {"l1"}, {{"l1", 0.01}}}, {"regularizer", {"l2"}, {{"l2", 0.01}}}}); // Keras
}

void add_sections(std::vector<Alias>& out) {
  add(out, "model key",
      {{"seed", {"random_state", "random_seed"}},
       {"inputs", {"input"}},
       {"labels", {"label", "targets", "target"}},
       {"params", {"parameters"}},
       {"outputs", {"output"}},
       {"loss", {"losses", "criterion"}},
       {"metrics", {"metric"}},
       {"train", {"training"}},
       {"data", {"dataset"}}});
  add(out, "tensor key", {{"shape", {"dims"}}, {"dtype", {"type"}}});
  add(out, "param key", {{"shape", {"dims"}}, {"dtype", {"type"}}, {"init", {"initializer"}}});
  add(out, "function key", {{"inputs", {"arguments"}}, {"nodes", {"body"}}, {"outputs", {"results"}}});
  add(out, "dtype option",
      {{"f32", {"float32", "single"}},
       {"f64", {"float64", "double"}},
       {"i8", {"int8"}},
       {"u8", {"uint8", "byte"}},
       {"i32", {"int32"}},
       {"i64", {"int64", "long"}},
       {"bool", {"boolean"}}});
  add(out, "train key",
      {{"epochs", {"num_epochs", "n_epochs", "max_epochs", "max_iter"}},
       {"batch_size", {"batch"}},
       {"validation_split", {"val_split"}}});
  add(out, "early_stopping key", {{"restore_best", {"restore_best_weights"}}});
  add(out, "mode option", {{"min", {"minimize"}}, {"max", {"maximize"}}});
  add(out, "checkpoint key",
      {{"dir", {"directory", "folder"}}, {"every_epochs", {"period", "every_n_epochs"}}, {"keep", {"max_to_keep"}}});
}

void add_data(std::vector<Alias>& out) {
  add(out, "data key",
      {{"train", {"training"}},
       {"validation", {"val", "valid", "validation_data"}},
       {"transforms", {"preprocessing"}}});
  add(out, "data format", {{"idx", {"mnist"}}});
  add(out, "data format key",
      {{"format", {"type"}},
       {"file", {"path", "filename"}},
       {"separator", {"sep", "delimiter"}},
       {"samples", {"n_samples"}},
       {"features", {"n_features"}},
       {"informative", {"n_informative"}},
       {"redundant", {"n_redundant"}},
       {"classes", {"n_classes", "num_classes"}},
       {"clusters_per_class", {"n_clusters_per_class"}},
       {"seed", {"random_state"}}});
  add(out, "generator option",
      {{"make_classification", {"classification"}},
       {"make_regression", {"regression"}},
       {"make_blobs", {"blobs"}},
       {"make_moons", {"moons"}}});
  add(out, "rule option", {{"error", {"raise"}}, {"drop", {"dropna", "drop_rows"}}});
  for (const char* family : {"categories option", "encoding option"})
    add(out, family, {{"one_hot", {"dummies", "dummy"}}, {"index", {"ordinal", "label", "codes"}}});
  add(out, "unknown option", {{"error", {"raise"}}, {"zeros", {"ignore"}}});
  add(out, "transform",
      {{"standardize", {"standardise", "standard_scaler", "z_score"}},
       {"minmax", {"MinMaxScaler"}},
       {"one_hot", {"one_hot_encoder", "to_categorical"}}});
  add(out, "transform key",
      {{"input", {"target", "tensor"}},
       {"by", {"divisor"}},
       {"classes", {"num_classes"}},
       {"low", {"min"}},
       {"high", {"max"}}});
}

void add_nodes(std::vector<Alias>& out) {
  add(out, "node key",
      {{"op", {"type", "operator"}}, {"inputs", {"input"}}, {"output", {"outputs"}}, {"attrs", {"attributes"}}});
  add(out, "operator",
      {{"subtract", {"sub"}},
       {"multiply", {"mul"}},
       {"divide", {"div", "true_divide"}},
       {"power", {"pow"}},
       {"negative", {"neg"}},
       {"abs", {"absolute"}},
       {"clip", {"clamp", "clip_by_value"}},
       {"greater", {"gt"}},
       {"greater_equal", {"ge"}},
       {"less", {"lt"}},
       {"less_equal", {"le"}},
       {"equal", {"eq"}},
       {"not_equal", {"ne"}},
       {"where", {"select"}},
       {"linear", {"identity"}},
       {"sigmoid", {"logistic"}},
       {"silu", {"swish"}},
       {"exp", {"exponential"}},
       {"sum", {"reduce_sum"}},
       {"mean", {"reduce_mean"}},
       {"product", {"prod", "reduce_prod"}},
       {"max", {"reduce_max", "amax"}},
       {"min", {"reduce_min", "amin"}},
       {"matmul", {"mm", "bmm"}},
       {"matvec", {"mv"}},
       {"transpose", {"permute"}},
       {"broadcast_to", {"expand"}},
       {"concat", {"concatenate", "cat"}},
       {"take", {"index_select"}}});
  add(out, "attribute",
      {{"axes", {"axis", "dim"}},
       {"axis", {"dim"}},
       {"keepdims", {"keepdim"}},
       {"permutation", {"axes", "perm", "dims"}},
       {"low", {"min"}},
       {"high", {"max"}},
       {"rate", {"p"}},
       {"depth", {"num_classes"}}});
}
} // namespace

const std::vector<Alias>& aliases() {
  static const std::vector<Alias> all = [] {
    std::vector<Alias> out;
    add_layers(out), add_losses(out), add_optimizers(out), add_sections(out), add_data(out), add_nodes(out);
    return out;
  }();
  return all;
}

} // namespace dlcc::frontend

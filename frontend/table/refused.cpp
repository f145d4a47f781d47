// Names that people know from Keras, PyTorch, scikit-learn and NumPy and that stand for nothing here: not supported, or
// what they mean is written otherwise.
#include "frontend/table/vocabulary.h"

namespace dlcc::frontend {

namespace {
void add(std::vector<RefusedName>& out, std::string_view family, const std::vector<std::string_view>& names,
         std::string_view advice = "") {
  for (std::string_view name : names) out.push_back({family, name, advice});
}

void add_layers(std::vector<RefusedName>& out) {
  add(out, "layer",
      {"Conv1D",
       "Conv2D",
       "Conv3D",
       "Conv1DTranspose",
       "Conv2DTranspose",
       "Conv3DTranspose",
       "ConvTranspose1d",
       "ConvTranspose2d",
       "ConvTranspose3d",
       "SeparableConv1D",
       "SeparableConv2D",
       "DepthwiseConv1D",
       "DepthwiseConv2D",
       "LazyConv2d",
       "MaxPool1D",
       "MaxPool2D",
       "MaxPool3D",
       "MaxPooling1D",
       "MaxPooling2D",
       "MaxPooling3D",
       "AvgPool1D",
       "AvgPool2D",
       "AvgPool3D",
       "AveragePooling1D",
       "AveragePooling2D",
       "AveragePooling3D",
       "GlobalMaxPool1D",
       "GlobalMaxPool2D",
       "GlobalMaxPooling1D",
       "GlobalMaxPooling2D",
       "GlobalAvgPool1D",
       "GlobalAvgPool2D",
       "GlobalAveragePooling1D",
       "GlobalAveragePooling2D",
       "AdaptiveAvgPool1d",
       "AdaptiveAvgPool2d",
       "AdaptiveMaxPool2d"});
  add(out, "layer",
      {"RNN", "SimpleRNN", "LSTM", "GRU", "LSTMCell", "GRUCell", "RNNCell", "SimpleRNNCell", "StackedRNNCells",
       "ConvLSTM2D", "Bidirectional", "TimeDistributed", "Embedding", "EmbeddingBag", "PositionEmbedding", "Masking",
       "Scan"});
  add(out, "layer",
      {"BatchNorm", "BatchNormalization", "BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "SyncBatchNorm", "LayerNorm",
       "LayerNormalization", "GroupNorm", "GroupNormalization", "InstanceNorm1d", "InstanceNorm2d", "RMSNorm",
       "RMSNormalization", "UnitNormalization", "SpectralNormalization", "LocalResponseNorm"});
  add(out, "layer",
      {"Attention", "AdditiveAttention", "MultiHeadAttention", "GroupedQueryAttention", "Transformer",
       "TransformerEncoder", "TransformerDecoder", "TransformerEncoderLayer", "TransformerDecoderLayer"});
  add(out, "layer",
      {"Permute",
       "RepeatVector",
       "Cropping1D",
       "Cropping2D",
       "Cropping3D",
       "ZeroPad2D",
       "ZeroPadding1D",
       "ZeroPadding2D",
       "ZeroPadding3D",
       "UpSampling1D",
       "UpSampling2D",
       "UpSampling3D",
       "Upsample",
       "PixelShuffle",
       "Unflatten",
       "Fold",
       "Unfold",
       "SpatialDropout1D",
       "SpatialDropout2D",
       "SpatialDropout3D",
       "Dropout1d",
       "Dropout2d",
       "Dropout3d",
       "AlphaDropout",
       "FeatureAlphaDropout",
       "GaussianDropout",
       "GaussianNoise",
       "ActivityRegularization",
       "Lambda",
       "Minimum",
       "Dot",
       "EinsumDense",
       "Bilinear",
       "CosineSimilarity",
       "PairwiseDistance"});
  add(out, "layer",
      {"PReLU", "RReLU", "ThresholdedReLU", "Threshold", "Mish", "CELU", "GLU", "Hardtanh", "Hardswish", "Hardshrink",
       "Softshrink", "Tanhshrink", "Softmin", "LogSigmoid", "Exponential"});
  add(out, "layer",
      {"Resizing", "CenterCrop", "RandomCrop", "RandomFlip", "RandomRotation", "RandomZoom", "RandomTranslation",
       "RandomContrast", "RandomBrightness", "Discretization", "CategoryEncoding", "Hashing", "StringLookup",
       "IntegerLookup", "TextVectorization"});
  add(out, "layer", {"LeakyReLU"},
      R"(has another slope in every library, expected {"type": "Activation", "activation": {"type": "leaky_relu", "negative_slope": 0.01}})");
  add(out, "layer", {"Input", "InputLayer"}, "is no layer, expected the input in 'inputs'");
  add(out, "layer", {"Sequential", "Functional", "Model", "ModuleList"},
      "is no layer, expected its layers in 'layers'; Repeat and Residual hold some");
  add(out, "layer key", {"input_shape", "batch_input_shape", "batch_shape", "input_dim", "in_features", "num_features"},
      "follows from the layer's input, expected its shape in 'inputs' only");
  add(out, "layer key", {"frozen", "freeze"}, R"(is written "trainable": false)");
  add(out, "layer key", {"kernel_constraint", "bias_constraint", "lora_rank", "noise_shape", "seed", "device"});
  add(out, "layer key", {"std", "stddev"}, "is given as its square, expected 'variance'");
  add(out, "activation",
      {"prelu",      "rrelu",       "mish",        "celu",        "glu",     "hard_tanh",   "hard_silu",
       "hard_swish", "hard_shrink", "soft_shrink", "tanh_shrink", "softmin", "log_sigmoid", "squareplus",
       "sparsemax",  "sparse_plus", "threshold",   "quick_gelu",  "swiglu",  "geglu"});
}

void add_losses(std::vector<RefusedName>& out) {
  add(out, "loss",
      {"mean_absolute_percentage_error",
       "mape",
       "mean_squared_logarithmic_error",
       "msle",
       "root_mean_squared_error",
       "rmse",
       "categorical_hinge",
       "cosine_similarity",
       "cosine",
       "cosine_embedding_loss",
       "binary_focal_crossentropy",
       "categorical_focal_crossentropy",
       "focal",
       "focal_loss",
       "dice",
       "tversky",
       "circle",
       "ctc",
       "ctc_loss",
       "categorical_generalized_cross_entropy",
       "hinge_embedding_loss",
       "margin_ranking_loss",
       "multi_margin_loss",
       "multi_label_margin_loss",
       "multi_label_soft_margin_loss",
       "soft_margin_loss",
       "triplet_margin_loss",
       "triplet_margin_with_distance_loss",
       "triplet",
       "gaussian_nll_loss",
       "adaptive_log_softmax_with_loss",
       "quantile",
       "pinball",
       "contrastive"});
  add(out, "loss", {"cross_entropy", "log_loss"},
      "may be several, expected 'binary_crossentropy', 'categorical_crossentropy' (one-hot labels) or "
      "'sparse_categorical_crossentropy' (class numbers)");
  add(out, "loss", {"KLDivLoss", "kl_div"}, "takes logarithms, expected 'kl_divergence' of probabilities");
  add(out, "loss", {"PoissonNLLLoss"}, "takes the rate's logarithm, expected 'poisson' of the rate");
  add(out, "loss key", {"pos_weight"}, "is not supported yet; 'class_weight' weighs both classes");
  add(out, "loss key", {"beta"}, "is not supported, expected 'huber' with 'delta' and a 'weight' of 1 / delta");
  add(out, "loss key", {"size_average", "reduce"}, "is written 'reduction'");
  add(out, "reduction option", {"none"});
  add(out, "metric",
      {"mean_absolute_percentage_error",
       "mape",
       "mean_squared_logarithmic_error",
       "msle",
       "cosine_similarity",
       "log_cosh",
       "log_cosh_error",
       "huber",
       "hinge",
       "squared_hinge",
       "categorical_hinge",
       "kl_divergence",
       "poisson",
       "binary_crossentropy",
       "categorical_crossentropy",
       "sparse_categorical_crossentropy",
       "cross_entropy",
       "log_loss",
       "top_1",
       "top_5",
       "fbeta",
       "fbeta_score",
       "specificity",
       "sensitivity",
       "balanced_accuracy",
       "matthews_corrcoef",
       "cohen_kappa",
       "confusion_matrix",
       "average_precision",
       "pr_auc",
       "mean_iou",
       "binary_iou",
       "one_hot_iou",
       "true_positives",
       "true_negatives",
       "false_positives",
       "false_negatives",
       "precision_at_recall",
       "recall_at_precision",
       "sensitivity_at_specificity",
       "specificity_at_sensitivity",
       "explained_variance",
       "median_absolute_error",
       "max_error",
       "pearson",
       "perplexity",
       "mean"});
  add(out, "metric key", {"average", "class_id", "curve", "multi_label", "summation_method", "ignore_class"});
}

void add_optimizers(std::vector<RefusedName>& out) {
  add(out, "optimizer", {"nadam",       "nadamw", "adamax",  "adagrad",  "adadelta",
                         "ftrl",        "lion",   "lamb",    "lars",     "adafactor",
                         "muon",        "radam",  "rprop",   "asgd",     "lbfgs",
                         "sparse_adam", "sophia", "shampoo", "momentum", "loss_scale_optimizer"});
  add(out, "optimizer key", {"betas"}, "is written 'beta_1' and 'beta_2'");
  add(out, "optimizer key", {"decay"},
      "is a schedule here, expected \"learning_rate\": {\"schedule\": \"inverse_time\", ...}");
  add(out, "optimizer key",
      {"dampening", "maximize", "foreach", "capturable", "differentiable", "fused", "use_ema", "ema_momentum",
       "ema_overwrite_frequency", "loss_scale_factor", "jit_compile", "parameters"});
  add(out, "preset option", {"pytorch", "torch"});
  add(out, "schedule",
      {"LambdaLR", "MultiplicativeLR", "ConstantLR", "LinearLR", "PolynomialLR", "CyclicLR", "OneCycleLR", "one_cycle",
       "ChainedScheduler", "SequentialLR", "noam"});
  add(out, "schedule", {"StepLR", "ExponentialLR", "step", "step_decay"},
      "counts epochs, expected 'exponential', whose 'decay_steps' count batches");
  add(out, "schedule", {"MultiStepLR"}, "counts epochs, expected 'piecewise', whose 'boundaries' count batches");
  add(out, "schedule", {"CosineAnnealingLR", "cosine_annealing"},
      "counts epochs, expected 'cosine', whose 'decay_steps' count batches");
  add(out, "schedule", {"CosineAnnealingWarmRestarts"},
      "counts epochs, expected 'cosine_restarts', whose 'first_decay_steps' count batches");
  add(out, "schedule key", {"T_max", "step_size", "milestones", "T_0"},
      "counts epochs in PyTorch, expected steps ('decay_steps', 'boundaries', 'first_decay_steps')");
  add(out, "schedule key", {"eta_min"}, "is a rate, expected 'alpha', the share of the first rate that is left");
  add(out, "schedule key", {"threshold"}, "is relative in PyTorch, expected 'min_delta', a difference");
  add(out, "initializer", {"normal", "trunc_normal"},
      "has another deviation in every library, expected 'random_normal' or 'truncated_normal' with 'stddev'");
  add(out, "initializer", {"uniform"},
      "has other limits in every library, expected 'random_uniform' with 'minval' and 'maxval'");
  add(out, "initializer", {"sparse", "dirac", "delta_orthogonal", "stft"});
  add(out, "initializer key", {"seed"}, "follows from the model's 'seed' and the parameter's name");
  add(out, "regularizer", {"l1_l2"}, R"(needs two factors, expected {"l1": 0.01, "l2": 0.01})");
  add(out, "regularizer", {"orthogonal", "OrthogonalRegularizer"});
  add(out, "regularizer key", {"type", "name"}, R"(is not needed, expected {"l1": 0.01, "l2": 0.01} or one of them)");
}

void add_sections(std::vector<RefusedName>& out) {
  add(out, "key", {"callbacks"},
      "has no place, expected 'early_stopping' and 'checkpoint' in 'train', 'plateau' as schedule of the learning "
      "rate");
  add(out, "key", {"validation_data"}, "belongs in 'data' as 'validation'");
  add(out, "key",
      {"verbose", "workers", "num_workers", "n_jobs", "pin_memory", "persistent_workers", "use_multiprocessing",
       "max_queue_size", "warm_start"},
      "is no part of a model, see 'dlcc train --help'");
  add(out, "key", {"device", "gpu", "gpus", "cuda", "use_gpu", "accelerator", "devices"},
      "has no place: what is compiled runs on the CPU, --threads says on how many cores");
  add(out, "key", {"scheduler", "lr_scheduler", "lr_schedule", "learning_rate_scheduler"},
      R"(has no place, expected "learning_rate": {"schedule": ...} in 'optimizer')");
  add(out, "key", {"hidden_layer_sizes", "hidden_layers", "hidden_units"}, "is written as 'layers', one for each");
  add(out, "key", {"solver"}, "is the 'type' of 'optimizer'");
  add(out, "key", {"test_size"}, "is written 'validation_split' in 'train'");
  add(out, "data key", {"X", "y", "x_train", "y_train", "x_test", "y_test"},
      R"(stands in a part, expected "train": {"format": ...} with a source for each input and label)");
  add(out, "key", {"comment", "comments", "description", "note", "notes"},
      "is unknown, expected a name that begins with 'x-' for a note");
  add(out, "key", {"class_name", "config"}, "is Keras' own form, expected \"type\" with its keys beside it");
  add(out, "key", {"drop_last", "drop_remainder"}, R"(is written "last_batch": "drop" in 'train')");
  add(out, "train key", {"steps"}, "is the option --steps of 'dlcc train'");
  add(out, "train key", {"initial_epoch", "validation_freq", "validation_steps", "validation_batch_size"});
  add(out, "early_stopping key", {"baseline", "start_from_epoch"});
  add(out, "checkpoint key", {"save_best_only", "monitor"}, "is written \"best_of\": \"val_loss\"");
  add(out, "checkpoint key", {"save_freq"}, "is written 'every_epochs'");
  add(out, "checkpoint key", {"filepath", "path", "filename"}, "is a folder here, expected 'dir'");
  add(out, "checkpoint key", {"save_weights_only"}, "is no choice: weights and state are saved");
  add(out, "compile key", {"schedule", "jit_compile", "run_eagerly", "steps_per_execution", "weighted_metrics"});
  add(out, "precision option", {"high", "medium", "mixed_float16", "mixed_bfloat16", "bf16", "tf32"});
  add(out, "dtype option", {"float"}, "may be two, expected 'f32' or 'f64'");
  add(out, "dtype option", {"int"}, "may be two, expected 'i32' or 'i64'");
  add(out, "dtype option", {"float16", "half", "f16",     "bfloat16",  "bf16",       "float128", "f8",
                            "int16",   "i16",  "short",   "uint16",    "u16",        "uint32",   "u32",
                            "uint64",  "u64",  "complex", "complex64", "complex128", "string",   "str"});
}

void add_data(std::vector<RefusedName>& out) {
  add(out, "data format", {"numpy"}, "may be two, expected 'npy' (an array a file) or 'npz'");
  add(out, "data format", {"tsv"}, R"(is written "format": "csv", "separator": "\t")");
  add(out, "data format", {"images",  "image_folder", "text",  "json",     "jsonl",     "parquet", "arrow",
                           "feather", "hdf5",         "h5",    "tfrecord", "tfrecords", "pickle",  "pt",
                           "mat",     "xlsx",         "excel", "libsvm",   "svmlight",  "sqlite",  "webdataset"});
  add(out, "generator option",
      {"make_circles", "circles", "make_friedman1", "make_swiss_roll", "make_s_curve", "make_gaussian_quantiles",
       "make_hastie_10_2", "make_multilabel_classification"});
  add(out, "bias option", {"true", "false"}, "is written 'use_bias'");
  add(out, "rule option",
      {"median", "mode", "most_frequent", "ffill", "bfill", "pad", "backfill", "forward_fill", "backward_fill",
       "nearest", "interpolate"});
  add(out, "rule option", {"constant", "fill", "value"}, R"(is written as the number itself, as in "missing": 0)");
  add(out, "categories option", {"target", "hash", "hashing", "binary", "embedding", "frequency", "count"});
  add(out, "encoding option", {"target", "hash", "hashing", "binary", "embedding", "frequency", "count"});
  add(out, "transform", {"normalize", "normalise", "scale"},
      "may be several, expected 'standardize', 'minmax' or 'divide'");
  add(out, "transform", {"rescale", "rescaling", "multiply"}, "multiplies, expected 'divide'");
  add(out, "transform", {"add"}, "is written 'subtract' with the negative number");
  add(out, "transform",
      {"robust_scaler", "max_abs_scaler", "power_transformer", "quantile_transformer", "log", "resize", "channels",
       "keras_preprocess", "pad_sequences", "random_flip", "random_crop", "random_shift", "random_rotation", "flatten",
       "cast"});
  add(out, "transform key", {"feature_range"}, "is written 'low' and 'high'");
}

void add_nodes(std::vector<RefusedName>& out) {
  add(out, "node key", {"name", "id"}, "is no key of a node, expected 'output', the name of its value");
  add(out, "operator", {"dot"}, "may be two, expected 'matmul' or 'matvec'");
  add(out, "operator", {"squeeze", "unsqueeze", "expand_dims", "flatten", "view"}, "is written 'reshape'");
  add(out, "operator", {"stack"}, "is written 'reshape' and 'concat'");
  add(out, "operator", {"split"}, "is written as 'slice' for each part");
  add(out, "operator", {"tile", "repeat"}, "is written 'broadcast_to' and 'reshape'");
  add(out, "operator", {"reciprocal"}, "is written 'divide'");
  add(out, "operator", {"mse", "mae", "bce", "mse_loss", "l1_loss", "cross_entropy"},
      "is a loss, expected it in 'loss' at the top level");
  add(out, "operator",
      {"einsum",       "tensordot",  "outer",       "inner",         "cumsum",      "cumprod",     "scan",
       "sort",         "argsort",    "topk",        "unique",        "scatter",     "scatter_add", "conv",
       "conv1d",       "conv2d",     "conv3d",      "max_pool2d",    "avg_pool2d",  "batch_norm",  "layer_norm",
       "embedding",    "attention",  "tan",         "asin",          "acos",        "atan",        "atan2",
       "sinh",         "cosh",       "asinh",       "acosh",         "atanh",       "log2",        "log10",
       "exp2",         "cbrt",       "ceil",        "round",         "trunc",       "mod",         "remainder",
       "floor_divide", "std",        "var",         "variance",      "norm",        "logsumexp",   "median",
       "quantile",     "any",        "all",         "isnan",         "isinf",       "erfc",        "erfinv",
       "lgamma",       "digamma",    "logical_xor", "roll",          "flip",        "reverse",     "triu",
       "tril",         "diag",       "eye",         "arange",        "linspace",    "zeros",       "ones",
       "full",         "zeros_like", "ones_like",   "stop_gradient", "detach",      "prelu",       "mish",
       "celu",         "glu",        "hard_tanh",   "hard_swish",    "log_sigmoid", "softmin"});
}
} // namespace

const std::vector<RefusedName>& refused_names() {
  static const std::vector<RefusedName> all = [] {
    std::vector<RefusedName> out;
    add_layers(out), add_losses(out), add_optimizers(out), add_sections(out), add_data(out), add_nodes(out);
    return out;
  }();
  return all;
}

} // namespace dlcc::frontend

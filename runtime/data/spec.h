// What model.json's `data` and `train` sections say, as plain structs.
//
// The frontend fills them, tools hand them to the readers (runtime/data/open.h) and to the training loop.
#pragma once

#include "runtime/core/cell.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace dlcc::data {

/// Where a section stands in the model file; both count from 1, 0 = unknown.
struct Place {
  uint32_t line = 0, column = 0;
};

/// Element types; the numbers are those of the C ABI (DLCC_F32 ...), so a dtype is passed on with a cast.
enum class ElementType : uint8_t { f32 = 1, f64 = 2, i8 = 5, u8 = 6, i32 = 7, i64 = 8, boolean = 9 };

constexpr int64_t byte_size(ElementType t) {
  switch (t) {
  case ElementType::f32:
  case ElementType::i32:
    return 4;
  case ElementType::f64:
  case ElementType::i64:
    return 8;
  case ElementType::i8:
  case ElementType::u8:
  case ElementType::boolean:
    return 1;
  }
  return 0;
}
constexpr bool is_float(ElementType t) { return t == ElementType::f32 || t == ElementType::f64; }

/// What the model wants to be fed: one input, label or sample weight.
struct TensorSpec {
  std::string name;
  ElementType dtype = ElementType::f32;
  std::vector<int64_t> shape; ///< without the batch axis; [] is one number a sample
  bool is_label = false;
  int64_t classes = -1;                ///< integer labels lie in [0, classes); -1: not known
  std::optional<int64_t> ignore_index; ///< one more value that an integer label may have
  std::optional<double> low, high;     ///< values must lie in [low, high] (0 and 1 for binary cross-entropy)
};

/// What an output of the model says about a label.
struct Prediction {
  std::string output; ///< empty: the last one
  std::string label;
  double threshold = 0.5; ///< of a single number that stands for two classes
};

enum class Format : uint8_t { idx, npy, npz, csv, safetensors, synthetic };

/// One csv column, or several: a name (an exact name wins), a number from 0, or a range "first:last" of either, both
/// ends included. Text is read as `code` says.
struct ColumnRef {
  std::string name;
  int64_t number = -1; ///< used if >= 0
  runtime::CellCode code = runtime::CellCode::number;
  runtime::UnknownRule unknown = runtime::UnknownRule::error;
  std::vector<std::string> categories; ///< empty: those of the training part, sorted
  bool is_exact = false;               ///< the name of a column, and nothing else
};

/// What cells without a value are, and what becomes of them.
struct MissingSpec {
  enum class Rule : uint8_t { error, value, mean, drop };
  Rule rule = Rule::error;
  double value = 0;
  std::vector<std::string> spellings{""};
};

/// Where the values of one tensor come from.
struct Mapping {
  std::string tensor;             ///< name of the input or label
  std::string source;             ///< idx, npy: file name; npz, safetensors: array name
  std::vector<ColumnRef> columns; ///< csv
  Place place;
};

/// Generated data; fills the first input and the first label. Keys that a generator does not name are ignored by it.
///   make_classification  hypercube clusters as scikit-learn's: features, informative, redundant, classes,
///                        clusters_per_class, class_sep, flip_y
///   make_regression      x ~ N(0, 1), y = x . coefficients + bias + noise * N(0, 1): features, informative,
///                        coefficients (default: drawn from 100 * U(0, 1) for the informative ones, see planted())
///   make_blobs           `classes` Gaussian blobs of deviation `noise` (default 1) with centres in [low, high]
///   make_moons           two interleaved half circles, deviation `noise` (default 0)
///   random_uniform       x ~ U[low, high); labels are random classes, or U[0, 1)
///   adding_problem       x: [steps, 2] (numbers in [0, 1), two of them marked); y: the sum of the marked ones
///   sine                 x: a window of sin(t) at steps of 0.1 from a random phase, y: the values that follow; noise
struct SyntheticSpec {
  std::string generator;
  int64_t samples = 100;
  int64_t features = 0; ///< 0: as many as the input has; else it must agree with the input
  std::optional<int64_t> informative, redundant;
  int64_t classes = 0; ///< 0: the label's number of classes, else 2
  int64_t clusters_per_class = 2;
  double class_sep = 1, flip_y = 0.01;
  std::optional<double> noise, bias, low, high;
  std::vector<double> coefficients;
  uint64_t seed = 0;
};

/// One of `train`, `validation`, `test`, `all`.
struct SourceSpec {
  Place place;
  Format format = Format::npz;
  std::string file; ///< npz, csv, safetensors
  std::vector<Mapping> tensors;
  bool header = true; ///< csv: the first record holds names
  char separator = ',';
  MissingSpec missing;           ///< csv
  std::vector<std::string> kept; ///< csv: columns that are kept as text beside the tensors
  bool is_given = false;         ///< the user named `file` itself: it may lie anywhere, and "-" is the standard input
  bool allow_nonfinite = false;
  SyntheticSpec synthetic;
};

enum class TransformKind : uint8_t { divide, subtract, standardize, minmax, one_hot, reshape };

struct TransformSpec {
  Place place;
  TransformKind kind = TransformKind::divide;
  std::string input;          ///< the input or label it works on
  std::vector<double> values; ///< divide, subtract: one number, or one a feature; minmax: low, high (default 0, 1)
  int64_t classes = 0;        ///< one_hot
  std::vector<int64_t> shape; ///< reshape: without the batch axis; one -1 is inferred
  bool fit_on_all = false;    ///< standardize, minmax: "all" instead of "train"
};

struct DataSpec {
  Place place;
  std::optional<SourceSpec> train, validation, test, all; ///< `all` stands for `train` if that is absent
  std::vector<TransformSpec> transforms;
};

enum class LastBatch : uint8_t { mask, drop, error };

struct EarlyStoppingSpec {
  std::string monitor = "val_loss";
  int64_t patience = 0;
  double min_delta = 0;
  std::string mode = "auto"; ///< auto, min, max
  bool restore_best = false;
};

struct CheckpointSpec {
  std::string dir;
  int64_t every_epochs = 1;
  int64_t keep = 3;
  std::string best_of; ///< metric whose best epoch is kept; empty: none
};

struct TrainSpec {
  Place place;
  int64_t batch_size = 32;
  int64_t epochs = 1;
  std::optional<int64_t> steps;
  double validation_split = 0;
  bool stratified = false; ///< scikit-learn's preset: validation drawn at random, classes in proportion
  bool shuffle = true;
  LastBatch last_batch = LastBatch::mask;
  std::optional<int64_t> steps_per_epoch;
  std::optional<EarlyStoppingSpec> early_stopping;
  std::optional<CheckpointSpec> checkpoint;
  bool terminate_on_nan = true;
  std::optional<int64_t> n_iter_no_change; ///< scikit-learn's preset: stop after so many epochs without `tol` gain
  double tol = 1e-4;
};

} // namespace dlcc::data

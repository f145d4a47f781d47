// What happens to a tensor's values between the file and the batch: the `transforms`, folded.
#pragma once

#include "runtime/core/fitted_transform.h"
#include "runtime/data/dataset.h"
#include "runtime/data/spec.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace dlcc::data {

using runtime::FittedTransform;

/// Samples of a Dataset: `list`, or the range that starts at `begin`.
struct Rows {
  int64_t begin = 0, count = 0;
  std::shared_ptr<const std::vector<int64_t>> list;
  int64_t at(int64_t i) const { return list ? (*list)[static_cast<size_t>(i)] : begin + i; }
};

/// What is known about a tensor's values before its file is read.
struct Plan {
  int64_t elements = 1;                 ///< values a sample in the file
  std::vector<int64_t> shape;           ///< of them, where the file does not say (csv)
  ElementType store = ElementType::f32; ///< what text is read as
  bool reshaped = false;                ///< a transform changes the shape, so that of the file is not known
};
/// Errors (names, arguments that make no sense) carry the place of the transform in `model_file`.
Plan plan_tensor(const TensorSpec& tensor, std::span<const TransformSpec> transforms, const std::string& model_file);

/// The shape of a file's samples must lead to the model's by way of the transforms, but for axes of size 1.
void check_shape(const Column& column, const TensorSpec& tensor, std::span<const TransformSpec> transforms,
                 const std::string& model_file);

/// Whether a transform is measured on samples.
bool is_fitted(TransformKind kind);

/// Fits the transforms of `tensor` and folds them into `fitted`, whose table is known; `fit` are the samples to fit on.
/// Checks the shape, too. Consecutive affine transforms collapse: ((x - c) s - a) b = (x - (c + a / s)) (s b);
/// subtracting first keeps the digits of data far from zero. Constant columns are divided by 1, with a warning.
/// standardize subtracts the mean and divides by the population's deviation, per entry of the last axis; values that
/// are not finite are left out. standardize and minmax leave the values of categories as they are.
void fit_transforms(FittedTransform& fitted, const Column& column, const TensorSpec& tensor,
                    std::span<const TransformSpec> transforms, const Rows& fit, int64_t samples,
                    const std::string& model_file, std::vector<std::string>& warnings);

/// Every value must be what the model can use: labels integers in range, numbers finite (unless allowed), within f32,
/// within [low, high]. The error names the sample.
void check_values(const Column& column, const TensorSpec& tensor, const FittedTransform& fitted, bool allow_nonfinite);

} // namespace dlcc::data

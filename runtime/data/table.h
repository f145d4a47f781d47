// Columns of a table as numbers: categories and missing values, learned from training samples or known.
#pragma once

#include "runtime/data/transforms.h"

namespace dlcc::data {

/// What is learned of the columns of a table from the samples `fit`: categories, sorted, unless the model lists them;
/// means, if `missing` asks for them.
std::vector<runtime::FittedColumn> fit_table(const Column& raw, const MissingSpec& missing, const Rows& fit);

/// The rule for missing values of a tensor: labels are never made up, their mean is an error.
MissingSpec missing_of(const SourceSpec& source, const TensorSpec& tensor);

/// Whether `fit_table` needs to see samples.
bool needs_fitting(const Mapping& mapping, const MissingSpec& missing);

/// Texts become their categories' values, missing numbers what was learned; the column has plan.shape then. Throws
/// DataError: a text that is no category, a missing value, other columns than those that were fitted, another width
/// than the model's.
void encode_table(Column& column, const FittedTransform& fitted, const TensorSpec& tensor, const Plan& plan,
                  int64_t memory_cap);

} // namespace dlcc::data

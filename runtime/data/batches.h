// Batches of a data set, in file order or shuffled anew each epoch, in the model's types and buffers.
#pragma once

#include "runtime/core/permutation.h"
#include "runtime/data/convert.h"
#include "runtime/data/dataset.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace dlcc::data {

struct BatchOptions {
  int64_t batch_size = 32;
  bool shuffle = false;
  uint64_t seed = 0; ///< of the shuffle; the order is a function of (seed, epoch) alone
  LastBatch last_batch = LastBatch::mask;
  std::optional<int64_t> steps_per_epoch; ///< batches of an epoch, which goes on where the one before it ended
};

/// Makes batches on the caller's thread, without allocating. Not for use by two threads at once; two sources may share
/// a data set. Batches are numbered within an epoch, and any may be asked for at any time, so a run resumes anywhere.
class BatchSource {
public:
  /// `fitted` and `tensors` are in the order of the data set's columns. Throws DataError if last_batch is `error`
  /// and a batch would be short, or if there is no batch at all.
  BatchSource(std::shared_ptr<const Dataset> data, std::span<const FittedTransform> fitted,
              std::span<const TensorSpec> tensors, Rows rows, const BatchOptions& options);

  int64_t samples() const { return rows_.count; }
  int64_t batch_size() const { return options_.batch_size; }
  int64_t batches_per_epoch() const { return options_.steps_per_epoch.value_or(batches_); }
  size_t tensors() const { return converters_.size(); }
  uint64_t hash() const { return data_->hash; } ///< of the data set

  /// Writes batch `batch` (from 0) of `epoch` (from 0) into one buffer per tensor, each of batch_size rows in the
  /// model's dtype, without need of alignment. Returns how many rows are samples; the rest is set to zero.
  int64_t fill(uint64_t epoch, int64_t batch, std::span<void* const> buffers);

  /// As above, but a tensor whose rows lie ready in memory is not copied: `ready[i]` is where batch's rows are, in the
  /// data set or in `buffers[i]`.
  int64_t fill(uint64_t epoch, int64_t batch, std::span<void* const> buffers, std::span<const void*> ready);

  /// The number of sample `i` of `batch` in the file, for messages and predictions.
  int64_t sample_at(uint64_t epoch, int64_t batch, int64_t i);

private:
  int64_t find_rows(uint64_t epoch, int64_t batch); // into order_; how many
  void write(size_t tensor, int64_t valid, void* buffer) const;

  std::shared_ptr<const Dataset> data_;
  Rows rows_;
  BatchOptions options_;
  int64_t batches_ = 0; // of a pass over the data
  std::vector<Converter> converters_;
  runtime::Permutation permutation_;
  uint64_t pass_ = 0;          // that the permutation is of
  std::vector<int64_t> order_; // file rows of the current batch
};

} // namespace dlcc::data

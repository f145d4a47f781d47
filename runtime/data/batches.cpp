#include "runtime/data/batches.h"

#include "runtime/data/error.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace dlcc::data {

BatchSource::BatchSource(std::shared_ptr<const Dataset> data, std::span<const FittedTransform> fitted,
                         std::span<const TensorSpec> tensors, Rows rows, const BatchOptions& options)
    : data_(std::move(data)), rows_(std::move(rows)), options_(options),
      permutation_(static_cast<uint64_t>(std::max<int64_t>(rows_.count, 1)), options.seed, 0) {
  const std::string& file = data_->columns.at(0).origin.file;
  int64_t size = options_.batch_size;
  if (size < 1) throw DataError(file, "batch size " + std::to_string(size) + ", expected 1 or more", "batch-size");
  bool partial = rows_.count % size != 0, drop = options_.last_batch == LastBatch::drop;
  batches_ = rows_.count / size + (partial && !drop);
  std::string counts = std::to_string(rows_.count) + " samples in batches of " + std::to_string(size);
  if (partial && options_.last_batch == LastBatch::error)
    throw DataError(file, counts + " leave a short last batch, and \"last_batch\" is \"error\"", "last-batch");
  if (batches_ == 0)
    throw DataError(file, counts + (drop ? " make no full batch, and \"last_batch\" is \"drop\"" : " make no batch"),
                    "no-samples");
  for (size_t i = 0; i < tensors.size(); ++i) converters_.emplace_back(data_->columns[i], fitted[i], tensors[i].dtype);
  order_.resize(static_cast<size_t>(std::min(size, rows_.count)));
}

int64_t BatchSource::find_rows(uint64_t epoch, int64_t batch) {
  if (batch < 0 || batch >= batches_per_epoch()) return 0;
  uint64_t pass = epoch;
  if (options_.steps_per_epoch) {
    const uint64_t since_start =
        epoch * static_cast<uint64_t>(*options_.steps_per_epoch) + static_cast<uint64_t>(batch);
    pass = since_start / static_cast<uint64_t>(batches_);
    batch = static_cast<int64_t>(since_start % static_cast<uint64_t>(batches_));
  }
  int64_t first = batch * options_.batch_size;
  int64_t valid = std::clamp<int64_t>(rows_.count - first, 0, options_.batch_size);
  if (options_.shuffle && pass != pass_)
    permutation_ = runtime::Permutation(permutation_.size(), options_.seed, pass_ = pass);
  for (int64_t i = 0; i < valid; ++i) {
    int64_t place = options_.shuffle ? static_cast<int64_t>(permutation_(static_cast<uint64_t>(first + i))) : first + i;
    order_[static_cast<size_t>(i)] = rows_.at(place);
  }
  return valid;
}

void BatchSource::write(size_t tensor, int64_t valid, void* buffer) const {
  const Converter& c = converters_[tensor];
  c.write(order_.data(), valid, buffer);
  int64_t rest = options_.batch_size - valid;
  if (rest)
    std::memset(static_cast<std::byte*>(buffer) + valid * c.out_row_bytes(), 0,
                static_cast<size_t>(rest * c.out_row_bytes()));
}

int64_t BatchSource::fill(uint64_t epoch, int64_t batch, std::span<void* const> buffers) {
  int64_t valid = find_rows(epoch, batch);
  for (size_t t = 0; t < converters_.size(); ++t) write(t, valid, buffers[t]);
  return valid;
}

int64_t BatchSource::fill(uint64_t epoch, int64_t batch, std::span<void* const> buffers, std::span<const void*> ready) {
  int64_t valid = find_rows(epoch, batch);
  bool in_order = !options_.shuffle && !rows_.list && valid == options_.batch_size;
  for (size_t t = 0; t < converters_.size(); ++t) {
    ready[t] =
        in_order && converters_[t].verbatim() ? static_cast<const void*>(converters_[t].row(order_[0])) : buffers[t];
    if (ready[t] == buffers[t]) write(t, valid, buffers[t]);
  }
  return valid;
}

int64_t BatchSource::sample_at(uint64_t epoch, int64_t batch, int64_t i) {
  int64_t valid = find_rows(epoch, batch);
  return i >= 0 && i < valid ? order_[static_cast<size_t>(i)] : -1;
}

} // namespace dlcc::data

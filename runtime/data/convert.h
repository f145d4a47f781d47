// From rows of a column to the model's type, with the pipeline applied: the inner loops of making a batch.
#pragma once

#include "runtime/data/pipeline.h"

#include <cstdint>
#include <vector>

namespace dlcc::data {

/// One column on its way into batches: everything that a batch needs, decided once.
class Converter {
public:
  Converter(const Column& column, const Pipeline& pipeline, ElementType to);

  /// Writes the samples rows[0 .. n) one after the other to `out`.
  void write(const int64_t* rows, int64_t n, void* out) const { kernel_(*this, rows, n, out); }
  /// Whether samples are in the column exactly as the model takes them.
  bool verbatim() const { return verbatim_; }
  const std::byte* row(int64_t i) const { return column_->values.data() + i * row_bytes_; }
  int64_t out_row_bytes() const { return out_elements_ * byte_size(to_); }

private:
  friend struct Kernels;
  using Kernel = void (*)(const Converter&, const int64_t* rows, int64_t n, void* out);

  const Column* column_;
  ElementType to_;
  int64_t elements_, row_bytes_, out_elements_, classes_;
  bool verbatim_;
  std::vector<double> center_, scale_;
  std::vector<float> center_f32_, scale_f32_;
  Kernel kernel_;
};

} // namespace dlcc::data

// From rows of a column to the model's type, with the transforms applied: the inner loops of making a batch.
#pragma once

#include "runtime/data/transforms.h"

#include <cstdint>
#include <type_traits>
#include <vector>

namespace dlcc::data {

/// One column on its way into batches: everything that a batch needs, decided once.
class Converter {
public:
  Converter(const Column& column, const FittedTransform& fitted, ElementType to);

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
  FittedTransform fitted_;
  ElementType to_;
  int64_t elements_, row_bytes_, out_elements_, classes_;
  bool verbatim_;
  // (x - center) * scale + shift; in f32 the shift makes up for the rounding of the center, which data far from zero
  // and close together would show.
  template <class C> struct Affine {
    std::vector<C> center, scale, shift;
  };
  template <class C> static Affine<C> affine_of(const FittedTransform& p);
  template <class C> const Affine<C>& affine() const {
    if constexpr (std::is_same_v<C, float>)
      return f32_;
    else
      return f64_;
  }
  Affine<double> f64_;
  Affine<float> f32_;
  Kernel kernel_;
};

} // namespace dlcc::data

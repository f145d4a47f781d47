#include "runtime/data/convert.h"

#include <cmath>
#include <cstring>
#include <type_traits>

namespace dlcc::data {

namespace {

// What is computed in: float only where both ends have no more digits than it.
template <class From, class To>
using Compute =
    std::conditional_t<std::is_same_v<To, float> && (sizeof(From) == 1 || std::is_same_v<From, float>), float, double>;

template <class To, class C> To rounded(C v) {
  if constexpr (std::is_floating_point_v<To>)
    return static_cast<To>(v);
  else
    return static_cast<To>(std::nearbyint(v));
}

// Blocks of a constant length, so that the compiler makes vectors of them at -O2 too.
constexpr int64_t block = 32;

template <class From, class To, class C>
void scale_row(const From* __restrict from, To* __restrict to, int64_t n, C center, C scale) {
  int64_t e = 0;
  for (; e + block <= n; e += block)
    for (int64_t k = 0; k < block; ++k) to[e + k] = rounded<To>((static_cast<C>(from[e + k]) - center) * scale);
  for (; e < n; ++e) to[e] = rounded<To>((static_cast<C>(from[e]) - center) * scale);
}

template <class From, class To, class C>
void scale_row(const From* __restrict from, To* __restrict to, int64_t n, const C* __restrict center,
               const C* __restrict scale) {
  int64_t e = 0;
  for (; e + block <= n; e += block)
    for (int64_t k = 0; k < block; ++k)
      to[e + k] = rounded<To>((static_cast<C>(from[e + k]) - center[e + k]) * scale[e + k]);
  for (; e < n; ++e) to[e] = rounded<To>((static_cast<C>(from[e]) - center[e]) * scale[e]);
}

template <class From, class To> void cast_row(const From* __restrict from, To* __restrict to, int64_t n) {
  int64_t e = 0;
  for (; e + block <= n; e += block)
    for (int64_t k = 0; k < block; ++k) to[e + k] = static_cast<To>(from[e + k]);
  for (; e < n; ++e) to[e] = static_cast<To>(from[e]);
}

} // namespace

struct Kernels {
  using Kernel = Converter::Kernel;

  static void copy(const Converter& c, const int64_t* rows, int64_t n, void* out) {
    int64_t bytes = c.out_row_bytes();
    for (int64_t i = 0; i < n; ++i)
      std::memcpy(static_cast<std::byte*>(out) + i * bytes, c.row(rows[i]), static_cast<size_t>(bytes));
  }

  template <class From, class To> static void cast(const Converter& c, const int64_t* rows, int64_t n, void* out) {
    const From* from = c.column_->values.template as<From>();
    for (int64_t i = 0; i < n; ++i)
      cast_row(from + rows[i] * c.elements_, static_cast<To*>(out) + i * c.elements_, c.elements_);
  }

  template <class From, class To> static void affine(const Converter& c, const int64_t* rows, int64_t n, void* out) {
    using C = Compute<From, To>;
    const C *center, *scale;
    if constexpr (std::is_same_v<C, float>)
      center = c.center_f32_.data(), scale = c.scale_f32_.data();
    else
      center = c.center_.data(), scale = c.scale_.data();
    const From* from = c.column_->values.template as<From>();
    for (int64_t i = 0; i < n; ++i) {
      const From* row = from + rows[i] * c.elements_;
      To* to = static_cast<To*>(out) + i * c.elements_;
      if (c.center_.size() == 1)
        scale_row(row, to, c.elements_, *center, *scale);
      else
        scale_row(row, to, c.elements_, center, scale);
    }
  }

  template <class From, class To> static void one_hot(const Converter& c, const int64_t* rows, int64_t n, void* out) {
    const From* from = c.column_->values.template as<From>();
    std::memset(out, 0, static_cast<size_t>(n * c.out_row_bytes()));
    for (int64_t i = 0; i < n; ++i)
      for (int64_t e = 0; e < c.elements_; ++e) {
        size_t k = c.center_.size() > 1 ? static_cast<size_t>(e) : 0;
        double label =
            std::nearbyint((static_cast<double>(from[rows[i] * c.elements_ + e]) - c.center_[k]) * c.scale_[k]);
        bool valid = label >= 0 && label < static_cast<double>(c.classes_); // an ignored label has no one
        if (valid) static_cast<To*>(out)[i * c.out_elements_ + e * c.classes_ + static_cast<int64_t>(label)] = To(1);
      }
  }

  template <class From, class To> static Kernel choose(const Pipeline& p) {
    return p.classes ? one_hot<From, To> : p.affine() ? affine<From, To> : cast<From, To>;
  }
  template <class From> static Kernel choose_to(ElementType to, const Pipeline& p) {
    switch (to) {
    case ElementType::f32:
      return choose<From, float>(p);
    case ElementType::f64:
      return choose<From, double>(p);
    case ElementType::i8:
      return choose<From, int8_t>(p);
    case ElementType::u8:
    case ElementType::boolean:
      return choose<From, uint8_t>(p);
    case ElementType::i32:
      return choose<From, int32_t>(p);
    case ElementType::i64:
      return choose<From, int64_t>(p);
    }
    return copy;
  }
  static Kernel choose_from(ElementType from, ElementType to, const Pipeline& p) {
    if (from == to && p.identity()) return copy;
    switch (from) {
    case ElementType::f32:
      return choose_to<float>(to, p);
    case ElementType::f64:
      return choose_to<double>(to, p);
    case ElementType::i8:
      return choose_to<int8_t>(to, p);
    case ElementType::u8:
    case ElementType::boolean:
      return choose_to<uint8_t>(to, p);
    case ElementType::i32:
      return choose_to<int32_t>(to, p);
    case ElementType::i64:
      return choose_to<int64_t>(to, p);
    }
    return copy;
  }
};

Converter::Converter(const Column& column, const Pipeline& pipeline, ElementType to)
    : column_(&column), to_(to), elements_(column.elements()), row_bytes_(column.row_bytes()),
      out_elements_(pipeline.classes ? elements_ * pipeline.classes : elements_), classes_(pipeline.classes),
      verbatim_(column.type == to && pipeline.identity()), center_(pipeline.center), scale_(pipeline.scale),
      center_f32_(center_.begin(), center_.end()), scale_f32_(scale_.begin(), scale_.end()),
      kernel_(Kernels::choose_from(column.type, to, pipeline)) {}

} // namespace dlcc::data

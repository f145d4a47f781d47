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

// One number each for all elements of a row.
template <class C> struct Scalar {
  C center, scale, shift;
  C operator()(C x, int64_t) const { return (x - center) * scale + shift; }
};
// One number each per element.
template <class C> struct PerElement {
  const C* __restrict center, * __restrict scale, * __restrict shift;
  C operator()(C x, int64_t e) const { return (x - center[e]) * scale[e] + shift[e]; }
};

template <class From, class To, class Map>
[[gnu::always_inline]] inline void map_row(const From* __restrict from, To* __restrict to, int64_t n, Map map) {
  int64_t e = 0;
  for (; e + block <= n; e += block)
    for (int64_t k = 0; k < block; ++k) to[e + k] = rounded<To>(map(from[e + k], e + k));
  for (; e < n; ++e) to[e] = rounded<To>(map(from[e], e));
}

// MNIST's case, bytes to f32, is worth vectors wider than the baseline's. The operations are the same, so are the bits.
using Bytewise = void (*)(const uint8_t*, float*, int64_t, Scalar<float>);
[[gnu::target("avx2")]] void map_bytes_avx2(const uint8_t* from, float* to, int64_t n, Scalar<float> map) {
  map_row(from, to, n, map);
}
[[gnu::target("avx512f")]] void map_bytes_avx512(const uint8_t* from, float* to, int64_t n, Scalar<float> map) {
  map_row(from, to, n, map);
}
void map_bytes(const uint8_t* from, float* to, int64_t n, Scalar<float> map) { map_row(from, to, n, map); }
Bytewise best_map_bytes() {
  if (__builtin_cpu_supports("avx512f")) return map_bytes_avx512;
  return __builtin_cpu_supports("avx2") ? map_bytes_avx2 : map_bytes;
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

  // Shuffled rows are unknown to the hardware's prefetchers, and each would cost its latency.
  static void prefetch(const Converter& c, const int64_t* rows, int64_t i, int64_t n) {
    constexpr int64_t ahead = 2, line = 64, most = 4096;
    if (i + ahead >= n) return;
    const std::byte* row = c.row(rows[i + ahead]);
    for (int64_t b = 0; b < c.row_bytes_ && b < most; b += line) __builtin_prefetch(row + b);
  }

  static void copy(const Converter& c, const int64_t* rows, int64_t n, void* out) {
    int64_t bytes = c.out_row_bytes();
    for (int64_t i = 0; i < n; ++i) {
      prefetch(c, rows, i, n);
      std::memcpy(static_cast<std::byte*>(out) + i * bytes, c.row(rows[i]), static_cast<size_t>(bytes));
    }
  }

  template <class From, class To> static void cast(const Converter& c, const int64_t* rows, int64_t n, void* out) {
    const From* from = c.column_->values.template as<From>();
    for (int64_t i = 0; i < n; ++i)
      cast_row(from + rows[i] * c.elements_, static_cast<To*>(out) + i * c.elements_, c.elements_);
  }

  template <class From, class To> static void affine(const Converter& c, const int64_t* rows, int64_t n, void* out) {
    using C = Compute<From, To>;
    const Converter::Affine<C>& a = c.affine<C>();
    const From* from = c.column_->values.template as<From>();
    for (int64_t i = 0; i < n; ++i) {
      prefetch(c, rows, i, n);
      const From* row = from + rows[i] * c.elements_;
      To* to = static_cast<To*>(out) + i * c.elements_;
      if (a.center.size() == 1)
        map_row(row, to, c.elements_, Scalar<C>{a.center[0], a.scale[0], a.shift[0]});
      else
        map_row(row, to, c.elements_, PerElement<C>{a.center.data(), a.scale.data(), a.shift.data()});
    }
  }

  static void affine_bytes(const Converter& c, const int64_t* rows, int64_t n, void* out) {
    static const Bytewise map = best_map_bytes();
    const Converter::Affine<float>& a = c.affine<float>();
    for (int64_t i = 0; i < n; ++i) {
      prefetch(c, rows, i, n);
      map(reinterpret_cast<const uint8_t*>(c.row(rows[i])), static_cast<float*>(out) + i * c.elements_, c.elements_,
          {a.center[0], a.scale[0], a.shift[0]});
    }
  }

  template <class From, class To> static void one_hot(const Converter& c, const int64_t* rows, int64_t n, void* out) {
    const From* from = c.column_->values.template as<From>();
    std::memset(out, 0, static_cast<size_t>(n * c.out_row_bytes()));
    for (int64_t i = 0; i < n; ++i)
      for (int64_t e = 0; e < c.elements_; ++e) {
        double label = std::nearbyint(c.fitted_.apply(static_cast<double>(from[rows[i] * c.elements_ + e]), e));
        bool valid = label >= 0 && label < static_cast<double>(c.classes_); // an ignored label has no one
        if (valid) static_cast<To*>(out)[i * c.out_elements_ + e * c.classes_ + static_cast<int64_t>(label)] = To(1);
      }
  }

  template <class From, class To> static Kernel choose(const FittedTransform& p) {
    if constexpr (std::is_same_v<From, uint8_t> && std::is_same_v<To, float>)
      if (!p.classes && p.center.size() == 1) return affine_bytes;
    return p.classes ? one_hot<From, To> : p.affine() ? affine<From, To> : cast<From, To>;
  }
  template <class From> static Kernel choose_to(ElementType to, const FittedTransform& p) {
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
  static Kernel choose_from(ElementType from, ElementType to, const FittedTransform& p) {
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

template <class C> Converter::Affine<C> Converter::affine_of(const FittedTransform& p) {
  Affine<C> a;
  for (size_t i = 0; i < p.center.size(); ++i) {
    a.center.push_back(static_cast<C>(p.center[i]));
    a.scale.push_back(static_cast<C>(p.scale[i]));
    a.shift.push_back(static_cast<C>((static_cast<double>(a.center[i]) - p.center[i]) * p.scale[i]));
  }
  return a;
}

Converter::Converter(const Column& column, const FittedTransform& fitted, ElementType to)
    : column_(&column), fitted_(fitted), to_(to), elements_(column.elements()), row_bytes_(column.row_bytes()),
      out_elements_(fitted.classes ? elements_ * fitted.classes : elements_), classes_(fitted.classes),
      verbatim_(column.type == to && fitted.identity()), f64_(affine_of<double>(fitted)),
      f32_(affine_of<float>(fitted)), kernel_(Kernels::choose_from(column.type, to, fitted)) {}

} // namespace dlcc::data

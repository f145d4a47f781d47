#include "runtime/data/error.h"
#include "runtime/data/transforms.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace dlcc::data {

namespace {

std::string number_text(double v) {
  char text[32];
  std::snprintf(text, sizeof text, "%.9g", v);
  return text;
}

// The error of one value: "label 10 at sample 4711 (offset 4719), model has 10 classes".
class Checker {
public:
  Checker(const Column& column, const TensorSpec& tensor)
      : column_(column), tensor_(tensor), elements_(column.elements()) {}

  [[noreturn]] void fail(int64_t index, double value, const std::string& expected, const char* name) const {
    int64_t sample = index / elements_, element = index % elements_;
    const Origin& o = column_.origin;
    std::string text = std::string(tensor_.is_label ? "label " : "value ") + number_text(value) + " at sample " +
                       std::to_string(sample);
    if (elements_ > 1) text += ", element " + std::to_string(element);
    if (o.offset >= 0 && o.stride > 0)
      text += " (offset " + std::to_string(o.offset + sample * o.stride + element * (o.stride / elements_)) + ")";
    uint32_t line = static_cast<size_t>(sample) < o.lines.size() ? o.lines[static_cast<size_t>(sample)] : 0;
    throw DataError(Code::data, o.file, line, 0, text + ", " + expected + " ('" + escape(tensor_.name, 40) + "')",
                    name);
  }

  int64_t size() const { return column_.values.size() / byte_size(column_.type); }
  double raw(int64_t i) const { return value_at(column_.values.data(), column_.type, i); }
  int64_t element(int64_t i) const { return i % elements_; }

private:
  const Column& column_;
  const TensorSpec& tensor_;
  int64_t elements_;
};

template <class T> int64_t first_nonfinite(const T* v, int64_t n) {
  constexpr int64_t block = 256;
  for (int64_t i = 0; i < n; i += block) {
    int64_t end = std::min(n, i + block);
    T sum = 0; // v * 0 is 0 or NaN
    for (int64_t j = i; j < end; ++j) sum += v[j] * T(0);
    if (sum == 0) continue;
    for (int64_t j = i; j < end; ++j)
      if (!std::isfinite(v[j])) return j;
  }
  return -1;
}

void check_finite(const Column& column, const Checker& c) {
  int64_t bad = -1;
  if (column.type == ElementType::f32) bad = first_nonfinite(column.values.as<float>(), c.size());
  if (column.type == ElementType::f64) bad = first_nonfinite(column.values.as<double>(), c.size());
  if (bad >= 0) c.fail(bad, c.raw(bad), "finite numbers expected (--allow-nonfinite lets it pass)", "nonfinite");
}

struct Range {
  double low, high;
};
Range range_of(ElementType t) {
  switch (t) {
  case ElementType::i8:
    return {-128, 127};
  case ElementType::u8:
    return {0, 255};
  case ElementType::i32:
    return {-2147483648.0, 2147483647.0};
  case ElementType::boolean:
    return {0, 1};
  default:
    return {-0x1p63, 0x1.fffffffffffffp62};
  }
}

// The model sees what the transforms made of a number; that is what has to fit.
void check_float_range(const Column& column, const TensorSpec& tensor, const FittedTransform& p, const Checker& c) {
  if (!p.affine() && (column.type != ElementType::f64 || tensor.dtype == ElementType::f64)) return;
  auto fits = [&](double v, int64_t element) {
    const double y = p.apply(v, element);
    return std::isfinite(tensor.dtype == ElementType::f32 ? static_cast<double>(static_cast<float>(y)) : y);
  };
  bool all = !is_float(column.type); // integers need no look at each
  for (size_t e = 0; all && e < p.center.size(); ++e)
    all = fits(range_of(column.type).low, static_cast<int64_t>(e)) &&
          fits(range_of(column.type).high, static_cast<int64_t>(e));
  for (int64_t i = 0; !all && i < c.size(); ++i)
    if (double v = c.raw(i); std::isfinite(v) && !fits(v, c.element(i)))
      c.fail(i, v, "which is outside the range of " + std::string(type_name(tensor.dtype)), "range");
}

void check_integers(const TensorSpec& tensor, const FittedTransform& p, const Checker& c) {
  int64_t classes = p.classes ? p.classes : tensor.is_label ? tensor.classes : -1;
  Range range = range_of(tensor.dtype);
  if (p.classes) range = range_of(ElementType::i64);
  for (int64_t i = 0; i < c.size(); ++i) {
    double v = p.apply(c.raw(i), c.element(i)), near = std::nearbyint(v);
    if (!(std::fabs(v - near) < 1e-9)) c.fail(i, v, "an integer expected", "integer");
    if (tensor.ignore_index && near == static_cast<double>(*tensor.ignore_index)) continue;
    if (classes >= 0 && (near < 0 || near >= static_cast<double>(classes)))
      c.fail(i, near, "model has " + std::to_string(classes) + " classes", "label-range");
    if (near < range.low || near > range.high)
      c.fail(i, near, "which does not fit " + std::string(type_name(tensor.dtype)), "range");
  }
}

void check_bounds(const TensorSpec& tensor, const FittedTransform& p, const Checker& c) {
  double low = tensor.low.value_or(-INFINITY), high = tensor.high.value_or(INFINITY);
  for (int64_t i = 0; i < c.size(); ++i) {
    double v = p.apply(c.raw(i), c.element(i));
    if (v < low || v > high)
      c.fail(i, v, "values in [" + number_text(low) + ", " + number_text(high) + "] expected", "range");
  }
}

// Integers that always fit need no look at each.
bool always_fits(const Column& column, const TensorSpec& tensor, const FittedTransform& p) {
  if (!p.identity() || is_float(column.type) || (tensor.is_label && tensor.classes >= 0)) return false;
  Range have = range_of(column.type), want = range_of(tensor.dtype);
  return have.low >= want.low && have.high <= want.high;
}

} // namespace

void check_values(const Column& column, const TensorSpec& tensor, const FittedTransform& fitted, bool allow_nonfinite) {
  Checker c(column, tensor);
  bool integral = !is_float(tensor.dtype) || fitted.classes > 0;
  if (!allow_nonfinite || integral) check_finite(column, c);
  if (integral) {
    if (!always_fits(column, tensor, fitted)) check_integers(tensor, fitted, c);
  } else {
    check_float_range(column, tensor, fitted, c);
    if (tensor.low || tensor.high) check_bounds(tensor, fitted, c);
  }
}

} // namespace dlcc::data

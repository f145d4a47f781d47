#include "runtime/data/transforms.h"

#include "runtime/data/error.h"
#include "runtime/data/moments.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace dlcc::data {

namespace {

constexpr std::string_view kind_name(TransformKind k) {
  constexpr std::string_view names[] = {"divide", "subtract", "standardize", "minmax", "one_hot", "reshape"};
  return names[static_cast<size_t>(k)];
}

[[noreturn]] void fail(const TransformSpec& t, const std::string& model_file, const std::string& text) {
  throw DataError(Code::data, model_file, t.place.line, t.place.column,
                  std::string(kind_name(t.kind)) + " of '" + escape(t.input, 40) + "': " + text, "transform");
}

std::vector<int64_t> without_ones(std::vector<int64_t> shape) {
  std::erase(shape, 1);
  return shape;
}

std::vector<int64_t> reshaped(const TransformSpec& t, const std::vector<int64_t>& from, const std::string& model_file) {
  std::vector<int64_t> to = t.shape;
  int64_t elements = checked_product(from).value_or(0), known = 1, inferred = -1;
  for (size_t i = 0; i < to.size(); ++i) {
    if (to[i] == -1 && inferred < 0)
      inferred = static_cast<int64_t>(i);
    else if (auto p = checked_multiply(known, to[i]))
      known = *p;
    else
      fail(t, model_file, "shape " + shape_text(t.shape) + " is not one");
  }
  if (inferred >= 0 && known > 0 && elements % known == 0) to[static_cast<size_t>(inferred)] = elements / known;
  if (checked_product(to) != elements)
    fail(t, model_file,
         shape_text(from) + " has " + std::to_string(elements) + " values, " + shape_text(t.shape) + " does not");
  return to;
}

std::vector<int64_t> one_hot_shape(const TransformSpec& t, std::vector<int64_t> shape) {
  if (!shape.empty() && shape.back() == 1) shape.pop_back();
  shape.push_back(t.classes);
  return shape;
}

// Folds one transform after the other.
class Folder {
public:
  Folder(FittedTransform& fitted, const Column& column, const Rows& train, int64_t samples,
         const std::string& model_file, std::vector<std::string>& warnings)
      : p_(fitted), column_(column), train_(train), samples_(samples), model_file_(model_file), warnings_(warnings),
        shape_(column.shape) {
    for (const runtime::FittedColumn& c : fitted.columns)
      is_category_.insert(is_category_.end(), static_cast<size_t>(c.width()), c.code != runtime::CellCode::number);
  }

  void add(const TransformSpec& t) {
    if (p_.classes && t.kind != TransformKind::reshape) fail(t, model_file_, "only reshape may follow one_hot");
    switch (t.kind) {
    case TransformKind::divide:
      return divide(t);
    case TransformKind::subtract:
      return subtract(t);
    case TransformKind::standardize:
      return standardize(t);
    case TransformKind::minmax:
      return minmax(t);
    case TransformKind::one_hot:
      return one_hot(t);
    case TransformKind::reshape:
      shape_ = reshaped(t, shape_, model_file_);
      return;
    }
  }

private:
  int64_t features() const { return shape_.empty() ? 1 : shape_.back(); }

  // One entry per feature (or one for all) on top of what is folded so far: z = (y - a) * b.
  void fold(const std::vector<double>& a, const std::vector<double>& b) {
    size_t n = a.size() > 1 || b.size() > 1 ? static_cast<size_t>(column_.elements()) : p_.center.size();
    p_.center.resize(n, p_.center[0]);
    p_.scale.resize(n, p_.scale[0]);
    for (size_t e = 0; e < n; ++e) {
      p_.center[e] += a[e % a.size()] / p_.scale[e];
      p_.scale[e] *= b[e % b.size()];
    }
  }
  void check_count(const TransformSpec& t) const {
    auto n = static_cast<int64_t>(t.values.size());
    if (n != 1 && n != features())
      fail(t, model_file_,
           std::to_string(n) + " numbers, expected 1 or " + std::to_string(features()) + " (the last axis)");
  }
  void divide(const TransformSpec& t) {
    check_count(t);
    std::vector<double> inverse;
    for (double v : t.values) {
      if (v == 0 || !std::isfinite(v) || !std::isfinite(1 / v))
        fail(t, model_file_, "cannot divide by " + std::to_string(v));
      inverse.push_back(1 / v);
    }
    fold({0}, inverse);
  }
  void subtract(const TransformSpec& t) {
    check_count(t);
    for (double v : t.values)
      if (!std::isfinite(v)) fail(t, model_file_, "cannot subtract " + std::to_string(v));
    fold(t.values, {1});
  }

  template <class Visit> void visit_fitted(const TransformSpec& t, Visit visit) const {
    Rows all{0, samples_, {}};
    const Rows& rows = t.fit_on_all ? all : train_;
    int64_t elements = column_.elements(), n = features();
    for (int64_t i = 0; i < rows.count; ++i)
      for (int64_t e = 0, row = rows.at(i); e < elements; ++e) {
        if (!is_category_.empty() && is_category_[static_cast<size_t>(e)]) continue;
        double y = p_.apply(value_at(column_.values.data(), column_.type, row * elements + e), e);
        if (std::isfinite(y)) visit(static_cast<size_t>(e % n), y);
      }
  }
  void warn_constant(const TransformSpec& t, size_t first, size_t count) {
    if (count == 0) return;
    std::string rest = count > 1 ? " (and " + std::to_string(count - 1) + " more)" : "";
    warnings_.push_back(warning_line(column_.origin.file,
                                     "column " + std::to_string(first) + rest + " of '" + escape(t.input, 40) +
                                         "' is constant in the data that " + std::string(kind_name(t.kind)) +
                                         " is fitted on; divided by 1",
                                     "constant-column"));
  }
  void standardize(const TransformSpec& t) {
    auto n = static_cast<size_t>(features());
    const Moments m = moments(n, [&](auto see) { visit_fitted(t, see); });
    std::vector<double> inverse(n, 1);
    size_t first = 0, constant = 0;
    for (size_t f = 0; f < n; ++f) {
      const double deviation = m.deviation[f];
      if (deviation > 8 * std::numeric_limits<double>::epsilon() * std::fabs(m.mean[f]) && std::isfinite(1 / deviation))
        inverse[f] = 1 / deviation;
      else if (!is_category(f) && constant++ == 0)
        first = f;
    }
    warn_constant(t, first, constant);
    fold(m.mean, inverse);
  }
  void minmax(const TransformSpec& t) {
    double low = t.values.empty() ? 0 : t.values[0], high = t.values.empty() ? 1 : t.values.back();
    bool pair = t.values.empty() || t.values.size() == 2;
    if (!pair || !(low < high) || !std::isfinite(high - low)) fail(t, model_file_, "two numbers low < high expected");
    auto n = static_cast<size_t>(features());
    std::vector<double> least(n, INFINITY), most(n, -INFINITY), scale(n, 1);
    visit_fitted(t, [&](size_t f, double y) { least[f] = std::min(least[f], y), most[f] = std::max(most[f], y); });
    size_t first = 0, constant = 0;
    for (size_t f = 0; f < n; ++f) {
      const double factor = most[f] > least[f] ? range_scale(high - low, most[f], least[f]) : INFINITY;
      if (std::isfinite(factor))
        scale[f] = factor;
      else if (!is_category(f) && constant++ == 0)
        first = f;
      if (!(most[f] >= least[f])) least[f] = 0; // nothing finite to fit on
      if (!is_category(f)) least[f] -= low / scale[f];
    }
    warn_constant(t, first, constant);
    fold(least, scale);
  }
  void one_hot(const TransformSpec& t) {
    if (t.classes < 1 || t.classes > 1'000'000)
      fail(t, model_file_, std::to_string(t.classes) + " classes, expected 1 to 1,000,000");
    p_.classes = t.classes;
    shape_ = one_hot_shape(t, shape_);
  }

  bool is_category(size_t feature) const {
    const auto n = static_cast<size_t>(features());
    for (size_t e = feature; e < is_category_.size(); e += n)
      if (is_category_[e]) return true;
    return false;
  }
  // length / (most - least), whose difference may overflow.
  static double range_scale(double length, double most, double least) {
    return std::isfinite(most - least) ? length / (most - least) : length / 2 / (most / 2 - least / 2);
  }

  FittedTransform& p_;
  std::vector<bool> is_category_; // one an element; empty: there are none
  const Column& column_;
  const Rows& train_;
  int64_t samples_;
  const std::string& model_file_;
  std::vector<std::string>& warnings_;
  std::vector<int64_t> shape_;
};

} // namespace

bool is_fitted(TransformKind kind) { return kind == TransformKind::standardize || kind == TransformKind::minmax; }

Plan plan_tensor(const TensorSpec& tensor, std::span<const TransformSpec> transforms, const std::string& model_file) {
  Plan plan;
  plan.shape = tensor.shape;
  plan.store = tensor.dtype;
  bool reshapes = false;
  for (const TransformSpec& t : transforms) {
    if (t.input != tensor.name) continue;
    reshapes |= t.kind == TransformKind::reshape;
    if (t.kind == TransformKind::one_hot) {
      plan.store = ElementType::i32;
      int64_t values = checked_product(plan.shape).value_or(0);
      if (t.classes < 1 || values % t.classes)
        fail(t, model_file, std::to_string(t.classes) + " classes do not fit the shape " + shape_text(tensor.shape));
      if (!plan.shape.empty() && plan.shape.back() == t.classes)
        plan.shape.pop_back();
      else
        plan.shape = {values / t.classes};
    } else if (t.kind != TransformKind::reshape && plan.store != ElementType::i32) {
      plan.store = ElementType::f64; // the digits that count are those after the transform
    }
  }
  plan.elements = checked_product(plan.shape).value_or(0);
  plan.reshaped = reshapes;
  if (reshapes) plan.shape = {plan.elements};
  return plan;
}

void check_shape(const Column& column, const TensorSpec& tensor, std::span<const TransformSpec> transforms,
                 const std::string& model_file) {
  std::vector<int64_t> shape = column.shape;
  for (const TransformSpec& t : transforms) {
    if (t.input != tensor.name) continue;
    if (t.kind == TransformKind::reshape) shape = reshaped(t, shape, model_file);
    if (t.kind == TransformKind::one_hot) shape = one_hot_shape(t, shape);
  }
  if (without_ones(shape) == without_ones(tensor.shape)) return;
  bool same_size = checked_product(shape) == checked_product(tensor.shape);
  throw DataError(column.origin.file,
                  "samples for '" + escape(tensor.name, 40) + "' have shape " + shape_text(shape) +
                      ", the model takes " + shape_text(tensor.shape) +
                      (same_size ? "; a transform {\"type\": \"reshape\"} can bring it there" : ""),
                  "shape");
}

void fit_transforms(FittedTransform& fitted, const Column& column, const TensorSpec& tensor,
                    std::span<const TransformSpec> transforms, const Rows& fit, int64_t samples,
                    const std::string& model_file, std::vector<std::string>& warnings) {
  check_shape(column, tensor, transforms, model_file);
  Folder folder(fitted, column, fit, samples, model_file, warnings);
  for (const TransformSpec& t : transforms)
    if (t.input == tensor.name) folder.add(t);
}

} // namespace dlcc::data

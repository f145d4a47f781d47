#include "frontend/objective/valid_rows.h"

#include <algorithm>

namespace dlcc::frontend {

using ops::Term;

Term ValidRows::count(Term x) const {
  const Shape shape = x.shape();
  if (batch_ > 0) return {&b_, b_.call_scalar("n_valid")};
  return {&b_, b_.constant(shape.empty() ? 1.0 : static_cast<double>(shape[0]), DType::i64)};
}

Term ValidRows::elements(Term x) const {
  const Shape shape = x.shape();
  if (batch_ == 0) return {&b_, b_.constant(static_cast<double>(element_count(shape)), DType::f64)};
  auto a_row = static_cast<double>(element_count({shape.begin() + 1, shape.end()}));
  Term rows = ops::cast(count(x), DType::f64);
  return a_row == 1 ? rows : rows * a_row;
}

Term ValidRows::mean(Term x) const {
  Term n = count(x);
  if (x.shape().empty()) x = ops::reshape(x, {1});
  return ops::mean_valid(x, n);
}

Term ValidRows::sum_per_sample(Term x, const ops::SampleAxis& samples) const {
  const Shape shape = x.shape();
  const int64_t all = element_count(shape);
  if (batch_ == 0) return mean(x) * static_cast<double>(shape.empty() ? 1 : all / std::max<int64_t>(shape[0], 1));
  if (samples.axis > 0) {
    std::vector<int64_t> samples_first{samples.axis};
    for (int64_t axis = 0; axis < static_cast<int64_t>(shape.size()); ++axis)
      if (axis != samples.axis) samples_first.push_back(axis);
    x = ops::transpose(x, samples_first);
  }
  Term rows = count(x);
  if (samples.per_sample > 1) rows = rows * static_cast<double>(samples.per_sample);
  return ops::mean_valid(x, rows) * static_cast<double>(all / batch_);
}

Term ValidRows::masked(Term x) const {
  x = ops::cast(x, DType::f64);
  if (batch_ == 0) return x;
  Shape column(x.shape().size(), 1);
  column[0] = batch_;
  Term row{&b_, b_.add("iota", {}, {{"shape", column}, {"axis", int64_t{0}}, {"dtype", DType::i64}})};
  return ops::where(row < count(x), x, 0.0);
}

} // namespace dlcc::frontend

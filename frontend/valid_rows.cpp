#include "frontend/valid_rows.h"

namespace dlcc::frontend {

using ops::Term;

Term ValidRows::count(Term x) const {
  const Shape shape = x.shape();
  if (has_batch(shape)) return {&b_, b_.call_scalar("n_valid")};
  return {&b_, b_.constant(shape.empty() ? 1.0 : static_cast<double>(shape[0]), DType::i64)};
}

Term ValidRows::elements(Term x) const {
  const Shape shape = x.shape();
  if (!has_batch(shape)) return {&b_, b_.constant(static_cast<double>(element_count(shape)), DType::f64)};
  auto a_row = static_cast<double>(element_count({shape.begin() + 1, shape.end()}));
  Term rows = ops::cast(count(x), DType::f64);
  return a_row == 1 ? rows : rows * a_row;
}

Term ValidRows::mean(Term x) const {
  Term n = count(x);
  if (x.shape().empty()) x = ops::reshape(x, {1});
  return ops::mean_valid(x, n);
}

Term ValidRows::masked(Term x) const {
  x = ops::cast(x, DType::f64);
  if (!has_batch(x.shape())) return x;
  Shape column(x.shape().size(), 1);
  column[0] = batch_;
  Term row{&b_, b_.add("iota", {}, {{"shape", column}, {"axis", int64_t{0}}, {"dtype", DType::i64}})};
  return ops::where(row < count(x), x, 0.0);
}

} // namespace dlcc::frontend

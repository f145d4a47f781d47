// Formulas over a row of classes: x[0 .. classes) is the prediction, what follows the label.
#include "tests/accuracy/formula.h"

#include <cmath>

namespace dlcc::testing {

namespace {
constexpr size_t n = classes;

/// The sum of term(i) over the classes.
template <class F> Exact total(F term) {
  Exact sum = 0;
  for (size_t i = 0; i < n; ++i) sum = sum + term(i);
  return sum;
}
Exact largest(const Exact* x) {
  Exact m = x[0];
  for (size_t i = 1; i < n; ++i) m = max(m, x[i]);
  return m;
}
Exact softmax(const Exact* x, size_t i) {
  return Exact(1) / total([&](size_t k) { return exp(x[k] - x[i]); });
}
/// -ln softmax = ln(sum of e^(x_k - x_i)), the class itself apart and counted as 1.
Exact minus_log_softmax(const Exact* x, size_t i) {
  Exact m = largest(x), rest = -1;
  for (size_t k = 0; k < n; ++k) rest = rest + exp(x[k] - m);
  return (m - x[i]) + log1p(rest);
}
/// By how much x is below the largest one: the exponent of e in softmax, which is rounded.
Exact depth(const Exact* x, size_t i) { return largest(x) - x[i]; }

// Of a gradient, the first class alone has one: a sum over all would be zero.
Exact first(size_t i) { return i == 0 ? 1 : 0; }

size_t label_of(const Exact* x) { return static_cast<size_t>(x[n].to_double()); }
} // namespace

std::vector<Truth> row_truths(DType t) {
  using namespace ops;
  const double low = in_type(1e-7, t), high = in_type(1 - 1e-7, t);
  auto raw = [](const Exact* p, size_t i) { return p[i] / total([&](size_t k) { return p[k]; }); };
  auto share = [=](const Exact* p, size_t i) { return min(max(raw(p, i), low), high); };
  auto counts = [=](const Exact* p, size_t i) {
    Exact q = raw(p, i);
    return Exact(q >= low && q <= high ? 1 : 0);
  };
  // Whether a share is clipped is not decided this close to a bound.
  auto undecided = [=](const Exact* p) {
    Exact near = t == DType::f32 ? 0x1p-21 : 0x1p-50;
    bool any = false;
    for (size_t i = 0; i < n; ++i)
      for (double bound : {low, high}) any |= abs(raw(p, i) - bound) < near * bound;
    return any;
  };
  auto clipped = [=](const Exact& p) { return min(max(p, low), 1); };
  auto softmax_scale = [](const Exact* x, size_t i) { return softmax(x, i) * (1 + depth(x, i)); };
  auto log_scale = [](const Exact* x, size_t i) { return max(1, depth(x, i)); };
  auto share_log_scale = [=](const Exact* p, size_t i) { return max(1, -log(share(p, i))); };
  return {
      {.op = &softmax_op,
       .points = Points::rows,
       .value = softmax,
       .gradients = {[](const Exact* x, size_t i) {
         // y_i (1 - y_i) for the class itself, -y_i y_0 for the others
         Exact others = total([&](size_t k) { return k == 0 ? Exact(0) : softmax(x, k); });
         return softmax(x, i) * (i == 0 ? others : -softmax(x, 0));
       }},
       .value_scale = softmax_scale,
       .gradient_scales = {[=](const Exact* x, size_t i) { return softmax(x, i) * (2 + depth(x, i)); }},
       .first_alone = true},
      {.op = &log_softmax_op,
       .points = Points::rows,
       .value = [](const Exact* x, size_t i) { return -minus_log_softmax(x, i); },
       .gradients = {[](const Exact* x, size_t i) { return first(i) - softmax(x, i); }},
       .value_scale = log_scale,
       .gradient_scales = {[=](const Exact* x, size_t i) { return max(first(i), softmax_scale(x, i)); }},
       .first_alone = true},
      {.op = &softmax_crossentropy_op,
       .points = Points::labelled,
       .value = [](const Exact* x,
                   size_t) { return total([&](size_t i) { return x[n + i] * minus_log_softmax(x, i); }); },
       .gradients = {[](const Exact* x, size_t i) {
                       return softmax(x, i) * total([&](size_t k) { return x[n + k]; }) - x[n + i];
                     },
                     minus_log_softmax},
       .value_scale = [=](const Exact* x,
                          size_t) { return total([&](size_t i) { return x[n + i] * log_scale(x, i); }); },
       .gradient_scales = {[=](const Exact* x, size_t i) { return x[n + i] + softmax_scale(x, i); }, log_scale}},
      {.op = &sparse_softmax_crossentropy_op,
       .points = Points::indexed,
       .value = [](const Exact* x, size_t) { return minus_log_softmax(x, label_of(x)); },
       .gradients = {[](const Exact* x, size_t i) { return softmax(x, i) - (i == label_of(x) ? 1 : 0); }},
       .value_scale = [=](const Exact* x, size_t) { return log_scale(x, label_of(x)); },
       .gradient_scales = {[=](const Exact* x, size_t i) {
         return i == label_of(x) ? Exact(1) : softmax_scale(x, i);
       }}},
      {.op = &categorical_crossentropy_op,
       .points = Points::shares,
       .value = [=](const Exact* p, size_t) { return -total([&](size_t i) { return p[n + i] * log(share(p, i)); }); },
       .gradients = {[=](const Exact* p, size_t i) {
                       Exact all = total([&](size_t k) { return counts(p, k) * p[n + k]; });
                       return (all - counts(p, i) * p[n + i] / share(p, i)) / total([&](size_t k) { return p[k]; });
                     },
                     [=](const Exact* p, size_t i) { return -log(share(p, i)); }},
       .value_scale = [=](const Exact* p,
                          size_t) { return total([&](size_t i) { return p[n + i] * share_log_scale(p, i); }); },
       .gradient_scales = {[=](const Exact* p, size_t i) {
                             Exact all = total([&](size_t k) { return p[n + k]; });
                             if (undecided(p)) return Exact(INFINITY);
                             return max(all, p[n + i] / share(p, i)) / total([&](size_t k) { return p[k]; });
                           },
                           share_log_scale}},
      {.op = &sparse_categorical_crossentropy_op,
       .points = Points::indexed_shares,
       .value = [=](const Exact* p, size_t) { return -log(share(p, label_of(p))); },
       .gradients = {[=](const Exact* p, size_t i) {
         size_t label = label_of(p);
         Exact own = i == label ? 1 / share(p, i) : Exact(0);
         return counts(p, label) * (1 - own) / total([&](size_t k) { return p[k]; });
       }},
       .value_scale = [=](const Exact* p, size_t) { return share_log_scale(p, label_of(p)); },
       .gradient_scales = {[=](const Exact* p, size_t i) {
         Exact own = i == label_of(p) ? 1 / share(p, i) : Exact(1);
         if (undecided(p)) return Exact(INFINITY);
         return own / total([&](size_t k) { return p[k]; });
       }}},
      {.op = &kl_divergence_op,
       .points = Points::shares,
       .value =
           [=](const Exact* p, size_t) {
             return total([&](size_t i) { return clipped(p[n + i]) * log(clipped(p[n + i]) / clipped(p[i])); });
           },
       .gradients = {[=](const Exact* p, size_t i) {
                       return p[i] >= low && p[i] <= 1 ? -clipped(p[n + i]) / p[i] : Exact(0);
                     },
                     [=](const Exact* p, size_t i) {
                       bool inside = p[n + i] >= low && p[n + i] <= 1;
                       return inside ? 1 + log(p[n + i] / clipped(p[i])) : Exact(0);
                     }},
       .value_scale =
           [=](const Exact* p, size_t) {
             return total(
                 [&](size_t i) { return clipped(p[n + i]) * max(1, abs(log(clipped(p[n + i]) / clipped(p[i])))); });
           },
       .gradient_scales = {nullptr, [=](const Exact* p,
                                        size_t i) { return max(1, abs(log(clipped(p[n + i]) / clipped(p[i])))); }}},
  };
}

} // namespace dlcc::testing

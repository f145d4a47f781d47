#include "tests/passes/random_graph.h"

#include "ir/ops/build.h"

#include <algorithm>
#include <random>

namespace dlcc::testing {

using namespace graph;
using ops::Term;

namespace {
class Generator {
public:
  Generator(unsigned seed, Module& module) : random_(seed), m_(module), b_(module, f_, ops::all_ops()) {
    float_type_ = chance(25) ? DType::f32 : DType::f64;
    m_.name = "random" + std::to_string(seed), m_.stage = Stage::training, m_.dtype = float_type_;
    m_.batch = rows_ = pick(extents_);
    f_.name = "train_step", f_.entry = true;
  }

  void run() {
    declare();
    int nodes = 3 + below(22);
    for (int i = 0; i < nodes; ++i) grow();
    update_states();
    choose_results();
    m_.functions.push(std::move(f_));
  }

private:
  // What a value is: comparisons look at exact ones only, where every way of computing agrees on ties.
  struct Known {
    ValueId id;
    bool exact;
  };

  int below(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }
  bool chance(int percent) { return below(100) < percent; }
  template <class T> const T& pick(const std::vector<T>& v) {
    return v[static_cast<size_t>(below(static_cast<int>(v.size())))];
  }

  Shape random_shape() {
    Shape shape;
    for (int rank = pick(std::vector{0, 1, 1, 2, 2, 2, 2, 3, 3, 4}); rank > 0; --rank) shape.push_back(pick(extents_));
    if (!shape.empty() && chance(50)) shape[0] = rows_;
    while (element_count(shape) > 3000) shape.pop_back();
    return shape;
  }

  void declare() {
    for (int i = 0, n = 1 + below(3); i < n; ++i)
      know(b_.parameter("x" + std::to_string(i), {float_type_, random_shape()}, ParameterRole::input), true);
    Shape shape = random_shape();
    for (int i = 0, n = 1 + below(4); i < n; ++i) {
      if (chance(60)) shape = random_shape(); // else like the one before, so that they may swap
      State s;
      s.name = "w" + std::to_string(i), s.type = {float_type_, shape};
      s.role = pick(std::vector{StateRole::parameter, StateRole::slot, StateRole::buffer, StateRole::metric});
      states_.push_back(m_.states.push(std::move(s)));
      if (chance(85)) know(b_.state(states_.back()), true);
    }
    if (chance(30)) know(Term{&b_, b_.constant(0.5, float_type_)}, true);
  }

  void know(ValueId v, bool exact) {
    if (is_float(b_.type(v).dtype) && element_count(b_.type(v).shape) <= 20000) known_.push_back({v, exact});
  }
  // Late values more often than early ones, so that graphs get deep.
  Known any() {
    auto n = static_cast<int>(known_.size());
    return known_[static_cast<size_t>(chance(60) ? std::max(0, n - 1 - below(4)) : below(n))];
  }
  Term term(const Known& k) { return {&b_, k.id}; }
  const Shape& shape(const Known& k) { return b_.type(k.id).shape; }
  Known any_exact() {
    for (int i = 0; i < 20; ++i)
      if (Known k = any(); k.exact) return k;
    return known_[0];
  }
  Known like(const Known& a) { // one that broadcasts with a; often a itself
    for (int i = 0; i < 12; ++i) {
      Known k = any();
      auto together = broadcast_shapes(shape(a), shape(k));
      if (together && element_count(*together) <= 8000) return k;
    }
    return a;
  }

  void grow() {
    switch (below(12)) {
    case 0:
    case 1:
      return unary();
    case 2:
    case 3:
    case 4:
      return binary();
    case 5:
      return choose();
    case 6:
    case 7:
      return reduction();
    case 8:
    case 9:
      return view();
    case 10:
      return product();
    default:
      return special();
    }
  }

  void unary() {
    Known a = any();
    static const std::vector<const OpDef*> smooth{&ops::tanh_op,     &ops::sigmoid_op,  &ops::sin_op,  &ops::cos_op,
                                                  &ops::erf_op,      &ops::silu_op,     &ops::gelu_op, &ops::elu_op,
                                                  &ops::softplus_op, &ops::softsign_op, &ops::selu_op};
    static const std::vector<const OpDef*> exact{&ops::negative_op,   &ops::abs_op,   &ops::relu_op,
                                                 &ops::leaky_relu_op, &ops::relu6_op, &ops::hard_sigmoid_op};
    switch (below(5)) {
    case 0:
      return know(b_.add_all(*pick(exact), {a.id})[0], false);
    case 1:
      return know(ops::clip(term(a), -0.75, 1.25), a.exact);
    case 2:
      return know(ops::exp(ops::tanh(term(a))), false);
    case 3:
      return know(ops::log(1.0 + ops::square(term(a))), false);
    default:
      return know(b_.add_all(*pick(smooth), {a.id})[0], false);
    }
  }

  void binary() {
    Known a = any(), b = like(a);
    if (chance(50)) std::swap(a, b);
    Term x = term(a), y = term(b);
    switch (below(7)) {
    case 0:
    case 1:
      return know(x + y, false);
    case 2:
      return know(x - y, false);
    case 3:
      return know(ops::maximum(x, y), a.exact && b.exact);
    case 4:
      return know(ops::minimum(x, y), a.exact && b.exact);
    case 5:
      return know(x / (1.0 + ops::square(y)), false);
    default:
      return know(bounded(x) * bounded(y), false);
    }
  }
  // Keeps products of products from growing beyond measure.
  Term bounded(Term x) { return chance(50) ? ops::tanh(x) : x; }

  void choose() {
    Known a = any_exact(), b = like(a);
    if (!b.exact) b = a;
    Known x = like(a), y = like(x);
    auto all = broadcast_shapes(*broadcast_shapes(shape(a), shape(b)), shape(x));
    if (!all || !broadcast_shapes(*all, shape(y))) return;
    Term condition = chance(50) ? term(a) < term(b) : term(a) >= 0.25;
    if (chance(30)) condition = condition & (term(b) != 0.5);
    know(ops::where(condition, term(x), term(y)), x.exact && y.exact);
    if (chance(30)) know(ops::cast(condition, float_type_), true);
  }

  std::vector<int64_t> some_axes(size_t rank) {
    std::vector<int64_t> axes;
    for (size_t i = 0; i < rank; ++i)
      if (chance(50))
        axes.push_back(chance(50) ? static_cast<int64_t>(i) : static_cast<int64_t>(i) - static_cast<int64_t>(rank));
    return axes;
  }

  void reduction() {
    Known a = any();
    std::vector<int64_t> axes = some_axes(shape(a).size());
    bool keep = chance(40);
    switch (below(7)) {
    case 0:
    case 1:
      return know(ops::sum(term(a), axes, keep), false);
    case 2:
      return know(ops::mean(term(a), axes, keep), false);
    case 3:
      return know(ops::max(term(a), axes, keep), a.exact);
    case 4:
      return know(ops::min(term(a), axes, keep), a.exact);
    case 5:
      return shape(a).empty() ? void() : know(b_.add("softmax", {a.id}, axis_of(a)), false);
    default:
      return shape(a).empty() ? void() : know(b_.add("log_softmax", {a.id}, axis_of(a)), false);
    }
  }
  Attributes axis_of(const Known& a) { return {{"axis", int64_t{below(static_cast<int>(shape(a).size()))}}}; }

  void view() {
    Known a = any();
    const Shape s = shape(a);
    auto rank = static_cast<int64_t>(s.size());
    switch (below(8)) {
    case 0:
      return know(ops::reshape(term(a), refactored(s)), a.exact);
    case 1: {
      std::vector<int64_t> p(s.size());
      for (size_t i = 0; i < p.size(); ++i) p[i] = static_cast<int64_t>(i);
      std::shuffle(p.begin(), p.end(), random_);
      return know(ops::transpose(term(a), p), a.exact);
    }
    case 2: {
      if (rank > 4) return;
      Shape wide = s;
      for (int64_t& e : wide)
        if (e == 1 && chance(60)) e = pick(extents_);
      if (chance(40)) wide.insert(wide.begin(), pick(extents_));
      if (element_count(wide) > 8000) return;
      return know(ops::broadcast_to(term(a), wide), a.exact);
    }
    case 3: {
      Shape begin = s, end = s, stride = s;
      for (size_t i = 0; i < s.size(); ++i) {
        begin[i] = below(static_cast<int>(s[i]));
        end[i] = begin[i] + 1 + below(static_cast<int>(s[i] - begin[i]));
        stride[i] = 1 + below(3);
      }
      return know(ops::slice(term(a), begin, end, stride), a.exact);
    }
    case 4: {
      if (s.empty()) return;
      Known c = any();
      std::vector<ValueId> parts{a.id, shape(c) == s ? c.id : a.id};
      return know(b_.add("concat", parts, axis_of(a)), false);
    }
    case 5: {
      Shape low = s, high = s;
      int64_t mode = below(3);
      for (size_t i = 0; i < s.size(); ++i) {
        int64_t most = mode == 1 ? std::min<int64_t>(2, s[i] - 1) : 2;
        low[i] = below(static_cast<int>(most) + 1), high[i] = below(static_cast<int>(most) + 1);
      }
      const char* modes[] = {"constant", "reflect", "edge"};
      Attributes attributes{{"low", low}, {"high", high}, {"mode", std::string(modes[mode])}};
      return know(b_.add("pad", {a.id}, attributes), false);
    }
    case 6: {
      if (s.empty()) return;
      Attributes axis = axis_of(a);
      Shape indices = chance(50) ? Shape{3} : Shape{};
      return know(b_.add("take", {a.id, integers(indices)}, axis), a.exact);
    }
    default:
      return know(constant(), true);
    }
  }

  // The same elements under another shape.
  Shape refactored(const Shape& s) {
    Shape result{element_count(s)};
    if (chance(30)) result.insert(result.begin() + below(2), 1);
    for (int64_t factor : {2, 3, 4, 5, 8})
      if (result.size() < 4 && result.back() % factor == 0 && chance(40)) {
        result.back() /= factor;
        result.insert(result.begin(), factor);
      }
    return result;
  }

  ValueId integers(const Shape& s) {
    std::string name = "i" + std::to_string(s.size());
    if (auto found = f_.find(name)) return *found;
    return b_.parameter(name, {DType::i32, s}, ParameterRole::input);
  }

  ValueId constant() {
    if (chance(50)) {
      Attributes a{{"shape", random_shape()}, {"axis", int64_t{0}}, {"dtype", float_type_}};
      if (a.integers("shape").empty()) return b_.constant(1.5, float_type_);
      return Term{&b_, b_.add("iota", {}, a)} * 0.125;
    }
    Shape s{2 + below(4)};
    std::vector<double> values;
    for (int64_t i = 0; i < s[0]; ++i) values.push_back(below(9) * 0.25 - 1);
    return b_.add("constant", {}, {{"dtype", float_type_}, {"shape", s}, {"values", values}});
  }

  void product() {
    Known a = any();
    if (shape(a).size() < 2) return;
    bool ta = chance(40), tb = chance(40);
    int64_t k = shape(a)[shape(a).size() - (ta ? 2 : 1)];
    // A known value that fits, or a state made for it.
    for (int i = 0; i < 10; ++i) {
      Known c = any();
      if (shape(c).size() < 2 || shape(c)[shape(c).size() - (tb ? 1 : 2)] != k) continue;
      Shape batch_a(shape(a).begin(), shape(a).end() - 2), batch_c(shape(c).begin(), shape(c).end() - 2);
      if (!broadcast_shapes(batch_a, batch_c)) continue;
      return know(ops::matmul(term(a), term(c), ta, tb) * 0.25, false);
    }
    int64_t n = pick(extents_);
    State s;
    s.name = "k" + std::to_string(m_.states.size()), s.type = {float_type_, tb ? Shape{n, k} : Shape{k, n}};
    states_.push_back(m_.states.push(std::move(s)));
    Known kernel{b_.state(states_.back()), true};
    known_.push_back(kernel);
    know(ops::matmul(term(a), term(kernel), ta, tb) * 0.25, false);
  }

  void special() {
    Known a = any();
    const Shape s = shape(a);
    switch (below(6)) {
    case 0:
      if (s.empty() || s[0] != rows_) return;
      return know(ops::cast({&b_, ops::mean_valid(b_, a.id, b_.call_scalar("n_valid"))}, float_type_), false);
    case 1:
      return know(b_.add("check_finite", {a.id}, {{"what", std::string("value")}}), a.exact);
    case 2: {
      if (s.empty() || !a.exact) return;
      Term index{&b_, b_.add("argmax", {a.id}, axis_of(a))};
      return know(ops::cast(index, float_type_) * 0.125, true);
    }
    case 3: {
      std::string stream = "draw" + std::to_string(draws_++);
      Attributes attributes{{"shape", s}, {"dtype", float_type_}, {"stream", stream}};
      Term u{&b_, b_.add("random_uniform", {b_.call_scalar("seed"), b_.call_scalar("batch")}, attributes)};
      return know(u * 2.0 - 1.0 + term(a), false);
    }
    case 4: {
      Attributes attributes{{"depth", int64_t{3}}, {"dtype", float_type_}};
      return know(b_.add("one_hot", {integers({3})}, attributes), true);
    }
    default: {
      Term chain = term(a);
      for (int i = below(12); i > 0; --i) chain = ops::relu(chain * 0.5 + 0.25);
      return know(chain, false);
    }
    }
  }

  void update_states() {
    for (StateId id : states_) {
      if (chance(25)) continue;
      const Type type = m_.states[id].type;
      std::vector<ValueId> same, fits;
      for (const Known& k : known_) {
        if (b_.type(k.id) == type) same.push_back(k.id);
        if (can_broadcast(shape(k), type.shape)) fits.push_back(k.id);
      }
      if (!same.empty() && chance(60))
        b_.update(id, pick(same));
      else if (!fits.empty())
        b_.update(id, Term{&b_, b_.state(id)} * 0.5 + ops::tanh(Term{&b_, pick(fits)}));
      else
        b_.update(id, -Term{&b_, b_.state(id)});
    }
  }

  void choose_results() {
    for (int n = 1 + below(3); n > 0; --n) f_.results.push_back(any().id);
    f_.results.push_back(known_.back().id);
    if (chance(20)) f_.results.push_back(f_.results[0]);
  }

  std::mt19937 random_;
  Module& m_;
  Function f_;
  Builder b_;
  DType float_type_ = DType::f64;
  int64_t rows_ = 1;
  int draws_ = 0;
  const std::vector<int64_t> extents_{1, 2, 3, 5, 7, 8, 10, 16, 17, 33, 40};
  std::vector<Known> known_;
  std::vector<StateId> states_;
};
} // namespace

Module random_module(unsigned seed) {
  Module module;
  Generator(seed, module).run();
  return module;
}

} // namespace dlcc::testing

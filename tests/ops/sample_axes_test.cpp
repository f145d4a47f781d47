// Where the samples of a batch lie, against the interpreter: what is changed in one sample of an input may change the
// results at that sample's indices alone, unless the node is said to mix samples.
#include "samples.h"

#include "ir/graph/builder.h"
#include "ir/graph/evaluate.h"
#include "ir/graph/parse.h"
#include "ir/ops/sample_axes.h"

#include <algorithm>

namespace dlcc::testing {
namespace {

using graph::OpDef;
using graph::Sample;
using ops::SampleAxis;

// Index of a flat element along an axis.
int64_t index_along(const Shape& shape, int axis, size_t flat) {
  auto rest = static_cast<int64_t>(flat);
  for (size_t i = shape.size(); i-- > static_cast<size_t>(axis) + 1;) rest /= shape[i];
  return rest % shape[static_cast<size_t>(axis)];
}

bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

// Whether every element that differs is one of sample `s`.
void expect_apart(const Tensor& before, const Tensor& after, const SampleAxis& samples, int64_t s) {
  for (size_t i = 0; i < before.size(); ++i) {
    if (same(before.data[i], after.data[i])) continue;
    ASSERT_TRUE(samples.exists()) << "element " << i << " of " << to_string(before.type) << " depends on sample " << s;
    EXPECT_EQ(index_along(before.type.shape, samples.axis, i) / samples.per_sample, s)
        << "element " << i << " of " << to_string(before.type) << " with " << to_string(samples);
  }
}

// Changes one sample at a time of operand 0, whose axis 0 is taken for the batch.
void check_operator(const OpDef& op, const Sample& sample, const std::vector<Tensor>& operands) {
  const int64_t batch = sample.operands[0].shape[0];
  graph::Module m;
  m.batch = batch, m.dtype = sample.operands[0].dtype;
  graph::Function f;
  graph::Builder b(m, f, ops::all_ops());
  std::vector<graph::ValueId> values{b.parameter("x", sample.operands[0], graph::ParameterRole::input)};
  for (size_t k = 1; k < operands.size(); ++k)
    values.push_back(b.parameter("w" + std::to_string(k), sample.operands[k], graph::ParameterRole::call));
  const std::vector<graph::ValueId> results = b.add_all(op, values, sample.attributes);
  const ops::SampleAxes axes = ops::sample_axes(m, f, ops::all_ops());
  if (!axes.mixing.empty()) return;
  const std::vector<Tensor> before = graph::evaluate_op(op, operands, sample.attributes, ops::all_ops());
  const std::vector<Tensor> others = random_operands(sample, 2);
  const auto row = static_cast<size_t>(element_count(sample.operands[0].shape) / batch);
  for (int64_t s = 0; s < batch; ++s) {
    std::vector<Tensor> changed = operands;
    for (size_t i = 0; i < row; ++i) {
      const size_t at = static_cast<size_t>(s) * row + i;
      changed[0].data[at] = others[0].data[at];
    }
    const std::vector<Tensor> after = graph::evaluate_op(op, changed, sample.attributes, ops::all_ops());
    for (size_t r = 0; r < results.size(); ++r) expect_apart(before[r], after[r], axes.of[results[r]], s);
  }
}

TEST(SampleAxes, EveryOperatorKeepsSamplesWhereItSays) {
  int checked = 0;
  for_each_sample([&](const OpDef& op, const Sample& sample, const std::vector<Tensor>& operands) {
    if (operands.empty() || sample.operands[0].shape.empty() || sample.operands[0].shape[0] < 2) return;
    check_operator(op, sample, operands);
    ++checked;
  });
  EXPECT_GT(checked, 100);
}

// What is said of %p in a function on x [4,6] and w [6,4].
std::string said(const std::string& nodes, int64_t batch = 4) {
  const std::string n = std::to_string(batch);
  const graph::Module m = graph::parse_module(
      "module @m stage source dtype f32 batch " + n + " {\n  state %w : parameter f32[6," + n +
          "] = zeros\n  entry func @predict(input %x: f32[" + n + ",6]) -> %p {\n" + nodes + "\n  }\n}\n",
      ops::all_ops());
  const graph::Function& f = m.functions[graph::FunctionId(0)];
  const ops::SampleAxes axes = ops::sample_axes(m, f, ops::all_ops());
  return to_string(axes.of[f.results[0]]) + (axes.mixing.empty() ? "" : ", mixed");
}

TEST(SampleAxes, Named) {
  const std::string first = "its samples on axis 0", none = "no axis of samples";
  const std::pair<const char*, std::string> cases[] = {
      {"%p : f32[4,4] = matmul(%x, %w)", first},
      {"%p : f32[4,6] = softmax(%x)", first},
      {"%m : f32[4,1] = mean(%x) {axes = [1], keepdims = true}\n %p : f32[4,6] = subtract(%x, %m)", first},
      {"%r : f32[8,3] = reshape(%x) {shape = [8,3]}\n %p : f32[8] = sum(%r) {axes = [1]}",
       "2 indices a sample on axis 0"},
      {"%r : f32[8,3] = reshape(%x) {shape = [8,3]}\n %s : f32[8] = sum(%r) {axes = [1]}\n"
       "%p : f32[4,2] = reshape(%s) {shape = [4,2]}",
       first},
      {"%p : f32[6,4] = transpose(%x)", "its samples on axis 1"},
      {"%t : f32[6,4] = transpose(%x)\n %p : f32[3,2,4] = reshape(%t) {shape = [3,2,4]}", "its samples on axis 2"},
      {"%t : f32[6,4] = transpose(%x)\n %u : f32[6,4] = multiply(%t, %w)\n %p : f32[4] = sum(%u) {axes = [0]}", first},
      {"%c : f32[4,12] = concat(%x, %x) {axis = 1}\n %p : f32[4,3] = slice(%c) {begin = [0,2], end = [4,5], stride = "
       "[1,1]}",
       first},
      {"%s : f32[] = sum(%w)\n %p : f32[4,6] = multiply(%x, %s)", first},
      // Extents that equal the batch by chance.
      {"%p : f32[4] = sum(%w) {axes = [0]}", none},
      {"%p : f32[4,6] = transpose(%w)", none},
      // Mixed; what is left of the samples is still known.
      {"%m : f32[6] = mean(%x) {axes = [0]}\n %p : f32[4,6] = subtract(%x, %m)", first + ", mixed"},
      {"%m : f32[] = max(%x)\n %p : f32[4,6] = divide(%x, %m)", first + ", mixed"},
      {"%t : f32[6,4] = transpose(%x)\n %p : f32[6,6] = matmul(%t, %x)", none + ", mixed"},
      {"%t : f32[6,4] = transpose(%x)\n %p : f32[4,4] = matmul(%x, %t)", none + ", mixed"},
      {"%t : f32[6,4] = transpose(%x)\n %p : f32[24] = reshape(%t) {shape = [24]}", none + ", mixed"},
      {"%p : f32[4,6] = softmax(%x) {axis = 0}", first + ", mixed"},
      {"%p : f32[8,6] = concat(%x, %x) {axis = 0}", none + ", mixed"},
      {"%p : f32[2,6] = slice(%x) {begin = [1,0], end = [3,6], stride = [1,1]}", none + ", mixed"},
  };
  for (const auto& [nodes, wanted] : cases) EXPECT_EQ(said(nodes), wanted) << nodes;
}

TEST(SampleAxes, OfABatchOfOne) {
  EXPECT_EQ(said("%s : f32[6] = sum(%w) {axes = [1]}\n %p : f32[1,6] = add(%x, %s)", 1), "its samples on axis 0");
  EXPECT_EQ(said("%p : f32[1,1] = matmul(%x, %w)", 1), "its samples on axis 0");
  EXPECT_EQ(said("%p : f32[6,1] = transpose(%x)", 1), "its samples on axis 1");
  EXPECT_EQ(said("%p : f32[1] = sum(%w) {axes = [0]}", 1), "no axis of samples");
}

// Chains of movements and sums in which every extent is 1, 2 or 3 and so often the batch.
class Chain {
public:
  explicit Chain(unsigned seed) : random_(seed), b_(module_, f_, ops::all_ops()) {
    module_.batch = 2 + below(2);
    Shape shape{module_.batch};
    for (int i = 0, n = 1 + below(3); i < n; ++i) shape.push_back(1 + below(3));
    x_ = {b_.parameter("x", {DType::f64, shape}, graph::ParameterRole::input), shape};
    Item last = x_;
    for (int i = 0, n = 1 + below(5); i < n; ++i) last = next(last);
    f_.results = {last.value};
  }

  void check() {
    const ops::SampleAxes axes = ops::sample_axes(module_, f_, ops::all_ops());
    if (!axes.mixing.empty()) return;
    apart = true;
    Tensor x({DType::f64, x_.shape});
    for (double& v : x.data) v = below(1000);
    const Tensor before = run(x);
    const size_t row = x.size() / static_cast<size_t>(module_.batch);
    for (int64_t s = 0; s < module_.batch; ++s) {
      Tensor changed = x;
      for (size_t i = 0; i < row; ++i) changed.data[static_cast<size_t>(s) * row + i] += 0.5;
      expect_apart(before, run(changed), axes.of[f_.results[0]], s);
    }
  }

  bool apart = false;

private:
  struct Item {
    graph::ValueId value;
    Shape shape;
  };
  int64_t below(int64_t n) { return std::uniform_int_distribution<int64_t>(0, n - 1)(random_); }
  Tensor run(const Tensor& x) {
    graph::Environment environment;
    environment.inputs["x"] = x;
    return graph::evaluate(module_, f_, ops::all_ops(), environment)[0];
  }
  Item made(std::string_view op, std::vector<graph::ValueId> operands, Attributes attributes = {}) {
    graph::ValueId v = b_.add(op, std::move(operands), std::move(attributes));
    return {v, b_.type(v).shape};
  }

  Item next(const Item& from) {
    const size_t rank = from.shape.size();
    std::vector<int64_t> axes(rank);
    for (size_t i = 0; i < rank; ++i) axes[i] = static_cast<int64_t>(i);
    std::shuffle(axes.begin(), axes.end(), random_);
    switch (below(5)) {
    case 0:
      return made("transpose", {from.value}, {{"permutation", axes}});
    case 1:
      return rank < 2
                 ? made("relu", {from.value})
                 : made("sum", {from.value}, {{"axes", std::vector<int64_t>{axes[0]}}, {"keepdims", below(2) == 0}});
    case 2: { // two neighbours become one axis, or one becomes two
      Shape shape = from.shape;
      if (rank > 1 && below(2) == 0) {
        const auto at = static_cast<size_t>(below(static_cast<int64_t>(rank) - 1));
        shape[at] *= shape[at + 1];
        shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(at) + 1);
      } else {
        const auto at = static_cast<size_t>(below(static_cast<int64_t>(rank)));
        const int64_t factor = shape[at] % 2 == 0 ? 2 : shape[at] % 3 == 0 ? 3 : 1;
        shape[at] /= factor;
        shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(at) + below(2), factor);
      }
      return made("reshape", {from.value}, {{"shape", shape}});
    }
    case 3: // with a constant of one of its axes
      return made("add",
                  {from.value, made("iota", {}, {{"shape", Shape{from.shape.back()}}, {"dtype", DType::f64}}).value});
    default:
      return made("multiply", {from.value, from.value});
    }
  }

  std::mt19937 random_;
  graph::Module module_;
  graph::Function f_;
  graph::Builder b_;
  Item x_;
};

TEST(SampleAxes, RandomChains) {
  int apart = 0;
  for (unsigned seed = 0; seed < 2000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Chain chain(seed);
    chain.check();
    apart += chain.apart;
  }
  EXPECT_GT(apart, 500);
}

} // namespace
} // namespace dlcc::testing

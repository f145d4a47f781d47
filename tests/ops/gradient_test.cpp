// Gradient rules against central differences, in double precision.
#include "differentiate.h"
#include "samples.h"

#include "ir/graph/evaluate.h"

#include <algorithm>

namespace dlcc::testing {
namespace {

using graph::OpDef;
using graph::OpKind;
using graph::Sample;
using graph::ValueId;

/// The operator's node, or its body where the gradient is that of the body.
ValueId differentiable(const OpDef& op, graph::Builder& b, const std::vector<ValueId>& x,
                       const Attributes& attributes) {
  bool through_body = op.kind == OpKind::composite && !op.gradient;
  return through_body ? op.body(b, x, attributes)[0] : b.add_all(op, x, attributes)[0];
}

/// result = op(x0, x1, ...) and gradients of sum(result * cotangent), as functions of tensors.
class Case {
public:
  /// Bit k of `unwanted`: nobody asks for the gradient of operand k.
  Case(const OpDef& op, const Sample& sample, std::vector<Tensor> operands, unsigned unwanted = 0) {
    graph::Builder b(module_, gradient_, ops::all_ops());
    std::vector<ValueId> x;
    for (size_t k = 0; k < operands.size(); ++k) {
      x.push_back(b.parameter(name(k), operands[k].type, graph::ParameterRole::input));
      environment_.inputs[name(k)] = operands[k];
    }
    ValueId result = differentiable(op, b, x, sample.attributes);
    value_ = gradient_;
    value_.results = {result};

    Tensor cotangent(b.type(result));
    std::mt19937 random(7);
    for (double& d : cotangent.data) d = std::uniform_real_distribution<double>(0.5, 1.5)(random);
    ValueId d = b.parameter("cotangent", cotangent.type, graph::ParameterRole::input);
    environment_.inputs["cotangent"] = cotangent;
    std::set<ValueId> left_out;
    for (size_t k = 0; k < x.size(); ++k)
      if (unwanted >> k & 1) left_out.insert(x[k]);
    Reverse reverse(b, result, d, left_out);
    reverse.run();
    for (ValueId v : x) gradient_.results.push_back(reverse.gradient(v).valid() ? reverse.gradient(v) : v);
    for (ValueId v : x) has_gradient.push_back(reverse.gradient(v).valid());
  }

  std::vector<Tensor> gradients() { return graph::evaluate(module_, gradient_, ops::all_ops(), environment_); }

  /// (F(x + h) - F(x - h)) / 2h for one element of operand k, F = sum(result * cotangent).
  double difference(size_t k, size_t element) {
    constexpr double h = 1e-5;
    double& x = environment_.inputs[name(k)].data[element];
    double at = x;
    x = at + h;
    auto up = graph::evaluate(module_, value_, ops::all_ops(), environment_)[0].data;
    x = at - h;
    auto down = graph::evaluate(module_, value_, ops::all_ops(), environment_)[0].data;
    x = at;
    double total = 0;
    for (size_t i = 0; i < up.size(); ++i)
      total += (up[i] - down[i]) / (2 * h) * environment_.inputs["cotangent"].data[i];
    return total;
  }

  std::vector<bool> has_gradient;

private:
  static std::string name(size_t k) { return "x" + std::to_string(k); }
  graph::Module module_;
  graph::Function gradient_{.name = "g"}, value_;
  graph::Environment environment_;
};

TEST(AllOps, GradientsAreDerivatives) {
  for_each_sample([](const OpDef& op, const Sample& sample, const std::vector<Tensor>& operands) {
    if (!op.no_gradient.empty()) return;
    Case c(op, sample, operands);
    auto gradients = c.gradients();
    for (size_t k = 0; k < operands.size(); ++k) {
      if (!is_float(operands[k].type.dtype)) {
        EXPECT_FALSE(c.has_gradient[k]) << "operand " << k << " is no float";
        continue;
      }
      // A result that is no float carries no gradient.
      graph::InferContext context(sample.operands, sample.attributes);
      if (!is_float(op.infer(context)[0].dtype)) continue;
      ASSERT_TRUE(c.has_gradient[k]) << "operand " << k;
      EXPECT_EQ(gradients[k].type, operands[k].type);
      for (size_t i = 0; i < operands[k].size(); ++i) {
        SCOPED_TRACE("operand " + std::to_string(k) + " element " + std::to_string(i) + " at " +
                     std::to_string(operands[k].data[i]));
        expect_close(gradients[k].data[i], c.difference(k, i), 1e-6);
      }
    }
  });
}

// A rule may leave out work for an operand that nobody asks for, and must not let it change the others.
TEST(AllOps, GradientsDoNotDependOnWhatElseIsWanted) {
  for_each_sample([](const OpDef& op, const Sample& sample, const std::vector<Tensor>& operands) {
    if (!op.no_gradient.empty() || operands.size() < 2) return;
    Case whole(op, sample, operands);
    auto expected = whole.gradients();
    const unsigned subsets = 1u << operands.size();
    for (unsigned unwanted = 1; unwanted < subsets; ++unwanted) {
      SCOPED_TRACE("without the operands of " + std::to_string(unwanted));
      Case part(op, sample, operands, unwanted);
      auto gradients = part.gradients();
      for (size_t k = 0; k < operands.size(); ++k) {
        bool wanted = whole.has_gradient[k] && !(unwanted >> k & 1);
        ASSERT_EQ(part.has_gradient[k], wanted) << "operand " << k;
        if (!wanted) continue;
        EXPECT_EQ(gradients[k].data, expected[k].data) << "operand " << k;
      }
    }
  });
}

/// The gradients of sum(op(operands)) for given tensors.
std::vector<std::vector<double>> gradients_of(const OpDef& op, std::vector<Tensor> operands, Attributes attributes = {},
                                              double cotangent = 1) {
  graph::Module module;
  graph::Function f{.name = "g"};
  graph::Builder b(module, f, ops::all_ops());
  graph::Environment environment;
  std::vector<ValueId> x;
  for (const Tensor& t : operands) {
    std::string name = "x" + std::to_string(x.size());
    x.push_back(b.parameter(name, t.type, graph::ParameterRole::input));
    environment.inputs[name] = t;
  }
  ValueId y = differentiable(op, b, x, attributes);
  ops::Term ones{&b, b.constant(cotangent, b.type(y).dtype)};
  Reverse reverse(b, y, ops::broadcast_to(ones, b.type(y).shape));
  reverse.run();
  for (ValueId v : x) f.results.push_back(reverse.gradient(v).valid() ? reverse.gradient(v) : v);
  std::vector<std::vector<double>> gradients;
  for (Tensor& t : graph::evaluate(module, f, ops::all_ops(), environment)) gradients.push_back(t.data);
  return gradients;
}

Tensor floats(std::vector<double> values) {
  auto n = static_cast<int64_t>(values.size());
  return {{DType::f64, {n}}, std::move(values)};
}
using Values = std::vector<double>;

TEST(Gradient, KinksAsDocumented) {
  EXPECT_EQ(gradients_of(ops::relu_op, {floats({-1, -0.0, 0, 2})})[0], (Values{0, 0, 0, 1}));
  EXPECT_EQ(gradients_of(ops::abs_op, {floats({-3, 0, 2})})[0], (Values{-1, 0, 1}));
  EXPECT_EQ(gradients_of(ops::relu6_op, {floats({-1, 0, 3, 6, 7})})[0], (Values{0, 0, 1, 0, 0}));
  Attributes bounds{{"low", 0.0}, {"high", 1.0}};
  EXPECT_EQ(gradients_of(ops::clip_op, {floats({-1, 0, 0.5, 1, 2})}, bounds)[0], (Values{0, 1, 1, 1, 0}));
}

TEST(Gradient, TiesShareEvenly) {
  auto maximum = gradients_of(ops::maximum_op, {floats({1, 2, 3}), floats({2, 2, 2})});
  EXPECT_EQ(maximum[0], (Values{0, 0.5, 1}));
  EXPECT_EQ(maximum[1], (Values{1, 0.5, 0}));
  auto minimum = gradients_of(ops::minimum_op, {floats({1, 2, 3}), floats({2, 2, 2})});
  EXPECT_EQ(minimum[0], (Values{1, 0.5, 0}));
  for (size_t n : {3, 4, 5}) { // n operands, of which 2, 3, ... n are the extremum
    for (size_t ties = 1; ties <= n; ++ties)
      for (const OpDef* op : {&ops::maximum_op, &ops::minimum_op}) {
        double other = op == &ops::maximum_op ? 1 : 3;
        std::vector<Tensor> operands;
        for (size_t k = 0; k < n; ++k) operands.push_back(floats({k < ties ? 2 : other, k + ties >= n ? 2 : other}));
        auto shares = gradients_of(*op, operands);
        for (size_t k = 0; k < n; ++k)
          EXPECT_EQ(shares[k], (Values{k < ties ? 1 / static_cast<double>(ties) : 0,
                                       k + ties >= n ? 1 / static_cast<double>(ties) : 0}))
              << op->name << " of " << n << ", " << ties << " tied, operand " << k;
      }
  }
  EXPECT_EQ(gradients_of(ops::maximum_op, {floats({4, 4}), floats({4, 1}), floats({4, 4})})[2], (Values{1.0 / 3, 0.5}));
  EXPECT_EQ(gradients_of(ops::max_op, {floats({5, 1, 5, 0})})[0], (Values{0.5, 0, 0.5, 0}));
  EXPECT_EQ(gradients_of(ops::min_op, {floats({5, 1, 1, 1, 1})})[0], (Values{0, 0.25, 0.25, 0.25, 0.25}));
}

TEST(Gradient, OfAProductWithZeros) {
  EXPECT_EQ(gradients_of(ops::product_op, {floats({2, 3, 4})})[0], (Values{12, 8, 6}));
  EXPECT_EQ(gradients_of(ops::product_op, {floats({2, 0, 4})})[0], (Values{0, 8, 0}));
  EXPECT_EQ(gradients_of(ops::product_op, {floats({0, 0, 4})})[0], (Values{0, 0, 0}));
}

TEST(Gradient, OfPowerAtZero) {
  auto d = gradients_of(ops::power_op, {floats({0, 0, -2, 0}), floats({0, 2, 2, 1})});
  EXPECT_EQ(d[0], (Values{0, 0, -4, 1}));
  EXPECT_EQ(d[1], (Values{0, 0, 0, 0}));
}

TEST(Gradient, StaysFiniteFarOut) {
  for (const OpDef* op :
       {&ops::sigmoid_op, &ops::softplus_op, &ops::silu_op, &ops::gelu_op, &ops::elu_op, &ops::selu_op, &ops::tanh_op,
        &ops::softsign_op, &ops::log_cosh_op, &ops::bce_with_logits_op}) {
    SCOPED_TRACE(op->name);
    std::vector<Tensor> operands{floats({-1000, 1000})};
    if (op->min_operands == 2) operands.push_back(floats({0, 1}));
    auto gradients = gradients_of(*op, operands);
    for (double d : gradients[0]) EXPECT_TRUE(std::isfinite(d));
  }
  // p - y, although e^1000 overflows
  EXPECT_EQ(gradients_of(ops::bce_with_logits_op, {floats({1000, -1000}), floats({0, 1})})[0], (Values{1, -1}));
  Tensor label({DType::i32, {}}, {0});
  EXPECT_EQ(gradients_of(ops::sparse_softmax_crossentropy_op, {floats({-1000, 0, 1000}), label})[0],
            (Values{-1, 0, 1}));
}

TEST(Gradient, OfMatmulTransposesNothing) {
  for (bool ta : {false, true})
    for (bool tb : {false, true}) {
      graph::Module module;
      graph::Function f;
      graph::Builder b(module, f, ops::all_ops());
      ValueId x = b.parameter("x", {DType::f32, {4, 4}}, graph::ParameterRole::input);
      ValueId y = b.parameter("y", {DType::f32, {4, 4}}, graph::ParameterRole::input);
      ValueId z = ops::matmul({&b, x}, {&b, y}, ta, tb);
      Reverse reverse(b, z, x);
      reverse.run();
      EXPECT_EQ(f.nodes.size(), 3u);
      for (const graph::Node& n : f.nodes) EXPECT_EQ(n.op, &ops::matmul_op);
    }
}

TEST(Gradient, OfDropoutUsesTheSameMask) {
  Tensor x = floats(Values(300, 1.0)), seed({DType::i64, {}}, {5}), batch({DType::i64, {}}, {9});
  Attributes a{{"rate", 0.25}, {"stream", std::string("d")}};
  auto y = graph::evaluate_op(ops::dropout_op, std::vector{x, seed, batch}, a, ops::all_ops())[0].data;
  EXPECT_EQ(gradients_of(ops::dropout_op, {x, seed, batch}, a)[0], y);
  EXPECT_NEAR(static_cast<double>(std::count(y.begin(), y.end(), 0.0)) / 300, 0.25, 0.1);
}

} // namespace
} // namespace dlcc::testing

// Numbers known from elsewhere: published test vectors, closed forms, and places where the naive formula fails.
#include "samples.h"

#include "ir/base/philox.h"
#include "ir/graph/builder.h"
#include "ir/graph/evaluate.h"
#include "runtime/abi.h"
#include "runtime/core/philox.h"

#include <numbers>

namespace dlcc::testing {
namespace {

using Values = std::vector<double>;

Tensor doubles(Values values) {
  auto n = static_cast<int64_t>(values.size());
  return {{DType::f64, {n}}, std::move(values)};
}
Tensor whole(DType dtype, Shape shape, Values values) { return {{dtype, std::move(shape)}, std::move(values)}; }

/// By the operator's body where it has one, not by its reference.
Values evaluate(const graph::OpDef& op, const std::vector<Tensor>& operands, const Attributes& attributes = {}) {
  graph::Module module;
  graph::Function f{.name = "f"};
  graph::Builder b(module, f, ops::all_ops());
  graph::Environment environment;
  std::vector<graph::ValueId> x;
  for (const Tensor& t : operands) {
    std::string name = "x" + std::to_string(x.size());
    x.push_back(b.parameter(name, t.type, graph::ParameterRole::input));
    environment.inputs[name] = t;
  }
  f.results = op.body ? op.body(b, x, attributes) : b.add_all(op, x, attributes);
  return graph::evaluate(module, f, ops::all_ops(), environment)[0].data;
}

TEST(Values, OfActivations) {
  double one = 0.841344746068542948585; // the normal distribution function at 1
  expect_close(evaluate(ops::gelu_op, {doubles({0, 1, -1})}), {0, one, one - 1}, 1e-14);
  expect_close(evaluate(ops::softplus_op, {doubles({0, 800, -800})}), {std::numbers::ln2, 800, 0}, 1e-15);
  expect_close(evaluate(ops::hard_sigmoid_op, {doubles({-4, 0, 1, 4})}), {0, 0.5, 2.0 / 3, 1}, 1e-15);
  expect_close(evaluate(ops::leaky_relu_op, {doubles({-1, 1})}), {-0.2, 1}, 1e-15);
  expect_close(evaluate(ops::normal_quantile_op, {doubles({0.5, 0.975, 1e-10, 0, 1})}),
               {0, 1.959963984540054, -6.361340902404056, -INFINITY, INFINITY}, 1e-14);
}

TEST(Values, OfSoftmaxFarOut) {
  expect_close(evaluate(ops::softmax_op, {doubles({1000, 1000, -1000})}), {0.5, 0.5, 0}, 1e-15);
  expect_close(evaluate(ops::log_softmax_op, {doubles({-1000, 1000})}), {-2000, 0}, 1e-15);
  for (double x : evaluate(ops::softmax_op, {doubles({-INFINITY, -INFINITY})})) EXPECT_TRUE(std::isnan(x));
}

TEST(Values, OfCrossentropiesFarOut) {
  Values x{1000, -1000, 1000, -1000, 50}, y{1, 0, 0, 1, 1};
  Values loss = evaluate(ops::bce_with_logits_op, {doubles(x), doubles(y)});
  EXPECT_EQ(Values(loss.begin(), loss.end() - 1), (Values{0, 0, 1000, 1000}));
  EXPECT_NEAR(loss[4] / std::exp(-50.0), 1, 1e-12) << "small losses keep their relative precision";
  Tensor logits({DType::f64, {2, 2}}, {0, 1000, 0, 1000});
  expect_close(evaluate(ops::sparse_softmax_crossentropy_op, {logits, whole(DType::i32, {2}, {0, 1})}), {1000, 0},
               1e-15);
  expect_close(evaluate(ops::softmax_crossentropy_op, {logits, {{DType::f64, {2, 2}}, {1, 0, 0, 1}}}), {1000, 0},
               1e-15);
}

TEST(Values, OfClippedProbabilities) {
  double most = -std::log(1e-7);
  expect_close(evaluate(ops::binary_crossentropy_op, {doubles({0, 1}), doubles({1, 0})}), {most, most}, 1e-8);
  // Keras: categorical_crossentropy([[0, 1, 0], [0, 0, 1]], [[.05, .95, 0], [.1, .8, .1]]) = [0.0513, 2.303]
  Tensor p({DType::f64, {2, 3}}, {0.05, 0.95, 0, 0.1, 0.8, 0.1}), y({DType::f64, {2, 3}}, {0, 1, 0, 0, 0, 1});
  expect_close(evaluate(ops::categorical_crossentropy_op, {p, y}), {-std::log(0.95), std::log(10)}, 1e-14);
  Tensor label = whole(DType::i32, {2}, {1, 2});
  expect_close(evaluate(ops::sparse_categorical_crossentropy_op, {p, label}), {-std::log(0.95), std::log(10)}, 1e-14);
  // The sum of a row does not matter.
  for (double& v : p.data) v *= 0.5;
  expect_close(evaluate(ops::categorical_crossentropy_op, {p, y}), {-std::log(0.95), std::log(10)}, 1e-14);
}

TEST(Values, OfLossesKeepOneNumberASample) {
  Tensor p({DType::f64, {2, 2}}, {0, 3, 1, 1}), y({DType::f64, {2, 2}}, {0, 1, 1, 0});
  EXPECT_EQ(evaluate(ops::mean_squared_error_op, {p, y}), (Values{2, 0.5}));
  EXPECT_EQ(evaluate(ops::huber_op, {p, y}), (Values{0.75, 0.25}));
  EXPECT_EQ(evaluate(ops::hinge_op, {p, y}), (Values{0.5, 1})); // labels -1 1, 1 -1
  EXPECT_EQ(evaluate(ops::mean_absolute_error_op, {doubles({1, 2}), doubles({3, 3})}), (Values{2, 1}));
}

// Random123's known-answer test of Philox 4x32-10 with counter and key 0, and the runtime's numbering of elements.
TEST(Values, OfRandomNumbersAreThoseOfTheRuntime) {
  auto words = runtime::philox4x32_10({0, 0, 0, 0}, {0, 0});
  EXPECT_EQ(words[0], 0x6627e8d5u);
  uint32_t stream = stream_of("dropout_1");
  Tensor seed = whole(DType::i64, {}, {double(0x1234567890ab)}), batch = whole(DType::i64, {}, {77});
  Values u =
      evaluate(ops::random_uniform_op, {seed, batch}, {{"shape", Shape{3, 100}}, {"stream", std::string("dropout_1")}});
  for (size_t i = 0; i < u.size(); ++i) {
    uint32_t bits = runtime::random_bits(0x1234567890ab, stream, 77, i);
    EXPECT_EQ(u[i], ((bits >> 9) + 0.5) / 8388608) << i;
  }
}

TEST(Values, OfRandomNumbersDifferByStreamSeedAndBatch) {
  auto draw = [](double seed, double batch, const char* stream) {
    return evaluate(ops::random_normal_op, {whole(DType::i64, {}, {seed}), whole(DType::i64, {}, {batch})},
                    {{"shape", Shape{2000}}, {"stream", std::string(stream)}});
  };
  Values x = draw(1, 1, "a");
  EXPECT_NE(x, draw(2, 1, "a"));
  EXPECT_NE(x, draw(1, 2, "a"));
  EXPECT_NE(x, draw(1, 1, "b"));
  EXPECT_EQ(x, draw(1, 1, "a"));
  double mean = 0, square = 0;
  for (double v : x) mean += v / 2000, square += v * v / 2000;
  EXPECT_NEAR(mean, 0, 0.1); // four and a half standard errors
  EXPECT_NEAR(square, 1, 0.15);
  // FNV-1a of "" and "a", from its authors' test vectors.
  EXPECT_EQ(stream_of(""), 0x811c9dc5u);
  EXPECT_EQ(stream_of("a"), 0xe40c292cu);
}

// checks.cpp states them itself, because the operators do not include the runtime.
static_assert(DLCC_E_ARG == -1 && DLCC_E_NONFINITE == -12);

} // namespace
} // namespace dlcc::testing

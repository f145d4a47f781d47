// Every elementwise operator, activation and loss with its gradients, compiled, against MPFR: f32 and f64, over all
// magnitudes of the operands from the smallest subnormal to the largest finite number, zero and the infinities.
#include "tests/accuracy/formula.h"
#include "tests/accuracy/points.h"
#include "tests/codegen/harness.h"

#include "ir/base/text.h"
#include "ir/ops/build.h"
#include "passes/pass_manager.h"
#include "passes/training/differentiate.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <map>

namespace dlcc::testing {
namespace {

using graph::OpDef;
using graph::ValueId;

// ---- compiled code --------------------------------------------------------------------------------------------------

/// The value, and the gradient of each operand that has one, computed by one program.
std::vector<Tensor> compiled(const Truth& truth, const std::vector<Tensor>& points) {
  graph::Module module;
  module.name = "accuracy", module.stage = graph::Stage::training;
  graph::FunctionId id = module.functions.push({.name = "predict", .entry = true});
  graph::Builder b(module, module.functions[id], ops::all_ops());
  codegen::Tensors tensors;
  auto input = [&](const std::string& name, Tensor t) {
    ValueId v = b.parameter(name, t.type, graph::ParameterRole::input);
    tensors[name] = std::move(t);
    return v;
  };
  std::vector<ValueId> x;
  for (const Tensor& t : points) x.push_back(input("x" + std::to_string(x.size()), t));
  bool through_body = truth.op->kind == graph::OpKind::composite && !truth.op->gradient;
  ValueId y = through_body ? truth.op->body(b, x, truth.attributes)[0] : b.add_all(*truth.op, x, truth.attributes)[0];
  std::vector<ValueId> results{y};
  if (!truth.gradients.empty()) {
    Tensor cotangent(b.type(y));
    for (size_t i = 0; i < cotangent.size(); ++i) cotangent.data[i] = !truth.first_alone || i % classes == 0;
    std::vector<ValueId> wanted(x.begin(), x.begin() + static_cast<ptrdiff_t>(truth.gradients.size()));
    passes::Gradients gradients = passes::differentiate(b, y, wanted, input("cotangent", cotangent));
    for (ValueId v : wanted) results.push_back(gradients.of.at(v));
  }
  // Each result is an output of its own, even if it is an operand.
  for (ValueId& v : results) {
    Shape shape = b.type(v).shape;
    v = b.named(
        b.add("reshape", {b.add("reshape", {v}, {{"shape", Shape{element_count(shape), 1}}})}, {{"shape", shape}}),
        "result");
  }
  b.function().results = results;

  passes::PassContext context{ops::all_ops(), {}};
  auto program = std::get<loops::Program>(passes::run_passes(std::move(module), context, {}));
  EXPECT_EQ(codegen::CompiledProgram(program).run("predict", tensors), 0);
  std::vector<Tensor> got;
  for (loops::BufferId o : program.find_entry("predict")->outputs) got.push_back(tensors.at(program.buffers[o].name));
  return got;
}

// ---- the error ------------------------------------------------------------------------------------------------------

struct Precision {
  int digits, min_exponent, max_exponent;
};
template <class T>
constexpr Precision precision{std::numeric_limits<T>::digits, std::numeric_limits<T>::min_exponent,
                              std::numeric_limits<T>::max_exponent};
Precision precision_of(DType t) { return t == DType::f32 ? precision<float> : precision<double>; }

/// |got - exact| in units in the last place of the larger of exact and scale, never below the distance of subnormal
/// numbers. Beyond the largest finite number everything is infinity.
double error_in_ulps(double got, DType t, Exact exact, const Exact& scale) {
  if (exact.is_nan() || std::isnan(got)) return exact.is_nan() && std::isnan(got) ? 0 : INFINITY;
  if (abs(scale) == Exact(INFINITY)) return 0;
  const auto [digits, min_exponent, max_exponent] = precision_of(t);
  const Exact top = Exact::power_of_two(1, max_exponent);
  auto bounded = [&](const Exact& x) { return min(max(x, -top), top); };
  exact = bounded(exact);
  Exact unit = max(abs(exact), abs(scale));
  mpfr_exp_t exponent = unit.is_zero() ? min_exponent : std::max<mpfr_exp_t>(unit.exponent(), min_exponent);
  return abs((bounded(got) - exact) / Exact::power_of_two(1, exponent - digits)).to_double();
}

/// The operands of sample i one after the other.
void gather(const std::vector<Tensor>& points, size_t i, std::vector<Exact>& x) {
  x.clear();
  for (const Tensor& t : points) {
    size_t width = t.type.rank() == 1 ? 1 : classes;
    for (size_t k = 0; k < width; ++k) x.push_back(t.data[i * width + k]);
  }
}

/// Expects every element of `got` to be within the bound of the formula.
void expect_within(const graph::ErrorBound& bound, const std::string& what, const Truth& truth,
                   const std::vector<Tensor>& points, const Tensor& got, const Formula& formula, const Formula& scale) {
  double worst = 0;
  std::string where;
  std::vector<Exact> x;
  const size_t width = got.type.rank() == 1 ? 1 : classes;
  for (size_t i = 0; i < got.size(); ++i) {
    gather(points, i / width, x);
    Exact exact = formula(x.data(), i % width);
    // inf * 0 and the like: the limit is the value far beyond every finite number.
    if (truth.limits && x.size() == 1 && exact.is_nan() && std::isinf(points[0].data[i])) {
      x[0] = Exact::power_of_two(points[0].data[i] > 0 ? 1 : -1, 1 << 20);
      exact = formula(x.data(), 0);
    }
    double error = error_in_ulps(got.data[i], got.type.dtype, exact, 0);
    if (scale && error > bound.ulp)
      error = error_in_ulps(got.data[i], got.type.dtype, exact, scale(x.data(), i % width));
    if (error <= worst) continue;
    worst = error, where.clear();
    char text[64];
    for (const Exact& operand : x) std::snprintf(text, sizeof text, " %.9g", operand.to_double()), where += text;
    std::snprintf(text, sizeof text, ": %.9g instead of %.9g", got.data[i], exact.to_double());
    where += " [" + std::to_string(i % width) + "]" + text;
  }
  EXPECT_LE(worst, bound.ulp) << what << " at" << where;
  if (std::getenv("DLCC_PRINT_ERRORS"))
    std::printf("%-32s %s %-10s %10.3g ULP at%s\n", std::string(truth.op->name).c_str(),
                std::string(name_of(points[0].type.dtype)).c_str(), what.c_str(), worst, where.c_str());
}

void sweep(const Truth& truth, DType dtype) {
  SCOPED_TRACE(std::string(name_of(dtype)) + print_attributes(truth.attributes));
  std::vector<Tensor> points = points_of(truth, dtype), got = compiled(truth, points);
  const graph::ErrorBound &value = truth.op->value_error, &gradient = truth.op->gradient_error;
  expect_within(value, "value", truth, points, got[0], truth.value, truth.value_scale);
  for (size_t k = 0; k < truth.gradients.size(); ++k)
    expect_within(gradient, "gradient " + std::to_string(k), truth, points, got[k + 1], truth.gradients[k],
                  k < truth.gradient_scales.size() ? truth.gradient_scales[k] : nullptr);
}

// ---- the operators --------------------------------------------------------------------------------------------------

/// Operators of floats that compute nothing of an element's own, and where they are tested.
const std::map<std::string_view, std::string_view> elsewhere = {
    {"mean", "a sum: tests/codegen/reduction_test"},
    {"matvec", "a matmul: tests/codegen/contract_test"},
    {"spread_valid", "a division: tests/ops"},
    {"gather", "it moves elements: tests/ops"},
    {"dropout", "a product with random numbers: tests/ops"},
};

std::vector<Truth> truths_of(const OpDef& op, DType dtype) {
  std::vector<Truth> truths;
  for (auto part : {elementwise_truths, loss_truths, row_truths})
    for (Truth& t : part(dtype))
      if (t.op == &op) truths.push_back(std::move(t));
  return truths;
}

/// An elementwise operator, an activation or a loss: all but views, reductions, contractions and effects.
bool computes_floats(const OpDef& op) {
  if (op.kind != graph::OpKind::map && op.kind != graph::OpKind::composite) return false;
  const graph::Sample sample = op.samples()[0];
  return !sample.operands.empty() && is_float(sample.operands[0].dtype);
}

class Sweep : public ::testing::TestWithParam<const OpDef*> {};

TEST_P(Sweep, CompiledCodeIsWithinTheBoundOfTheRecord) {
  const OpDef& op = *GetParam();
  for (DType dtype : {DType::f32, DType::f64}) {
    std::vector<Truth> truths = truths_of(op, dtype);
    EXPECT_NE(truths.empty(), elsewhere.count(op.name) == 0) << "a truth is missing, or `elsewhere` is wrong";
    for (const Truth& t : truths) {
      EXPECT_EQ(t.gradients.empty(), !op.no_gradient.empty()) << "all derivatives belong to the truth";
      sweep(t, dtype);
    }
  }
}

std::vector<const OpDef*> operators_of_floats() {
  std::vector<const OpDef*> found;
  for (const OpDef* op : ops::all_ops())
    if (computes_floats(*op)) found.push_back(op);
  return found;
}

INSTANTIATE_TEST_SUITE_P(Operators, Sweep, ::testing::ValuesIn(operators_of_floats()),
                         [](const auto& op) { return std::string(op.param->name); });

// What a record promises less than 4 ULP of the result it has to explain.
TEST(ErrorBounds, ExceptionsHaveReasons) {
  for (const OpDef* op : ops::all_ops())
    for (const graph::ErrorBound* e : {&op->value_error, &op->gradient_error}) {
      SCOPED_TRACE(op->name);
      EXPECT_EQ(e->of.empty() && e->ulp == 4, e->because.empty());
      bool has_scale = false;
      for (const Truth& t : truths_of(*op, DType::f32)) {
        if (e == &op->value_error) has_scale |= static_cast<bool>(t.value_scale);
        if (e == &op->gradient_error)
          for (const Formula& f : t.gradient_scales) has_scale |= static_cast<bool>(f);
      }
      EXPECT_EQ(has_scale, !e->of.empty()) << "the record and the truth measure by different things";
    }
}

} // namespace
} // namespace dlcc::testing

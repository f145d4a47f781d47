#include "ir/base/philox.h"
#include "ir/loops/evaluate.h"

#include <cmath>
#include <numbers>

namespace dlcc::loops {

namespace {

int64_t to_integer(double x) {
  if (std::isnan(x)) return 0;
  if (x >= 0x1p63) return INT64_MAX;
  if (x < -0x1p63) return INT64_MIN;
  return static_cast<int64_t>(x);
}

int64_t wrap(DType type, uint64_t x) {
  switch (type) {
  case DType::i8:
    return static_cast<int8_t>(x);
  case DType::u8:
    return static_cast<uint8_t>(x);
  case DType::i32:
    return static_cast<int32_t>(x);
  default:
    return static_cast<int64_t>(x);
  }
}

int64_t saturate(DType type, int64_t x) {
  auto clamp = [&](int64_t low, int64_t high) { return x < low ? low : x > high ? high : x; };
  switch (type) {
  case DType::i8:
    return clamp(INT8_MIN, INT8_MAX);
  case DType::u8:
    return clamp(0, UINT8_MAX);
  case DType::i32:
    return clamp(INT32_MIN, INT32_MAX);
  default:
    return x;
  }
}

// Rounded to minus infinity; 0 for a division by zero.
int64_t floor_divide(int64_t a, int64_t b) {
  if (b == 0) return 0;
  if (b == -1) return static_cast<int64_t>(0 - static_cast<uint64_t>(a));
  return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

uint64_t integer_operator(ScalarOp op, int64_t a, int64_t b) {
  auto u = [](int64_t v) { return static_cast<uint64_t>(v); };
  switch (op) {
  case ScalarOp::add:
    return u(a) + u(b);
  case ScalarOp::subtract:
    return u(a) - u(b);
  case ScalarOp::multiply:
    return u(a) * u(b);
  case ScalarOp::divide:
    return u(floor_divide(a, b));
  case ScalarOp::remainder:
    return b == 0 ? 0 : u(a) - u(floor_divide(a, b)) * u(b);
  case ScalarOp::minimum:
    return u(a < b ? a : b);
  case ScalarOp::maximum:
    return u(a > b ? a : b);
  case ScalarOp::negative:
    return 0 - u(a);
  case ScalarOp::abs:
    return a < 0 ? 0 - u(a) : u(a);
  case ScalarOp::sign:
    return u((a > 0) - (a < 0));
  case ScalarOp::floor:
    return u(a);
  default:
    DLCC_CHECK(false, std::string(name_of(op)) + " of integers");
  }
}

// Phi^-1 by Halley's method on erfc, from Abramowitz and Stegun 26.2.22.
double normal_quantile(double p) {
  if (!(p >= 0 && p <= 1)) return NAN;
  if (p > 0.5) return -normal_quantile(1 - p);
  if (p == 0) return -INFINITY;
  double t = std::sqrt(-2 * std::log(p));
  double x = (2.30753 + 0.27061 * t) / (1 + t * (0.99229 + 0.04481 * t)) - t;
  for (int i = 0; i < 5; ++i) {
    double error = 0.5 * std::erfc(-x / std::numbers::sqrt2) - p;
    double step = error * std::sqrt(2 * std::numbers::pi) * std::exp(x * x / 2);
    x -= step / (1 + x * step / 2);
  }
  return x;
}

double float_operator(ScalarOp op, const double* x) {
  double a = x[0];
  switch (op) {
  case ScalarOp::add:
    return a + x[1];
  case ScalarOp::subtract:
    return a - x[1];
  case ScalarOp::multiply:
    return a * x[1];
  case ScalarOp::divide:
    return a / x[1];
  case ScalarOp::remainder:
    return a - std::floor(a / x[1]) * x[1];
  case ScalarOp::minimum:
    return std::isnan(x[1]) || x[1] < a ? x[1] : a;
  case ScalarOp::maximum:
    return std::isnan(x[1]) || x[1] > a ? x[1] : a;
  case ScalarOp::power:
    return std::pow(a, x[1]);
  case ScalarOp::negative:
    return -a;
  case ScalarOp::abs:
    return std::fabs(a);
  case ScalarOp::sign:
    return a > 0 ? 1 : a < 0 ? -1 : a;
  case ScalarOp::floor:
    return std::floor(a);
  case ScalarOp::sqrt:
    return std::sqrt(a);
  case ScalarOp::exp:
    return std::exp(a);
  case ScalarOp::expm1:
    return std::expm1(a);
  case ScalarOp::log:
    return std::log(a);
  case ScalarOp::log1p:
    return std::log1p(a);
  case ScalarOp::sin:
    return std::sin(a);
  case ScalarOp::cos:
    return std::cos(a);
  case ScalarOp::tanh:
    return std::tanh(a);
  case ScalarOp::sigmoid:
    return a >= 0 ? 1 / (1 + std::exp(-a)) : std::exp(a) / (1 + std::exp(a));
  case ScalarOp::softplus:
    return std::fmax(a, 0.0) + std::log1p(std::exp(-std::fabs(a))) + (std::isnan(a) ? a : 0);
  case ScalarOp::erf:
    return std::erf(a);
  case ScalarOp::normal_quantile:
    return normal_quantile(a);
  default:
    DLCC_CHECK(false, std::string(name_of(op)) + " is no operator on floats");
  }
}

} // namespace

double round_to(DType type, double x) {
  if (type == DType::f32) return static_cast<float>(x);
  if (type == DType::f64) return x;
  if (type == DType::boolean) return x != 0;
  return static_cast<double>(wrap(type, static_cast<uint64_t>(to_integer(x))));
}

double evaluate_scalar(ScalarOp op, DType result, DType operand, const double* x) {
  switch (op) {
  case ScalarOp::less:
    return x[0] < x[1];
  case ScalarOp::less_equal:
    return x[0] <= x[1];
  case ScalarOp::equal:
    return x[0] == x[1];
  case ScalarOp::logical_and:
    return x[0] != 0 && x[1] != 0;
  case ScalarOp::logical_or:
    return x[0] != 0 || x[1] != 0;
  case ScalarOp::logical_not:
    return x[0] == 0;
  case ScalarOp::select:
    return x[0] != 0 ? x[1] : x[2];
  case ScalarOp::cast:
    if (is_float(operand) && is_integer(result)) return static_cast<double>(saturate(result, to_integer(x[0])));
    return is_float(result) ? x[0] : round_to(result, x[0]);
  case ScalarOp::random_uniform: {
    auto word = [&](int i) { return static_cast<uint64_t>(to_integer(x[i])); };
    return philox_uniform(word(0), word(1), static_cast<uint32_t>(word(2)), word(3));
  }
  default:
    break;
  }
  if (is_float(result)) return float_operator(op, x);
  int64_t b = operand_count(op) > 1 ? to_integer(x[1]) : 0;
  return static_cast<double>(wrap(result, integer_operator(op, to_integer(x[0]), b)));
}

} // namespace dlcc::loops

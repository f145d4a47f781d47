// Reductions against a model of every documented order, bit for bit.
#include "tests/codegen/harness.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

namespace dlcc::codegen {
namespace {

std::string text(int64_t i) { return std::to_string(i); }

enum class Kind { sum, products, max };

// The reduction of elements x[i] (or x[i] * y[i]) in one of the three orders.
template <class T> class Model {
public:
  Model(const std::vector<double>& x, const std::vector<double>& y, Kind kind) : x_(x), y_(y), kind_(kind) {}

  T run(const std::string& order) const {
    auto n = static_cast<int64_t>(x_.size());
    if (order == "sequential") return chain(0, n);
    if (order == "blocks") {
      T total = chain(0, std::min<int64_t>(n, 256));
      for (int64_t i = 256; i < n; i += 256) total = combine(total, chain(i, std::min(n, i + 256)));
      return total;
    }
    std::vector<T> blocks;
    for (int64_t i = 0; i < n; i += 4096) blocks.push_back(block(i, std::min(n, i + 4096)));
    return tree(blocks, 0, blocks.size());
  }

private:
  T combine(T a, T b) const { return kind_ == Kind::max ? std::max(a, b) : a + b; }
  T neutral() const { return kind_ == Kind::max ? -std::numeric_limits<T>::infinity() : T(0); }
  T take(T acc, int64_t i) const {
    auto x = static_cast<T>(x_[static_cast<size_t>(i)]);
    return kind_ == Kind::products ? std::fma(x, static_cast<T>(y_[static_cast<size_t>(i)]), acc) : combine(acc, x);
  }
  T chain(int64_t begin, int64_t end) const {
    T acc = neutral();
    for (int64_t i = begin; i < end; ++i) acc = take(acc, i);
    return acc;
  }
  T block(int64_t begin, int64_t end) const {
    constexpr int64_t lanes = 64 / sizeof(T);
    std::vector<T> acc(4 * lanes, neutral());
    for (int64_t i = begin; i < end; ++i) {
      T& a = acc[static_cast<size_t>((i - begin) % (4 * lanes))];
      a = take(a, i);
    }
    std::vector<T> v(lanes);
    for (size_t l = 0; l < lanes; ++l)
      v[l] = combine(combine(acc[l], acc[lanes + l]), combine(acc[2 * lanes + l], acc[3 * lanes + l]));
    for (size_t half = lanes / 2; half > 0; half /= 2)
      for (size_t l = 0; l < half; ++l) v[l] = combine(v[l], v[l + half]);
    return v[0];
  }
  T tree(const std::vector<T>& blocks, size_t begin, size_t end) const {
    if (end - begin == 1) return blocks[begin];
    size_t half = 1;
    while (half * 2 < end - begin) half *= 2;
    return combine(tree(blocks, begin, begin + half), tree(blocks, begin + half, end));
  }

  const std::vector<double>&x_, &y_;
  Kind kind_;
};

std::string value_of(Kind kind, const std::string& at) {
  return kind == Kind::products ? "x" + at + " * y" + at : "x" + at;
}

double expected(DType type, const Tensor& x, const Tensor& y, Kind kind, const std::string& order) {
  return type == DType::f32 ? static_cast<double>(Model<float>(x.data, y.data, kind).run(order))
                            : Model<double>(x.data, y.data, kind).run(order);
}

void check(const Shape& shape, DType type, Kind kind, const std::string& order) {
  std::string dims, vars, at;
  for (size_t d = 0; d < shape.size(); ++d) {
    std::string v = "i" + text(static_cast<int64_t>(d)), comma = d ? ", " : "";
    dims += (d ? "," : "") + text(shape[d]), vars += comma + v + " in " + text(shape[d]), at += comma + v;
  }
  const std::string name = type == DType::f32 ? "f32" : "f64", array = name + "[" + dims + "]";
  const std::string clause = order == "sequential" ? "" : " order " + order;
  const std::string op = kind == Kind::max ? "max" : "sum";
  for (const char* target : {"native", "x86-64-v3"}) {
    SCOPED_TRACE(array + " " + op + clause + " " + target);
    CompiledProgram p(program_of("x: " + array + ", y: " + array + ", out s: " + name + "[]",
                                 "tasks 1 {\n" + op + " r over " + vars + clause + " = " +
                                     value_of(kind, "[" + at + "]") + "\nstore s[] = r\n}"),
                      target);
    Tensors t;
    t["x"] = random_tensor({type, shape}, 3), t["y"] = random_tensor({type, shape}, 4);
    ASSERT_EQ(p.run("predict", t), 0);
    EXPECT_EQ(t["s"].data[0], expected(type, t["x"], t["y"], kind, order));
  }
}

TEST(Reductions, EveryOrderOfEveryLength) {
  for (const char* order : {"sequential", "blocks", "lanes"})
    for (int64_t n : {1, 5, 16, 31, 63, 64, 65, 100, 256, 257, 1000, 4096, 4097, 9000, 20481})
      for (DType type : {DType::f32, DType::f64}) {
        check({n}, type, Kind::sum, order);
        if (n % 2) check({n}, type, Kind::products, order);
        if (n < 100) check({n}, type, Kind::max, order);
      }
}

TEST(Reductions, SeveralVariablesCountAsOneRowMajorIndex) {
  for (const char* order : {"sequential", "blocks", "lanes"}) {
    check({7, 10}, DType::f32, Kind::sum, order);
    check({40, 3, 50}, DType::f32, Kind::products, order);
  }
}

// Not linear in the joint index: a transposed operand, whose elements must still be taken row-major.
TEST(Reductions, TransposedOperands) {
  for (int64_t columns : {10, 32})
    for (const std::string order : {"sequential", "blocks", "lanes"}) {
      const std::string r = "9", c = text(columns);
      CompiledProgram p(
          program_of("x: f32[" + c + "," + r + "], out s: f32[]", "tasks 1 {\nsum t over i in " + r + ", j in " + c +
                                                                      (order == "sequential" ? "" : " order " + order) +
                                                                      " = x[j, i]\nstore s[] = t\n}"));
      Tensors t;
      t["x"] = random_tensor({DType::f32, {columns, 9}}, 5);
      Tensor turned({DType::f32, {9, columns}});
      for (int64_t i = 0; i < 9; ++i)
        for (int64_t j = 0; j < columns; ++j)
          turned.data[static_cast<size_t>(i * columns + j)] = t["x"].data[static_cast<size_t>(j * 9 + i)];
      ASSERT_EQ(p.run("predict", t), 0);
      EXPECT_EQ(t["s"].data[0], expected(DType::f32, turned, turned, Kind::sum, order)) << order << c;
    }
}

// A reduction inside a loop that runs in lanes has the bits of one inside a serial loop.
TEST(Reductions, InsideLoopsOfEitherForm) {
  for (const std::string order : {"", " order blocks", " order lanes"}) {
    std::vector<uint64_t> bits[2];
    for (int form = 0; form < 2; ++form) {
      CompiledProgram p(program_of("x: f32[37,300], out s: f32[37]", "tasks 1 {\nfor m in 37" +
                                                                         std::string(form ? " vector" : "") +
                                                                         " {\nsum t over k in 300" + order +
                                                                         " = x[m, k] * x[m, k]\nstore s[m] = t\n}\n}"));
      Tensors t;
      t["x"] = random_tensor({DType::f32, {37, 300}}, 6);
      ASSERT_EQ(p.run("predict", t), 0);
      bits[form] = bits_of(t["s"]);
    }
    EXPECT_EQ(bits[0], bits[1]) << order;
  }
}

TEST(Reductions, MaximumPassesNaNOn) {
  for (const char* order : {"", " order lanes"}) {
    CompiledProgram p(program_of("x: f32[50], out s: f32[]",
                                 std::string("tasks 1 {\nmax r over i in 50") + order + " = x[i]\nstore s[] = r\n}"));
    Tensors t;
    t["x"] = random_tensor({DType::f32, {50}}, 6);
    t["x"].data[17] = NAN;
    ASSERT_EQ(p.run("predict", t), 0);
    EXPECT_TRUE(std::isnan(t["s"].data[0]));
  }
}

} // namespace
} // namespace dlcc::codegen

// Every numbered constraint of every operator: something that violates it is refused, with that number and a text that
// says what was found.
#include "samples.h"

#include "ir/graph/builder.h"

#include <set>

namespace dlcc::testing {
namespace {

using graph::OpDef;

struct Violation {
  std::string_view op;
  std::vector<Type> operands;
  Attributes attributes;
  int constraint;
  std::string text;
};

constexpr DType f32 = DType::f32, f64 = DType::f64, i32 = DType::i32, i64 = DType::i64, boolean = DType::boolean;
using Axes = std::vector<int64_t>;
const std::string needs_float = "f32 or f64 expected, found i32; add a cast";

void add_unary(std::vector<Violation>& all) {
  for (const char* op :
       {"sqrt", "rsqrt",   "floor",        "exp",      "expm1",    "log",        "log1p",     "sin",
        "cos",  "tanh",    "erf",          "relu",     "relu6",    "elu",        "selu",      "gelu",
        "silu", "sigmoid", "hard_sigmoid", "softplus", "softsign", "leaky_relu", "is_finite", "normal_quantile"})
    all.push_back({op, {{i32, {2}}}, {}, 1, needs_float});
  for (const char* op : {"negative", "abs", "sign", "square"})
    all.push_back({op, {{DType::u8, {2}}}, {}, 1, "signed numbers expected, found u8; add a cast"});
  all.push_back({"logical_not", {{f32, {2}}}, {}, 1, "bool expected, found f32; add a cast"});
  Attributes bounds{{"low", 0.0}, {"high", 1.0}}, crossed{{"low", 1.0}, {"high", 0.0}};
  all.push_back({"clip", {{i32, {2}}}, bounds, 1, needs_float});
  all.push_back({"clip", {{f32, {2}}}, crossed, 2, "low is above high, or NaN"});
}

void add_binary(std::vector<Violation>& all) {
  std::string shapes = "[3] and [4] cannot be broadcast together";
  for (const char* op : {"add", "subtract", "multiply", "maximum", "minimum", "greater", "greater_equal", "less",
                         "less_equal", "equal", "not_equal", "divide", "power"}) {
    all.push_back({op, {{f32, {3}}, {i32, {3}}}, {}, 1, "f32 and i32 differ; add a cast"});
    all.push_back({op, {{f32, {3}}, {f32, {4}}}, {}, 2, shapes});
  }
  all.push_back({"add", {{boolean, {3}}, {boolean, {3}}}, {}, 1, "numbers expected, found bool; add a cast"});
  all.push_back({"divide", {{i32, {3}}, {i32, {3}}}, {}, 1, needs_float});
  for (const char* op : {"logical_and", "logical_or"}) {
    all.push_back({op, {{boolean, {3}}, {i32, {3}}}, {}, 1, "bool expected, found i32; add a cast"});
    all.push_back({op, {{boolean, {3}}, {boolean, {4}}}, {}, 2, shapes});
  }
  all.push_back({"where", {{f32, {3}}, {f32, {3}}, {f32, {3}}}, {}, 1, "bool expected, found f32; add a cast"});
  all.push_back({"where", {{boolean, {3}}, {f32, {3}}, {f64, {3}}}, {}, 2, "f32 and f64 differ; add a cast"});
  all.push_back({"where", {{boolean, {3}}, {f32, {3}}, {f32, {4}}}, {}, 3, shapes});
}

void add_reductions(std::vector<Violation>& all) {
  for (const char* op : {"sum", "product"}) {
    all.push_back({op, {{f32, {3, 4}}}, {{"axes", Axes{2}}}, 1, "axis 2 does not exist in a tensor of 2 axes"});
    all.push_back({op, {{i32, {3, 4}}}, {{"axes", Axes{1, -1}}}, 1, "axis 1 is given twice"});
  }
  for (const char* op : {"max", "min", "mean"}) {
    std::string found = std::string(op) == "mean" ? "f32 or f64 expected, found bool" : "numbers expected, found bool";
    all.push_back({op, {{boolean, {3}}}, {}, 1, found + "; add a cast"});
    all.push_back({op, {{f32, {3, 4}}}, {{"axes", Axes{2}}}, 2, "axis 2 does not exist in a tensor of 2 axes"});
    all.push_back({op, {{f32, {3, 4}}}, {{"axes", Axes{1, -1}}}, 2, "axis 1 is given twice"});
  }
  for (const char* op : {"max", "min"})
    all.push_back({op, {{f32, {0, 4}}}, {{"axes", Axes{0}}}, 3, "axis 0 of [0,4] is empty"});
  for (const char* op : {"argmax", "argmin"}) {
    all.push_back({op, {{boolean, {3}}}, {}, 1, "numbers expected, found bool; add a cast"});
    all.push_back({op, {{f32, {}}}, {}, 2, "axis -1 does not exist in a tensor of 0 axes"});
    all.push_back({op, {{f32, {4, 0}}}, {}, 3, "the axis of [4,0] is empty"});
    all.push_back({op, {{DType::u8, {int64_t{1} << 31}}}, {}, 3, "the axis of [2147483648] is too long for an index"});
  }
  for (const char* op : {"softmax", "log_softmax"}) {
    all.push_back({op, {{i32, {3}}}, {}, 1, needs_float});
    all.push_back({op, {{f32, {3}}}, {{"axis", int64_t{1}}}, 2, "axis 1 does not exist in a tensor of 1 axis"});
    all.push_back({op, {{f32, {3, 0}}}, {}, 3, "axis 1 of [3,0] is empty"});
  }
}

void add_products(std::vector<Violation>& all) {
  all.push_back({"matmul", {{i32, {2, 3}}, {i32, {3, 4}}}, {}, 1, needs_float});
  all.push_back({"matmul", {{f32, {2, 3}}, {f64, {3, 4}}}, {}, 1, "f32 and f64 differ; add a cast"});
  all.push_back({"matmul", {{f32, {3}}, {f32, {3, 4}}}, {}, 2, "at least 2 axes expected, found [3]"});
  all.push_back({"matmul", {{f32, {2, 3}}, {f32, {3}}}, {}, 2, "at least 2 axes expected, found [3]"});
  all.push_back({"matmul", {{f32, {2, 3}}, {f32, {4, 5}}}, {}, 3, "inner dimensions 3 and 4 differ"});
  all.push_back({"matmul",
                 {{f32, {2, 3}}, {f32, {2, 3}}},
                 {{"transpose_a", true}, {"transpose_b", true}},
                 3,
                 "inner dimensions 2 and 3 differ"});
  all.push_back(
      {"matmul", {{f32, {2, 4, 3}}, {f32, {5, 3, 4}}}, {}, 4, "batch axes [2] and [5] cannot be broadcast together"});
  all.push_back({"matvec", {{i32, {2, 3}}, {i32, {3}}}, {}, 1, needs_float});
  all.push_back({"matvec", {{f32, {2, 3}}, {f32, {3, 1}}}, {}, 2, "1 axes expected, found [3,1]"});
  all.push_back({"matvec", {{f32, {2, 3}}, {f32, {2}}}, {}, 3, "inner dimensions 3 and 2 differ"});
}

void add_movement(std::vector<Violation>& all) {
  for (const Shape& wrong : {Shape{4, 2}, Shape{-1, 4}})
    all.push_back({"reshape",
                   {{f32, {2, 3}}},
                   {{"shape", wrong}},
                   1,
                   "[2,3] has 6 elements and cannot become " + to_string(wrong)});
  all.push_back(
      {"reshape", {{f32, {2, 3}}}, {{"shape", Shape{-1, -1}}}, 1, "[-1,-1] has 2 dimensions -1, expected one"});
  all.push_back({"reshape", {{f32, {2, 3}}}, {{"shape", Shape{-6, -1}}}, 1, "[-6,-1] has a dimension below -1"});
  all.push_back(
      {"transpose", {{f32, {2, 3}}}, {{"permutation", Axes{0, 0}}}, 1, "[0,0] is no permutation of the axes of [2,3]"});
  all.push_back({"broadcast_to", {{f32, {3}}}, {{"shape", Shape{3, 2}}}, 1, "[3] cannot be broadcast to [3,2]"});
  all.push_back({"broadcast_to", {{f32, {3}}}, {{"shape", Shape{-1, 3}}}, 1, "dimension -1 of [-1,3] is negative"});
  auto slice = [](Shape begin, Shape end, Shape stride) {
    return Attributes{{"begin", begin}, {"end", end}, {"stride", stride}};
  };
  all.push_back({"slice",
                 {{f32, {4}}},
                 slice({0, 0}, {4, 1}, {1, 1}),
                 1,
                 "begin, end and stride need one number for each axis of [4]"});
  for (auto [begin, end] : {std::pair{-1, 2}, {3, 2}, {0, 5}})
    all.push_back({"slice",
                   {{f32, {4}}},
                   slice({begin}, {end}, {1}),
                   2,
                   "[" + std::to_string(begin) + ", " + std::to_string(end) + ") is no part of axis 0 of [4]"});
  all.push_back({"slice", {{f32, {4}}}, slice({0}, {4}, {0}), 3, "stride 0 is not positive"});
  auto pad = [](Shape low, Shape high, std::string mode) {
    return Attributes{{"low", low}, {"high", high}, {"mode", mode}};
  };
  all.push_back({"pad", {{f32, {4}}}, pad({}, {1}, "constant"), 1, "low, high and interior need one number"});
  all.push_back({"pad", {{f32, {4}}}, pad({1}, {1}, "wrap"), 2, "unknown mode 'wrap'"});
  Attributes between = pad({1}, {1}, "edge");
  between.set("interior", Shape{1});
  all.push_back({"pad", {{f32, {4}}}, between, 2, "interior padding needs mode constant"});
  all.push_back({"pad", {{f32, {4}}}, pad({-1}, {1}, "constant"), 3, "negative padding of axis 0"});
  all.push_back({"pad", {{f32, {4}}}, pad({INT64_MAX}, {1}, "constant"), 3, "too much padding of axis 0"});
  all.push_back({"pad", {{f32, {4}}}, pad({4}, {0}, "reflect"), 4, "reflecting beyond the other end of axis 0"});
  all.push_back({"pad", {{f32, {0}}}, pad({1}, {0}, "edge"), 4, "there is no edge to repeat of axis 0"});
  Attributes last{{"axis", int64_t{-1}}};
  all.push_back({"concat", {{f32, {2}}, {f64, {2}}}, last, 1, "f32 and f64 differ; add a cast"});
  all.push_back({"concat", {{f32, {}}, {f32, {}}}, last, 2, "axis -1 does not exist in a tensor of 0 axes"});
  all.push_back({"concat", {{f32, {2, 3}}, {f32, {4, 3}}}, last, 3, "[2,3] and [4,3] differ in more than axis 1"});
  all.push_back({"concat", {{f32, {2, 3}}, {f32, {3}}}, last, 3, "[2,3] and [3] differ in more than axis 1"});
}

void add_indexing(std::vector<Violation>& all) {
  for (const char* op : {"take", "gather"}) {
    all.push_back({op, {{f32, {3}}, {f32, {2}}}, {}, 1, "integers expected, found f32; add a cast"});
    all.push_back({op, {{f32, {}}, {i32, {2}}}, {}, 2, "axis 0 does not exist in a tensor of 0 axes"});
  }
  auto into = [](int64_t axis, int64_t extent) { return Attributes{{"axis", axis}, {"extent", extent}}; };
  all.push_back({"take_gradient", {{f32, {3}}, {f32, {3}}}, into(0, 4), 1, "integers expected, found f32"});
  all.push_back(
      {"take_gradient", {{f32, {3}}, {i32, {3}}}, into(1, 4), 2, "axis 1 leaves no room for the indices in [3]"});
  all.push_back({"take_gradient", {{f32, {3}}, {i32, {3}}}, into(0, -1), 2, "extent -1 is negative"});
  all.push_back({"take_gradient",
                 {{f32, {3, 2}}, {i32, {2}}},
                 into(0, 4),
                 3,
                 "the axes of [3,2] from 0 on are not those of the indices [2]"});
  all.push_back({"one_hot", {{f32, {3}}}, {{"depth", int64_t{3}}}, 1, "integers expected, found f32; add a cast"});
  all.push_back({"one_hot", {{i32, {3}}}, {{"depth", int64_t{-3}}}, 2, "depth -3 is negative"});
  all.push_back({"iota", {}, {{"shape", Shape{}}}, 1, "axis -1 does not exist in a tensor of 0 axes"});
  all.push_back({"iota", {}, {{"shape", Shape{2}}, {"dtype", boolean}}, 2, "numbers expected, found bool"});
  for (auto [dtype, extent] : {std::pair{DType::u8, 257}, {DType::i8, 129}, {f32, (1 << 24) + 2}})
    all.push_back({"iota",
                   {},
                   {{"shape", Shape{extent}}, {"dtype", dtype}},
                   2,
                   "the index " + std::to_string(extent - 1) + " does not fit " + std::string(name_of(dtype))});
  Attributes nothing{{"dtype", f32}};
  all.push_back(
      {"constant", {}, {{"dtype", f32}, {"shape", Shape{-1}}, {"value", 0.0}}, 1, "dimension -1 of [-1] is negative"});
  all.push_back({"constant", {}, nothing, 2, "either value or values expected"});
  all.push_back({"constant",
                 {},
                 {{"dtype", f32}, {"shape", Shape{2}}, {"values", std::vector<double>{1}}},
                 2,
                 "values has 1 elements, which do not fill [2]"});
  all.push_back({"constant", {}, {{"dtype", i32}, {"value", 0.5}}, 3, "a value is no i32"});
  for (auto [dtype, value] : {std::pair{DType::u8, 256.0}, {DType::u8, -1.0}, {DType::i8, -129.0}, {i32, 0x1p31}})
    all.push_back(
        {"constant", {}, {{"dtype", dtype}, {"value", value}}, 3, "a value is no " + std::string(name_of(dtype))});
}

void add_training(std::vector<Violation>& all) {
  Type row{i64, {}};
  Attributes limit{{"limit", int64_t{3}}, {"what", std::string("x")}}, what{{"what", std::string("x")}};
  all.push_back({"check_index", {{f32, {3}}, row}, limit, 1, "integers expected, found f32; add a cast"});
  all.push_back({"check_index", {{i32, {3}}, {i32, {}}}, limit, 2, "i64 expected, found i32; add a cast"});
  all.push_back({"check_index", {{i32, {3}}, {i64, {1}}}, limit, 2, "a scalar [] expected, found [1]"});
  all.push_back({"check_finite", {{i32, {3}}}, what, 1, needs_float});
  all.push_back({"check_counts", {{f64, {1}}}, what, 1, "a scalar [] expected, found [1]"});
  all.push_back({"check_counts", {{i64, {}}}, what, 2, "f32 or f64 expected, found i64; add a cast"});
  for (const char* op : {"random_uniform", "random_normal"}) {
    auto with = [](Shape shape, DType dtype) {
      return Attributes{{"shape", shape}, {"dtype", dtype}, {"stream", std::string("s")}};
    };
    all.push_back({op, {row, {i64, {2}}}, with({2}, f32), 1, "a scalar [] expected, found [2]"});
    all.push_back({op, {row, row}, with({2}, i32), 2, "f32 or f64 expected, found i32"});
    all.push_back({op, {row, row}, with({-2}, f32), 3, "dimension -2 of [-2] is negative"});
  }
  Attributes half{{"rate", 0.5}, {"stream", std::string("s")}}, much{{"rate", 1.5}, {"stream", std::string("s")}};
  all.push_back({"dropout", {{f32, {2}}, row, {i32, {}}}, half, 1, "i64 expected, found i32; add a cast"});
  all.push_back({"dropout", {{i32, {2}}, row, row}, half, 2, needs_float});
  all.push_back({"dropout", {{f32, {2}}, row, row}, much, 3, "the rate is not between 0 and 1"});
  all.push_back({"mean_valid", {{i32, {2}}, row}, {}, 1, needs_float});
  all.push_back({"mean_valid", {{f32, {}}, row}, {}, 2, "at least 1 axis expected, found []"});
  all.push_back({"mean_valid", {{f32, {2}}, {i64, {2}}}, {}, 3, "a scalar [] expected, found [2]"});
  Attributes shape{{"shape", Shape{2}}};
  all.push_back({"spread_valid", {{f32, {}}, row}, shape, 1, "f64 expected, found f32; add a cast"});
  all.push_back({"spread_valid", {{f64, {}}, {i32, {}}}, shape, 2, "i64 expected, found i32; add a cast"});
  all.push_back({"spread_valid", {{f64, {}}, row}, {{"shape", Shape{}}}, 3, "the result needs an axis, and floats"});
}

void add_losses(std::vector<Violation>& all) {
  for (const char* op : {"mean_squared_error", "mean_absolute_error", "huber", "log_cosh", "poisson", "hinge",
                         "squared_hinge", "binary_crossentropy", "bce_with_logits", "kl_divergence",
                         "categorical_crossentropy", "softmax_crossentropy"}) {
    all.push_back({op, {{f32, {4, 3}}, {f64, {4, 3}}}, {}, 1, "f32 and f64 differ; add a cast"});
    all.push_back({op, {{f32, {4, 1}}, {f32, {4}}}, {}, 2, "shapes [4,1] and [4] differ"});
  }
  for (const char* op : {"kl_divergence", "categorical_crossentropy", "softmax_crossentropy"}) {
    all.push_back({op, {{f32, {}}, {f32, {}}}, {}, 3, "at least 1 axis expected, found []"});
    all.push_back({op, {{f32, {4, 0}}, {f32, {4, 0}}}, {}, 3, "no classes in [4,0]"});
  }
  for (const char* op : {"sparse_categorical_crossentropy", "sparse_softmax_crossentropy"}) {
    all.push_back({op, {{f32, {4, 3}}, {f32, {4}}}, {}, 1, "integers expected, found f32; add a cast"});
    all.push_back({op, {{f32, {4, 3}}, {i32, {4, 1}}}, {}, 2, "labels of shape [4] expected, found [4,1]"});
    all.push_back({op, {{f32, {4, 0}}, {i32, {4}}}, {}, 3, "no classes in [4,0]"});
  }
  all.push_back({"huber", {{f32, {2}}, {f32, {2}}}, {{"delta", 0.0}}, 3, "delta is not positive"});
}

std::vector<Violation> violations() {
  std::vector<Violation> all;
  add_unary(all), add_binary(all), add_reductions(all), add_products(all), add_movement(all), add_indexing(all);
  add_training(all), add_losses(all);
  return all;
}

TEST(Constraints, AreCheckedWithNumberAndText) {
  for (const Violation& v : violations()) {
    SCOPED_TRACE(std::string(v.op) + " C" + std::to_string(v.constraint));
    const OpDef* op = graph::find_op(ops::all_ops(), v.op);
    ASSERT_NE(op, nullptr);
    graph::Module module;
    Attributes attributes = v.attributes;
    try {
      graph::infer(module, *op, v.operands, attributes);
      ADD_FAILURE() << "accepted";
    } catch (const graph::InferError& error) {
      std::string what = error.what(), number = " (C" + std::to_string(v.constraint) + ")";
      EXPECT_TRUE(what.starts_with(std::string(v.op) + ": " + v.text)) << what;
      EXPECT_TRUE(what.ends_with(number)) << what;
    }
  }
}

TEST(Constraints, EachHasAViolation) {
  std::set<std::pair<std::string_view, int>> tested;
  for (const Violation& v : violations()) tested.emplace(v.op, v.constraint);
  for (const OpDef* op : ops::all_ops())
    for (int n = 1; op->doc.find("(C" + std::to_string(n) + ")") != std::string_view::npos; ++n)
      EXPECT_TRUE(tested.erase({op->name, n})) << op->name << " C" << n;
  for (auto& [op, n] : tested) ADD_FAILURE() << op << " C" << n << " is not documented";
}

TEST(Constraints, HugeShapesAreRefused) {
  graph::Module module;
  Attributes none, shape{{"shape", Shape{INT64_MAX, INT64_MAX}}}, nine{{"shape", Shape(9, 1)}};
  std::vector<Type> outer{{f32, {INT64_MAX / 8, 1}}, {f32, {1, INT64_MAX / 8}}}, scalar{{f32, {}}};
  EXPECT_THROW(graph::infer(module, ops::add_op, outer, none), graph::InferError);
  EXPECT_THROW(graph::infer(module, ops::broadcast_to_op, scalar, shape), graph::InferError);
  EXPECT_THROW(graph::infer(module, ops::reshape_op, scalar, shape), graph::InferError);
  EXPECT_THROW(graph::infer(module, ops::reshape_op, scalar, nine), graph::InferError);
  std::vector<Type> halves{{f32, {INT64_MAX - 1}}, {f32, {INT64_MAX - 1}}};
  Attributes axis{{"axis", int64_t{0}}};
  EXPECT_THROW(graph::infer(module, ops::concat_op, halves, axis), graph::InferError);
}

} // namespace
} // namespace dlcc::testing

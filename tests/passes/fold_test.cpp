// What fold_constants computes has the bits of compiled code: every operator that may be folded, in every type, at
// extreme operands, once as constants and once as inputs.
#include "tests/passes/execution.h"

#include "ir/graph/builder.h"
#include "ir/ops/ops.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace dlcc::testing {
namespace {

using namespace graph;

template <class T> std::vector<double> extremes() {
  using L = std::numeric_limits<T>;
  std::vector<double> values{0, 1, 2, 3, double(L::max()), double(L::lowest())};
  if constexpr (L::is_signed) values.insert(values.end(), {-1, -7});
  if constexpr (L::digits > 16) values.insert(values.end(), {65536, 46341, 99999});
  if constexpr (!L::is_integer)
    for (T x : {T(-0.0), T(0.1), T(-2.5), L::min(), L::denorm_min(), -L::denorm_min(), L::epsilon(), L::infinity(),
                -L::infinity(), L::quiet_NaN(), T(1) + L::epsilon()})
      values.push_back(double(x));
  return values;
}

std::vector<double> extremes_of(DType t) {
  switch (t) {
  case DType::f32:
    return extremes<float>();
  case DType::f64:
    return extremes<double>();
  case DType::i8:
    return extremes<int8_t>();
  case DType::u8:
    return extremes<uint8_t>();
  case DType::i32:
    return extremes<int32_t>();
  case DType::i64:
    return {0, 1, -1, 3, -7, 0x1p31, 0x1p52}; // tests pass numbers as doubles
  case DType::boolean:
    return {0, 1};
  }
  return {};
}

/// One operator with one choice of types, and the operands of all its points: one list an operand.
struct Folding {
  const OpDef* op;
  Attributes attributes;
  std::vector<DType> types;
  std::vector<std::vector<double>> operands;
};

std::vector<std::vector<double>> all_combinations(const std::vector<DType>& types) {
  std::vector<std::vector<double>> columns(types.size());
  std::vector<std::vector<double>> rows{{}};
  for (DType t : types) {
    std::vector<std::vector<double>> longer;
    for (const auto& row : rows)
      for (double x : extremes_of(t)) longer.push_back(row), longer.back().push_back(x);
    rows = std::move(longer);
  }
  for (const auto& row : rows)
    for (size_t k = 0; k < types.size(); ++k) columns[k].push_back(row[k]);
  return columns;
}

std::vector<Folding> all_foldings() {
  const DType all_types[] = {DType::f32, DType::f64, DType::i8, DType::u8, DType::i32, DType::i64, DType::boolean};
  std::vector<Folding> foldings;
  for (const OpDef* op : ops::all_ops()) {
    if (!op->exactly_rounded) continue;
    std::vector<Attributes> attributes{{}};
    if (op == &ops::cast_op) {
      attributes.clear();
      for (DType to : all_types) attributes.push_back({{"dtype", to}});
    }
    for (DType t : all_types)
      for (Attributes& a : attributes) {
        std::vector<DType> types(static_cast<size_t>(op->min_operands), t);
        if (op == &ops::where_op) types[0] = DType::boolean;
        std::vector<Type> operands;
        for (DType type : types) operands.push_back({type, {}});
        InferContext context(operands, a);
        op->infer(context);
        if (!context.failed()) foldings.push_back({op, a, types, all_combinations(types)});
      }
  }
  return foldings;
}

Module module_with_function() {
  Module m;
  m.name = "fold", m.stage = Stage::training;
  m.functions.push({.name = "predict", .entry = true});
  return m;
}

TEST(FoldConstants, GivesTheBitsOfCompiledCode) {
  std::vector<Folding> foldings = all_foldings();
  ASSERT_GT(foldings.size(), 60u);

  // Everything from inputs, compiled.
  Module computed = module_with_function();
  Builder inputs(computed, computed.functions[FunctionId(0)], ops::all_ops());
  Environment environment;
  // Everything from constants, folded.
  Module folded = module_with_function();
  Builder constants(folded, folded.functions[FunctionId(0)], ops::all_ops());
  for (const Folding& f : foldings) {
    const size_t points = f.operands[0].size();
    std::vector<ValueId> x;
    for (size_t k = 0; k < f.types.size(); ++k) {
      Type type{f.types[k], {static_cast<int64_t>(points)}};
      x.push_back(inputs.parameter("x" + std::to_string(environment.inputs.size()), type, ParameterRole::input));
      environment.inputs[inputs.function().values[x.back()].name] = Tensor(type, f.operands[k]);
    }
    inputs.function().results.push_back(inputs.add_all(*f.op, x, f.attributes)[0]);
    for (size_t i = 0; i < points; ++i) {
      std::vector<ValueId> c;
      for (size_t k = 0; k < f.types.size(); ++k) c.push_back(constants.constant(f.operands[k][i], f.types[k]));
      constants.function().results.push_back(constants.add_all(*f.op, c, f.attributes)[0]);
    }
  }
  Outcome expected = run_compiled(plan(std::move(computed)), "predict", environment);
  passes::PassOptions only;
  only.only = {"fold_constants"};
  passes::PassContext context{ops::all_ops(), {}};
  folded = std::get<Module>(passes::run_passes(std::move(folded), context, only));

  const Function& f = folded.functions[FunctionId(0)];
  size_t result = 0, constant_results = 0;
  for (size_t n = 0; n < foldings.size(); ++n)
    for (size_t i = 0; i < foldings[n].operands[0].size(); ++i) {
      const Node& node = f.nodes[f.values[f.results[result++]].node];
      if (node.op != &ops::constant_op) continue;
      ++constant_results;
      double is = node.attributes.number("value"), was = expected.results[n].data[i];
      bool same = (std::isnan(is) && std::isnan(was)) || (is == was && std::signbit(is) == std::signbit(was));
      EXPECT_TRUE(same) << foldings[n].op->name << " of " << name_of(foldings[n].types[0]) << " at point " << i << " ("
                        << foldings[n].operands[0][i] << " ...): folded " << is << ", compiled " << was;
    }
  EXPECT_GT(constant_results, 2000u) << "floats are folded";
}

} // namespace
} // namespace dlcc::testing

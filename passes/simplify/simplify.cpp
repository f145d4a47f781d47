#include "passes/simplify/simplify.h"

#include "ir/graph/rewrite.h"
#include "ir/ops/build.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace dlcc::passes {

using namespace graph;
using ops::Term;

namespace {
/// A node about to be rebuilt, with its operands in the new function.
struct Match {
  Builder& b;
  const Node& node;
  std::span<const ValueId> operands;
  const Type& result;

  const Type& type(size_t k) const { return b.type(operands[k]); }
  const Node* producer(size_t k) const {
    const Value& v = b.function().values[operands[k]];
    return v.kind == ValueKind::result ? &b.function().nodes[v.node] : nullptr;
  }
  bool made_by(size_t k, std::string_view op) const { return producer(k) && producer(k)->op->name == op; }
  /// The operand is the constant c, the sign of zero included (a tensor of values is not looked into).
  bool is(size_t k, double c) const {
    const Node* p = producer(k);
    if (!p || p->op->name != "constant" || !p->attributes.has("value")) return false;
    double value = p->attributes.number("value");
    return value == c && std::signbit(value) == std::signbit(c);
  }
  /// Operand k alone has the type of the result: dropping the others changes no shape.
  bool keeps_type(size_t k) const { return type(k) == result; }
};

using Replacement = std::optional<ValueId>;

struct Rule {
  std::string_view name, op;
  Replacement (*apply)(const Match&);
};

Replacement if_type_stays(const Match& m, bool condition, size_t k) {
  return condition && m.keeps_type(k) ? Replacement(m.operands[k]) : std::nullopt;
}

// The two last axes change places.
bool swaps_last_axes(const Node& transpose) {
  const auto& p = transpose.attributes.integers("permutation");
  std::vector<int64_t> expected(p.size());
  std::iota(expected.begin(), expected.end(), int64_t{0});
  if (p.size() < 2) return false;
  std::swap(expected[p.size() - 1], expected[p.size() - 2]);
  return p == expected;
}

Replacement transpose_into_matmul(const Match& m) {
  for (size_t k : {0, 1}) {
    if (!m.made_by(k, "transpose") || !swaps_last_axes(*m.producer(k))) continue;
    std::vector<ValueId> operands(m.operands.begin(), m.operands.end());
    operands[k] = m.producer(k)->operands[0];
    const char* flag = k == 0 ? "transpose_a" : "transpose_b";
    Attributes attributes = m.node.attributes;
    attributes.set(flag, !attributes.boolean(flag));
    return m.b.add("matmul", operands, attributes);
  }
  return std::nullopt;
}

// A sum over axes of extent 1 moves data only.
Replacement sum_of_single(const Match& m) {
  bool single = element_count(m.type(0).shape) == element_count(m.result.shape);
  return single ? Replacement(ops::reshape({&m.b, m.operands[0]}, m.result.shape).id) : std::nullopt;
}

constexpr Rule rules[] = {
    {"linear", "linear", [](const Match& m) { return Replacement(m.operands[0]); }}, // f(x) = x
    {"multiply-one", "multiply",
     [](const Match& m) { // x * 1 = 1 * x = x
       if (auto r = if_type_stays(m, m.is(1, 1), 0)) return r;
       return if_type_stays(m, m.is(0, 1), 1);
     }},
    {"divide-one", "divide", [](const Match& m) { return if_type_stays(m, m.is(1, 1), 0); }},      // x / 1 = x
    {"subtract-zero", "subtract", [](const Match& m) { return if_type_stays(m, m.is(1, 0), 0); }}, // x - 0 = x
    {"double-negative", "negative",
     [](const Match& m) { // -(-x) = x
       return m.made_by(0, "negative") ? Replacement(m.producer(0)->operands[0]) : std::nullopt;
     }},
    {"same-cast", "cast", [](const Match& m) { return if_type_stays(m, true, 0); }}, // T(x : T) = x
    {"same-reshape", "reshape", [](const Match& m) { return if_type_stays(m, true, 0); }},
    {"reshape-reshape", "reshape",
     [](const Match& m) {
       return m.made_by(0, "reshape") ? Replacement(m.b.add("reshape", {m.producer(0)->operands[0]}, m.node.attributes))
                                      : std::nullopt;
     }},
    {"same-broadcast", "broadcast_to", [](const Match& m) { return if_type_stays(m, true, 0); }},
    {"single-sum", "sum", sum_of_single},
    {"transpose-matmul", "matmul", transpose_into_matmul}, // matmul(x^T, y) = matmul(x, y) with transpose_a
};
} // namespace

Module simplify(Module module, PassContext& context) {
  for (FunctionId id : module.functions.ids()) {
    const Function before = std::move(module.functions[id]);
    module.functions[id] = rewrite(
        module, before, context.ops,
        [&](Builder& to, const Node& node, std::span<const ValueId> operands) -> std::optional<std::vector<ValueId>> {
          if (node.results.size() != 1) return std::nullopt;
          // A result of the function keeps its name, so no older value may stand for it.
          bool is_result =
              std::find(before.results.begin(), before.results.end(), node.results[0]) != before.results.end();
          auto new_values = to.function().values.next();
          Match match{to, node, operands, before.type(node.results[0])};
          for (const Rule& rule : rules) {
            if (rule.op != node.op->name) continue;
            auto value = rule.apply(match);
            if (value && (!is_result || value->index >= new_values.index)) return std::vector{*value};
          }
          return std::nullopt;
        });
  }
  return module;
}

} // namespace dlcc::passes

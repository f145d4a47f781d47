// pad: elements before, between and after.
#include "ir/ops/indices.h"
#include "ir/ops/record.h"

#include <algorithm>
#include <cmath>

namespace dlcc::ops {

namespace {
using loops::Index;

constexpr AttributeDef pad_attributes[] = {
    {"low", AttributeKind::integers, "how many elements come before, one number an axis", true},
    {"high", AttributeKind::integers, "how many come after, one number an axis", true},
    {"interior", AttributeKind::integers,
     "how many come between neighbours (constant only), one number an axis; 0 if absent"},
    {"mode", AttributeKind::string, "constant, reflect (without repeating the edge) or edge; constant if absent"},
    {"value", AttributeKind::number, "of the new elements (constant only); 0 if absent"}};

struct Pad {
  std::vector<int64_t> low, high, step;
  std::string_view mode;
  double value;
};
Pad pad_of(const Attributes& a, size_t rank) {
  Pad p{a.integers("low"), a.integers("high"), a.integers("interior"), a.string("mode", "constant"), a.number("value")};
  if (!a.has("interior")) p.step.assign(rank, 0);
  for (int64_t& s : p.step) ++s;
  return p;
}

/// Extent from the first element to the last, with what comes between.
int64_t spread(int64_t extent, int64_t step) { return extent == 0 ? 0 : (extent - 1) * step + 1; }

std::vector<Type> infer_pad(InferContext& c) {
  const Type& x = c.operand(0);
  Pad p = pad_of(c.attributes(), x.rank());
  Require r(c);
  r.that(p.low.size() == x.rank() && p.high.size() == x.rank() && p.step.size() == x.rank(), 1,
         [&] { return "low, high and interior need one number for each axis of " + to_string(x.shape); });
  r.that(p.mode == "constant" || p.mode == "reflect" || p.mode == "edge", 2,
         [&] { return "unknown mode '" + escape(p.mode, 40) + "'; constant, reflect or edge expected"; });
  if (!r) return {};
  Shape shape;
  for (size_t axis = 0; axis < x.rank() && r; ++axis) {
    int64_t n = x.shape[axis], low = p.low[axis], high = p.high[axis], step = p.step[axis];
    auto check = [&](bool holds, int constraint, const char* text) {
      r.that(holds, constraint, [&] { return std::string(text) + " of axis " + std::to_string(axis); });
    };
    check(low >= 0 && high >= 0 && step >= 1, 3, "negative padding");
    constexpr int64_t most = int64_t{1} << 40;
    check(low <= most && high <= most && step <= most && n <= most / std::max<int64_t>(step, 1), 3, "too much padding");
    check(p.mode == "constant" || step == 1, 2, "interior padding needs mode constant, for that");
    check(p.mode != "reflect" || std::max(low, high) < std::max<int64_t>(n, 1), 4, "reflecting beyond the other end");
    check(p.mode != "edge" || n > 0 || low + high == 0, 4, "there is no edge to repeat");
    if (r) shape.push_back(low + spread(n, step) + high);
  }
  return r.result({x.dtype, shape});
}

// ---- mode constant --------------------------------------------------------------------------------------------------

void constant_element(ElementContext& c, const Pad& p) {
  const Shape& shape = c.operand_type(0).shape;
  std::vector<Index> index;
  Scalar inside; // empty: the zeros of a padded load are right
  auto require = [&](Scalar condition) { inside = inside.b ? inside & condition : condition; };
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    Index i = scaled(c.build(), c.at()[axis], 1, -p.low[axis]);
    auto step = static_cast<double>(p.step[axis]);
    Scalar position = value_of(c.build(), i);
    if (p.value != 0 && p.low[axis] > 0) require(position >= 0.0);
    if (p.value != 0 && p.high[axis] > 0) require(position < static_cast<double>(spread(shape[axis], p.step[axis])));
    if (p.step[axis] > 1) require(remainder(position, step) == 0.0);
    index.push_back(p.step[axis] > 1 ? index_of(position / step) : std::move(i));
  }
  Scalar x = element_of(c, 0, std::move(index), true);
  c.set(inside.b ? select(inside, x, p.value) : x);
}

void constant_gradient(GradientContext& g, const Pad& p) {
  Term dy{&g.build(), g.cotangent()};
  const Shape shape = g.build().type(g.operand(0)).shape;
  Shape end;
  for (size_t axis = 0; axis < shape.size(); ++axis) end.push_back(p.low[axis] + spread(shape[axis], p.step[axis]));
  g.contribute(0, slice(dy, p.low, end, p.step));
}

// ---- modes edge and reflect: a new element is a copy of an old one --------------------------------------------------

Scalar source_of(Scalar position, int64_t extent, bool reflect) {
  auto last = static_cast<double>(extent - 1);
  if (reflect) return last - abs(last - abs(position)); // folded at 0, then at the last
  return minimum(maximum(position, 0.0), last);
}

void copy_element(ElementContext& c, const Pad& p) {
  const Shape& shape = c.operand_type(0).shape;
  std::vector<Index> index;
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    Index i = scaled(c.build(), c.at()[axis], 1, -p.low[axis]);
    bool copies = p.low[axis] + p.high[axis] > 0;
    index.push_back(copies ? index_of(source_of(value_of(c.build(), i), shape[axis], p.mode == "reflect")) : i);
  }
  c.set(c.operand(0, std::move(index)));
}

double source_of(int64_t at, int64_t low, int64_t extent, bool reflect) {
  auto position = static_cast<double>(at - low), last = static_cast<double>(extent - 1);
  if (reflect) return last - std::fabs(last - std::fabs(position));
  return std::clamp(position, 0.0, last);
}

// Axis by axis, every element collects the gradients of its copies.
void copy_gradient(GradientContext& g, const Pad& p) {
  graph::Builder& b = g.build();
  Term dx{&b, g.cotangent()};
  const Shape shape = b.type(g.operand(0)).shape;
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    if (p.low[axis] + p.high[axis] == 0) continue;
    std::vector<double> sources;
    for (int64_t i = 0; i < dx.shape()[axis]; ++i)
      sources.push_back(source_of(i, p.low[axis], shape[axis], p.mode == "reflect"));
    Shape length{dx.shape()[axis]};
    ValueId indices = apply(b, constant_op, {}, {{"dtype", DType::i64}, {"shape", length}, {"values", sources}});
    dx = {&b,
          apply(b, take_gradient_op, {dx, indices}, {{"axis", static_cast<int64_t>(axis)}, {"extent", shape[axis]}})};
  }
  g.contribute(0, dx);
}

void pad_reference(ReferenceContext& c) {
  const Tensor& x = c.operand(0);
  const Shape& shape = x.type.shape;
  Pad p = pad_of(c.attributes(), shape.size());
  size_t i = 0;
  for_each_index(c.result().type.shape, [&](const Shape& at) {
    Shape index = at;
    bool inside = true;
    for (size_t axis = 0; axis < at.size(); ++axis) {
      int64_t position = at[axis] - p.low[axis];
      if (p.mode == "constant") {
        inside = inside && position >= 0 && position % p.step[axis] == 0 && position / p.step[axis] < shape[axis];
        index[axis] = position / p.step[axis];
      } else
        index[axis] = static_cast<int64_t>(source_of(at[axis], p.low[axis], shape[axis], p.mode == "reflect"));
    }
    c.result().data[i++] = inside ? x.data[offset_of(shape, index)] : p.value;
  });
}

std::vector<Sample> pad_samples() {
  auto sample = [](Shape shape, Shape low, Shape high, std::string mode = "constant", double value = 0) {
    return Sample{.operands = {{DType::f32, shape}},
                  .attributes = {{"low", low}, {"high", high}, {"mode", mode}, {"value", value}}};
  };
  Sample spread = sample({3, 2}, {1, 0}, {2, 1});
  spread.attributes.set("interior", Shape{1, 2});
  Sample filled = spread;
  filled.attributes.set("value", -1.5);
  return {sample({3, 4}, {1, 2}, {0, 3}),
          sample({3, 4}, {1, 0}, {2, 0}, "constant", 2.5),
          sample({5}, {0}, {0}),
          sample({}, {}, {}),
          sample({0}, {2}, {1}),
          sample({4, 3}, {3, 0}, {2, 2}, "reflect"),
          sample({1}, {0}, {0}, "reflect"),
          sample({4, 3}, {1, 5}, {0, 2}, "edge"),
          spread,
          filled,
          sample({2, 3, 5}, {0, 1, 9}, {0, 1, 2}), // in lanes, with rows that are outside as a whole
          sample({2, 2, 20}, {1, 0, 3}, {1, 2, 11})};
}
} // namespace

constexpr OpDef pad_op = complete({
    .name = "pad",
    .kind = OpKind::view,
    .doc =
        "The operand with new elements around it. (C1) low, high and interior have one number an axis. (C2) The mode "
        "is constant, reflect or edge; interior needs constant. (C3) No number is negative. (C4) reflect adds fewer "
        "elements than there are, edge needs one.",
    .attributes = pad_attributes,
    .infer = infer_pad,
    .gradient =
        [](GradientContext& g) {
          const Pad p = pad_of(g.node().attributes, g.build().type(g.operand(0)).rank());
          p.mode == "constant" ? constant_gradient(g, p) : copy_gradient(g, p);
        },
    .element =
        [](ElementContext& c) {
          Pad p = pad_of(c.attributes(), c.at().size());
          p.mode == "constant" ? constant_element(c, p) : copy_element(c, p);
        },
    .reference = pad_reference,
    .samples = pad_samples,
});

} // namespace dlcc::ops

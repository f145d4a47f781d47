// Random numbers, each a pure function of (seed, batch, stream, element): the same for any number of threads, and again
// when the backward pass asks for them a second time.
#include "ir/base/philox.h"
#include "ir/ops/indices.h"
#include "ir/ops/record.h"

namespace dlcc::ops {

namespace {
using A = const Attributes&;

constexpr AttributeDef random_attributes[] = {
    {"shape", AttributeKind::integers, "of the result", true},
    {"dtype", AttributeKind::dtype, "f32 or f64; f32 if absent"},
    {"stream", AttributeKind::string, "the name of the stream; another name gives independent numbers", true}};
constexpr AttributeDef dropout_attributes[] = {
    {"rate", AttributeKind::number, "the probability of an element to become zero", true},
    {"stream", AttributeKind::string, "the name of the stream of random numbers", true}};

#define DLCC_DOC_RANDOM " (C1) seed and batch are i64 scalars. (C2) The result is f32 or f64. (C3) The shape is valid."

void require_counters(Require& r, size_t first) {
  for (size_t k = first; k < first + 2; ++k) r.dtype(k, DType::i64, 1).scalar(k, 1);
}

std::vector<Type> infer_random(InferContext& c) {
  DType dtype = c.attributes().dtype("dtype");
  const Shape& shape = c.attributes().integers("shape");
  Require r(c);
  require_counters(r, 0);
  r.that(is_float(dtype), 2, [&] { return "f32 or f64 expected, found " + std::string(name_of(dtype)); });
  r.dimensions(shape, 3);
  return r.result({dtype, shape});
}

void uniform_element(ElementContext& c) {
  ExprId seed = c.operand(0, {}), batch = c.operand(1, {});
  const Type& type = c.result_type();
  ExprId element = c.build().index(linear_index(c.build(), c.at(), type.shape));
  std::string name(c.attributes().string("stream"));
  ExprId stream = c.argument("stream/" + name, stream_of(name));
  c.set(c.build().random_uniform(seed, batch, stream, element, type.dtype));
}

double uniform(double seed, double batch, uint32_t stream, uint64_t element) {
  return philox_uniform(static_cast<uint64_t>(seed), static_cast<uint64_t>(batch), stream, element);
}

void uniform_reference(ReferenceContext& c) {
  uint32_t stream = stream_of(c.attributes().string("stream"));
  for (size_t i = 0; i < c.result().size(); ++i)
    c.result().data[i] = uniform(c.operand(0).data[0], c.operand(1).data[0], stream, i);
}

std::vector<Sample> random_samples() {
  std::vector<Sample> samples;
  for (const Shape& shape : {Shape{5, 27}, Shape{200}, Shape{}, Shape{0}})
    samples.push_back({.operands = {{DType::i64, {}}, {DType::i64, {}}},
                       .attributes = {{"shape", shape}, {"stream", std::string("dropout_1")}}});
  samples[1].attributes.set("dtype", DType::f64);
  return samples;
}

// ---- dropout --------------------------------------------------------------------------------------------------------

std::vector<Type> infer_dropout(InferContext& c) {
  double rate = c.attributes().number("rate");
  Require r(c);
  r.floats(0, 2);
  require_counters(r, 1);
  r.that(rate >= 0 && rate <= 1, 3, [] { return std::string("the rate is not between 0 and 1"); });
  return r.result(c.operand(0));
}

std::vector<ValueId> dropout_body(graph::Builder& b, std::span<const ValueId> v, A a) {
  Term x{&b, v[0]};
  double rate = a.number("rate");
  if (rate >= 1) return {broadcast_to(x.number(0), x.shape())};
  if (rate == 0) return {apply(b, linear_op, {x})};
  Term u{&b, apply(b, random_uniform_op, {v[1], v[2]},
                   {{"shape", x.shape()}, {"dtype", x.dtype()}, {"stream", std::string(a.string("stream"))}})};
  return {where(u >= rate, x * (1 / (1 - rate)), 0.0)};
}

void dropout_reference(ReferenceContext& c) {
  double rate = c.attributes().number("rate");
  uint32_t stream = stream_of(c.attributes().string("stream"));
  for (size_t i = 0; i < c.result().size(); ++i) {
    bool kept = rate < 1 && uniform(c.operand(1).data[0], c.operand(2).data[0], stream, i) >= rate;
    c.result().data[i] = kept ? c.operand(0).data[i] / (1 - rate) : 0;
  }
}

std::vector<Sample> dropout_samples() {
  std::vector<Sample> samples;
  for (double rate : {0.5, 0.0, 1.0, 0.1})
    samples.push_back({.operands = {{DType::f32, {9, 15}}, {DType::i64, {}}, {DType::i64, {}}},
                       .attributes = {{"rate", rate}, {"stream", std::string("dropout_1")}}});
  return samples;
}
} // namespace

constexpr OpDef random_uniform_op = complete({
    .name = "random_uniform",
    .doc = "Numbers spread evenly over (0, 1), random_uniform(seed, batch): (k + 0.5) 2^-23 for 23 bits k of Philox "
           "4x32-10 with key seed and counter (element, batch, stream)." DLCC_DOC_RANDOM,
    .attributes = random_attributes,
    .min_operands = 2,
    .max_operands = 2,
    .infer = infer_random,
    .no_gradient = integer_operand,
    .element = uniform_element,
    .reference = uniform_reference,
    .samples = random_samples,
});

constexpr OpDef random_normal_op = complete({
    .name = "random_normal",
    .kind = OpKind::composite,
    .doc = "Numbers with mean 0 and variance 1, random_normal(seed, batch): normal_quantile of random_uniform." //
    DLCC_DOC_RANDOM,
    .attributes = random_attributes,
    .min_operands = 2,
    .max_operands = 2,
    .infer = infer_random,
    .no_gradient = integer_operand,
    .body = [](graph::Builder& b, std::span<const ValueId> x, A a) -> std::vector<ValueId> {
      return {normal_quantile(b, apply(b, random_uniform_op, {x[0], x[1]}, a))};
    },
    .samples = random_samples,
});

constexpr OpDef dropout_op = complete({
    .name = "dropout",
    .kind = OpKind::composite,
    .doc =
        "dropout(x, seed, batch): zero with probability rate, else x / (1 - rate). The gradient draws the same numbers "
        "again. (C1) seed and batch are i64 scalars. (C2) x is f32 or f64. (C3) 0 <= rate <= 1.",
    .attributes = dropout_attributes,
    .min_operands = 3,
    .max_operands = 3,
    .infer = infer_dropout,
    .gradient =
        [](GradientContext& g) {
          g.contribute(0,
                       apply(g.build(), dropout_op, {g.cotangent(), g.operand(1), g.operand(2)}, g.node().attributes));
        },
    .body = dropout_body,
    .reference = dropout_reference,
    .samples = dropout_samples,
});

} // namespace dlcc::ops

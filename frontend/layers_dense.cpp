// Dense, Activation, Dropout.
#include "frontend/layers.h"

namespace dlcc::frontend {

using ops::Term;

namespace {
// activation(x W + b) over the last axis; what is before it is taken as rows.
Term build_dense(LayerContext& c) {
  const Term x = c.input();
  const Shape shape = x.shape();
  if (shape.size() < 2)
    throw ModelError{"shape-mismatch",
                     "layer " + quoted(c.name) + " (Dense) reads " + to_string(x.type()) +
                         ", expected at least 2 dimensions: rows and features",
                     {}};
  const int64_t in = shape.back(), units = c.layer.integer("units");
  Shape result = shape;
  result.back() = units;
  Term rows = shape.size() == 2 ? x : c.named(ops::reshape(x, {element_count(shape) / in, in}), "rows");
  bool is_transposed = false;
  Term kernel = c.matrix("kernel", in, units, is_transposed);
  Term z = c.named(ops::matmul(rows, kernel, false, is_transposed), "z");
  if (c.layer.boolean("use_bias")) z = c.named(z + c.parameter("bias", {units}, in, units), "b");
  Term y = ops::reshape(c.activate(z), result);
  c.penalize(y);
  return y;
}

Term build_activation(LayerContext& c) {
  Term y = c.activate(c.input());
  c.penalize(y);
  return y;
}

// The numbers depend on the seed, the batch and the layer's name.
Term build_dropout(LayerContext& c) {
  double rate = c.layer.number("rate");
  if (c.mode == Mode::predict || rate == 0) return c.input();
  graph::ValueId seed = c.b.call_scalar("seed"), batch = c.b.call_scalar("batch");
  return {&c.b, c.b.add("dropout", {c.input(), seed, batch}, {{"rate", rate}, {"stream", c.name}})};
}

constexpr LayerRow rows[] = {{"Dense", build_dense}, {"Activation", build_activation}, {"Dropout", build_dropout}};
} // namespace

std::span<const LayerRow> dense_layers() { return rows; }

} // namespace dlcc::frontend

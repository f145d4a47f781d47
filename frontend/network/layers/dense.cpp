// Dense, Activation, Dropout.
#include "frontend/network/layers/layers.h"

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
} // namespace

std::vector<LayerDef> dense_layers() {
  return {
      {{"Dense",
        "activation(x W + b), over the last axis",
        {integer("units").at_least(1).required("width of the output"),
         record("activation", Group::activation).defaults("linear", "applied to the result"),
         boolean("use_bias").defaults(true, "whether b is there"),
         record("kernel_initializer", Group::initializer).defaults("glorot_uniform", "initial W"),
         record("bias_initializer", Group::initializer).defaults("zeros", "initial b"),
         record("kernel_regularizer", Group::regularizer).optional("penalty on W"),
         record("bias_regularizer", Group::regularizer).optional("penalty on b"),
         record("activity_regularizer", Group::regularizer).optional("penalty on the output, divided by the rows"),
         name_key("kernel", KeyKind::tie)
             .optional("another layer's parameter in place of W: \"@layer/kernel\", \"@layer/kernel^T\""),
         name_key("bias", KeyKind::tie).optional("another layer's parameter in place of b")}},
       build_dense},
      {{"Activation",
        "a function of its own",
        {record("activation", Group::activation).required("the function"),
         record("activity_regularizer", Group::regularizer).optional("penalty on the output, divided by the rows")}},
       build_activation},
      {{"Dropout",
        "zeroes a share of the elements in training and scales the rest by 1 / (1 - rate)",
        {number("rate").at_least(0).at_most(1).required("share of zeros")}},
       build_dropout},
  };
}

} // namespace dlcc::frontend

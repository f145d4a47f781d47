// Layers: one record each; argument names and defaults are those of Keras. The builder of a layer stands under the same
// name.
#include "frontend/schema.h"

namespace dlcc::frontend {

namespace {
// Every layer has these keys, before its own.
std::vector<Key> with_common(std::vector<Key> own) {
  std::vector<Key> keys;
  keys.push_back(name_key("name").optional("unique name; <type>_<k> if absent"));
  keys.push_back(list("from", KeyKind::names)
                     .at_least_entries(1)
                     .optional("layers or inputs to read; the previous layer if absent"));
  for (Key& key : own) keys.push_back(std::move(key));
  keys.push_back(boolean("trainable").defaults(true, "false freezes the layer's parameters"));
  keys.push_back(number("lr_mult").at_least(0).defaults(1.0, "factor on the learning rate of the layer's parameters"));
  return keys;
}

RecordDef layer(std::string name, std::string summary, std::vector<Key> own = {}) {
  return {std::move(name), std::move(summary), with_common(std::move(own)), {}};
}

Key sub_layers(std::string name, bool required) {
  Key key = record(std::move(name), Group::layer, KeyKind::records);
  if (required) return std::move(key).at_least_entries(1).required("layers inside, in order");
  return std::move(key).optional("layers on the other branch, in order; none is the identity");
}
} // namespace

std::vector<GroupDef> layer_groups() {
  GroupDef g{Group::layer, "layer", "type", true};
  g.records = {
      layer("Dense", "activation(x W + b), over the last axis",
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
             name_key("bias", KeyKind::tie).optional("another layer's parameter in place of b")}),
      layer(
          "Activation", "a function of its own",
          {record("activation", Group::activation).required("the function"),
           record("activity_regularizer", Group::regularizer).optional("penalty on the output, divided by the rows")}),
      layer("Dropout", "zeroes a share of the elements in training and scales the rest by 1 / (1 - rate)",
            {number("rate").at_least(0).at_most(1).required("share of zeros")}),
      layer("Flatten", "one row per sample"),
      layer("Reshape", "another shape of the same elements, the batch axis kept",
            {list("target_shape", KeyKind::integers)
                 .at_least(-1)
                 .required("dimensions without the batch axis; one may be -1")}),
      layer("Rescale", "x * scale + offset",
            {number("scale").required("factor"), number("offset").defaults(0.0, "added after the factor")}),
      layer("Normalize", "(x - mean) / sqrt(variance), constants over the last axis",
            {list("mean", KeyKind::numbers).at_least_entries(1).required("one number, or one per feature"),
             list("variance", KeyKind::numbers)
                 .at_least_entries(1)
                 .more_than(0)
                 .required("one number, or one per feature")}),
      layer("Add", "the sum of its inputs"),
      layer("Subtract", "the first input less the second"),
      layer("Multiply", "the product of its inputs"),
      layer("Average", "the mean of its inputs"),
      layer("Maximum", "the largest of its inputs, element by element"),
      layer("Concat", "its inputs one after the other",
            {integer("axis").at_least(-8).at_most(7).defaults(int64_t{-1}, "along this axis")}),
      layer("Residual", "shortcut(x) + layers(x)", {sub_layers("layers", true), sub_layers("shortcut", false)}),
      layer("Repeat", "its layers `times` over, one after the other; their names get the prefix <name>_<i>/",
            {integer("times").at_least(1).at_most(1e6).required("how often"), sub_layers("layers", true)}),
  };
  return {g};
}

} // namespace dlcc::frontend
